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

use runtime::front::Front;
use tokio::sync::watch;

use bus::Bus;
use lock::Lock;
use theme::Ink;

/// Draws what there is to be seen, for as long as the resident lives.
pub(crate) async fn draw(front: Front) {
    let lock = Lock::new(front.reports.clone());
    tokio::join!(lock::logind(lock.clone()), session(front, lock));
}

/// What is on the session bus, on each that there is in turn.
async fn session(mut front: Front, lock: Lock) {
    // Which language is spoken: that of the tray.
    let language = front.tray.clone();
    let there = front.desktop.clone();
    loop {
        // First: what changes from now on is news.
        front.bus.mark_unchanged();
        match Bus::session().await {
            Ok(bus) => {
                // Each ends with the bus.
                let (inked, ink) = watch::channel(Ink::default());
                tokio::join!(
                    theme::inks(bus.clone(), front.reports.clone(), inked),
                    lock::savers(bus.clone(), lock.clone()),
                    arrival::desktops(bus.clone(), there.clone(), front.reports.clone()),
                    notify::tell(
                        bus.clone(),
                        &mut front.notes,
                        front.clicks.clone(),
                        language.clone()
                    ),
                    tray::show(
                        bus,
                        &mut front.tray,
                        &mut front.desktop,
                        front.clicks.clone(),
                        ink
                    ),
                );
                lock.saver(false);
                front.reports.tray_host(false);
                tracing::info!("the session bus ended");
            }
            Err(error) => {
                tracing::info!(%error, "no session bus");
                front.reports.tray_host(false);
            }
        }
        // A note that nobody can be told now is shown by tray and terminal all the same.
        tokio::select! {
            changed = front.bus.changed() => if changed.is_err() { return },
            () = async { while front.notes.recv().await.is_some() {} } => return,
        }
    }
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
