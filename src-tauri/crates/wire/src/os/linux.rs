//! Linux.
#![allow(unsafe_code)] // one call that rustix has for most answers alone

use std::ffi::{OsString, c_int, c_void};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::unix::variables;
use super::{Peer, Uid};

/// What `sun_path` takes, without the zero at its end.
pub(crate) const LONGEST_PATH: usize = 107;

/// The data folder, below the home. XDG_DATA_HOME is not asked: a snap sets it for its children.
pub(crate) const DATA: &str = ".local/share/kubefob";

/// The numbers of this process's descriptors, as files.
pub(crate) const OPEN_DESCRIPTORS: &str = "/proc/self/fd";

/// The file that this process runs.
///
/// # Errors
/// Where it should be said.
pub fn this_program() -> Result<PathBuf, PathBuf> {
    const LINK: &str = "/proc/self/exe";
    let mut path = std::fs::read_link(LINK)
        .map_err(|_| PathBuf::from(LINK))?
        .into_os_string()
        .into_vec();
    // An upgrade may have replaced our file since we began; the folder is still the right one.
    if path.ends_with(b" (deleted)") {
        path.truncate(path.len() - b" (deleted)".len());
    }
    Ok(OsString::from_vec(path).into())
}

/// The environment that a process was started with; none where the system does not show it.
#[must_use]
pub fn environment(pid: u32) -> Option<Vec<(OsString, OsString)>> {
    // std sizes its reads by a file's length, which is 0 here.
    let file = std::fs::File::open(format!("/proc/{pid}/environ")).ok()?;
    let mut environment = Vec::with_capacity(8 * 1024);
    // More than the kernel lets a program be started with.
    file.take(8 << 20).read_to_end(&mut environment).ok()?;
    Some(variables(environment.split(|byte| *byte == 0)).collect())
}

/// The parent of a process; none where the system does not show that.
#[must_use]
pub fn parent_of(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok().filter(|parent| *parent != 0)
}

/// The file that a process runs; none where the system does not show it.
#[must_use]
pub fn program_of(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Keeps our memory and files from the other processes of this user (PR_SET_DUMPABLE 0), core files included.
///
/// # Errors
/// What the system says.
pub fn harden() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Who is at the other end of a unix socket, as the kernel noted it when it was connected.
///
/// # Errors
/// What the system says.
pub fn peer(socket: &impl AsFd) -> io::Result<Peer> {
    /// `SO_PEERCRED`, `SOL_SOCKET`: the same on each architecture that we build for.
    const PEER_CREDENTIALS: c_int = 17;
    const SOCKET: c_int = 1;
    // The kernel writes 0 for a process outside of our pid namespace. rustix's type says that this can't be, and reads
    // such an answer as an error: so three numbers are read as what they are.
    let mut found = Credentials::default();
    let whole = socklen(&found);
    let mut length = whole;
    // SAFETY: the descriptor is open; `length` says how long `found` is, which any bytes make a value of, and both live
    // through the call.
    let result = unsafe {
        let socket = socket.as_fd().as_raw_fd();
        let value = (&raw mut found).cast::<c_void>();
        getsockopt(socket, SOCKET, PEER_CREDENTIALS, value, &raw mut length)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    if length != whole {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(peer_of(&found))
}

/// `struct ucred` (unix(7)).
#[repr(C)]
#[derive(Default)]
struct Credentials {
    pid: i32,
    uid: u32,
    gid: u32,
}

fn socklen(of: &Credentials) -> u32 {
    u32::try_from(size_of_val(of)).unwrap_or(0)
}

/// Who is outside of our pid namespace has a user, and no number.
fn peer_of(found: &Credentials) -> Peer {
    Peer {
        uid: found.uid,
        pid: u32::try_from(found.pid).ok().filter(|pid| *pid != 0),
    }
}

unsafe extern "C" {
    fn getsockopt(
        socket: c_int,
        level: c_int,
        name: c_int,
        value: *mut c_void,
        length: *mut u32,
    ) -> c_int;
}

/// Whether this is the number by which a user namespace shows everybody that it has no number for: root of the machine
/// among them. Who made the namespace chose what is seen in it.
pub(crate) fn is_unmapped(uid: Uid) -> bool {
    uid == overflow() && has_everybody() == Some(false)
}

/// The same of our own number, in doubt too: whoever else is shown by it would count as us.
pub(crate) fn is_shared(ours: Uid) -> bool {
    ours == overflow() && has_everybody() != Some(true)
}

/// The number that stands for whoever has none (proc_sys_kernel(5)).
fn overflow() -> Uid {
    use rustix::fs::{Mode, OFlags};
    let mut text = [0; 16];
    // Not by std, which makes more calls of it: this runs at every start of the shim.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::open("/proc/sys/kernel/overflowuid", flags, Mode::empty());
    let read = file.and_then(|file| rustix::io::read(file, &mut text));
    overflow_in(text.get(..read.unwrap_or(0)).unwrap_or_default())
}

fn overflow_in(text: &[u8]) -> Uid {
    const USUAL: Uid = 65534;
    let number = std::str::from_utf8(text).ok();
    number.map_or(USUAL, |text| text.trim().parse().unwrap_or(USUAL))
}

/// Whether the user 0 is the machine's root, and not somebody in a user namespace of their own.
#[must_use]
pub fn knows_root() -> bool {
    has_everybody() == Some(true)
}

/// Whether our user namespace has a number for everybody, which is their own; none where that can't be told.
fn has_everybody() -> Option<bool> {
    match std::fs::read_to_string("/proc/self/uid_map") {
        Ok(map) => Some(is_whole(&map)),
        // A kernel that has no user namespaces.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Path::new("/proc/self/status").exists().then_some(true)
        }
        Err(_) => None,
    }
}

fn is_whole(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Whether an access list says more of a file than its mode does (acl(5)); in doubt it does. A file system without
/// extended attributes has none.
#[must_use]
pub fn has_access_list(path: &Path) -> bool {
    use rustix::io::Errno;
    let mut length: [u8; 0] = [];
    !matches!(
        rustix::fs::getxattr(path, "system.posix_acl_access", &mut length),
        Err(Errno::NODATA | Errno::OPNOTSUPP)
    )
}

/// The same of what is open, be it for its place alone.
#[must_use]
pub fn has_access_list_open(descriptor: &impl AsFd) -> bool {
    let number = descriptor.as_fd().as_raw_fd();
    has_access_list(&PathBuf::from(format!("/proc/self/fd/{number}")))
}

/// Whether the group 0 is the machine's: in a user namespace it may be any, such as the one that a person is in with
/// everybody else.
pub(crate) fn is_roots_group() -> bool {
    match std::fs::read_to_string("/proc/self/gid_map") {
        Ok(map) => is_whole(&map),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// `/run/user/UID`, if it is there and the user's own.
#[must_use]
pub fn runtime_folder(uid: &Uid) -> Option<PathBuf> {
    let folder = PathBuf::from(format!("/run/user/{uid}"));
    let found = std::fs::symlink_metadata(&folder).ok()?;
    (found.is_dir() && found.uid() == *uid).then_some(folder)
}

/// `kubefob/socket` in [`runtime_folder`].
pub(crate) fn runtime_socket(uid: &Uid) -> Option<PathBuf> {
    Some(runtime_folder(uid)?.join("kubefob/socket"))
}

/// The home that passwd names. The file itself is read: a static program can't ask glibc.
pub(crate) fn home(uid: &Uid) -> Option<PathBuf> {
    home_in(&std::fs::read("/etc/passwd").ok()?, *uid)
}

fn home_in(passwd: &[u8], uid: Uid) -> Option<PathBuf> {
    let wanted = uid.to_string();
    let mut users = passwd.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b':').skip(2);
        let (uid, home) = (fields.next()?, fields.nth(2)?);
        (uid == wanted.as_bytes()).then_some(home)
    });
    let home = users.next().filter(|home| home.starts_with(b"/"))?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(home.to_vec())))
}

