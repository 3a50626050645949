//! Tokens ended.

use std::sync::Arc;

use broker::event::Event;
use broker::transaction::{AttemptId, SignOutOutcome, SignOutRequest, Step};
use tokio::sync::Mutex;

use super::Hands;
use super::accounts::Latest;
use super::forget::forgotten;
use crate::clock;
use crate::kubeconfigs::files;

/// Ends tokens, here and at the provider.
pub(super) fn sign_out(
    hands: &Hands,
    account: Arc<Mutex<Latest>>,
    attempt: AttemptId,
    mut request: SignOutRequest,
) {
    let (inbox, vault) = (hands.inbox.clone(), hands.vault.clone());
    let turn = hands.under_way.transaction();
    tokio::spawn(async move {
        let mut latest = account.lock().await;
        if let Some(newer) = latest.0.take() {
            request.tokens = Some(newer);
        }
        forgotten(&vault, &request.account, request.forget, &inbox).await;
        let outcome = match files::trusted(&request.key).await {
            Ok(trusted) => provider::sign_out(&request, &trusted, &clock::wall).await,
            Err(problem) => SignOutOutcome {
                revocation: Step::Failed(problem),
                provider_session: None,
            },
        };
        drop(latest);
        inbox.event(Event::SignedOut(request.account, attempt, outcome));
        drop(turn);
    });
}
