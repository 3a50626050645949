//! Whether somebody can be there: the screen is locked, blank, or another login's turn.
//!
//! Whoever says that something changed is not believed: it is looked up, with who owns the name. So a forged signal
//! does nothing, and one that was missed is made good by the next.

use std::sync::{Arc, Mutex, PoisonError};

use runtime::front::Reports;
use zbus::Message;
use zbus::zvariant::OwnedObjectPath;

use super::bus::{Bus, Object, comes_or_goes, owned_name, signal};

/// Screen savers that say so on the session bus. Each has `GetActive` and `ActiveChanged`, in an interface of its
/// own name. One that is on without a lock counts as well: nobody looks at a blank screen.
const SAVERS: [Object<'_>; 5] = [
    // KDE's, and what stands alone: light-locker, xss-lock's kin.
    saver(
        "org.freedesktop.ScreenSaver",
        "/org/freedesktop/ScreenSaver",
    ),
    saver("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    saver("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    saver("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    saver("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: Object<'_> = Object {
    service: LOGIND,
    path: "/org/freedesktop/login1",
    interface: "org.freedesktop.login1.Manager",
};

const fn saver<'a>(name: &'a str, path: &'a str) -> Object<'a> {
    Object {
        service: name,
        path,
        interface: name,
    }
}

/// What the two say, told as one. Shared by its clones.
#[derive(Clone)]
pub(super) struct Lock {
    reports: Reports,
    by: Arc<Mutex<By>>,
}

#[derive(Default)]
struct By {
    saver: bool,
    logind: bool,
}

impl Lock {
    pub(super) fn new(reports: Reports) -> Self {
        Self {
            reports,
            by: Arc::default(),
        }
    }

    /// What the screen saver says.
    pub(super) fn saver(&self, on: bool) {
        self.say(|by| by.saver = on);
    }

    fn logind(&self, locked: bool) {
        self.say(|by| by.logind = locked);
    }

    fn say(&self, change: impl FnOnce(&mut By)) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut by);
        self.reports.locked(by.saver || by.logind);
    }
}

/// Hears the screen savers until the bus is over.
pub(super) async fn savers(bus: Bus, lock: Lock) {
    let rules = SAVERS.iter().flat_map(|saver| {
        [
            signal(*saver, "ActiveChanged"),
            comes_or_goes(saver.service),
        ]
    });
    let mut said = match bus.hear(rules.collect()).await {
        Ok(said) => said,
        Err(error) => {
            tracing::warn!(%error, "no screen saver is heard");
            return;
        }
    };
    loop {
        lock.saver(any_is_on(&bus).await);
        loop {
            let Some(message) = said.next().await else {
                return;
            };
            if is_of_a_saver(&message) {
                break;
            }
        }
    }
}

fn is_of_a_saver(message: &Message) -> bool {
    let header = message.header();
    if header
        .member()
        .is_some_and(|member| member == "ActiveChanged")
    {
        return true;
    }
    owned_name(message).is_some_and(|name| SAVERS.iter().any(|saver| saver.service == name))
}

async fn any_is_on(bus: &Bus) -> bool {
    for saver in SAVERS {
        if matches!(bus.is_there(saver.service).await, Ok(true)) && is_on(bus, saver).await {
            return true;
        }
    }
    false
}

async fn is_on(bus: &Bus, saver: Object<'_>) -> bool {
    let said = bus.call(saver, "GetActive", &()).await;
    // GNOME's stand-in for the freedesktop name knows no such question.
    said.and_then(|said| said.body().deserialize())
        .unwrap_or(false)
}

/// Hears logind until the system's bus is over, where there is one.
pub(super) async fn logind(lock: Lock) {
    let heard = match Bus::system().await {
        Ok(bus) => hear_logind(&bus, lock.clone()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = heard {
        tracing::info!(%error, "logind says nothing");
    }
    lock.logind(false);
}

async fn hear_logind(bus: &Bus, lock: Lock) -> zbus::Result<()> {
    let rules = vec![comes_or_goes(LOGIND), signal(MANAGER, "UserNew")];
    let mut said = bus.hear(rules).await?;
    let mut followed: Vec<String> = Vec::new();
    loop {
        let login = Login::of_this_user(bus).await.ok();
        let rules: Vec<_> = login.iter().flat_map(Login::rules).collect();
        if rules != followed {
            for rule in std::mem::take(&mut followed) {
                bus.ignore(&rule).await?;
            }
            // What is heard by these comes by the stream that is there.
            drop(bus.hear(rules.clone()).await?);
            followed = rules;
        }
        // After the rules: what changed before them is seen now.
        lock.logind(match &login {
            Some(login) => login.is_away(bus).await.unwrap_or(false),
            None => false,
        });
        // Whatever it is, all of it is looked at.
        if said.next().await.is_none() {
            return Ok(());
        }
    }
}

/// This user at this computer, as logind knows it.
struct Login {
    user: OwnedObjectPath,
    /// The graphical one of the user's sessions.
    session: Option<OwnedObjectPath>,
}

impl Login {
    async fn of_this_user(bus: &Bus) -> zbus::Result<Self> {
        let uid = rustix::process::getuid().as_raw();
        let said = bus.call(MANAGER, "GetUser", &uid).await?;
        let user: OwnedObjectPath = said.body().deserialize()?;
        let shown = Object {
            service: LOGIND,
            path: user.as_str(),
            interface: "org.freedesktop.login1.User",
        };
        let (id, session): (String, OwnedObjectPath) =
            bus.get(shown, "Display").await?.try_into()?;
        Ok(Self {
            user,
            session: (!id.is_empty()).then_some(session),
        })
    }

    /// `Lock` and `Unlock` are wishes that a locker may not follow: what became of them is in the properties.
    fn rules(&self) -> Vec<String> {
        [Some(&self.user), self.session.as_ref()]
            .into_iter()
            .flatten()
            .map(|path| {
                format!("type='signal',sender='{LOGIND}',path='{path}',member='PropertiesChanged'")
            })
            .collect()
    }

    /// It is locked, or another login has the screen and the keyboard.
    async fn is_away(&self, bus: &Bus) -> zbus::Result<bool> {
        let Some(path) = &self.session else {
            return Ok(false);
        };
        let session = Object {
            service: LOGIND,
            path: path.as_str(),
            interface: "org.freedesktop.login1.Session",
        };
        let locked: bool = bus.get(session, "LockedHint").await?.try_into()?;
        let active: bool = bus.get(session, "Active").await?.try_into()?;
        Ok(locked || !active)
    }
}
