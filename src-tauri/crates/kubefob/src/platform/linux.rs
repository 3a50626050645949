//! Linux: D-Bus. The tray is a StatusNotifierItem, notifications are the desktop's own server's, and whether somebody
//! is there say screen saver and logind.
//!
//! Nothing here is asked again and again: all of it is heard, on a connection of our own to either bus.

mod arrival;
mod bus;
mod lock;
mod menu;
mod notify;
mod theme;
mod tray;

use std::convert::Infallible;

use runtime::front::Front;
use tokio::sync::{oneshot, watch};

use super::pictures::Ink;
use bus::Bus;
use lock::Lock;

/// The desktop of a resident.
pub(crate) struct Desktop(());

impl Desktop {
    /// Draws what there is to be seen, for as long as the resident lives.
    pub(crate) async fn draw(self, front: Front) {
        let lock = Lock::new(front.reports.clone());
        tokio::join!(lock::logind(lock.clone()), session(front, lock));
    }
}

/// Runs the resident, on this very thread: D-Bus wants no loop of its own.
///
/// # Errors
/// The resident's.
pub(crate) fn lead(resident: impl FnOnce(Desktop) -> anyhow::Result<()>) -> anyhow::Result<()> {
    resident(Desktop(()))
}

/// What is on the session bus, on each that there is in turn.
async fn session(mut front: Front, lock: Lock) {
    loop {
        // First: what changes from now on is news.
        front.bus.mark_unchanged();
        let (inked, ink) = watch::channel(Ink::default());
        let (ends, over) = oneshot::channel();
        // First the item, which has a connection of its own: it is what a person waits for.
        let (shows, shown) = oneshot::channel();
        let item = tray::show(
            over,
            shows,
            front.tray.clone(),
            front.desktop.clone(),
            front.clicks.clone(),
            ink,
        );
        let others = async {
            drop(shown.await);
            on_a_bus(&mut front, &lock, inked, ends).await;
        };
        tokio::join!(item, others);
        front.reports.tray_host(false);
        // A note that nobody can be told now is shown by tray and terminal all the same.
        tokio::select! {
            changed = front.bus.changed() => if changed.is_err() { return },
            () = async { while front.notes.recv().await.is_some() {} } => return,
        }
    }
}

/// What is asked, heard and told there beside the tray's item, until the bus is over. `_ends` is dropped with it.
async fn on_a_bus(
    front: &mut Front,
    lock: &Lock,
    inked: watch::Sender<Ink>,
    _ends: oneshot::Sender<Infallible>,
) {
    let bus = match Bus::session().await {
        Ok(bus) => bus,
        Err(error) => {
            tracing::info!(%error, "no session bus");
            return;
        }
    };
    let there = front.desktop.clone();
    // Which language is spoken: that of the tray.
    let language = front.tray.clone();
    // Each ends with the bus.
    tokio::join!(
        theme::inks(bus.clone(), front.reports.clone(), inked),
        lock::savers(bus.clone(), lock.clone()),
        arrival::desktops(bus.clone(), there, front.reports.clone()),
        notify::tell(bus, &mut front.notes, front.clicks.clone(), language),
    );
    lock.saver(false);
    tracing::info!("the session bus ended");
}

/// A text as it is, where markup is understood (notifications' `body`, an item's `ToolTip`).
fn markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::markup;

    #[test]
    fn markup_is_shown_as_it_is() {
        assert_eq!(markup("<a href=x> & b"), "&lt;a href=x&gt; &amp; b");
    }
}
