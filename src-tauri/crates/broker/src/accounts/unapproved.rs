//! What an ask makes before anybody has approved it: an account that is nobody's yet. It lives with its question or
//! with whoever waits for it, and no longer; it is written down nowhere and shown nowhere but in its question. There
//! is room for a few at a time. And what an ask says about how to sign in: it becomes the account's own once it is
//! approved.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::account::{AccountId, ClientSettings};
use crate::accounts::waiters::CallerId;
use crate::asker::{Asker, Whose};
use crate::asking::Wish;
use crate::broker::{Account, Broker, Caller};
use crate::clock::Now;
use crate::command::Flags;
use crate::consent::questions::Standings;
use crate::consent::trust::{Pair, Standing};
use crate::event::{Effect, QuestionId, Servers};
use crate::manner::Manner;
use crate::problem::{Code, Problem};

/// How many accounts there may be that nobody has approved.
const MOST: usize = 64;

impl Broker {
    /// The accounts that somebody approved, added or signed in to.
    pub(crate) fn persons_accounts(&self) -> impl Iterator<Item = (&AccountId, &Account)> {
        self.accounts
            .iter()
            .filter(|(_, account)| !account.unapproved)
    }

    /// Whether it is one of those.
    pub(crate) fn is_persons(&self, id: &AccountId) -> bool {
        self.accounts
            .get(id)
            .is_some_and(|account| !account.unapproved)
    }

