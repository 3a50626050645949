//! The questions that wait for a person: may this server have tokens of this account?

mod answer;
mod manner;
mod place;
mod wording;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use wording::servers_line;

use crate::account::AccountId;
use crate::asker::Asker;
use crate::broker::Broker;
use crate::clock::{Moment, Now};
use crate::command::Flags;
use crate::event::{Candidate, QuestionId, Servers};
use crate::manner::Manner;
use crate::outcome::AttemptId;
use crate::problem::{Code, Problem};
use crate::trust::{Pair, Question, Standing};
use crate::waiters::CallerId;

/// How many questions may wait; the oldest that nobody waits at goes first.
const MOST: usize = 64;

/// Every question that waits.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    waiting: BTreeMap<QuestionId, Waiting>,
    last: u64,
}

#[derive(Debug)]
struct Waiting {
    account: AccountId,
    needed: Vec<Candidate>,
    others: Vec<Candidate>,
    worded: Question,
    callers: Vec<CallerId>,
    stage: Stage,
    /// How whoever asks would have the person sign in.
    manner: Manner,
    /// What it is asked with; none: by the account's name.
    flags: Option<Arc<Flags>>,
}

/// Where a question is being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nowhere yet: `kubectl fob trust` can take it up.
    Open,
    /// Nowhere: a page asked, and nobody answered. A person opens the next one.
    Silent,
    /// On the page of a sign-in that is about to begin.
    WithNextSignIn,
    /// On the page of this sign-in.
    WithSignIn(AttemptId),
    /// On a page of its own.
    Page,
    /// In the window, until then.
    Window(Moment),
    /// On this caller's terminal.
    Terminal(CallerId),
}

/// What holds of all the servers of a request together.
pub(crate) enum Standings {
    /// All are trusted.
    Trusted,
    /// One was refused.
    Refused(Problem),
    /// One was never asked about.
    New,
}

impl Questions {
    /// The question that goes on the page of a sign-in that begins for these callers.
    pub(crate) fn with_sign_in(
        &mut self,
        callers: &[CallerId],
        attempt: AttemptId,
    ) -> Option<QuestionId> {
        let (id, question) = self.waiting.iter_mut().find(|(_, question)| {
            question.stage == Stage::WithNextSignIn
                && question
                    .callers
                    .iter()
                    .any(|caller| callers.contains(caller))
        })?;
        question.stage = Stage::WithSignIn(attempt);
        Some(*id)
    }

    /// What a question asks.
    pub(crate) fn worded(&self, id: QuestionId) -> Option<Question> {
        self.waiting
            .get(&id)
            .map(|question| question.worded.clone())
    }

    /// A sign-in is over: the question on its page waits for `kubectl fob trust` if nobody
    /// answered it.
    pub(crate) fn attempt_over(&mut self, attempt: AttemptId) {
        for question in self.waiting.values_mut() {
            if question.stage == Stage::WithSignIn(attempt) {
                question.stage = Stage::Open;
                question.callers.clear();
            }
        }
    }

    /// Every question, with its short name, whether the window is asked, and its account.
    pub(crate) fn each(&self) -> impl Iterator<Item = (String, bool, &AccountId, &Question)> {
        self.waiting.iter().map(|(id, question)| {
            let in_window = question.in_window().is_some();
            (id.name(), in_window, &question.account, &question.worded)
        })
    }

    /// When the next one has been open in the window for too long.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.waiting.values().filter_map(Waiting::in_window).min()
    }

    /// An account is gone, and whoever waits for an answer about it is given back.
    pub(crate) fn forget(&mut self, account: &AccountId) -> Vec<CallerId> {
        let mut waiting = Vec::new();
        self.waiting.retain(|_, question| {
            let of_it = question.account == *account;
            if of_it {
                waiting.append(&mut question.callers);
            }
            !of_it
        });
        waiting
    }

    /// Whether a caller waits for this question.
    pub(crate) fn is_asked_by(&self, id: QuestionId, caller: CallerId) -> bool {
        let question = self.waiting.get(&id);
        question.is_some_and(|question| question.callers.contains(&caller))
    }

    /// Drops the oldest question about such an account that nobody waits at. Whose it was.
    pub(crate) fn forget_an_idle_one(
        &mut self,
        of: impl Fn(&AccountId) -> bool,
    ) -> Option<AccountId> {
        let idle = |question: &Waiting| question.callers.is_empty() && of(&question.account);
        let mut waiting = self.waiting.iter();
        let (id, _) = waiting.find(|(_, question)| idle(question))?;
        let id = *id;
        self.waiting.remove(&id).map(|question| question.account)
    }

    fn named(&self, name: Option<&str>) -> Option<QuestionId> {
        match name {
            Some(name) => self.waiting.keys().copied().find(|id| id.name() == name),
            None => self.waiting.keys().copied().next_back(),
        }
    }

    fn in_window(&self, until: impl Fn(Moment) -> bool) -> Vec<QuestionId> {
        self.waiting
            .iter()
            .filter(|(_, question)| question.in_window().is_some_and(&until))
            .map(|(id, _)| *id)
            .collect()
    }

    fn forget_the_oldest(&mut self) {
        while self.waiting.len() >= MOST {
            let idle = self
                .waiting
                .iter()
                .find(|(_, question)| question.callers.is_empty());
            let Some(id) = idle.map(|(id, _)| *id) else {
                return;
            };
            self.waiting.remove(&id);
        }
    }
}

impl Waiting {
    /// Until when it is asked in the window, if it is.
    fn in_window(&self) -> Option<Moment> {
        match self.stage {
            Stage::Window(until) => Some(until),
            Stage::Open
            | Stage::Silent
            | Stage::WithNextSignIn
            | Stage::WithSignIn(_)
            | Stage::Page
            | Stage::Terminal(_) => None,
        }
    }
}

impl QuestionId {
    /// What people type.
    pub(crate) fn name(self) -> String {
        format!("q{}", self.0)
    }
}

impl Broker {
    /// What holds of every server that a request may be for.
    pub(crate) fn standings(
        &self,
        account: &AccountId,
        servers: &Servers,
        manner: Option<&Manner>,
        asker: &Asker,
        now: Now,
    ) -> Standings {
        let mut all = Standings::Trusted;
        for candidate in &servers.needed {
            let pair = Pair {
                account: account.clone(),
                server: candidate.server.clone(),
            };
            match self.standing(&pair, manner, asker, now) {
                Standing::Trusted => {}
                Standing::New => all = Standings::New,
                Standing::Refused => {
                    let trusted = self.trust.standing(&pair, asker.process, now.moment);
                    if let (Standing::Trusted, Some(manner)) = (trusted, manner) {
                        let changes = self.changes(account, &pair, manner);
                        return Standings::Refused(self.manner_refused(account, &changes));
                    }
                    let code = if servers.needed.len() > 1 {
                        Code::TrustRefusedSeveral
                    } else {
                        Code::TrustRefused
                    };
                    return Standings::Refused(self.problem_of(code, account, candidate));
                }
            }
        }
        all
    }
}
