//! Questions asked on our page, without a sign-in.

use std::collections::HashMap;
use std::sync::Arc;

use broker::event::{AskPage, Event, QuestionId};
use broker::problem::Problem;
use broker::transaction::Taken;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::Hands;
use crate::clock;
use crate::kubeconfigs::files;

/// The pages that ask.
#[derive(Default)]
pub(super) struct Pages {
    asking: HashMap<QuestionId, AbortHandle>,
    /// Those that wait to hear what came of an answer.
    taking: HashMap<QuestionId, oneshot::Sender<Taken>>,
}

impl Pages {
    /// Asks, until it is answered or nobody waits for that any more.
    pub(super) fn ask(&mut self, hands: &Hands, question: QuestionId, page: AskPage) {
        let (inbox, browser) = (hands.inbox.clone(), hands.browser.clone());
        let turn = hands.under_way.transaction();
        let task = tokio::spawn(async move {
            let asked = async {
                let trusted = files::trusted(&page.request.key).await?;
                let listening =
                    provider::listen(page.request, trusted, Arc::new(clock::wall)).await?;
                browser.open(&listening.tickets().mint())?;
                let answered = |answer, ticked| inbox.answer(Some(question), answer, ticked);
                Ok::<_, Problem>(listening.ask(answered).await)
            }
            .await;
            match asked {
                Ok(Some(_)) => {}
                Ok(None) => inbox.event(Event::Unanswered(question, None)),
                Err(problem) => inbox.event(Event::Unanswered(question, Some(problem))),
            }
            drop(turn);
        });
        self.asking.retain(|_, page| !page.is_finished());
        if let Some(left) = self.asking.insert(question, task.abort_handle()) {
            left.abort();
        }
    }

    /// A page has an answer, and waits.
    pub(super) fn answered(&mut self, question: QuestionId, tell: oneshot::Sender<Taken>) {
        self.taking.insert(question, tell);
    }

    /// Says to it what came of that.
    pub(super) fn taken(&mut self, question: QuestionId, taken: Taken) {
        if let Some(page) = self.taking.remove(&question) {
            let _ = page.send(taken);
        }
    }

    /// None asks any more.
    pub(super) fn give_up(&mut self) {
        for (_, page) in self.asking.drain() {
            page.abort();
        }
    }
}
