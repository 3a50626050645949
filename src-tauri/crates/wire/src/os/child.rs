//! A process that is started, and what it has of ours.
#![allow(unsafe_code)] // what runs between fork and exec; descriptors by their numbers

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes the process that `command` starts one of its own session, which the caller's end or terminal can't
/// reach.
pub(crate) fn detach(command: &mut Command) {
    // SAFETY: setsid is async-signal-safe and touches no memory.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

/// Keeps a process that we start from every descriptor but its standard streams. kubectl (and whoever runs
/// it) would otherwise wait for the end of a pipe that the resident holds open all day.
pub(crate) fn inherit_nothing() -> io::Result<()> {
    let open = std::fs::read_dir(super::OPEN_DESCRIPTORS)?;
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    for number in numbers.filter(|number| *number > 2).collect::<Vec<_>>() {
        // SAFETY: the one thread of this process closes nothing meanwhile, but for the list's own
        // descriptor, for which the call below fails without harm.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC);
    }
    Ok(())
}
