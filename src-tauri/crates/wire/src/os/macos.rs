//! macOS. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of libSystem that rustix doesn't have

use std::ffi::{CStr, OsStr, OsString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::unix::variables;
use super::{Peer, Uid};

/// What `sun_path` takes, without the zero at its end.
pub(crate) const LONGEST_PATH: usize = 103;

/// The data folder, below the home.
pub(crate) const DATA: &str = "Library/Application Support/kubefob";

/// The numbers of this process's descriptors, as files.
pub(crate) const OPEN_DESCRIPTORS: &str = "/dev/fd";

/// The file that this process runs.
///
/// # Errors
/// Where it should be.
pub fn this_program() -> Result<PathBuf, PathBuf> {
    std::env::current_exe().map_err(|_| PathBuf::from("kubefob"))
}

const PT_DENY_ATTACH: c_int = 31;
const CTL_KERN: c_int = 1;
const KERN_PROCARGS2: c_int = 49;
const SOL_LOCAL: c_int = 0;
const LOCAL_PEERPID: c_int = 2;
const CS_DARWIN_USER_TEMP_DIR: c_int = 65537;

#[repr(C)]
struct Passwd {
    name: *const c_char,
    password: *const c_char,
    uid: u32,
    gid: u32,
    change: i64,
    class: *const c_char,
    gecos: *const c_char,
    home: *const c_char,
    shell: *const c_char,
    expire: i64,
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn ptrace(request: c_int, pid: c_int, address: *mut c_void, data: c_int) -> c_int;
    fn getpeereid(socket: c_int, uid: *mut u32, gid: *mut u32) -> c_int;
    fn getsockopt(
        socket: c_int,
        level: c_int,
        name: c_int,
        value: *mut c_void,
        length: *mut u32,
    ) -> c_int;
    fn sysctl(
        name: *mut c_int,
        parts: u32,
        old: *mut c_void,
        old_length: *mut usize,
        new: *mut c_void,
        new_length: usize,
    ) -> c_int;
    fn confstr(name: c_int, buffer: *mut c_char, length: usize) -> usize;
    fn getpwuid_r(
        uid: u32,
        entry: *mut Passwd,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut Passwd,
    ) -> c_int;
    fn gethostuuid(id: *mut u8, wait: *const Timespec) -> c_int;
}

/// Keeps debuggers of this user away (PT_DENY_ATTACH); task ports are guarded by the hardened runtime.
///
/// # Errors
/// What the system says.
pub fn harden() -> io::Result<()> {
    // SAFETY: this request takes no address and touches no memory.
    let result = unsafe { ptrace(PT_DENY_ATTACH, 0, std::ptr::null_mut(), 0) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Who is at the other end of a unix socket, as the kernel noted it when it was connected.
///
/// # Errors
/// What the system says.
pub fn peer(socket: &impl AsFd) -> io::Result<Peer> {
    let socket = socket.as_fd().as_raw_fd();
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: both point to a u32 that lives through the call.
    if unsafe { getpeereid(socket, &raw mut uid, &raw mut gid) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let (mut pid, mut length): (c_int, u32) = (0, 4);
    // SAFETY: `length` says how large `pid` is, and both live through the call.
    let result = unsafe {
        let value = (&raw mut pid).cast::<c_void>();
        getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, value, &raw mut length)
    };
    let pid = u32::try_from(pid)
        .ok()
        .filter(|pid| result == 0 && *pid != 0);
    Ok(Peer { uid, pid })
}

/// What a process was started with.
#[derive(Debug)]
pub struct Started {
    /// Its file, as it was named.
    pub program: PathBuf,
    /// Its arguments, its own name first.
    pub arguments: Vec<OsString>,
    /// Its environment; empty where the system keeps that from us.
    pub environment: Vec<(OsString, OsString)>,
}

/// What a process was started with (`KERN_PROCARGS2` of sysctl(3)); none where the system does not show it.
#[must_use]
pub fn started(pid: u32) -> Option<Started> {
    let mut name = [CTL_KERN, KERN_PROCARGS2, c_int::try_from(pid).ok()?];
    // As long as arguments and environment may be together (ARG_MAX).
    let mut buffer = vec![0_u8; 1 << 20];
    let mut length = buffer.len();
    // SAFETY: the name has three parts, and `length` is how long the buffer is.
    let result = unsafe {
        let into = buffer.as_mut_ptr().cast();
        sysctl(
            name.as_mut_ptr(),
            3,
            into,
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if result != 0 {
        return None;
    }
    // A count; the program's path, and zeros up to a boundary; so many arguments; the environment, up to an empty one.
    let (count, rest) = buffer.get(..length)?.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_ne_bytes(*count)).ok()?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (program, rest) = rest.split_at_checked(end)?;
    let begin = rest.iter().position(|byte| *byte != 0)?;
    let mut words = rest.get(begin..)?.split(|byte| *byte == 0);
    let owned = |text: &[u8]| OsString::from_vec(text.to_vec());
    Some(Started {
        program: owned(program).into(),
        arguments: words.by_ref().take(count).map(owned).collect(),
        environment: variables(words.take_while(|word| !word.is_empty())).collect(),
    })
}

/// The environment that a process was started with; none where the system does not show it.
#[must_use]
pub fn environment(pid: u32) -> Option<Vec<(OsString, OsString)>> {
    let environment = started(pid)?.environment;
    (!environment.is_empty()).then_some(environment)
}

/// Linux alone has such a folder.
#[must_use]
pub fn runtime_folder(_: &Uid) -> Option<PathBuf> {
    None
}

/// In the user's temporary folder, which the system makes for each user and names, whatever TMPDIR says.
pub(crate) fn runtime_socket(_: &Uid) -> Option<PathBuf> {
    let mut buffer = [0_u8; 1024];
    // SAFETY: the buffer is as long as is said.
    let length = unsafe {
        confstr(
            CS_DARWIN_USER_TEMP_DIR,
            buffer.as_mut_ptr().cast(),
            buffer.len(),
        )
    };
    // The length counts the zero at the end, and is what would be needed if that is more.
    let folder = buffer.get(..length.checked_sub(1)?)?;
    folder
        .starts_with(b"/")
        .then(|| PathBuf::from(OsStr::from_bytes(folder)).join("kubefob/socket"))
}

/// The home that the user database names.
pub(crate) fn home(uid: &Uid) -> Option<PathBuf> {
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut found = std::ptr::null_mut();
    // SAFETY: a `Passwd` is pointers and numbers, for which zero is a value.
    let mut entry: Passwd = unsafe { std::mem::zeroed() };
    // SAFETY: everything lives through the call, and the buffer is as long as is said.
    let result = unsafe {
        let text = buffer.as_mut_ptr().cast();
        getpwuid_r(*uid, &raw mut entry, text, buffer.len(), &raw mut found)
    };
    if result != 0 || found.is_null() || entry.home.is_null() {
        return None;
    }
    // SAFETY: the call put a string that ends with zero into `buffer`, which is still here.
    let home = unsafe { CStr::from_ptr(entry.home) }.to_bytes().to_vec();
    home.starts_with(b"/")
        .then(|| PathBuf::from(OsString::from_vec(home)))
}

/// The host's UUID.
pub(crate) fn machine_id() -> Vec<u8> {
    let mut id = [0_u8; 16];
    let wait = Timespec {
        seconds: 1,
        nanoseconds: 0,
    };
    // SAFETY: a uuid has 16 bytes, and both live through the call.
    let result = unsafe { gethostuuid(id.as_mut_ptr(), &raw const wait) };
    if result == 0 { id.to_vec() } else { Vec::new() }
}

/// There are no user namespaces.
pub(crate) fn is_unmapped(_: Uid) -> bool {
    false
}

/// The same.
pub(crate) fn is_shared(_: Uid) -> bool {
    false
}

/// The same.
pub(crate) fn is_roots_group() -> bool {
    true
}

/// Access lists are not looked at: where the group may write, others may.
#[must_use]
pub fn has_access_list(_: &Path) -> bool {
    true
}

/// The same.
#[must_use]
pub fn has_access_list_open(_: &impl AsFd) -> bool {
    true
}
