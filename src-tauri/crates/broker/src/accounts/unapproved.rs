//! What an ask makes before anybody has approved it: an account that is nobody's yet. It lives with its question or
//! with whoever waits for it, and no longer; it is written down nowhere and shown nowhere but in its question. There
//! is room for a few at a time.

use std::collections::BTreeSet;

use super::account::Account;
use super::{Accounts, Step};
use crate::account::{AccountId, ClientSettings};
use crate::asker::Asker;
use crate::clock::Now;
use crate::command::Flags;
use crate::problem::Problem;

/// How many accounts there may be that nobody has approved.
const MOST: usize = 64;

impl Accounts {
    /// Finds the account that an ask's flags name, or makes one that is nobody's yet. Where there are as many as may be,
    /// the first of `idlest` makes room that nobody waits for: those that a question is about, the oldest first.
    ///
    /// # Errors
    /// `TooManyWait`: there are as many as there may be, and somebody waits for each.
    pub(crate) fn of_ask(
        &mut self,
        flags: &Flags,
        asker: &Asker,
        idlest: &[AccountId],
        now: Now,
    ) -> Result<Option<Step>, Problem> {
        let id = flags.id();
        self.saw(&asker.proxies, now);
        let mut dropped = None;
        if !self.all.contains_key(id) {
            let unapproved = |account: &&Account| account.unapproved;
            if self.all.values().filter(unapproved).count() >= MOST {
                let idle = |id: &&AccountId| {
                    let account = self.get(id);
                    account.is_some_and(|one| one.unapproved && one.session.attempt().is_none())
                };
                let Some(idlest) = idlest.iter().find(idle).cloned() else {
                    return Err(Problem::TooManyWait);
                };
                self.all.remove(&idlest);
                dropped = Some(Step::Dropped(idlest));
            }
            let account = Account {
                unapproved: true,
                ..Account::new(flags.key().clone())
            };
            self.all.insert(id.clone(), account);
        }
        if let Some(account) = self.all.get_mut(id) {
            account.settings.proxies = asker.proxies.clone();
        }
        Ok(dropped)
    }

    /// Finds or makes the account that flags name, for a person who signs in by them.
    pub(crate) fn of_flags(&mut self, flags: &Flags, asker: &Asker, now: Now) -> Vec<Step> {
        self.saw(&asker.proxies, now);
        let account = self.of_key(flags.key().clone());
        account.settings.proxies = asker.proxies.clone();
        let mut steps = self.give_up_unapproved(flags.id(), now);
        steps.extend(self.take_over(flags, now));
        steps
    }

    /// Forgets the accounts that nobody approved, and that are none of those that somebody waits for.
    pub(crate) fn forget_unapproved(&mut self, waiting: &BTreeSet<&AccountId>) {
        self.all.retain(|id, account| {
            !account.unapproved || account.session.attempt().is_some() || waiting.contains(id)
        });
    }

    /// Whether there is any that nobody approved.
    pub(crate) fn has_unapproved(&self) -> bool {
        self.all.values().any(|account| account.unapproved)
    }

    /// A person makes this account theirs by themselves. A sign-in that is under way was begun for an ask that nobody
    /// approved, in its way and with its question: it is given up.
    pub(super) fn give_up_unapproved(&mut self, id: &AccountId, now: Now) -> Vec<Step> {
        let account = self.get(id).filter(|account| account.unapproved);
        let Some(attempt) = account.and_then(|account| account.session.attempt()) else {
            return Vec::new();
        };
        let mut steps = vec![Step::PageOver(attempt)];
        steps.extend(self.act(id, now, |session, _| session.cancel()));
        steps
    }

    /// Somebody said yes to what these flags ask for, or signs in by them: the account is the person's from now on,
    /// and signs in as they say.
    pub(crate) fn take_over(&mut self, flags: &Flags, now: Now) -> Vec<Step> {
        let id = flags.id();
        let Some(account) = self.all.get_mut(id) else {
            return Vec::new();
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
        let mut steps = Vec::new();
        if news {
            steps.push(Step::WriteDown);
            self.note(id, now, |session, cx| session.keep_fresh(cx));
        }
        if other_secret {
            steps.extend(self.act(id, now, |session, cx| session.other_secret(cx)));
        }
        steps
    }
}
