//! What rests of an account, forgotten.

use std::sync::Arc;

use broker::account::AccountId;
use broker::event::Event;
use broker::transaction::Forget;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::Hands;
use super::accounts::Latest;
use crate::hall::inbox::Inbox;
use crate::vault::Vault;

/// What is being forgotten.
#[derive(Default)]
pub(super) struct Forgetting(Vec<JoinHandle<()>>);

impl Forgetting {
    /// Forgets, in the account's turn.
    pub(super) fn forget(
        &mut self,
        hands: &Hands,
        latest: Arc<Mutex<Latest>>,
        account: AccountId,
        forget: Forget,
    ) {
        let (inbox, vault) = (hands.inbox.clone(), hands.vault.clone());
        let turn = hands.under_way.transaction();
        self.0.retain(|under_way| !under_way.is_finished());
        self.0.push(tokio::spawn(async move {
            let latest = latest.lock().await;
            forgotten(&vault, &account, forget, &inbox).await;
            drop(latest);
            drop(turn);
        }));
    }

    /// Gives up what is under way to whoever waits for its end.
    pub(super) fn take(&mut self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut self.0)
    }
}

/// Forgets, and says what came of it.
pub(super) async fn forgotten(vault: &Vault, account: &AccountId, forget: Forget, inbox: &Inbox) {
    let done = match forget {
        Forget::Tokens => vault.forget_tokens(account).await,
        Forget::Everything => vault.forget(account).await,
    };
    if let Err(problem) = &done {
        tracing::warn!(problem = problem.code().name(), "tokens not forgotten");
    }
    inbox.event(Event::Forgotten(account.clone(), done));
}
