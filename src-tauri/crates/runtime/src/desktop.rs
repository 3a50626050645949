//! The graphical login that browsers are opened on.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use broker::asker::Desktop;
use broker::problem::{Code, Problem};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use tokio::sync::watch;

use crate::settings::Settings;

/// What a program needs to show itself.
const VARIABLES: [&str; 6] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    RUNTIME,
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_CURRENT_DESKTOP",
];

const RUNTIME: &str = "XDG_RUNTIME_DIR";

/// Opens addresses in the person's browser, on the desktop that started us.
#[derive(Clone, Debug)]
pub(crate) struct Browser(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    chosen: watch::Receiver<Settings>,
    environment: Vec<(OsString, OsString)>,
    screen: Option<PathBuf>,
    /// The desktop ended: another of the same name may be somebody else's.
    let_go: AtomicBool,
}

impl Browser {
    /// `chosen` names the person's own browser, if they chose one; else it is the system's. `runtime` is the
    /// folder of this user's sockets: the shim doesn't pass a variable on that names another.
    pub(crate) fn new(
        chosen: watch::Receiver<Settings>,
        environment: Vec<(OsString, OsString)>,
        runtime: Option<&Path>,
    ) -> Self {
        let mut environment: Vec<_> = environment
            .into_iter()
            .filter(|(name, _)| VARIABLES.iter().any(|known| name == known))
            .collect();
        if let Some(runtime) = runtime {
            environment.retain(|(name, _)| name != RUNTIME);
            environment.push((RUNTIME.into(), runtime.into()));
        }
        let screen = screen(&environment);
        Self(Arc::new(Inner {
            chosen,
            environment,
            screen,
            let_go: AtomicBool::new(false),
        }))
    }

    /// Whether there is a desktop. A screen whose socket is gone is none, and stays none: whoever comes to sit
    /// there later starts us anew.
    pub(crate) fn desktop(&self) -> Desktop {
        match &self.0.screen {
            Some(socket) if !self.0.let_go.load(Ordering::Relaxed) => {
                // One that crashed leaves its socket behind, which nobody answers.
                if answers(socket) {
                    return Desktop::Unlocked;
                }
                self.0.let_go.store(true, Ordering::Relaxed);
                Desktop::None
            }
            Some(_) | None => Desktop::None,
        }
    }

    /// The folder in which something happens when the screen goes: to be watched.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        Some(self.0.screen.as_ref()?.parent()?.to_path_buf())
    }

    /// What a program needs to show itself there.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let all = self.0.environment.iter();
        all.map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Opens an address. It is one argument and never passes a shell.
    pub(crate) fn open(&self, address: &str) -> Result<(), Problem> {
        let chosen = self.0.chosen.borrow().browser.clone().unwrap_or_default();
        let commands = match chosen.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(address);
                vec![command]
            }
            None => open::commands(address),
        };
        let mut reason = String::from("no program to open it with");
        for mut command in commands {
            command.envs(self.environment());
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            match command.spawn() {
                Ok(mut child) => {
                    // Reaped by a thread that lives as long as the child: no zombie, no waiting.
                    std::thread::spawn(move || drop(child.wait()));
                    return Ok(());
                }
                Err(error) => reason = error.to_string(),
            }
        }
        Err(Problem::new(Code::NoBrowser, vec![("reason", reason)]))
    }
}

/// Whether somebody listens at a socket. It waits for nobody: one who is too busy to take us is there.
fn answers(socket: &Path) -> bool {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let connected = SocketAddrUnix::new(socket).and_then(|address| {
        let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&stream, &address)
    });
    matches!(connected, Ok(()) | Err(Errno::AGAIN))
}

/// The socket of the screen that an environment names, if it is one of this computer.
fn screen(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let variable = |name: &str| crate::asker::variable(environment, name);
    let wayland = variable("WAYLAND_DISPLAY").and_then(|name| {
        let name = Path::new(name);
        if name.is_absolute() {
            return Some(name.to_owned());
        }
        Some(Path::new(variable("XDG_RUNTIME_DIR")?).join(name))
    });
    let x11 = || {
        let display = variable("DISPLAY").and_then(OsStr::to_str)?;
        let number = display.strip_prefix(':')?.split('.').next()?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Path::new("/tmp/.X11-unix").join(format!("X{number}")))
    };
    wayland.or_else(x11)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(variables: &[(&str, &str)]) -> Option<PathBuf> {
        let owned: Vec<_> = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        screen(&owned)
    }

    #[test]
    fn only_a_screen_of_this_computer_counts() {
        assert_eq!(
            named(&[("DISPLAY", ":7.0")]),
            Some("/tmp/.X11-unix/X7".into())
        );
        assert_eq!(named(&[("DISPLAY", "evil.example.com:0")]), None);
        assert_eq!(named(&[("DISPLAY", ":../../etc")]), None);
        assert_eq!(
            named(&[
                ("WAYLAND_DISPLAY", "wayland-0"),
                ("XDG_RUNTIME_DIR", "/run/user/7")
            ]),
            Some("/run/user/7/wayland-0".into())
        );
        assert_eq!(named(&[]), None);
    }

    #[test]
    fn a_browser_that_is_not_there_is_said() {
        let mut chosen = Settings::default();
        chosen.browser = Some(vec!["/nonexistent/browser".into()]);
        let (_choosing, chosen) = watch::channel(chosen);
        let browser = Browser::new(chosen, vec![], None);
        assert_eq!(
            browser.open("http://localhost/").unwrap_err().code,
            Code::NoBrowser
        );
        assert_eq!(browser.desktop(), Desktop::None);
    }

    #[test]
    fn a_screen_is_found_in_the_user_s_own_folder_and_let_go_for_good() {
        let runtime = tempfile::tempdir().unwrap();
        let socket = runtime.path().join("wayland-0");
        let screen = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let (_choosing, chosen) = watch::channel(Settings::default());
        let environment = [("WAYLAND_DISPLAY", "wayland-0"), (RUNTIME, "/elsewhere")];
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        let browser = Browser::new(chosen, environment.into(), Some(runtime.path()));
        assert_eq!(browser.folder().as_deref(), Some(runtime.path()));
        assert_eq!(browser.desktop(), Desktop::Unlocked);
        // A process that another test starts may hold the listener for a moment.
        rustix::net::shutdown(&screen, rustix::net::Shutdown::Both).unwrap();
        drop(screen);
        assert_eq!(browser.desktop(), Desktop::None, "its socket is left");
        std::fs::remove_file(&socket).unwrap();
        let _screen = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(browser.desktop(), Desktop::None, "it may be another's");
    }
}
