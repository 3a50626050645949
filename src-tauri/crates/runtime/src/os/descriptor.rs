//! Descriptors that were handed to this process by number.
#![allow(unsafe_code)] // a number becomes a descriptor, in this process or in one that is started

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Takes a descriptor over, closed for programs that we start. None: there is no such descriptor, or it is one
/// of the standard streams.
///
/// For the start of the program alone: whoever calls it says that nobody else owns the number.
pub(crate) fn take(number: RawFd) -> Option<OwnedFd> {
    if number <= 2 {
        return None;
    }
    // SAFETY: only looked at; a number that is no descriptor gives an error and nothing else.
    let there = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_getfd(there).ok()?;
    // SAFETY: it is open (just seen), and was handed to us by whoever started us: nobody else here knows it.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    keep_for_children(&owned, false).ok()?;
    Some(owned)
}

/// Raises this process's own limit on open descriptors, where the system lets it: the usual 1,024 are
/// fewer than the clients that may be here at once. Says what holds.
pub(crate) fn allow(wanted: u64) -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if now >= wanted || now >= most {
        return now;
    }
    limit.current = Some(wanted.min(most));
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => wanted.min(most),
        Err(_) => now,
    }
}

/// How many are open. None: the system does not show it.
pub(crate) fn open() -> Option<usize> {
    Some(std::fs::read_dir("/dev/fd").ok()?.count())
}

/// Lets the program that `command` starts find a descriptor under a number. It is that process's alone.
pub(crate) fn hand(command: &mut tokio::process::Command, descriptor: OwnedFd, number: RawFd) {
    // SAFETY: dup2 and fcntl are async-signal-safe and touch no memory; the number is the new process's own, which
    // execs at once.
    unsafe {
        command.pre_exec(move || {
            if descriptor.as_raw_fd() == number {
                return Ok(keep_for_children(&descriptor, true)?);
            }
            let mut new = core::mem::ManuallyDrop::new(OwnedFd::from_raw_fd(number));
            // It closes what was there, and what it makes is kept across exec.
            Ok(rustix::io::dup2(&descriptor, &mut new)?)
        });
    }
}

/// Whether a program that we start (or become) has the descriptor too.
pub(crate) fn keep_for_children(descriptor: &impl AsFd, keep: bool) -> rustix::io::Result<()> {
    let flags = fcntl_getfd(descriptor)?;
    fcntl_setfd(
        descriptor,
        if keep {
            flags - FdFlags::CLOEXEC
        } else {
            flags | FdFlags::CLOEXEC
        },
    )
}

/// Whether it is a socket that listens.
#[cfg(target_os = "linux")]
pub(crate) fn listens(descriptor: &impl AsFd) -> bool {
    rustix::net::sockopt::socket_acceptconn(descriptor).is_ok_and(|listens| listens)
}

/// macOS doesn't tell (its `sogetoptlock` knows no SO_ACCEPTCONN). Only our own predecessor leaves us any there.
#[cfg(target_os = "macos")]
pub(crate) fn listens(descriptor: &impl AsFd) -> bool {
    rustix::net::getsockname(descriptor).is_ok()
}
