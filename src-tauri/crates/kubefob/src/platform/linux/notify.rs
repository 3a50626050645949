//! Notifications, by the desktop's own server (Desktop Notifications Specification 1.2).
//!
//! Not by notify-rust, as elsewhere: it takes anybody's word that one was clicked, and some servers (dunst) tell a click
//! to the connection alone that sent the notification, which is notify-rust's own.

use std::collections::{BTreeMap, HashMap};

use broker::menu::{Action, Tray};
use broker::notes::{About, Note, Telling};
use runtime::front::Clicks;
use tokio::sync::{mpsc, watch};
use zbus::Message;
use zbus::zvariant::Value;

use super::bus::{Bus, Object, signal};
use super::markup;

const SERVER: Object<'_> = Object {
    service: "org.freedesktop.Notifications",
    path: "/org/freedesktop/Notifications",
    interface: "org.freedesktop.Notifications",
};
/// The action of a click on the notification itself, and that of its button.
const ACTIONS: [&str; 2] = ["default", "button"];

/// What is on the screen.
#[derive(Default)]
struct Shown(BTreeMap<About, Notification>);

struct Notification {
    /// The server's number.
    id: u32,
    /// The server's own name on the bus. Anybody can send a signal; only it can send from there.
    server: String,
    button: Option<Action>,
}

/// What happened to one.
enum Happened {
    Clicked(Action),
    Closed,
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
            telling = notes.recv() => {
                let Some(telling) = telling else { return };
                if let Err(error) = shown.take(&bus, telling).await {
                    tracing::info!(%error, "no notification");
                }
            }
            message = said.next() => {
                let Some(message) = message else { return };
                if let Some(Happened::Clicked(action)) = shown.hear(&message) {
                    clicks.act(action, tray.borrow().language);
                }
            }
        }
    }
}

impl Shown {
    async fn take(&mut self, bus: &Bus, telling: Telling) -> zbus::Result<()> {
        match telling {
            Telling::Tell(note) => self.tell(bus, note).await,
            Telling::Over(about) => {
                let Some(known) = self.0.remove(&about) else {
                    return Ok(());
                };
                bus.call(SERVER, "CloseNotification", &known.id)
                    .await
                    .map(drop)
            }
        }
    }

    async fn tell(&mut self, bus: &Bus, note: Note) -> zbus::Result<()> {
        let said = bus.call(SERVER, "GetCapabilities", &()).await?;
        let abilities: Vec<String> = said.body().deserialize()?;
        let can = |ability: &str| abilities.iter().any(|known| known == ability);
        // Of one about the same thing there is no second one beside it.
        let before = self.0.get(&note.about).map_or(0, |known| known.id);
        // A server without markup would show the escapes.
        let text = if can("body-markup") {
            markup(&note.text)
        } else {
            note.text
        };
        let (label, button) = note.button.unzip();
        let label = label.filter(|_| can("actions"));
        let actions: Vec<&str> = label
            .iter()
            .flat_map(|label| ACTIONS.into_iter().flat_map(|key| [key, label]))
            .collect();
        let hints = HashMap::from([("desktop-entry", Value::from("kubefob"))]);
        let as_the_server_likes = -1_i32;
        let notification = (
            "Kubefob",
            before,
            "kubefob",
            note.title,
            text,
            actions,
            hints,
            as_the_server_likes,
        );
        let said = bus.call(SERVER, "Notify", &notification).await?;
        let notification = Notification {
            id: said.body().deserialize()?,
            server: sender(&said),
            button,
        };
        self.0.insert(note.about, notification);
        Ok(())
    }

    /// What happened to one of ours.
    fn hear(&mut self, message: &Message) -> Option<Happened> {
        let header = message.header();
        let member = header.member()?.as_str();
        let (id, key) = match member {
            "ActionInvoked" => message.body().deserialize::<(u32, String)>().ok()?,
            "NotificationClosed" => {
                let (id, _why): (u32, u32) = message.body().deserialize().ok()?;
                (id, String::new())
            }
            _ => return None,
        };
        let server = sender(message);
        let (about, known) = self
            .0
            .iter()
            .find(|(_, known)| known.id == id && known.server == server)?;
        if member == "NotificationClosed" {
            let about = about.clone();
            self.0.remove(&about);
            return Some(Happened::Closed);
        }
        let action = known.button.clone()?;
        ACTIONS
            .contains(&key.as_str())
            .then_some(Happened::Clicked(action))
    }
}

fn sender(message: &Message) -> String {
    let header = message.header();
    header.sender().map(ToString::to_string).unwrap_or_default()
}
