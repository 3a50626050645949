//! Linux: the socket of a Wayland compositor or an X server.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// The system's own user: some systems' X server is its.
const ROOT: wire::os::Uid = 0;

/// The socket of a screen.
pub(crate) struct Seat(PathBuf);

impl Seat {
    pub(crate) fn named(environment: &[(OsString, OsString)]) -> Option<Self> {
        socket(environment)
            .filter(|socket| is_ours(socket))
            .map(Self)
    }

    /// Whether somebody listens there. It waits for nobody: one who is too busy to take us is there. One that
    /// crashed leaves its socket behind, which nobody answers.
    pub(crate) fn is_there(&self) -> bool {
        matches!(knock(&self.0), Ok(_) | Err(Errno::AGAIN))
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        self.0.parent()
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// Whether it is this user's own screen who listens there, or the system's: what another user's shows is for that
/// other user's eyes, and for their yes.
fn is_ours(socket: &Path) -> bool {
    let Ok(server) = knock(socket) else {
        return false;
    };
    let server = wire::os::peer(&server).map(|peer| peer.uid);
    server.is_ok_and(|server| server == ROOT || wire::os::uid().is_ok_and(|us| us == server))
}

fn knock(socket: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let address = SocketAddrUnix::new(socket)?;
    let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&stream, &address)?;
    Ok(stream)
}

/// The socket of the screen that an environment names, if it is one of this computer.
fn socket(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
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

    #[test]
    fn only_a_screen_of_this_computer_counts() {
        let named = |named: &[(&str, &str)]| {
            let owned = named.iter();
            let owned = owned.map(|(name, value)| ((*name).into(), (*value).into()));
            socket(&owned.collect::<Vec<_>>())
        };
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
}
