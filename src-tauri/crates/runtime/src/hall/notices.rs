//! What is wrong with this resident itself, as `status` shows it: at most one problem of each kind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use broker::event::Event;
use broker::problem::Problem;

use crate::hall::inbox::Inbox;

/// What a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Notice {
    /// The settings file.
    Settings,
    /// A program that should have taken this one's place.
    Upgrade,
    /// The log.
    Log,
    /// What was found of accounts and trust.
    Found,
    /// What is written down of them.
    Accounts,
}

/// The problems, shared by its clones.
#[derive(Clone)]
pub(crate) struct Notices {
    problems: Arc<Mutex<BTreeMap<Notice, Problem>>>,
    inbox: Inbox,
}

impl Notices {
    pub(crate) fn new(inbox: Inbox) -> Self {
        Self {
            problems: Arc::default(),
            inbox,
        }
    }

    /// Says what is wrong, or that nothing is any more. The broker hears what is news.
    pub(crate) fn set(&self, notice: Notice, problem: Option<Problem>) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &problem {
            Some(problem) => problems.insert(notice, problem.clone()),
            None => problems.remove(&notice),
        };
        if before != problem {
            self.inbox
                .event(Event::Noticed(problems.values().cloned().collect()));
        }
    }
}
