//! macOS: libproc. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of libSystem

use std::ffi::{OsStr, OsString, c_int, c_void};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};
use rustix::process::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Process;

const PROC_PIDTBSDINFO: c_int = 3;
const PROC_PIDVNODEPATHINFO: c_int = 9;
const PROC_PIDT_SHORTBSDINFO: c_int = 13;
const PROC_PIDFDVNODEINFO: c_int = 1;
const STDERR: c_int = 2;
/// It has a controlling terminal.
const PROC_FLAG_CONTROLT: u32 = 2;
/// `PROC_PIDPATHINFO_MAXSIZE`
const LONGEST_PATH: usize = 4096;

/// `proc_bsdinfo`
#[repr(C)]
#[derive(Default)]
struct Info {
    flags: u32,
    status: u32,
    exit: u32,
    pid: u32,
    parent: u32,
    users: [u32; 6],
    reserved: u32,
    command: [u8; 16],
    name: [u8; 32],
    files: u32,
    group: u32,
    jobs: u32,
    terminal: u32,
    foreground: u32,
    nice: i32,
    seconds: u64,
    microseconds: u64,
}

/// `proc_bsdshortinfo`: what anybody may know of anybody's process.
#[repr(C)]
#[derive(Default)]
struct ShortInfo {
    pid: u32,
    parent: u32,
    group: u32,
    status: u32,
    command: [u8; 16],
    flags: u32,
    users: [u32; 6],
    reserved: u32,
}

/// `vnode_fdinfo`: a file that a process has open.
#[repr(C)]
#[derive(Default)]
struct OpenFile {
    opened: [u32; 6],
    before: [u32; 29],
    /// `vst_rdev`
    device: u32,
    after: [u64; 4],
}

/// `vnode_info_path`
#[repr(C)]
struct Entry {
    information: [u64; 19],
    path: [u8; 1024],
}

/// `proc_vnodepathinfo`
#[repr(C)]
struct Folders {
    current: Entry,
    root: Entry,
}

unsafe extern "C" {
    fn proc_pidinfo(
        pid: c_int,
        flavor: c_int,
        argument: u64,
        buffer: *mut c_void,
        length: c_int,
    ) -> c_int;
    fn proc_pidfdinfo(
        pid: c_int,
        descriptor: c_int,
        flavor: c_int,
        buffer: *mut c_void,
        length: c_int,
    ) -> c_int;
    fn proc_pidpath(pid: c_int, buffer: *mut c_void, length: u32) -> c_int;
    fn proc_listchildpids(pid: c_int, buffer: *mut c_void, length: c_int) -> c_int;
}

/// The entry of a process. Of another user's, when it started and whether it is in front is not told.
pub(crate) fn process(pid: u32) -> Option<Process> {
    let mut all = Info::default();
    if asked(pid, PROC_PIDTBSDINFO, &mut all) {
        let name = if all.name[0] == 0 {
            all.command.as_slice()
        } else {
            all.name.as_slice()
        };
        return Some(Process {
            name: text(name).to_string_lossy().into_owned(),
            parent: all.parent,
            started: all.seconds.checked_mul(1_000_000)? + all.microseconds,
            in_front_of: (all.flags & PROC_FLAG_CONTROLT != 0 && all.group == all.foreground)
                .then_some(all.terminal.into()),
        });
    }
    let mut some = ShortInfo::default();
    asked(pid, PROC_PIDT_SHORTBSDINFO, &mut some).then(|| Process {
        name: text(&some.command).to_string_lossy().into_owned(),
        parent: some.parent,
        started: 0,
        in_front_of: None,
    })
}

/// Whether a process's standard error is this terminal.
pub(crate) fn writes_errors_to(pid: u32, terminal: u64) -> bool {
    let mut error = OpenFile::default();
    let (Ok(pid), Ok(length)) = (c_int::try_from(pid), c_int::try_from(size_of::<OpenFile>()))
    else {
        return false;
    };
    // SAFETY: the buffer lives through the call, is numbers alone, and is as long as is said.
    let got = unsafe {
        let buffer = (&raw mut error).cast();
        proc_pidfdinfo(pid, STDERR, PROC_PIDFDVNODEINFO, buffer, length)
    };
    got == length && u64::from(error.device) == terminal
}

/// When a process started, by what [`Process::started`] says of it: microseconds since 1970.
pub(crate) fn start_time(started: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(started))
}

