//! The questions that wait for a person: may this server have tokens of this account?
//!
//! A question goes with whoever asks: when the last of them has ended, it is over, and what stands on a screen approves
//! nothing any more. The other kind was asked where nobody could answer: the command was refused and has ended, and
//! `kubectl fob trust` takes it up, for a while.

mod answer;
mod asking;
mod over;
pub(crate) mod wording;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::account::AccountId;
use crate::accounts::waiters::CallerId;
use crate::asker::{Asker, Container, Place, ProcessId};
use crate::clock::Moment;
use crate::command::Flags;
use crate::manner::Manner;
use crate::pair::{Candidate, Server, name_of};
use crate::problem::Problem;
use crate::question::{Longest, Question, QuestionId};
use crate::short;
use crate::transaction::AttemptId;

/// How many questions may wait.
const MOST: usize = 64;
/// How long `kubectl fob trust` can take a question up whose command has ended: overnight.
const STAYS: Duration = Duration::from_secs(24 * 3_600);
/// How long a process is not asked again what was closed: kubectl asks several times for one command.
const CLOSED: Duration = Duration::from_secs(60);
/// Of how many that were closed that is remembered, and of how many that ended with whoever asked.
const REMEMBERED: usize = 64;

/// Every question that waits.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    waiting: BTreeMap<QuestionId, Waiting>,
    last: u64,
    closed: VecDeque<Closed>,
    /// The names of those that ended with whoever asked, the newest last: a window may still show one.
    askers_ended: VecDeque<String>,
    /// The processes whose end is looked out for.
    watched: BTreeSet<ProcessId>,
}

#[derive(Debug)]
struct Waiting {
    account: AccountId,
    needed: Vec<Candidate>,
    others: Vec<Candidate>,
    /// The container that it may be allowed for.
    container: Option<Container>,
    /// Its lines stand in the order of `needed` and `others`.
    worded: Question,
    /// As good as what is asked ([`Waiting::named`]).
    name: String,
    /// The one that it is worded for.
    shown: Asking,
    /// Those who want a token.
    askers: Vec<CallerId>,
    /// Those who took it up, to answer it.
    answering: Vec<CallerId>,
    /// Until when it can be taken up though nobody waits for it: whoever asked was refused, since nobody could answer.
    stays: Option<Moment>,
    stage: Stage,
    /// How whoever asks would have the person sign in.
    manner: Manner,
    /// What it is asked with; none: by the account's name.
    flags: Option<Arc<Flags>>,
}

/// Whoever a question says that asks. A yes to this command alone is for that one, whoever waits along.
#[derive(Clone, Copy, Debug)]
struct Asking {
    process: Option<ProcessId>,
    place: Place,
    container: Option<Container>,
}

impl Asking {
    fn of(asker: &Asker) -> Self {
        Self {
            process: asker.process,
            place: asker.place,
            container: asker.container,
        }
    }
}

/// One that a person closed.
#[derive(Debug)]
struct Closed {
    process: ProcessId,
    account: AccountId,
    servers: Vec<Server>,
    manner: Manner,
    until: Moment,
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

impl Stage {
    /// Whether it stands on a page, or is about to: it can't be taken back from there.
    fn is_elsewhere(self) -> bool {
        match self {
            Self::WithNextSignIn | Self::WithSignIn(_) | Self::Page => true,
            Self::Open | Self::Silent | Self::Window(_) | Self::Terminal(_) => false,
        }
    }
}

/// A question, as it is shown.
pub(crate) struct Listed<'a> {
    pub(crate) name: &'a str,
    /// Whether the window is asked.
    pub(crate) in_window: bool,
    /// Whether somebody waits for it.
    pub(crate) waits: bool,
    pub(crate) account: &'a AccountId,
    pub(crate) worded: &'a Question,
}

impl Questions {
    /// The question that goes on the page of a sign-in that begins for these callers.
    fn with_sign_in(&mut self, callers: &[CallerId], attempt: AttemptId) -> Option<QuestionId> {
        let (id, question) = self.waiting.iter_mut().find(|(_, question)| {
            question.stage == Stage::WithNextSignIn
                && question.askers.iter().any(|asker| callers.contains(asker))
        })?;
        question.stage = Stage::WithSignIn(attempt);
        Some(*id)
    }

