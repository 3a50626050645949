//! An end that is told: by a signal, or by what was seen.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::hall::inbox::{Inbox, Message};
use crate::life::single::Claim;
use crate::os::signals::Signals;
use crate::serve::door::Door;

/// What it takes to end.
#[derive(Clone)]
pub(crate) struct Leaving {
    pub(super) claim: Arc<Mutex<Claim>>,
    pub(super) door: watch::Sender<Door>,
    pub(super) inbox: Inbox,
}

impl Leaving {
    /// Ends the resident when the system or a person says so: from then on nobody new finds it.
    pub(super) async fn on_signal(self) {
        let Ok(mut signals) = Signals::new() else {
            return;
        };
        loop {
            self.leave(signals.next().await);
        }
    }

    /// Nobody new finds it from now on, and the loop ends.
    pub(crate) fn leave(&self, why: &str) {
        tracing::info!(why, "ending");
        self.door.send_replace(Door::Gone);
        let mut claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        claim.close();
        drop(claim);
        self.inbox.send(Message::Stop);
    }
}
