//! A connection of our own to a bus: what we ask there, and what is said.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use zbus::connection::Builder;
use zbus::export::futures_core::Stream;
use zbus::export::serde::Serialize;
use zbus::message::Type;
use zbus::zvariant::{DynamicType, OwnedValue};
use zbus::{Connection, Message, MessageStream};

const BUS: &str = "org.freedesktop.DBus";
const ROOT: &str = "/org/freedesktop/DBus";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// Where the system's own bus is, wherever a variable says that it were (D-Bus specification, "well-known message bus
/// instances").
const SYSTEM: &str = "unix:path=/run/dbus/system_bus_socket";

/// How long a service may take to answer. The bus may have to start it.
const ANSWER: Duration = Duration::from_secs(10);

/// A connection, shared by its clones.
#[derive(Clone)]
pub(super) struct Bus(Connection);

/// An object of a service, and the interface that is meant.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    pub(super) service: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
}

/// What is said on a bus from now on.
pub(super) struct Said(MessageStream);

impl Bus {
    /// The person's own, as the environment names it or the system has it.
    ///
    /// # Errors
    /// Nobody is there, or another user is.
    pub(super) async fn session() -> zbus::Result<Self> {
        let bus = Self::connect(Builder::session()?).await?;
        let peer = bus.0.peer_creds().await?;
        if runtime::is_own_bus(peer.unix_user_id()) {
            Ok(bus)
        } else {
            Err(zbus::Error::Failure(
                "the session bus is another user's".to_owned(),
            ))
        }
    }

    /// The system's. A test may have one of its own, which is a file's too.
    pub(super) async fn system() -> zbus::Result<Self> {
        let named = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_default();
        let address = Some(named.as_str()).filter(|named| named.starts_with("unix:path="));
        Self::connect(Builder::address(address.unwrap_or(SYSTEM))?).await
    }

    async fn connect(builder: Builder<'_>) -> zbus::Result<Self> {
        Ok(Self(builder.method_timeout(ANSWER).build().await?))
    }

    /// Asks for an answer.
    pub(super) async fn call<B>(
        &self,
        object: Object<'_>,
        method: &str,
        body: &B,
    ) -> zbus::Result<Message>
    where
        B: Serialize + DynamicType,
    {
        let Object {
            service,
            path,
            interface,
        } = object;
        self.0
            .call_method(Some(service), path, Some(interface), method, body)
            .await
    }

    /// Asks for a property.
    pub(super) async fn get(&self, object: Object<'_>, name: &str) -> zbus::Result<OwnedValue> {
        let properties = Object {
            interface: PROPERTIES,
            ..object
        };
        let said = self
            .call(properties, "Get", &(object.interface, name))
            .await?;
        said.body().deserialize()
    }

    /// Whether somebody has this name. Nobody is started to find out.
    pub(super) async fn is_there(&self, name: &str) -> zbus::Result<bool> {
        let said = self.call(THE_BUS, "NameHasOwner", &name).await?;
        said.body().deserialize()
    }

    /// Hears all that these rules name.
    pub(super) async fn hear(&self, rules: Vec<String>) -> zbus::Result<Said> {
        let said = Said(MessageStream::from(&self.0));
        for rule in rules {
            self.call(THE_BUS, "AddMatch", &rule).await?;
        }
        Ok(said)
    }

    /// Hears these no more.
    pub(super) async fn ignore(&self, rule: &str) -> zbus::Result<()> {
        self.call(THE_BUS, "RemoveMatch", &rule).await.map(drop)
    }
}

const THE_BUS: Object<'_> = Object {
    service: BUS,
    path: ROOT,
    interface: BUS,
};

/// The rule for a name that comes, goes, or changes hands.
pub(super) fn comes_or_goes(name: &str) -> String {
    format!("type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{name}'")
}

/// The rule for a signal that the owner of a name sends.
pub(super) fn signal(object: Object<'_>, member: &str) -> String {
    let Object {
        service,
        path,
        interface,
    } = object;
    format!(
        "type='signal',sender='{service}',path='{path}',interface='{interface}',member='{member}'"
    )
}

impl Said {
    /// The next signal, whoever heard it too; none: the bus is over.
    pub(super) async fn next(&mut self) -> Option<Message> {
        loop {
            let message = poll_fn(|cx| Pin::new(&mut self.0).poll_next(cx)).await?;
            // An error is one message that can't be read, or the last word.
            let Ok(message) = message else { continue };
            if message.message_type() == Type::Signal {
                return Some(message);
            }
        }
    }

    /// Waits until one of these names comes, goes or changes hands; none: the bus is over.
    pub(super) async fn owner_changed(&mut self, names: &[&str]) -> Option<()> {
        loop {
            let message = self.next().await?;
            if names.contains(&owned_name(&message).unwrap_or_default().as_str()) {
                return Some(());
            }
        }
    }
}

/// Whose name it is that changed hands, if that is what is said.
pub(super) fn owned_name(message: &Message) -> Option<String> {
    let header = message.header();
    // Nobody but the bus can send as the bus.
    if header.sender()?.as_str() != BUS || header.member()?.as_str() != "NameOwnerChanged" {
        return None;
    }
    let (name, _, _): (String, String, String) = message.body().deserialize().ok()?;
    Some(name)
}
