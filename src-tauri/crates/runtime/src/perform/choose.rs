//! A setting written down.

use broker::event::Event;
use broker::settings::Choice;
use broker::waiters::CallerId;

use super::{Belongings, Hands};
use crate::hall::blocking::blocking;
use crate::own::settings;

/// Writes it down, and says to this caller how that went.
pub(super) fn choose(hands: &Hands, belongings: &Belongings, caller: CallerId, choice: Choice) {
    let (inbox, config) = (hands.inbox.clone(), belongings.config.clone());
    let autostart = belongings.autostart.clone();
    let turn = hands.under_way.transaction();
    tokio::spawn(async move {
        let written = match choice {
            Choice::Autostart { on } => {
                let written = blocking(move || (autostart.set(on), autostart.is_on())).await;
                written.and_then(|(outcome, is_on)| {
                    inbox.event(Event::Autostart(is_on));
                    outcome
                })
            }
            // The folder's watch makes it hold.
            Choice::Language { .. } | Choice::KeepFresh { .. } | Choice::Theme { .. } => {
                let written = blocking(move || settings::choose(&config, choice)).await;
                written.and_then(|outcome| outcome)
            }
        };
        inbox.event(Event::Chosen(caller, written));
        drop(turn);
    });
}
