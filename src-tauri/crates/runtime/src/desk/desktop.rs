//! The graphical login that pages and the window are shown on: which one it is, and whether its screen is locked.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::asker::Desktop;
use broker::event::Event;
use tokio::sync::watch;

use crate::hall::inbox::Inbox;
use crate::os::seat::Seat;

/// Variables of a process, or for one.
pub(crate) type Variables = Vec<(OsString, OsString)>;

/// What a program needs to show itself on one desktop and no other.
pub(crate) const OF_A_DESKTOP: [&str; 4] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CURRENT_DESKTOP",
];
/// What it needs besides, and what stays as it was at the start: the tray and the keyring are on that bus.
const OF_A_LOGIN: [&str; 2] = [RUNTIME, "DBUS_SESSION_BUS_ADDRESS"];

const RUNTIME: &str = "XDG_RUNTIME_DIR";

/// The screen that a person sits at, shared by its clones.
#[derive(Clone)]
pub(crate) struct Screen(Arc<ScreenState>);

struct ScreenState {
    login: Variables,
    adopted: Mutex<Option<Adopted>>,
    locked: AtomicBool,
    state: watch::Sender<Desktop>,
    inbox: Inbox,
}

/// The desktop that there is.
struct Adopted {
    seat: Seat,
    environment: Variables,
}

impl Screen {
    /// The one that `environment` names, if it does. `runtime` is the folder of this user's sockets: the shim
    /// doesn't pass a variable on that names another.
    pub(crate) fn new(
        environment: &[(OsString, OsString)],
        runtime: Option<&Path>,
        inbox: Inbox,
    ) -> Self {
        let mut login = only(environment, &OF_A_LOGIN);
        if let Some(runtime) = runtime {
            login.retain(|(name, _)| name != RUNTIME);
            login.push((RUNTIME.into(), runtime.into()));
        }
        let screen = Self(Arc::new(ScreenState {
            login,
            adopted: Mutex::new(None),
            locked: AtomicBool::new(false),
            state: watch::Sender::new(Desktop::None),
            inbox,
        }));
        screen.offer(environment);
        screen
    }

    /// Where there is no desktop, takes the one that this environment names, if there is one: a program was started
    /// there, or the login says so. Whose environment it is has been found out, and not been told.
    pub(crate) fn offer(&self, environment: &[(OsString, OsString)]) {
        let variables = only(environment, &OF_A_DESKTOP);
        let mut adopted = self.adopted();
        // Whoever asks is nearly always from there.
        if let Some(there) = &*adopted
            && (there.environment == variables || there.seat.is_there())
        {
            return;
        }
        let both = [self.0.login.as_slice(), variables.as_slice()].concat();
        let Some(seat) = Seat::named(&both) else {
            return;
        };
        tracing::info!(screen = %seat, "a desktop");
        *adopted = Some(Adopted {
            seat,
            environment: variables,
        });
        drop(adopted);
        self.look();
    }

    /// Looks whether it is still there, and says what is news. One that is gone is
    /// let go: another of the same name may be somebody else's.
    pub(crate) fn look(&self) {
        let mut adopted = self.adopted();
        if adopted
            .as_ref()
            .is_some_and(|adopted| !adopted.seat.is_there())
        {
            *adopted = None;
        }
        let locked = self.0.locked.load(Ordering::Relaxed);
        let desktop = match *adopted {
            None => Desktop::None,
            Some(_) if locked => Desktop::Locked,
            Some(_) => Desktop::Unlocked,
        };
        // Under the lock, so that what is said last is what is so.
        let news = self.0.state.send_if_modified(|known| {
            let news = *known != desktop;
            *known = desktop;
            news
        });
        if news {
            tracing::info!(?desktop, "desktop");
            self.0.inbox.event(Event::Desktop(desktop));
        }
    }

    /// Somebody locked it, or came back.
    pub(crate) fn lock(&self, locked: bool) {
        self.0.locked.store(locked, Ordering::Relaxed);
        self.look();
    }

