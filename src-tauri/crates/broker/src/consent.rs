//! Who may have tokens, what a person is asked about that, and what they said.

pub(crate) mod manners;
pub(crate) mod questions;
pub mod trust;

use std::sync::Arc;

use crate::account::AccountId;
use crate::accounts::Accounts;
use crate::accounts::waiters::{CallerId, Person};
use crate::asker::{Asker, Desktop, ProcessId, Whose};
use crate::callers::Callers;
use crate::callers::outcome::{Meanwhile, Outcome, Prompt};
use crate::clock::{Deadline, Now};
use crate::command::Flags;
use crate::manner::{Change, Manner};
use crate::pair::{Candidate, Pair, Servers};
use crate::problem::Problem;
use crate::question::QuestionId;
use crate::texts::Language;
use crate::transaction::Taken;
use manners::Manners;
use questions::Questions;
use trust::{Approval, By, Standing, Trust};

/// What was said of servers, of ways to sign in, and what is still asked.
#[derive(Debug, Default)]
pub(crate) struct Consent {
    trust: Trust,
    /// What was said of ways to sign in, other than for good.
    manners: Manners,
    questions: Questions,
}

/// What a decision may know of the other rooms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) accounts: &'a Accounts,
    pub(crate) callers: &'a Callers,
    pub(crate) desktop: Desktop,
    pub(crate) now: Now,
}

/// What the broker must do about it.
#[derive(Debug)]
pub(crate) enum Step {
    /// A caller has its answer.
    Answer(CallerId, Outcome),
    /// A caller, who answered a question, has theirs once it is at rest.
    AnswerAtRest(CallerId, Outcome),
    /// A caller is asked to type something.
    Prompt(CallerId, Prompt),
    /// A caller is told what happens meanwhile.
    Say(CallerId, Meanwhile),
    /// A caller is looked at anew: it may have what it wants, or be asked about something else.
    GoOn(CallerId),
    /// The same, once what it said for good is at rest.
    GoOnAtRest(CallerId),
    /// A caller waits for the session of its account, on whose sign-in's page its question stands.
    Join(CallerId, Person),
    /// Whoever stood at this question has joined: where no page came of it, it is asked nowhere.
    Joined(QuestionId),
    /// A caller waits no more for this account.
    Leave(AccountId, CallerId),
    /// This process counted as a person's new command; none: the next one does.
    CommandedBy(AccountId, Option<ProcessId>),
    /// What was asked for becomes the account's own.
    TakeOver(Arc<Flags>),
    /// What else waits is brought up to date with what was said.
    Settle,
    /// This question is.
    SettleOne(QuestionId),
    /// What the questions say is.
    Reword,
    /// Whoever waits for this question is asked where they can be now.
    AskAnew(QuestionId),
    /// A caller waits for no question any more.
    Gone(CallerId),
    /// Questions that nobody asks any more are forgotten.
    Tidy,
    /// A caller that waits for this question is told where it is asked.
    SayWhere(QuestionId, CallerId),
    /// A question is asked in the window.
    ShowWindow,
    /// A question is asked on a page of its own.
    ShowPage(QuestionId),
    /// The page that asked is told what became of the answer.
    Taken(QuestionId, Taken),
    /// The end of a process is looked out for.
    Watch(ProcessId),
    /// The same of the process that a caller asks for, if it waits still.
    WatchAsker(CallerId),
    /// Approvals are others than are written down.
    WriteDown,
}

/// What follows where an ask may have its token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MayHave {
    /// What it says becomes the account's own: it was approved for good, or nothing else is known of the account.
    pub(crate) becomes_own: bool,
    /// An older approval says more now than is written down.
    pub(crate) completed: bool,
}

/// What holds of all the servers of a request together.
#[derive(Debug)]
pub(crate) enum Standings {
    /// All are trusted.
    Trusted,
    /// One was refused.
    Refused(Problem),
    /// One was never asked about.
    New,
}

impl Consent {
    /// What was approved for good.
    pub(crate) fn restored(trusts: Vec<(Pair, Approval)>) -> Self {
        Self {
            trust: Trust::restored(trusts),
            ..Self::default()
        }
    }

    /// What was approved for good.
    pub(crate) fn always(&self) -> impl Iterator<Item = (&Pair, &Approval)> {
        self.trust.always()
    }

