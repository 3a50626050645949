//! Sign-ins: under way, shown, told of, and given up.

use std::collections::HashMap;
use std::sync::Arc;

use broker::event::{Address, Event, SignIn};
use broker::tokens::Tokens;
use broker::transaction::AttemptId;
use broker::waiters::CallerId;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::Hands;
use super::accounts::Latest;
use super::address::{announce, tell_address};
use super::callers::Callers;
use super::rest::tell_keep;
use crate::clock;
use crate::hall::inbox::{Listening, Message};
use crate::kubeconfigs::files;
use crate::vault::Record;

/// Those that are under way.
#[derive(Default)]
pub(super) struct SignIns {
    running: HashMap<AttemptId, AbortHandle>,
    listening: HashMap<AttemptId, Listening>,
    /// Who is told of one that does not listen yet.
    telling: HashMap<AttemptId, Vec<(CallerId, Address)>>,
}

impl SignIns {
    /// The whole transaction, from the listener to the sealed tokens.
    pub(super) fn begin(&mut self, hands: &Hands, latest: Arc<Mutex<Latest>>, sign_in: SignIn) {
        let turn = hands.under_way.transaction();
        let SignIn {
            attempt,
            request,
            open_browser,
            question,
        } = sign_in;
        let (inbox, vault, browser) = (
            hands.inbox.clone(),
            hands.vault.clone(),
            hands.browser.clone(),
        );
        let task = tokio::spawn(async move {
            let (account, key) = (request.account.clone(), request.key.clone());
            let transaction = async {
                let trusted = files::trusted(&key).await?;
                let mut listening =
                    provider::listen(request, trusted, Arc::new(clock::wall)).await?;
                // Nobody is shown a page that can only fail.
                listening.reach().await?;
                announce(&listening, attempt, open_browser, &browser, &inbox);
                let answered = |answer, ticked| inbox.answer(question, answer, ticked);
                let sealing = |tokens: Tokens, origin: String| async {
                    inbox.event(Event::SignedInAt(account.clone(), attempt, origin));
                    latest.lock().await.0 = Some(tokens.clone());
                    vault.seal(Record::new(key.clone(), tokens)).await
                };
                Ok(listening.finish(answered, sealing).await)
            };
            let outcome = transaction.await.unwrap_or_else(provider::outcome);
            tell_keep(&vault, &inbox);
            inbox.send(Message::Closed(attempt));
            inbox.event(Event::SignedIn(account, attempt, outcome));
            drop(turn);
        });
        self.running.insert(attempt, task.abort_handle());
    }

    /// One listens: start pages can be had.
    pub(super) fn listens(
        &mut self,
        attempt: AttemptId,
        listening: Listening,
        callers: &mut Callers,
    ) {
        let waiting = self.telling.remove(&attempt).unwrap_or_default();
        for (caller, address) in waiting {
            tell_address(callers.line(caller), &listening, address);
        }
        self.listening.insert(attempt, listening);
    }

    /// One has come to its end.
    pub(super) fn closed(&mut self, attempt: AttemptId) {
        self.listening.remove(&attempt);
        self.telling.remove(&attempt);
        self.running.remove(&attempt);
    }

    /// Tells a caller where it can be gone on with, as soon as it listens.
    pub(super) fn tell(
        &mut self,
        attempt: AttemptId,
        caller: CallerId,
        address: Address,
        callers: &mut Callers,
    ) {
        match self.listening.get(&attempt) {
            Some(listening) => tell_address(callers.line(caller), listening, address),
            None => {
                let waiting = self.telling.entry(attempt).or_default();
                waiting.push((caller, address));
            }
        }
    }

    /// One that does not listen yet opens its page by itself.
    pub(super) fn open_again(&self, hands: &Hands, attempt: AttemptId) {
        if let Some(listening) = self.listening.get(&attempt)
            && let Err(problem) = hands.browser.open(&listening.tickets.mint())
        {
            tracing::info!(problem = problem.code().name(), "no page");
        }
    }

    pub(super) fn cancel(&mut self, attempt: AttemptId) {
        if let Some(task) = self.running.remove(&attempt) {
            task.abort();
        }
        self.listening.remove(&attempt);
        self.telling.remove(&attempt);
    }

    /// Gives all of them up.
    pub(super) fn give_up(&mut self) {
        for attempt in self.running.keys().copied().collect::<Vec<_>>() {
            self.cancel(attempt);
        }
    }
}
