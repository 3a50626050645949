//! What needs `unsafe`: the start of the program, and letting go of what a caller left open.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The C library calls this; std's arguments and environment are there already (glibc hands them to
/// `.init_array`). SIGPIPE is as the caller left it, which is right for standard output; the socket asks for
/// none.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, allow(dead_code, reason = "the tests have a main of their own"))]
pub(crate) extern "C" fn main(
    _count: std::ffi::c_int,
    _arguments: *const *const std::ffi::c_char,
) -> std::ffi::c_int {
    let code = crate::run();
    // SAFETY: it takes a number and does not return. Nothing of ours is buffered, and the C library's own
    // farewell would cost more than some of our questions.
    unsafe { _exit(code.into()) }
}

unsafe extern "C" {
    fn _exit(code: std::ffi::c_int) -> !;
}

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
    let open = std::fs::read_dir("/proc/self/fd")?;
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    for number in numbers.filter(|number| *number > 2).collect::<Vec<_>>() {
        // SAFETY: the one thread of this process closes nothing meanwhile, but for the list's own
        // descriptor, for which the call below fails without harm.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC);
    }
    Ok(())
}