    /// Whether a server may have tokens of this account for good.
    pub(crate) fn is_allowed(&self, id: &AccountId) -> bool {
        self.always().any(|(pair, _)| pair.account == *id)
    }

    /// Every question.
    pub(crate) fn questions(&self) -> &Questions {
        &self.questions
    }

    /// When something is due.
    pub(crate) fn next(&self) -> Option<Deadline> {
        self.questions.next()
    }

    /// A caller has its answer, whatever it was.
    pub(crate) fn answered(&mut self, caller: CallerId) {
        self.questions.unjoin(caller);
    }

    /// What stands in the person's own kubeconfig at the very first start.
    pub(crate) fn approve_at_first_start(
        &mut self,
        account: AccountId,
        candidate: Candidate,
        file: String,
        manner: Manner,
        now: Now,
    ) {
        let Candidate {
            server,
            contexts,
            file: _,
        } = candidate;
        let approval = Approval {
            at: now.wall,
            by: By::FirstStart,
            contexts,
            file: Some(file),
            manners: vec![manner],
        };
        self.trust.approve(Pair { account, server }, approval);
    }

    /// Takes a yes back. None: there is none of that name.
    pub(crate) fn untrust(&mut self, name: &str) -> Option<Pair> {
        let mut all = self.trust.always();
        let (pair, _) = all.find(|(pair, _)| pair.name() == name)?;
        let pair = pair.clone();
        drop(all);
        self.trust.revoke(&pair);
        self.manners.revoke(&pair);
        Some(pair)
    }

    /// What was answered about an account goes with it, for one command or for good, and so does what is asked: these
    /// waited for an answer about it.
    pub(crate) fn forget_account(&mut self, id: &AccountId) -> Vec<CallerId> {
        self.trust.revoke_account(id);
        self.manners.revoke_account(id);
        self.questions.forget(id)
    }

