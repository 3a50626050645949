//! Tokens renewed.

use std::sync::Arc;

use broker::event::Event;
use broker::problem::Problem;
use broker::transaction::{AttemptId, RefreshOutcome, RefreshRequest};
use tokio::sync::Mutex;

use super::Hands;
use super::accounts::Latest;
use super::rest::seal;
use crate::clock;
use crate::kubeconfigs::files;
use crate::vault::Vault;

/// Renews tokens: noted, sent, sealed, reported once.
pub(super) fn refresh(
    hands: &Hands,
    account: Arc<Mutex<Latest>>,
    attempt: AttemptId,
    request: RefreshRequest,
) {
    let (inbox, vault) = (hands.inbox.clone(), hands.vault.clone());
    let turn = hands.under_way.transaction();
    tokio::spawn(async move {
        let mut latest = account.lock().await;
        let outcome = refreshed(&request, &vault).await;
        if let RefreshOutcome::Refreshed(tokens) | RefreshOutcome::WithoutIdToken { tokens } =
            &outcome
        {
            latest.0 = Some(tokens.clone());
            seal(&vault, &request.key, tokens, &inbox).await;
        }
        drop(latest);
        inbox.event(Event::Refreshed(request.account, attempt, outcome));
        drop(turn);
    });
}

/// The refresh itself: noted before it is sent.
async fn refreshed(request: &RefreshRequest, vault: &Vault) -> RefreshOutcome {
    let Some(token) = &request.tokens.refresh else {
        return RefreshOutcome::Ended(Problem::NoRefreshToken);
    };
    // A note that can't be written costs the knowledge that a reply was lost, not the session.
    let noted = vault
        .note_attempt(&request.account, &token.fingerprint(), clock::wall())
        .await;
    if let Err(problem) = noted {
        tracing::debug!(problem = problem.code().name(), "attempt not noted");
    }
    match files::trusted(&request.key).await {
        Ok(trusted) => provider::refresh(request, &trusted, &clock::wall).await,
        Err(problem) => RefreshOutcome::Blocked(problem),
    }
}
