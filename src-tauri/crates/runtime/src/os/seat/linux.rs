//! Linux: the socket of a Wayland compositor or an X server.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use wire::os::Peer;

use crate::os::files::{Identity, of_target};

/// The system's own user: some systems' X server is its.
const ROOT: wire::os::Uid = 0;

/// The socket of a screen, and who listens there.
pub(crate) struct Seat {
    socket: PathBuf,
    file: Identity,
    server: Peer,
}

impl Seat {
    pub(crate) fn named(environment: &[(OsString, OsString)]) -> Option<Self> {
        let socket = socket(environment)?;
        let server = peer(&socket_at(&socket)?).ok()?;
        if !is_ours(&server) || !is_ours_by_name(&socket) {
            return None;
        }
        Some(Self {
            file: of_target(&socket).ok()?,
            socket,
            server,
        })
    }

    /// Whether the same server listens there. It waits for nobody: one who is too busy to take us is there, if it is
    /// the same socket. One that crashed leaves its socket behind, which nobody answers; or another, of another user's,
    /// has its place.
    pub(crate) fn is_there(&self) -> bool {
        let answers = match socket_at(&self.socket).map(|address| peer(&address)) {
            Some(Ok(server)) => server == self.server,
            Some(Err(Errno::AGAIN)) => true,
            Some(Err(_)) | None => false,
        };
        answers
            && of_target(&self.socket).is_ok_and(|file| file == self.file)
            && is_ours_by_name(&self.socket)
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        self.socket.parent()
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.display().fmt(f)
    }
}

/// Whether it is this user's own screen who listens there, or the system's: what another user's shows is for that
/// other user's eyes, and for their yes.
fn is_ours(server: &Peer) -> bool {
    server.uid == ROOT || wire::os::uid().is_ok_and(|us| us == server.uid)
}

/// Whether whoever listens under the socket's name without a file is ours too, if anybody does: X11's programs look
/// there first.
fn is_ours_by_name(socket: &Path) -> bool {
    let name = socket.as_os_str().as_bytes();
    match SocketAddrUnix::new_abstract_name(name).map(|address| peer(&address)) {
        Ok(Ok(server)) => is_ours(&server),
        Ok(Err(error)) => error == Errno::CONNREFUSED,
        Err(_) => true,
    }
}

fn socket_at(socket: &Path) -> Option<SocketAddrUnix> {
    SocketAddrUnix::new(socket).ok()
}

/// Who listens there.
fn peer(address: &SocketAddrUnix) -> rustix::io::Result<Peer> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&stream, address)?;
    wire::os::peer(&stream).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// The socket of the screen that an environment names, if it is one of this computer.
fn socket(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let variable = |name: &str| crate::os::environment::variable(environment, name);
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
    fn another_server_in_its_place_is_another_seat() {
        use std::os::unix::net::UnixListener;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("wayland-0");
        let named = || Seat::named(&[("WAYLAND_DISPLAY".into(), socket.clone().into())]);
        assert!(named().is_none());
        let first = UnixListener::bind(&socket).unwrap();
        let seat = named().unwrap();
        assert!(seat.is_there());
        let moved = folder.path().join("moved");
        std::fs::rename(&socket, &moved).unwrap();
        let _second = UnixListener::bind(&socket).unwrap();
        assert!(!seat.is_there(), "the same user's, and another");
        std::fs::rename(&moved, &socket).unwrap();
        assert!(seat.is_there());
        // Another user's, by whatever name.
        let stranger = Seat {
            server: Peer {
                uid: 4711,
                ..seat.server
            },
            ..seat
        };
        assert!(!stranger.is_there());
        assert!(!is_ours(&stranger.server));
        drop(first);
    }

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