/// `/etc/machine-id`, else D-Bus's, else the host's name.
pub(crate) fn machine_id() -> Vec<u8> {
    let files = [
        "/etc/machine-id",
        "/var/lib/dbus/machine-id",
        "/proc/sys/kernel/hostname",
    ];
    let ids = files.iter().filter_map(|file| std::fs::read(file).ok());
    ids.map(|id| id.trim_ascii().to_vec())
        .find(|id| !id.is_empty() && id != b"uninitialized")
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_found_by_number() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\n# a:b\nbroken:x:7\n\
            ann:x:1000:1000:Ann,,,:/home/ann:/bin/zsh\nghost:x:1001:1:::/bin/false\n+::::::\n";
        for (uid, home) in [
            (0, Some("/root")),
            (1000, Some("/home/ann")),
            (7, None),
            (1001, None),
            (9, None),
        ] {
            assert_eq!(home_in(passwd, uid), home.map(PathBuf::from), "{uid}");
        }
    }

    #[test]
    fn the_number_for_everybody_else_is_read_and_not_guessed() {
        for (text, expected) in [
            (&b"65534\n"[..], 65534),
            (b"4711\n", 4711),
            (b"", 65534),
            (b"\xff", 65534),
        ] {
            assert_eq!(overflow_in(text), expected, "{text:?}");
        }
        for (map, expected) in [
            ("         0          0 4294967295\n", true),
            ("", false),
            ("     65534       3001          1\n", false),
            (
                "         0       1000          1\n         1     100000      65536\n",
                false,
            ),
        ] {
            assert_eq!(is_whole(map), expected, "{map}");
        }
    }

    #[test]
    fn a_parent_is_known() {
        let us = std::process::id();
        assert_eq!(parent_of(us), Some(std::os::unix::process::parent_id()));
        assert_eq!(program_of(us), std::env::current_exe().ok());
        assert_eq!((parent_of(0), program_of(0)), (None, None));
    }

    #[test]
    fn a_peer_is_known() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let us = Peer {
            uid: super::super::uid().unwrap(),
            pid: Some(std::process::id()),
        };
        assert_eq!(peer(&one).unwrap(), us);
    }

    #[test]
    fn a_peer_from_elsewhere_has_a_user_and_no_number() {
        let from = |pid| {
            peer_of(&Credentials {
                pid,
                uid: 3001,
                gid: 1,
            })
        };
        let expected = |pid| Peer { uid: 3001, pid };
        assert_eq!(from(0), expected(None));
        assert_eq!(from(7), expected(Some(7)));
    }

    #[test]
    fn a_hardened_process_is_not_dumpable() {
        harden().unwrap();
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            DumpableBehavior::NotDumpable
        );
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    }
}
