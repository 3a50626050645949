//! What needs `unsafe`: the environment, before there is a second thread, and a descriptor by its number.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{SocketType, sockopt};

/// What GTK and WebKit may find in our environment. No WEBKIT_*, GTK_*, TAURI_*, LD_*: they open an inspector, load
/// modules, or let a driver hold the window.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "KUBEFOB_HOME",
    "KUBEFOB_PERSON_HOME",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_CURRENT_DESKTOP",
    "XDG_ACTIVATION_TOKEN",
    "DESKTOP_STARTUP_ID",
    "DBUS_SESSION_BUS_ADDRESS",
];

fn is_kept(name: &OsStr) -> bool {
    KEPT.iter().any(|kept| name == *kept) || name.as_encoded_bytes().starts_with(b"LC_")
}

/// Removes all else. For the start of the program.
pub(crate) fn keep_environment() {
    for (name, _) in std::env::vars_os() {
        if !is_kept(&name) {
            // SAFETY: there is no other thread yet.
            unsafe { std::env::remove_var(name) };
        }
    }
}

/// Sets a variable. For the start of the program.
#[cfg(feature = "automation")]
pub(crate) fn set(name: &str, value: &str) {
    // SAFETY: there is no other thread yet.
    unsafe { std::env::set_var(name, value) };
}

/// The connection that whoever started us left open, closed for programs that we start. None: it is no such thing.
pub(crate) fn inherited(number: RawFd) -> Option<UnixStream> {
    if number <= 2 {
        return None;
    }
    // SAFETY: only looked at; a number that is no descriptor gives an error and nothing else.
    let there = unsafe { BorrowedFd::borrow_raw(number) };
    if sockopt::socket_type(there).ok()? != SocketType::STREAM {
        return None;
    }
    // SAFETY: it is open (just seen), and nobody else here knows it.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(&owned, FdFlags::CLOEXEC).ok()?;
    let stream = UnixStream::from(owned);
    stream.set_nonblocking(false).ok()?;
    Some(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_makes_it_another_program_is_kept() {
        for name in [
            "WEBKIT_INSPECTOR_SERVER",
            "WEBKIT_INSPECTOR_HTTP_SERVER",
            "TAURI_WEBVIEW_AUTOMATION",
            "GTK_MODULES",
            "GTK_PATH",
            "LD_PRELOAD",
            "GIO_EXTRA_MODULES",
        ] {
            assert!(!is_kept(OsStr::new(name)), "{name}");
        }
        assert!(is_kept(OsStr::new("DISPLAY")) && is_kept(OsStr::new("LC_ALL")));
    }

    #[test]
    fn what_is_no_socket_is_not_taken() {
        for number in [-1, 0, 2, 9_999] {
            assert!(inherited(number).is_none(), "{number}");
        }
    }
}
