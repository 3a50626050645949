//! The graphical login that browsers are opened on.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use broker::asker::Desktop;
use broker::problem::{Code, Problem};

/// What a program needs to show itself.
const VARIABLES: [&str; 6] = [
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_CURRENT_DESKTOP",
];

/// Opens addresses in the person's browser, on the desktop that started us.
#[derive(Clone, Debug)]
pub(crate) struct Browser(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    command: Vec<String>,
    environment: Vec<(OsString, OsString)>,
    screen: Option<PathBuf>,
}

impl Browser {
    /// `command` is the person's own choice (settings); empty: the system's.
    pub(crate) fn new(command: Vec<String>, environment: Vec<(OsString, OsString)>) -> Self {
        let environment: Vec<_> = environment
            .into_iter()
            .filter(|(name, _)| VARIABLES.iter().any(|known| name == known))
            .collect();
        let screen = screen(&environment);
        Self(Arc::new(Inner {
            command,
            environment,
            screen,
        }))
    }

    /// Whether there is a desktop. A screen whose socket is gone is none.
    pub(crate) fn desktop(&self) -> Desktop {
        match &self.0.screen {
            Some(socket) if socket.exists() => Desktop::Unlocked,
            Some(_) | None => Desktop::None,
        }
    }

    /// Opens an address. It is one argument and never passes a shell.
    pub(crate) fn open(&self, address: &str) -> Result<(), Problem> {
        let commands = match self.0.command.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(address);
                vec![command]
            }
            None => open::commands(address),
        };
        let mut reason = String::from("no program to open it with");
        for mut command in commands {
            command.envs(self.0.environment.iter().map(|(name, value)| (name, value)));
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
        let browser = Browser::new(vec!["/nonexistent/browser".into()], vec![]);
        assert_eq!(
            browser.open("http://localhost/").unwrap_err().code,
            Code::NoBrowser
        );
        assert_eq!(browser.desktop(), Desktop::None);
    }
}