    /// Nobody is asked about an account any more: these waited for an answer about it.
    pub(crate) fn forget_questions(&mut self, id: &AccountId) -> Vec<CallerId> {
        self.questions.forget(id)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What a caller's request has: a credential's, of all its servers together. Anything else needs nobody's consent.
    pub(crate) fn standing_of(&self, caller: CallerId, facts: Facts<'_>) -> Standings {
        match facts.callers.credential(caller) {
            Some((asker, credential)) => {
                let (account, servers) = (&credential.account, &credential.servers);
                self.standings(account, servers, credential.manner(), asker, facts)
            }
            None => Standings::Trusted,
        }
    }

    /// Lets a caller pass, or asks about its request, or says why not. Empty: it may have what it wants.
    pub(crate) fn admit(&mut self, caller: CallerId, facts: Facts<'_>) -> Result<(), Vec<Step>> {
        match self.standing_of(caller, facts) {
            Standings::Trusted => Ok(()),
            Standings::Refused(problem) => Err(vec![refuse(caller, problem)]),
            Standings::New => Err(self.question(caller, facts)),
        }
    }

    /// An ask may have its token: what follows of what it says of the way to sign in.
    pub(crate) fn may_have(
        &mut self,
        flags: &Flags,
        servers: &Servers,
        accounts: &Accounts,
    ) -> MayHave {
        let manner = flags.manner();
        let (mut for_good, mut completed) = (true, false);
        for candidate in &servers.needed {
            let pair = pair_of(flags.id(), candidate);
            match self.trust.approval_mut(&pair) {
                Some(approval) => {
                    completed |= approval.completes(manner);
                    for_good &= approval.covers(manner);
                }
                None => for_good = false,
            }
        }
        MayHave {
            becomes_own: for_good || !accounts.is_persons(flags.id()),
            completed,
        }
    }

    /// What holds of every server that a request may be for.
    fn standings(
        &self,
        account: &AccountId,
        servers: &Servers,
        manner: Option<&Manner>,
        asker: &Asker,
        facts: Facts<'_>,
    ) -> Standings {
        let (now, whose) = (facts.now, asker.whose());
        let new: Vec<Pair> = servers
            .needed
            .iter()
            .map(|candidate| pair_of(account, candidate))
            .filter(|pair| self.standing(pair, manner, whose, now) != Standing::Trusted)
            .collect();
        if new.is_empty() {
            return Standings::Trusted;
        }
        let otherwise = manner.filter(|manner| {
            self.manners
                .is_refused(&new, manner, whose.both(), now.moment)
        });
        if otherwise.is_none() && !self.trust.is_refused(&new, whose, now.moment) {
            return Standings::New;
        }
        let trusted =
            |pair: &Pair| self.trust.standing(pair, whose, now.moment) == Standing::Trusted;
        if let (Some(manner), Some(first)) = (otherwise, new.first())
            && new.iter().all(trusted)
        {
            let changes = self.changes(account, first, manner, facts.accounts);
            return Standings::Refused(manner_refused(account, &changes, facts.accounts));
        }
        let alone =
            |pair: &&Pair| self.trust.standing(pair, whose, now.moment) == Standing::Refused;
        let untrusted = |pair: &&Pair| !trusted(pair);
        let refused = new
            .iter()
            .find(alone)
            .or_else(|| new.iter().find(untrusted))
            .or(new.first());
        let mut needed = servers.needed.iter();
        let Some(refused) =
            needed.find(|one| refused.is_some_and(|pair| pair.server == one.server))
        else {
            return Standings::New;
        };
        let account = facts.accounts.label(account).unwrap_or_default().to_owned();
        let server = questions::wording::server_text(refused, Language::En);
        Standings::Refused(if !refused.server.is_seen() {
            Problem::TrustRefusedUnseen { account }
        } else if servers.needed.len() > 1 {
            Problem::TrustRefusedSeveral { account, server }
        } else {
            Problem::TrustRefused { account, server }
        })
    }

    /// What holds of a pair for an ask that would sign in so; none: as the account does.
    fn standing(&self, pair: &Pair, manner: Option<&Manner>, whose: Whose, now: Now) -> Standing {
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

    /// Those of these servers that whoever asks may not give tokens yet.
    fn untrusted(
        &self,
        account: &AccountId,
        candidates: &[Candidate],
        manner: Option<&Manner>,
        whose: Whose,
        now: Now,
    ) -> Vec<Candidate> {
        let untrusted = |candidate: &&Candidate| {
            let pair = pair_of(account, candidate);
            self.standing(&pair, manner, whose, now) != Standing::Trusted
        };
        candidates.iter().filter(untrusted).cloned().collect()
    }

    /// In what an ask differs from what was approved last with this pair, or from what the account does; of an
    /// account that is nobody's yet, from what is usual.
    fn changes(
        &self,
        id: &AccountId,
        pair: &Pair,
        asked: &Manner,
        accounts: &Accounts,
    ) -> Vec<Change> {
        let approved = self.trust.approval(pair);
        let approved = approved.and_then(|approval| approval.manners.last().cloned());
        let own = || {
            let account = accounts.get(id).filter(|account| !account.unapproved);
            account.map(|account| Manner::of(&account.settings))
        };
        let before = approved.or_else(own).unwrap_or_default();
        before
            .changes(asked)
            .iter()
            .map(Change::shortened)
            .collect()
    }

    /// Whether somebody uses an account at this issuer: signed in to, added, or allowed for a server. What a request merely
    /// named is not among them, or it could keep a person from signing in.
    fn is_used(&self, issuer: &str, accounts: &Accounts) -> bool {
        self.used_issuers(accounts).any(|used| used == issuer)
    }

    /// The issuers of accounts that somebody uses.
    pub(crate) fn used_issuers<'a>(
        &'a self,
        accounts: &'a Accounts,
    ) -> impl Iterator<Item = &'a str> {
        let used = accounts.each().filter(|(id, account)| {
            account.subject.is_some() || account.added || self.is_allowed(id)
        });
        used.map(|(_, account)| account.key.issuer.as_str())
    }
}

/// A caller is told what is wrong, and owed nothing more.
fn refuse(caller: CallerId, problem: Problem) -> Step {
    Step::Answer(caller, Outcome::Refused(problem))
}

fn pair_of(account: &AccountId, candidate: &Candidate) -> Pair {
    Pair {
        account: account.clone(),
        server: candidate.server.clone(),
    }
}

/// A person said no to this way to sign in.
fn manner_refused(id: &AccountId, changes: &[Change], accounts: &Accounts) -> Problem {
    Problem::SettingsRefused {
        account: accounts.label(id).unwrap_or_default().to_owned(),
        settings: questions::wording::flags_line(changes),
    }
}
