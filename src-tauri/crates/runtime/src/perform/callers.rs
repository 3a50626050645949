//! Who waits, and how each is told.

use std::collections::HashMap;

use broker::event::Reply;
use broker::problem::Problem;
use broker::waiters::CallerId;

use crate::hall::line::Line;

/// Those who wait for a reply.
#[derive(Default)]
pub(super) struct Callers(HashMap<CallerId, Line>);

impl Callers {
    pub(super) fn came(&mut self, caller: CallerId, line: Line) {
        self.0.insert(caller, line);
    }

    pub(super) fn left(&mut self, caller: CallerId) {
        self.0.remove(&caller);
    }

    pub(super) fn line(&mut self, caller: CallerId) -> Option<&mut Line> {
        self.0.get_mut(&caller)
    }

    /// Says this to one; after the last word there is nobody any more.
    pub(super) fn reply(&mut self, caller: CallerId, reply: Reply) {
        let last = matches!(reply, Reply::Done(_));
        if let Some(line) = self.line(caller) {
            line.say(reply);
        }
        if last {
            self.left(caller);
        }
    }

    /// Tells all of them why they get nothing.
    pub(super) fn dismiss(&mut self, problem: &Problem) {
        for (_, mut line) in self.0.drain() {
            line.say(Reply::Refused(problem.clone().into()));
            line.say(Reply::Done(1));
        }
    }
}
