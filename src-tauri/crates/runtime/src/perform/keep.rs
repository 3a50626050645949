//! Accounts and trust, written down; and said once they are.

use broker::account::AccountKey;
use broker::event::{Event, Kept, SettleId};
use broker::problem::Problem;
use broker::secret::ClientSecret;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{CALM, Hands, LISTENING};
use crate::hall::notices::{Notice, Notices};
use crate::hall::under_way::Turn;
use crate::own::store::{self, Store, Wanted};

/// What is to be written down, one after the other.
pub(super) struct Keeping {
    store: Store,
    wanted: mpsc::UnboundedSender<Wanted<Turn>>,
}

impl Keeping {
    /// `owed` is what the disk has not taken yet.
    pub(super) fn new(store: Store, owed: Option<Box<Kept>>, notices: Notices) -> Self {
        let (keeping, wanted) = mpsc::unbounded_channel();
        let told = move |problem| notices.set(Notice::Accounts, problem);
        tokio::spawn(store.clone().keep_each(wanted, store::AGAIN, owed, told));
        Self {
            store,
            wanted: keeping,
        }
    }

    pub(super) fn keep(&self, hands: &Hands, kept: Box<Kept>) {
        let turn = hands.under_way.transaction();
        drop(self.wanted.send(Wanted::Keep(kept, turn)));
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Says once all that is to be kept or forgotten by now is so at rest, or why it is not. A disk that does not
    /// answer is no reason to keep anybody waiting.
    pub(super) fn settle(&self, hands: &Hands, what: SettleId, forgetting: Vec<JoinHandle<()>>) {
        let inbox = hands.inbox.clone();
        let (written, store) = (self.written(), self.store.clone());
        let turn = hands.under_way.transaction();
        tokio::spawn(async move {
            let settled = async {
                for forgotten in forgetting {
                    // What came of it is told by an event of its own.
                    drop(forgotten.await);
                }
                written.await
            };
            let settled = tokio::time::timeout(CALM, settled).await;
            let problem = settled.unwrap_or_else(|_| Some(store.unanswered()));
            inbox.event(Event::Settled(what, problem));
            drop(turn);
        });
    }

    /// Why not all that is to be written down is so, after another try.
    fn written(&self) -> impl Future<Output = Option<Problem>> + use<> {
        let (asker, answer) = oneshot::channel();
        drop(self.wanted.send(Wanted::Settle(asker)));
        async { answer.await.ok().flatten() }
    }

    /// Tries once more what the disk did not take: the last time.
    pub(super) async fn write_what_is_owed(&self) {
        if !self.store.rests() {
            drop(tokio::time::timeout(LISTENING, self.written()).await);
        }
    }
}

/// Keeps a client secret, where none is kept of that account.
pub(super) fn keep_secret(hands: &Hands, key: AccountKey, secret: ClientSecret) {
    let vault = hands.vault.clone();
    let turn = hands.under_way.transaction();
    tokio::spawn(async move {
        if let Err(problem) = vault.keep_secret(key, secret).await {
            tracing::debug!(problem = problem.code().name(), "client secret not kept");
        }
        drop(turn);
    });
}
