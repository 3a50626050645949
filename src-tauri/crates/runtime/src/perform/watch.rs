//! A process looked out for.

use broker::asker::ProcessId;
use broker::event::Event;

use super::Hands;
use crate::os::processes;

/// Says when it has ended.
pub(super) fn watch(hands: &Hands, process: ProcessId) {
    let inbox = hands.inbox.clone();
    tokio::spawn(async move {
        if processes::ended(process.pid).await.is_ok() {
            inbox.event(Event::Ended(process));
        }
    });
}