    /// Finds the account that an ask's flags name, or makes one that is nobody's yet.
    ///
    /// # Errors
    /// `TooManyWait`: there are as many as there may be, and somebody waits for each.
    pub(crate) fn account_of_ask(
        &mut self,
        flags: &Flags,
        asker: &Asker,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<AccountId, Problem> {
        let id = flags.id().clone();
        self.proxies.saw(&asker.proxies, now.moment);
        if !self.accounts.contains_key(&id) {
            let unapproved = |account: &&Account| account.unapproved;
            if self.accounts.values().filter(unapproved).count() >= MOST {
                self.drop_the_idlest(effects)?;
            }
            let account = Account {
                unapproved: true,
                ..Account::new(flags.key().clone())
            };
            self.accounts.insert(id.clone(), account);
        }
        if let Some(account) = self.accounts.get_mut(&id) {
            account.settings.proxies = asker.proxies.clone();
        }
        Ok(id)
    }

    /// Makes room for another account that nobody has approved.
    fn drop_the_idlest(&mut self, effects: &mut Vec<Effect>) -> Result<(), Problem> {
        let callers = self.callers.values();
        let wanted: BTreeSet<_> = callers
            .filter_map(|caller| caller.wants.account())
            .collect();
        let idle = |id: &AccountId| {
            let account = self.accounts.get(id);
            let idle = |known: &Account| known.unapproved && known.session.attempt().is_none();
            account.is_some_and(idle) && !wanted.contains(id)
        };
        let Some(id) = self.questions.oldest_of(idle) else {
            return Err(Problem::plain(Code::TooManyWait));
        };
        for answering in self.forget_questions(&id) {
            self.fail(answering, &Problem::plain(Code::QuestionOver), effects);
        }
        self.accounts.remove(&id);
        Ok(())
    }

    /// Forgets the accounts that nobody approved and nobody waits for any more.
    pub(crate) fn forget_unapproved(&mut self) {
        if self.accounts.values().all(|account| !account.unapproved) {
            return;
        }
        let callers = self.callers.values();
        let waiting: BTreeSet<AccountId> = callers
            .filter_map(|caller| caller.wants.account())
            .chain(self.questions.each().map(|question| question.account))
            .cloned()
            .collect();
        self.accounts.retain(|id, account| {
            !account.unapproved || account.session.attempt().is_some() || waiting.contains(id)
        });
    }

    /// A person makes this account theirs by themselves. A sign-in that is under way was begun for an ask that nobody
    /// approved, in its way and with its question: it is given up.
    pub(crate) fn give_up_unapproved(
        &mut self,
        id: &AccountId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let account = self.accounts.get(id).filter(|account| account.unapproved);
        if let Some(attempt) = account.and_then(|account| account.session.attempt()) {
            self.questions.attempt_over(attempt, now.moment);
            self.with_session(id, now, effects, |session, _| session.cancel());
        }
    }

    /// Somebody said yes to what these flags ask for, or signs in by them: the account is the person's from now on,
    /// and signs in as they say.
    pub(crate) fn take_over(
        &mut self,
        id: &AccountId,
        flags: &Flags,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let asked = flags.settings();
        let other_secret =
            asked.client_secret.is_some() && asked.client_secret != account.settings.client_secret;
        let news = account.unapproved || !account.named || !flags.manner().is_of(&account.settings);
        account.named = true;
        account.unapproved = false;
        account.settings = ClientSettings {
            proxies: std::mem::take(&mut account.settings.proxies),
            ..asked.clone()
        };
        if news {
            self.keep_down(effects);
            self.with_session(id, now, effects, |session, cx| {
                session.keep_fresh(cx);
                Vec::new()
            });
        }
        if other_secret {
            self.with_session(id, now, effects, |session, cx| session.other_secret(cx));
        }
    }

    /// An ask may have its token. What it says becomes the account's own where it was approved for good, or nothing
    /// else is known of the account.
    pub(crate) fn may_have(
        &mut self,
        id: &AccountId,
        flags: &Arc<Flags>,
        servers: &Servers,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let manner = flags.manner();
        let (mut for_good, mut completed) = (true, false);
        for candidate in &servers.needed {
            let pair = Pair {
                account: id.clone(),
                server: candidate.server.clone(),
            };
            match self.trust.approval_mut(&pair) {
                Some(approval) => {
                    completed |= approval.completes(manner);
                    for_good &= approval.covers(manner);
                }
                None => for_good = false,
            }
        }
        if completed {
            self.keep_down(effects);
        }
        if for_good || !self.is_persons(id) {
            self.take_over(id, flags, now, effects);
        }
    }

    /// What holds of a pair for an ask that would sign in so; none: as the account does.
    pub(crate) fn standing(
        &self,
        pair: &Pair,
        manner: Option<&Manner>,
        whose: Whose,
        now: Now,
    ) -> Standing {
        match (self.trust.standing(pair, whose, now.moment), manner) {
            (Standing::Trusted, Some(manner)) => {
                let approval = self.trust.approval(pair);
                let within = whose.container;
                let within = within.filter(|within| self.trust.is_within(pair, *within));
                let first = within.map(|within| within.first);
                self.manners
                    .standing(pair, approval, manner, whose.process, first, now.moment)
            }
            (standing @ (Standing::Trusted | Standing::Refused | Standing::New), _) => standing,
        }
    }

    /// Whether a question may stand on the page of the sign-in that it leads to: that is made before it is answered,
    /// so not where it asks to sign in otherwise than was approved.
    pub(crate) fn may_ride(&self, id: &AccountId, manner: &Manner) -> bool {
        self.accounts.get(id).is_some_and(|account| {
            account.unapproved || Manner::of(&account.settings).covers(manner)
        })
    }

    /// How a sign-in that begins for these callers is made. Of an account that is nobody's yet: as the ask says whose
    /// question is on its page. Else as the first of those says who may, or as the account's own.
    pub(crate) fn signs_in_as(
        &self,
        account: &Account,
        callers: &[CallerId],
        question: Option<QuestionId>,
        now: Now,
    ) -> ClientSettings {
        let asked = callers.iter().find_map(|caller| {
            let Caller {
                asker,
                wants:
                    Wish::Credential {
                        account: id,
                        servers,
                        flags: Some(flags),
                        ..
                    },
            } = self.callers.get(caller)?
            else {
                return None;
            };
            let on_its_page = account.unapproved
                && question.is_some_and(|question| self.questions.is_asked_by(question, *caller));
            let may = || {
                let standings = self.standings(id, servers, Some(flags.manner()), asker, now);
                matches!(standings, Standings::Trusted)
            };
            (on_its_page || may()).then(|| ClientSettings {
                proxies: asker.proxies.clone(),
                ..flags.settings().clone()
            })
        });
        asked.unwrap_or_else(|| account.settings.clone())
    }
}
