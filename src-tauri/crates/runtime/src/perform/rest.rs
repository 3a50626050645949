//! Tokens, sealed where they rest, and how that is told.

use broker::account::AccountKey;
use broker::event::Event;
use broker::settings::Keep;
use broker::tokens::Tokens;

use crate::hall::inbox::{Inbox, Message};
use crate::vault::{Record, State, Vault};

/// Seals what a task brought.
pub(super) async fn seal(vault: &Vault, key: &AccountKey, tokens: &Tokens, inbox: &Inbox) {
    match vault.seal(Record::new(key.clone(), tokens.clone())).await {
        Ok(()) => inbox.send(Message::Kept(key.id())),
        Err(problem) => tracing::warn!(problem = problem.code().name(), "tokens in memory alone"),
    }
    tell_keep(vault, inbox);
}

/// Where tokens rest is said when it changes.
pub(super) fn tell_keep(vault: &Vault, inbox: &Inbox) {
    inbox.event(Event::Rests(keep(&vault.state())));
}

/// A vault's state, as it is shown.
pub(crate) fn keep(state: &State) -> Keep {
    match state {
        State::Unread => Keep::Unknown,
        State::Sealed => Keep::Sealed,
        State::Plain => Keep::Plain,
        State::MemoryLocked => Keep::MemoryLocked,
        State::MemoryNoKeyring(_) => Keep::MemoryNoKeyring,
        State::MemoryKeyLost => Keep::MemoryKeyLost,
        State::MemoryCannotKeep(_) => Keep::MemoryNoDisk,
    }
}