    /// The question that this caller was asked on its terminal.
    fn on_terminal(&self, caller: CallerId) -> Option<QuestionId> {
        let mut all = self.waiting.iter();
        let here = |question: &Waiting| question.stage == Stage::Terminal(caller);
        all.find(|(_, question)| here(question)).map(|(id, _)| *id)
    }

    /// What a question asks.
    pub(crate) fn worded(&self, id: QuestionId) -> Option<Question> {
        self.waiting
            .get(&id)
            .map(|question| question.worded.clone())
    }

    /// Every question that can be answered.
    pub(crate) fn each(&self) -> impl Iterator<Item = Listed<'_>> {
        let shown = self.waiting.values().filter(|one| !one.is_hidden());
        shown.map(|question| Listed {
            name: &question.name,
            in_window: question.in_window().is_some(),
            waits: !question.askers.is_empty(),
            account: &question.account,
            worded: &question.worded,
        })
    }

    /// The names of those that ended with whoever asked, the newest last.
    pub(crate) fn askers_ended(&self) -> impl Iterator<Item = &String> {
        self.askers_ended.iter()
    }

    /// When one has been open in the window for too long, or can't be taken up any more.
    pub(crate) fn next(&self) -> Option<Moment> {
        let all = self.waiting.values();
        all.filter_map(|question| {
            let stays = question.stays.filter(|_| question.askers.is_empty());
            [question.in_window(), stays].into_iter().flatten().min()
        })
        .min()
    }

    /// The account that a question is about, and who waits for an answer to it.
    pub(crate) fn asked_by(&self, id: QuestionId) -> Option<(&AccountId, Vec<CallerId>)> {
        let question = self.waiting.get(&id)?;
        let callers = question.askers.iter().chain(&question.answering);
        Some((&question.account, callers.copied().collect()))
    }

    /// Whether a caller waits for this question.
    pub(crate) fn is_asked_by(&self, id: QuestionId, caller: CallerId) -> bool {
        let question = self.waiting.get(&id);
        question.is_some_and(|question| {
            question.askers.contains(&caller) || question.answering.contains(&caller)
        })
    }

    /// The accounts that questions are about, the oldest question's first.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.waiting.values().map(|question| &question.account)
    }

    /// An account is gone: whoever waits for an answer about it is given back.
    pub(super) fn forget(&mut self, account: &AccountId) -> Vec<CallerId> {
        let mut waiting = Vec::new();
        self.waiting.retain(|_, question| {
            let of_it = question.account == *account;
            if of_it {
                waiting.append(&mut question.askers);
                waiting.append(&mut question.answering);
            }
            !of_it
        });
        waiting
    }

    /// The one that a person means. Where they gave no name that is the only one, unless they said `yes` to it unread.
    fn named(&self, name: Option<&str>, yes: bool) -> Result<QuestionId, Problem> {
        let mut shown = self.waiting.iter().filter(|(_, one)| !one.is_hidden());
        match name {
            Some(name) => match shown.find(|(_, question)| question.name == name) {
                Some((id, _)) => Ok(*id),
                None if self.askers_ended.iter().any(|ended| ended == name) => {
                    Err(Problem::AskerEnded)
                }
                None => {
                    let name = name.to_owned();
                    Err(Problem::NoSuchQuestion { name })
                }
            },
            None => match (shown.next(), shown.count()) {
                (None, _) => Err(Problem::NoQuestion),
                (Some((id, _)), 0) if !yes => Ok(*id),
                (Some(_), more) => Err(Problem::WhichQuestion { count: more + 1 }),
            },
        }
    }

    fn in_window(&self, until: impl Fn(Moment) -> bool) -> Vec<QuestionId> {
        self.waiting
            .iter()
            .filter(|(_, question)| question.in_window().is_some_and(&until))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The question that asks for the same.
    fn same(
        &self,
        account: &AccountId,
        needed: &[Candidate],
        container: Option<Container>,
        manner: &Manner,
    ) -> Option<QuestionId> {
        let same = |question: &Waiting| {
            question.account == *account
                && question.container == container
                && question.manner.covers(manner)
                && are_same(&question.needed, needed)
        };
        let mut all = self.waiting.iter();
        all.find(|(_, question)| same(question)).map(|(id, _)| *id)
    }

    /// A caller has its answer, whatever it was.
    pub(super) fn unjoin(&mut self, caller: CallerId) {
        for question in self.waiting.values_mut() {
            question.askers.retain(|waiting| *waiting != caller);
            question.answering.retain(|waiting| *waiting != caller);
            if question.stage == Stage::Terminal(caller) {
                question.stage = Stage::Open;
            }
        }
        // Nothing shows it, and nobody can take it up.
        self.waiting.retain(|_, question| {
            !question.is_left() || !question.answering.is_empty() || question.stage.is_elsewhere()
        });
    }

    /// A sign-in was given up, and the page with it.
    pub(crate) fn page_gone(&mut self, attempt: AttemptId) {
        for question in self.waiting.values_mut() {
            if question.stage == Stage::WithSignIn(attempt) {
                question.stage = Stage::Open;
            }
        }
    }

    fn closed_by(&mut self, closed: Closed) {
        if self.closed.len() >= REMEMBERED {
            self.closed.pop_front();
        }
        self.closed.push_back(closed);
    }

    /// Whether a person has just closed this, asked by the same process.
    fn was_closed(
        &self,
        process: Option<ProcessId>,
        account: &AccountId,
        needed: &[Candidate],
        manner: &Manner,
        now: Moment,
    ) -> bool {
        self.closed.iter().any(|closed| {
            Some(closed.process) == process
                && closed.account == *account
                && now < closed.until
                && closed.manner.covers(manner)
                && closed.servers.len() == needed.len()
                && needed
                    .iter()
                    .all(|one| closed.servers.contains(&one.server))
        })
    }

    fn ended_with_its_asker(&mut self, name: String) {
        if self.askers_ended.len() >= REMEMBERED {
            self.askers_ended.pop_front();
        }
        self.askers_ended.push_back(name);
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

    /// Whether it says the same where somebody else asks it: the same command, run again.
    fn reads_the_same(&self, asker: &Asker) -> bool {
        self.worded.asker == short::name(&asker.program)
            && self.shown.place == asker.place
            && self.shown.container == asker.container
    }

    /// Whether nobody asks it any more. A page may still show it, and whoever asks the same finds that page.
    fn is_left(&self) -> bool {
        self.askers.is_empty() && self.stays.is_none()
    }

    /// The way to sign in that its servers need an approval with; none: it is asked by the account's name.
    fn asked(&self) -> Option<&Manner> {
        self.flags.as_ref().map(|_| &self.manner)
    }

    /// Whether there is nothing in it that a person could answer.
    fn is_hidden(&self) -> bool {
        self.is_left() || (self.askers.is_empty() && self.worded.longest == Longest::Once)
    }

    /// What it is called: whatever an answer to it approves has a part in it, so that no answer goes to another.
    fn named(&self) -> String {
        let servers = |all: &[Candidate]| -> Vec<Server> {
            all.iter()
                .map(|candidate| candidate.server.clone())
                .collect()
        };
        let mut needed = servers(&self.needed);
        needed.sort();
        // By their places in it the others are ticked.
        let others = servers(&self.others);
        name_of(&(&self.account, needed, others, self.container, &self.manner))
    }
}

/// Whether these are the same servers, in whatever order.
fn are_same(some: &[Candidate], others: &[Candidate]) -> bool {
    let in_others = |one: &Candidate| others.iter().any(|other| other.server == one.server);
    some.len() == others.len() && some.iter().all(in_others)
}

/// The longest that a yes may hold for these servers.
fn longest(needed: &[Candidate], asker: &Asker) -> Longest {
    if needed.iter().all(|candidate| candidate.server.is_seen()) {
        Longest::Always
    } else if asker.container.is_some() {
        Longest::Container
    } else {
        Longest::Once
    }
}
