//! The end of all that rests.

use broker::event::Event;

use super::{Belongings, CALM, Hands};
use crate::hall::blocking::blocking;
use crate::hall::inbox::Message;
use crate::own::store::{self, Store};

/// Deletes all that rests, says what could not be, and ends.
pub(super) fn reset(hands: &Hands, store: &Store, belongings: &Belongings) {
    let (inbox, vault) = (hands.inbox.clone(), hands.vault.clone());
    let (store, autostart) = (store.clone(), belongings.autostart.clone());
    let leftovers = belongings.leftovers.clone();
    let under_way = hands.under_way.clone();
    tokio::spawn(async move {
        // Whoever writes now would write after it.
        let calm = under_way.until(|counts| counts.transactions == 0);
        drop(tokio::time::timeout(CALM, calm).await);
        let mut problems = vault.erase().await;
        let others = blocking(move || {
            let leftovers = leftovers.iter().map(|path| store::remove(path));
            let others = leftovers.chain([autostart.remove()]);
            let others = others.filter_map(Result::err);
            others.chain(store.empty()).collect::<Vec<_>>()
        });
        match others.await {
            Ok(others) => problems.extend(others),
            Err(problem) => problems.push(problem),
        }
        inbox.event(Event::WasReset(problems));
        inbox.send(Message::Stop);
    });
}