/// A process's arguments, its own name first.
pub(crate) fn arguments(pid: u32) -> Option<Vec<String>> {
    let arguments = wire::os::started(pid)?.arguments.into_iter();
    Some(
        arguments
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
    )
}

/// The environment that a process was started with.
pub(crate) fn environment(pid: u32) -> Option<Vec<(OsString, OsString)>> {
    wire::os::environment(pid)
}

/// The folder that a process stands in.
pub(crate) fn folder(pid: u32) -> Option<PathBuf> {
    let empty = || Entry {
        information: [0; 19],
        path: [0; 1024],
    };
    let mut folders = Folders {
        current: empty(),
        root: empty(),
    };
    asked(pid, PROC_PIDVNODEPATHINFO, &mut folders)
        .then(|| text(&folders.current.path))
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// The program that a process runs.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    let mut path = vec![0_u8; LONGEST_PATH];
    let length = u32::try_from(path.len()).ok()?;
    // SAFETY: the buffer is as long as is said.
    let length =
        unsafe { proc_pidpath(c_int::try_from(pid).ok()?, path.as_mut_ptr().cast(), length) };
    path.truncate(usize::try_from(length).ok().filter(|length| *length > 0)?);
    Some(OsString::from_vec(path).into())
}

/// macOS has none.
#[allow(clippy::unnecessary_wraps, reason = "other systems can't always tell")]
pub(crate) fn in_another_mount_namespace(_pid: u32) -> Option<bool> {
    Some(false)
}

/// Whether a process of this name is an sshd that root has started: effective, real and saved user are root.
pub(crate) fn is_sshd(pid: u32, name: &str) -> bool {
    let mut some = ShortInfo::default();
    super::is_sshd_s(name) && asked(pid, PROC_PIDT_SHORTBSDINFO, &mut some) && {
        let [effective, _, real, _, saved, _] = some.users;
        [effective, real, saved] == [0; 3]
    }
}

/// The children of this process.
pub(crate) fn children() -> Vec<Pid> {
    let mut numbers = [0 as c_int; 256];
    let length = c_int::try_from(size_of_val(&numbers)).unwrap_or(0);
    let Ok(this) = c_int::try_from(std::process::id()) else {
        return Vec::new();
    };
    // SAFETY: the buffer is as long as is said.
    let count = unsafe { proc_listchildpids(this, numbers.as_mut_ptr().cast(), length) };
    let count = usize::try_from(count).unwrap_or(0).min(numbers.len());
    let numbers = numbers.into_iter().take(count);
    numbers.filter_map(Pid::from_raw).collect()
}

/// Waits until a process has ended; one that is already gone has.
///
/// # Errors
/// The system gives no word of it.
pub(crate) async fn ended(pid: u32) -> io::Result<()> {
    match watched(pid)? {
        Some(queue) => queue.readable().await.map(drop),
        None => Ok(()),
    }
}

/// Can be read once the process has ended. None: it has.
fn watched(pid: u32) -> io::Result<Option<AsyncFd<OwnedFd>>> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(None);
    };
    let queue = kqueue()?;
    let end = Event::new(
        EventFilter::Proc {
            pid,
            flags: ProcessEvents::EXIT,
        },
        EventFlags::ADD | EventFlags::ONESHOT,
        std::ptr::null_mut(),
    );
    let mut none: [Event; 0] = [];
    // SAFETY: the event names a process and no descriptor.
    match unsafe { kevent(&queue, &[end], &mut none, None) } {
        Ok(_) => {}
        Err(rustix::io::Errno::SRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    // SAFETY: the descriptor is owned by what watches it, and is closed with it alone.
    let watched = unsafe { AsyncFd::register_with_interest(queue, Interest::READABLE) }?;
    Ok(Some(watched))
}

fn asked<T>(pid: u32, flavor: c_int, answer: &mut T) -> bool {
    let Ok(pid) = c_int::try_from(pid) else {
        return false;
    };
    let Ok(length) = c_int::try_from(size_of::<T>()) else {
        return false;
    };
    let answer: *mut T = answer;
    // SAFETY: each flavor is asked with its own structure, which is numbers alone and as long as is said.
    unsafe { proc_pidinfo(pid, flavor, 0, answer.cast(), length) == length }
}

/// Up to the zero.
fn text(bytes: &[u8]) -> &OsStr {
    let end = bytes.iter().position(|byte| *byte == 0);
    OsStr::from_bytes(bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default())
}
