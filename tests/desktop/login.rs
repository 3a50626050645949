//! Those who say who is there: a screen saver and the login's service manager on the session bus, and logind on the
//! system's. They are ours, since the real ones want a person's password and a computer's seat.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use anyhow::Result;
use rustix::process::getuid;
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};

const USER: &str = "/org/freedesktop/login1/user/_0";
const SESSION: &str = "/org/freedesktop/login1/session/_31";
const SESSIONS: &str = "org.freedesktop.login1.Session";

/// A screen saver.
pub(crate) struct Saver {
    bus: Connection,
    name: &'static str,
    on: Arc<AtomicBool>,
}

struct Answers(Arc<AtomicBool>);

#[zbus::interface(name = "org.gnome.ScreenSaver")]
impl Answers {
    fn get_active(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Saver {
    /// One like GNOME's.
    pub(crate) fn start(address: &str) -> Result<Self> {
        let (on, name) = (Arc::<AtomicBool>::default(), "org.gnome.ScreenSaver");
        let bus = Builder::address(address)?
            .name(name)?
            .serve_at("/org/gnome/ScreenSaver", Answers(Arc::clone(&on)))?
            .build()?;
        Ok(Self { bus, name, on })
    }

    pub(crate) fn set(&self, on: bool) -> Result<()> {
        self.on.store(on, Ordering::Relaxed);
        say_active(&self.bus, self.name, on)
    }
}

/// Says it, whoever has the name.
pub(crate) fn say_active(bus: &Connection, name: &str, on: bool) -> Result<()> {
    let path = ObjectPath::try_from("/org/gnome/ScreenSaver")?;
    let nobody = None::<&str>;
    Ok(bus.emit_signal(nobody, path, name, "ActiveChanged", &on)?)
}

/// logind, with one user who has one graphical session.
pub(crate) struct Logind {
    bus: Connection,
    locked: Arc<AtomicBool>,
    active: Arc<AtomicBool>,
}

struct Manager;
struct User;
struct Session {
    locked: Arc<AtomicBool>,
    active: Arc<AtomicBool>,
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn get_user(&self, uid: u32) -> zbus::fdo::Result<ObjectPath<'static>> {
        if uid == getuid().as_raw() {
            Ok(ObjectPath::from_static_str_unchecked(USER))
        } else {
            Err(zbus::fdo::Error::Failed("no such user".to_owned()))
        }
    }
}

#[zbus::interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn display(&self) -> (String, OwnedObjectPath) {
        let session = ObjectPath::from_static_str_unchecked(SESSION);
        ("1".to_owned(), session.into())
    }
}

#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.locked.load(Ordering::Relaxed)
    }

    #[zbus(property)]
    fn active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }
}

impl Logind {
    pub(crate) fn start(address: &str) -> Result<Self> {
        let locked = Arc::<AtomicBool>::default();
        let active = Arc::new(AtomicBool::new(true));
        let session = Session {
            locked: Arc::clone(&locked),
            active: Arc::clone(&active),
        };
        let bus = Builder::address(address)?
            .name("org.freedesktop.login1")?
            .serve_at("/org/freedesktop/login1", Manager)?
            .serve_at(USER, User)?
            .serve_at(SESSION, session)?
            .build()?;
        Ok(Self {
            bus,
            locked,
            active,
        })
    }

    /// The locker's word.
    pub(crate) fn lock(&self, locked: bool) -> Result<()> {
        self.locked.store(locked, Ordering::Relaxed);
        self.changed("LockedHint", locked)
    }

    /// Another login gets the screen, or this one has it again.
    pub(crate) fn activate(&self, active: bool) -> Result<()> {
        self.active.store(active, Ordering::Relaxed);
        self.changed("Active", active)
    }

    fn changed(&self, property: &str, is: bool) -> Result<()> {
        let changed = HashMap::from([(property, Value::from(is))]);
        let body = (SESSIONS, changed, Vec::<String>::new());
        let path = ObjectPath::try_from(SESSION)?;
        let interface = "org.freedesktop.DBus.Properties";
        let nobody = None::<&str>;
        Ok(self
            .bus
            .emit_signal(nobody, path, interface, "PropertiesChanged", &body)?)
    }
}

/// systemd's manager of a login, which a desktop has told its environment.
pub(crate) struct ServiceManager {
    _bus: Connection,
}

struct Told(Vec<String>);

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl Told {
    #[zbus(property)]
    fn environment(&self) -> Vec<String> {
        self.0.clone()
    }
}

impl ServiceManager {
    pub(crate) fn start(address: &str, environment: &[String]) -> Result<Self> {
        let bus = Builder::address(address)?
            .name("org.freedesktop.systemd1")?
            .serve_at("/org/freedesktop/systemd1", Told(environment.to_vec()))?
            .build()?;
        Ok(Self { _bus: bus })
    }
}

/// What tells applications whether the desktop is light or dark.
pub(crate) struct Portal {
    bus: Connection,
    scheme: Arc<AtomicU32>,
}

struct Settings(Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    fn read(&self, namespace: &str, key: &str) -> zbus::fdo::Result<Value<'static>> {
        match (namespace, key) {
            ("org.freedesktop.appearance", "color-scheme") => {
                let scheme = Value::from(self.0.load(Ordering::Relaxed));
                // In a variant once more, as the real one has it.
                Ok(Value::Value(Box::new(scheme)))
            }
            _ => Err(zbus::fdo::Error::Failed("no such setting".to_owned())),
        }
    }
}

impl Portal {
    /// One that prefers this (0: nothing, 1: dark, 2: light).
    pub(crate) fn start(address: &str, scheme: u32) -> Result<Self> {
        let scheme = Arc::new(AtomicU32::new(scheme));
        let bus = Builder::address(address)?
            .name("org.freedesktop.portal.Desktop")?
            .serve_at(
                "/org/freedesktop/portal/desktop",
                Settings(Arc::clone(&scheme)),
            )?
            .build()?;
        Ok(Self { bus, scheme })
    }

    pub(crate) fn prefer(&self, scheme: u32) -> Result<()> {
        self.scheme.store(scheme, Ordering::Relaxed);
        let path = ObjectPath::try_from("/org/freedesktop/portal/desktop")?;
        let body = (
            "org.freedesktop.appearance",
            "color-scheme",
            Value::from(scheme),
        );
        let interface = "org.freedesktop.portal.Settings";
        let nobody = None::<&str>;
        Ok(self
            .bus
            .emit_signal(nobody, path, interface, "SettingChanged", &body)?)
    }
}