    /// What it is now, and whatever comes after.
    pub(crate) fn watched(&self) -> watch::Receiver<Desktop> {
        self.0.state.subscribe()
    }

    /// The folder in which something happens when it goes: to be watched.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        Some(self.adopted().as_ref()?.seat.folder()?.to_path_buf())
    }

    /// What a program needs to show itself there: looked at now, since another's screen can have taken its place.
    pub(crate) fn environment(&self) -> Variables {
        self.look();
        let mut all = self.0.login.clone();
        if let Some(adopted) = &*self.adopted() {
            all.extend(adopted.environment.iter().cloned());
        }
        all
    }

    fn adopted(&self) -> MutexGuard<'_, Option<Adopted>> {
        let adopted = self.0.adopted.lock();
        adopted.unwrap_or_else(PoisonError::into_inner)
    }
}

fn only(environment: &[(OsString, OsString)], names: &[&str]) -> Variables {
    let known = |name: &OsStr| names.iter().any(|known| name == *known);
    let all = environment.iter();
    all.filter(|(name, _)| known(name)).cloned().collect()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::hall::inbox::{Message, inbox};

    fn variables(variables: &[(&str, &str)]) -> Variables {
        let owned = variables.iter();
        owned
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    /// A folder of sockets with a screen in it, and the resident's word of that.
    fn seated() -> (tempfile::TempDir, UnixListener, Screen) {
        let runtime = tempfile::tempdir().unwrap();
        let listens = UnixListener::bind(runtime.path().join("wayland-0")).unwrap();
        let environment = variables(&[("WAYLAND_DISPLAY", "wayland-0"), (RUNTIME, "/elsewhere")]);
        let screen = Screen::new(&environment, Some(runtime.path()), inbox().0);
        (runtime, listens, screen)
    }

    #[test]
    fn a_screen_is_found_in_the_user_s_own_folder_and_let_go_for_good() {
        let (runtime, listens, screen) = seated();
        let state = screen.watched();
        assert_eq!(screen.folder().as_deref(), Some(runtime.path()));
        assert_eq!(*state.borrow(), Desktop::Unlocked);
        // A process that another test starts may hold the listener for a moment.
        rustix::net::shutdown(&listens, rustix::net::Shutdown::Both).unwrap();
        drop(listens);
        screen.look();
        assert_eq!(*state.borrow(), Desktop::None, "its socket is left");
        let socket = runtime.path().join("wayland-0");
        std::fs::remove_file(&socket).unwrap();
        let _listens = UnixListener::bind(&socket).unwrap();
        screen.look();
        assert_eq!(*state.borrow(), Desktop::None, "it may be another's");
        screen.offer(&variables(&[("WAYLAND_DISPLAY", "wayland-1")]));
        assert_eq!(*state.borrow(), Desktop::None, "nobody is there");
        screen.offer(&variables(&[("WAYLAND_DISPLAY", "wayland-0")]));
        assert_eq!(*state.borrow(), Desktop::Unlocked, "somebody sat down");
        screen.offer(&variables(&[("WAYLAND_DISPLAY", "wayland-1")]));
        let environment = screen.environment();
        let named = crate::os::environment::variable(&environment, "WAYLAND_DISPLAY");
        assert_eq!(named, Some(OsStr::new("wayland-0")), "it stays");
    }

    #[test]
    fn a_lock_is_told_once_and_is_nothing_without_a_screen() {
        let (inbox, mut messages) = inbox();
        let (_runtime, _listens, seated) = seated();
        let environment = seated.environment();
        let screen = Screen::new(&environment, None, inbox.clone());
        for locked in [false, true, true, false] {
            screen.lock(locked);
        }
        let nobody = Screen::new(&[], None, inbox);
        nobody.lock(true);
        drop((screen, nobody));
        let mut told = Vec::new();
        while let Ok(Message::Event(event)) = messages.try_recv() {
            if let Event::Desktop(desktop) = *event {
                told.push(desktop);
            }
        }
        assert_eq!(
            told,
            [Desktop::Unlocked, Desktop::Locked, Desktop::Unlocked]
        );
    }
}
