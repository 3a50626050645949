//! What came before the vault had said what it has: to decide on it would mean a page for a session that is there.

use crate::event::Event;

/// The events that wait for the vault.
#[derive(Debug)]
pub(crate) enum Early {
    /// It is still being asked.
    Waits(Vec<Event>),
    /// It has answered, or there is nothing that it could have.
    Over,
}

impl Early {
    /// Whether the vault may have anything.
    pub(crate) fn new(waits: bool) -> Self {
        if waits {
            Self::Waits(Vec::new())
        } else {
            Self::Over
        }
    }

    /// Keeps back what only the vault's answer can decide; a caller who hangs up meanwhile is forgotten.
    pub(crate) fn in_time(&mut self, event: Event) -> Option<Event> {
        let Self::Waits(early) = self else {
            return Some(event);
        };
        if let Event::Gone(caller) = event {
            early.retain(|kept| kept.waits_for_the_vault() != Some(caller));
        }
        if event.waits_for_the_vault().is_some() {
            early.push(event);
            return None;
        }
        Some(event)
    }

    /// Whether it has answered.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// It has: what was kept back, in its order.
    pub(crate) fn over(&mut self) -> Vec<Event> {
        match std::mem::replace(self, Self::Over) {
            Self::Waits(early) => early,
            Self::Over => Vec::new(),
        }
    }
}
