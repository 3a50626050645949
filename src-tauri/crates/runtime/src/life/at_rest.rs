//! The tokens that rest: loaded at the start, and whenever they can be again.

use std::collections::BTreeSet;
use std::time::Duration;

use broker::event::{AtRest, Event, Restored};
use broker::secret::RefreshToken;
use broker::session::Loss;

use crate::hall::inbox::Inbox;
use crate::perform::keep;
use crate::vault::{Content, Loaded, Record, Vault};

/// The first pause before a vault that can't keep what it has is tried again by itself, and the longest.
const RETRY: Duration = Duration::from_secs(10);
const RETRY_LONGEST: Duration = Duration::from_secs(60);

/// Loads what rests, and again whenever the keyring may have come or been unlocked. While tokens are in memory
/// alone, and only then, it is tried from time to time too: not every system tells, and no disk does.
pub(super) async fn watch_the_vault(vault: Vault, inbox: Inbox) {
    let mut known = BTreeSet::new();
    tell(vault.load().await, &mut known, &inbox);
    let mut pause = RETRY;
    loop {
        tokio::select! {
            () = vault.woken() => {}
            () = tokio::time::sleep(pause), if vault.is_restless() => {
                pause = (pause * 2).min(RETRY_LONGEST);
            }
        }
        if let Some(loaded) = vault.retry().await {
            tell(loaded, &mut known, &inbox);
            pause = RETRY;
        }
    }
}

fn tell(loaded: Loaded, known: &mut BTreeSet<String>, inbox: &Inbox) {
    for (path, problem) in &loaded.damaged {
        tracing::warn!(path = %path.display(), problem = problem.code().name(), "set aside");
    }
    let state = keep(&loaded.state);
    tracing::info!(?state, accounts = loaded.accounts.len(), "vault");
    let restored = loaded.accounts.into_iter().map(restored);
    let restored: Vec<_> = restored
        .filter(|one| known.insert(one.key.id().to_string()))
        .collect();
    inbox.event(Event::Loaded(restored, state));
}

/// A noted refresh of the very token that is kept was never heard of again.
fn restored(record: Record) -> Restored {
    let presented = record.attempt.map(|attempt| attempt.fingerprint);
    let at_rest = match record.content {
        Content::Secret(secret) => AtRest::Secret(secret),
        Content::Tokens(tokens) => {
            let kept = tokens.refresh.as_ref().map(RefreshToken::fingerprint);
            let loss = if presented.is_some() && presented == kept {
                Loss::ReplyLost
            } else {
                Loss::None
            };
            AtRest::Tokens(tokens, loss)
        }
    };
    Restored {
        key: record.key,
        at_rest,
    }
}
