//! Notifications, by the desktop's own server (Desktop Notifications Specification 1.2).

use std::collections::BTreeMap;

use broker::menu::{Action, Tray};
use broker::notes::{About, Note, Telling};
use notify_rust::{Hint, Notification, NotificationHandle};
use runtime::front::Clicks;
use tokio::sync::{mpsc, watch};
use zbus::Message;

use super::bus::{Bus, Object, signal};
use super::markup;

const SERVER: Object<'_> = Object {
    service: "org.freedesktop.Notifications",
    path: "/org/freedesktop/Notifications",
    interface: "org.freedesktop.Notifications",
};
/// The action of a click on the notification itself, and that of its button.
const ACTIONS: [&str; 2] = ["default", "deed"];

/// What is on the screen.
#[derive(Default)]
struct Shown(BTreeMap<About, Standing>);

/// A notification that stands there. Its connection stays open: some servers take it away with that.
struct Standing {
    handle: NotificationHandle,
    deed: Option<Action>,
}

/// What happened to one.
enum Happened {
    Clicked(About),
    Closed(About),
}

/// Tells what is to be told until the bus is over.
pub(super) async fn tell(
    bus: Bus,
    notes: &mut mpsc::UnboundedReceiver<Telling>,
    clicks: Clicks,
    tray: watch::Receiver<Tray>,
) {
    let rules = ["ActionInvoked", "NotificationClosed"].map(|member| signal(SERVER, member));
    let mut said = match bus.hear(rules.into()).await {
        Ok(said) => said,
        Err(error) => {
            tracing::warn!(%error, "no notifications");
            return;
        }
    };
    let mut shown = Shown::default();
    loop {
        tokio::select! {
            telling = notes.recv() => match telling {
                Some(Telling::Tell(note)) => shown.tell(&bus, note).await,
                Some(Telling::Over(about)) => shown.close(&about).await,
                None => return,
            },
            message = said.next() => {
                let Some(message) = message else { return };
                if let Some(deed) = shown.hear(&bus, &message).await {
                    clicks.act(deed, tray.borrow().language);
                }
            }
        }
    }
}

impl Shown {
    async fn tell(&mut self, bus: &Bus, note: Note) {
        // Of one about the same thing there is no second one beside it.
        self.close(&note.about).await;
        let about = note.about.clone();
        let (notification, deed) = drawn(note, &abilities(bus).await);
        // notify-rust would wait for a click as well, but believes whoever says that there was one.
        match notification.show_async().await {
            Ok(handle) => drop(self.0.insert(about, Standing { handle, deed })),
            Err(error) => tracing::info!(%error, "no notification"),
        }
    }

    async fn close(&mut self, about: &About) {
        if let Some(standing) = self.0.remove(about) {
            standing.handle.close_async().await;
        }
    }

    /// What is to be done now that this was said.
    async fn hear(&mut self, bus: &Bus, message: &Message) -> Option<Action> {
        let happened = self.understood(message)?;
        // Anybody can send a signal; only the server can send as itself.
        let server = bus.owner_of(SERVER.service).await.ok()?;
        if message.header().sender()?.as_str() != server {
            return None;
        }
        match happened {
            Happened::Clicked(about) => self.0.get(&about)?.deed.clone(),
            Happened::Closed(about) => {
                self.0.remove(&about);
                None
            }
        }
    }

    fn understood(&self, message: &Message) -> Option<Happened> {
        let header = message.header();
        let (id, key) = match header.member()?.as_str() {
            "ActionInvoked" => {
                let (id, key): (u32, String) = message.body().deserialize().ok()?;
                (id, Some(key))
            }
            "NotificationClosed" => {
                let (id, _why): (u32, u32) = message.body().deserialize().ok()?;
                (id, None)
            }
            _ => return None,
        };
        let mut standing = self.0.iter();
        let (about, _) = standing.find(|(_, standing)| standing.handle.id() == id)?;
        match key {
            Some(key) if ACTIONS.contains(&key.as_str()) => Some(Happened::Clicked(about.clone())),
            Some(_) => None,
            None => Some(Happened::Closed(about.clone())),
        }
    }
}

/// What the server says that it can; one that says nothing can show plain text.
async fn abilities(bus: &Bus) -> Vec<String> {
    let said = bus.call(SERVER, "GetCapabilities", &()).await;
    said.and_then(|said| said.body().deserialize())
        .unwrap_or_default()
}

fn drawn(note: Note, abilities: &[String]) -> (Notification, Option<Action>) {
    let can = |ability: &str| abilities.iter().any(|known| known == ability);
    let Note {
        about: _,
        title,
        text,
        deed,
    } = note;
    let mut notification = Notification::new();
    notification
        .appname("Kubefob")
        .icon("kubefob")
        .summary(&title)
        .hint(Hint::DesktopEntry("kubefob".to_owned()));
    // A server without markup would show the escapes.
    if can("body-markup") {
        notification.body(&markup(&text));
    } else {
        notification.body(&text);
    }
    let (label, deed) = deed.unzip();
    if let Some(label) = label.filter(|_| can("actions")) {
        for action in ACTIONS {
            notification.action(action, &label);
        }
    }
    (notification, deed)
}
