//! What Linux and macOS share.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::process::ChildStderr;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{self, AddressFamily, RecvFlags, SocketAddrUnix, SocketType};

use super::{Patience, Peer, Purpose, Ready};
use crate::endpoint::EndpointError;

/// Who a user is.
pub type Uid = u32;

/// Who we are.
///
/// # Errors
/// Others have our number too: a user namespace that has none for us shows everybody whom it has none for as one user.
/// Their sockets, folders and programs would count as ours.
pub fn uid() -> io::Result<Uid> {
    let ours = rustix::process::geteuid().as_raw();
    if super::is_shared(ours) {
        return Err(io::Error::other(format!(
            "in this user namespace {ours} is you and every other user: use kubectl outside of it, or give it your \
             number (unshare --map-current-user)"
        )));
    }
    Ok(ours)
}

pub(crate) fn instance_socket(_: &Uid, instance: &Path) -> PathBuf {
    instance.join("socket")
}

/// The socket beside the lock: the place for a system without a folder for running things.
pub(crate) fn machine_socket(
    folder: impl FnOnce() -> Result<PathBuf, EndpointError>,
) -> Option<Result<PathBuf, EndpointError>> {
    Some(folder().map(|folder| folder.join("socket")))
}

/// The folder whose owner says who may have put a socket there.
#[must_use]
pub fn folder_of(socket: &Path) -> Option<&Path> {
    socket.parent()
}

/// Whose a file or folder is.
///
/// # Errors
/// What the system says.
pub fn owner(path: &Path) -> io::Result<Uid> {
    Ok(fs::metadata(path)?.uid())
}

/// A file to be locked, made if it isn't there. Nothing that is there instead is waited for.
///
/// # Errors
/// What the system says; what is no regular file is refused, a symlink too, and what is another user's.
pub fn open_lock(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    let not_regular = || io::Error::other("it is no regular file");
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = opened.map_err(|error| {
        // "No such device or address" is what a pipe says.
        let other = fs::symlink_metadata(path).is_ok_and(|found| !found.is_file());
        if other { not_regular() } else { error }
    })?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(not_regular());
    }
    // Whoever made it could keep it locked, and see it renamed.
    if found.uid() != uid()? {
        return Err(io::Error::other(format!(
            "{} belongs to user {}: remove it",
            path.display(),
            found.uid()
        )));
    }
    Ok(file)
}

/// Takes this user's own permissions out of the mask (`umask 777`): a folder that we make would be one that we can't
/// look into. What the mask keeps from others it goes on keeping.
///
/// For a program of one thread.
pub fn unmask_owner() {
    use rustix::fs::Mode;
    use rustix::process::umask;
    let mask = umask(Mode::RWXG | Mode::RWXO);
    umask(mask - Mode::RWXU);
}

/// What a program that we started said on its standard error so far, as far as `most` bytes of it.
pub(crate) fn said_so_far(stderr: &ChildStderr, most: usize) -> Vec<u8> {
    let mut said = vec![0; most];
    // Somebody else may have the other end too.
    let read = rustix::io::ioctl_fionbio(stderr, true)
        .and_then(|()| rustix::io::read(stderr, said.as_mut_slice()));
    said.truncate(read.unwrap_or(0));
    said
}

/// Says nothing on standard error from now on: whoever started us listens no longer.
pub fn let_go_of_stderr() {
    if let Ok(nothing) = File::options().write(true).open("/dev/null") {
        // What was there before stays otherwise, which only a reader would miss.
        let _ = rustix::stdio::dup2_stderr(nothing);
    }
}

/// Where programs are, for one whose starter doesn't say.
pub(crate) const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A folder that keeps no disk from being taken out.
#[must_use]
pub fn root() -> PathBuf {
    "/".into()
}

/// Whether no program of this system works without a variable.
#[must_use]
pub fn is_needed(_: &OsStr) -> bool {
    false
}

/// Whether a variable has this name.
#[must_use]
pub fn is_named(variable: &OsStr, name: &str) -> bool {
    variable == name
}

/// Whether the resident may know a variable of whoever starts it.
pub(crate) fn is_passed(name: &str, value: &OsStr) -> bool {
    match name {
        "PATH"
        | "USER"
        | "LOGNAME"
        | "SHELL"
        | "WAYLAND_DISPLAY"
        | "XAUTHORITY"
        | "XDG_ACTIVATION_TOKEN"
        | "XDG_CURRENT_DESKTOP"
        | "XDG_SESSION_ID" => true,
        // A display or a bus at the other end of a network is nobody's desktop.
        "DISPLAY" => value.as_bytes().starts_with(b":"),
        "DBUS_SESSION_BUS_ADDRESS" => value.as_bytes().starts_with(b"unix:"),
        _ => false,
    }
}

const OTHERS_MAY_WRITE: u32 = 0o022;
const GROUP_MAY_WRITE: u32 = 0o020;
const ANYBODY_MAY_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;
/// How many links a way may have (path_resolution(7)).
const LINKS: usize = 40;

pub(crate) fn check_folder(
    folder: &Path,
    uid: &Uid,
    purpose: Purpose,
) -> Result<(), EndpointError> {
    let found = entry(folder)?;
    let path = || folder.to_path_buf();
    if found.is_symlink() {
        return Err(EndpointError::Symlink { path: path() });
    }
    if !found.is_dir() {
        return Err(EndpointError::WrongKind {
            path: path(),
            expected: "folder",
        });
    }
    if found.uid() != *uid {
        return Err(EndpointError::Foreign {
            path: path(),
            owner: found.uid(),
        });
    }
    if found.mode() & OTHERS_MAY_WRITE != 0 {
        return Err(EndpointError::Writable {
            path: path(),
            mode: found.mode() & 0o7777,
        });
    }
    check_above(folder, *uid, purpose)
}

/// Whether nobody else can put another folder in this one's place: each of those above it, and each link on the way,
/// belongs to this user or to root, and others may rename in none, or (sticky) only what is theirs.
fn check_above(folder: &Path, uid: Uid, purpose: Purpose) -> Result<(), EndpointError> {
    let mut ahead = std::path::absolute(folder).map_err(|error| unread(folder, error))?;
    // Where the way has come to: no link is in it.
    let mut here = PathBuf::new();
    let mut links = 0;
    loop {
        let mut parts = ahead.components();
        match parts.next() {
            None => return Ok(()),
            Some(Component::RootDir) => here.push("/"),
            Some(Component::Normal(name)) => here.push(name),
            Some(Component::ParentDir) => drop(here.pop()),
            Some(Component::CurDir | Component::Prefix(_)) => {}
        }
        let rest = parts.as_path().to_path_buf();
        let found = entry(&here)?;
        if found.is_symlink() {
            links += 1;
            if links > LINKS {
                return Err(unread(folder, rustix::io::Errno::LOOP.into()));
            }
            // Nobody who listens at the end of a link need be the one who was meant.
            check_owner(&here, &found, uid, Purpose::Keep)?;
            let target = fs::read_link(&here).map_err(|error| unread(&here, error))?;
            here.pop();
            ahead = target.join(rest);
            continue;
        }
        if rest.as_os_str().is_empty() {
            // The folder itself.
            return Ok(());
        }
        check_owner(&here, &found, uid, purpose)?;
        let mode = found.mode() & 0o7777;
        let has_list = || super::has_access_list(&here);
        let others_rename = mode & STICKY == 0
            && (mode & ANYBODY_MAY_WRITE != 0
                || mode & GROUP_MAY_WRITE != 0 && !group_is_harmless(found.gid(), uid, has_list));
        if others_rename {
            return Err(EndpointError::Replaceable { path: here, mode });
        }
        ahead = rest;
    }
}

/// Whether a folder above, or a link on the way, is this user's or root's. In a user namespace root may have no number,
/// and is seen as anybody else who has none.
fn check_owner(
    path: &Path,
    found: &fs::Metadata,
    uid: Uid,
    purpose: Purpose,
) -> Result<(), EndpointError> {
    let owner = found.uid();
    if owner == uid || owner == 0 {
        return Ok(());
    }
    let path = || path.to_path_buf();
    if !super::is_unmapped(owner) {
        return Err(EndpointError::Foreign {
            path: path(),
            owner,
        });
    }
    let is_roots = || {
        let home = super::home(&uid);
        let whole = home.as_ref().and_then(|home| fs::canonicalize(home).ok());
        let runtime = PathBuf::from(format!("/run/user/{uid}"));
        let places = home.into_iter().chain(whole).chain([runtime]);
        is_above(&path(), places)
    };
    if purpose == Purpose::Ask || is_roots() {
        Ok(())
    } else {
        Err(EndpointError::Unmapped { path: path() })
    }
}

/// Whether a folder is the root, or above a place that root gave to this user: whoever could rename in it has the user's
/// whole home.
fn is_above(folder: &Path, places: impl IntoIterator<Item = PathBuf>) -> bool {
    let is_below = |place: PathBuf| place != folder && place.starts_with(folder);
    folder == Path::new("/") || places.into_iter().any(is_below)
}

/// Whether the bits of a file's or folder's group let nobody in who is neither this user nor root: nobody else is in the
/// group, and there is no access list, which would make these bits the most that it gives to anybody.
pub fn group_is_harmless(group: u32, uid: Uid, has_access_list: impl FnOnce() -> bool) -> bool {
    let (users, groups) = users_and_groups();
    let private = if group == 0 {
        super::is_roots_group() && is_roots_alone(uid, &users, &groups)
    } else {
        is_private(group, uid, &users, &groups)
    };
    private && !has_access_list()
}

/// Whether a group is this user's own: it has the user's number, or the system's files give it to this user; and they
/// give it to nobody else. What a directory server adds is not in these files.
fn is_private(group: u32, uid: Uid, users: &str, groups: &str) -> bool {
    let is_given = || {
        groups.lines().any(|line| is(line, 2, group))
            && users
                .lines()
                .any(|line| is(line, 2, uid) && is(line, 3, group))
    };
    (group == uid || is_given()) && !has_somebody_else(group, uid, users, groups)
}

/// Whether root's group has nobody in it but this user and the system's own (`sync`, `halt`).
fn is_roots_alone(uid: Uid, users: &str, groups: &str) -> bool {
    /// Below it are the system's own (login.defs(5): `SYS_UID_MAX`).
    const FIRST_PERSON: u32 = 1000;
    let is_systems = |line: &&str| {
        let number: Option<u32> = field(line, 2).parse().ok();
        number.is_some_and(|number| number < FIRST_PERSON)
    };
    let (systems, people): (Vec<&str>, Vec<&str>) = users.lines().partition(is_systems);
    let is_named = |name: &str| {
        let has_name = |line: &&str| field(line, 0) == name;
        name.is_empty()
            || systems.iter().any(has_name)
            || users
                .lines()
                .any(|line| has_name(&line) && is(line, 2, uid))
    };
    let mut named = groups.lines().filter(|line| is(line, 2, 0));
    people
        .iter()
        .all(|line| is(line, 2, uid) || !is(line, 3, 0))
        && named.all(|line| field(line, 3).split(',').map(str::trim).all(is_named))
}

/// `/etc/passwd` and `/etc/group`, as far as they can be read. What a directory server adds is not in them.
fn users_and_groups() -> (String, String) {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    (read("/etc/passwd"), read("/etc/group"))
}

/// Whether these files put somebody else than this user into a group (passwd(5), group(5)).
fn has_somebody_else(group: u32, uid: Uid, users: &str, groups: &str) -> bool {
    let has_it = |line: &&str| is(line, 3, group);
    let names: Vec<&str> = users
        .lines()
        .filter(|line| is(line, 2, uid))
        .map(|line| field(line, 0))
        .collect();
    let is_named = |name: &str| name.is_empty() || names.contains(&name);
    let mut named = groups.lines().filter(|line| is(line, 2, group));
    users.lines().filter(has_it).any(|line| !is(line, 2, uid))
        || named.any(|line| !field(line, 3).split(',').map(str::trim).all(is_named))
}

fn field(line: &str, at: usize) -> &str {
    line.split(':').nth(at).unwrap_or_default()
}

fn is(line: &str, at: usize, number: u32) -> bool {
    field(line, at) == number.to_string()
}

pub(crate) fn check_socket(socket: &Path, uid: &Uid) -> Result<(), EndpointError> {
    let found = entry(socket)?;
    let path = || socket.to_path_buf();
    if found.is_symlink() {
        return Err(EndpointError::Symlink { path: path() });
    }
    if !found.file_type().is_socket() {
        return Err(EndpointError::WrongKind {
            path: path(),
            expected: "socket",
        });
    }
    if found.uid() != *uid {
        return Err(EndpointError::Foreign {
            path: path(),
            owner: found.uid(),
        });
    }
    Ok(())
}

fn entry(path: &Path) -> Result<fs::Metadata, EndpointError> {
    fs::symlink_metadata(path).map_err(|error| unread(path, error))
}

fn unread(path: &Path, error: io::Error) -> EndpointError {
    let path = path.to_path_buf();
    if error.kind() == io::ErrorKind::NotFound {
        EndpointError::Missing { path }
    } else {
        EndpointError::Io { path, error }
    }
}

pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().mode(0o700).recursive(true).create(folder)
        }
        // Whatever it is, the check says it better than mkdir would.
        _ => Ok(()),
    }
}

/// A client's connection. Every wait ends with its [`Patience`], by [`io::ErrorKind::TimedOut`].
///
/// The socket never blocks by itself: what is there already costs one call, and only a wait costs a `poll`.
#[derive(Debug)]
pub struct Stream {
    socket: OwnedFd,
    patience: Patience,
}

impl Stream {
    pub(crate) fn connect(path: &Path, mut patience: Patience) -> io::Result<Self> {
        let address = SocketAddrUnix::new(path)?;
        let socket = above_the_standard_streams(socket()?)?;
        let mut pause = Duration::from_millis(1);
        loop {
            match net::connect(&socket, &address) {
                Ok(()) => return Ok(Self { socket, patience }),
                // The listener's queue is full, and no poll says when it isn't.
                Err(rustix::io::Errno::AGAIN) => {
                    if patience.left().is_none() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Who listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn peer(&self) -> io::Result<Peer> {
        super::peer(&self.socket)
    }

    /// Sets how long the waits that follow may last together.
    pub fn set_patience(&mut self, patience: impl Into<Patience>) {
        self.patience = patience.into();
    }

    /// Waits until the peer has said something, or `input` can be read. The peer comes first.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`], or what the system says.
    pub fn wait_with(&mut self, input: impl AsFd) -> io::Result<Ready> {
        loop {
            if let Some(ready) = self.wait_at_most(&input, Duration::MAX)? {
                return Ok(ready);
            }
        }
    }

    /// The same, for so long at most: none if nothing came in it.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] where patience ends first, or what the system says.
    pub fn wait_at_most(&mut self, input: impl AsFd, most: Duration) -> io::Result<Option<Ready>> {
        let mut both = [
            PollFd::new(&self.socket, PollFlags::IN),
            PollFd::new(&input, PollFlags::IN),
        ];
        if !wait(&mut both, &mut self.patience, most)? {
            return Ok(None);
        }
        let [peer, _] = both;
        Ok(Some(if peer.revents().is_empty() {
            Ready::Input
        } else {
            Ready::Peer
        }))
    }

    /// Waits until the peer has said something, or is gone.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`], or what the system says.
    pub fn wait_for_peer(&mut self) -> io::Result<()> {
        self.wait(PollFlags::IN)
    }

    fn wait(&mut self, what: PollFlags) -> io::Result<()> {
        let mut socket = [PollFd::new(&self.socket, what)];
        wait(&mut socket, &mut self.patience, Duration::MAX).map(drop)
    }
}

/// For whoever waits in another way. The socket still never blocks by itself.
impl From<Stream> for OwnedFd {
    fn from(stream: Stream) -> Self {
        stream.socket
    }
}

/// Waits until one of `what` is ready, or its other end is gone; false: neither within `most`.
fn wait(what: &mut [PollFd<'_>], patience: &mut Patience, most: Duration) -> io::Result<bool> {
    loop {
        let left = patience.left().unwrap_or_default();
        let is_patience = left <= most;
        let left = left.min(most);
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(what, Some(&left)) {
            Ok(0) if is_patience => return Err(io::ErrorKind::TimedOut.into()),
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An answer is hardly ever there at once, so it is the wait that comes first.
        loop {
            self.wait(PollFlags::IN)?;
            match net::recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((count, _)) => return Ok(count),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match net::send(&self.socket, bytes, NO_SIGPIPE) {
                Ok(count) => return Ok(count),
                Err(rustix::io::Errno::AGAIN) => self.wait(PollFlags::OUT)?,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
const NO_SIGPIPE: net::SendFlags = net::SendFlags::NOSIGNAL;
#[cfg(target_os = "macos")]
const NO_SIGPIPE: net::SendFlags = net::SendFlags::empty();

#[cfg(target_os = "linux")]
fn socket() -> rustix::io::Result<OwnedFd> {
    let flags = net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK;
    net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

#[cfg(target_os = "macos")]
fn socket() -> rustix::io::Result<OwnedFd> {
    let socket = net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    net::sockopt::set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

/// A caller may have closed its standard streams; what is printed must not end up in the socket.
fn above_the_standard_streams(socket: OwnedFd) -> rustix::io::Result<OwnedFd> {
    if socket.as_raw_fd() > 2 {
        Ok(socket)
    } else {
        rustix::io::fcntl_dupfd_cloexec(&socket, 3)
    }
}

/// Name and value of what stands as `NAME=value`; what doesn't is none.
pub(crate) fn variables<'a>(
    entries: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = (OsString, OsString)> {
    entries.filter_map(|entry| {
        let equals = entry.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (entry.get(..equals)?, entry.get(equals + 1..)?);
        let owned = |text: &[u8]| OsString::from_vec(text.to_vec());
        Some((owned(name), owned(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_private_if_the_system_s_files_put_nobody_else_into_it() {
        const USERS: &str = "root:x:0:0::/:/bin/sh\nkim:x:1001:1002::/:/bin/sh\n\
            lee:x:1003:1003::/:/bin/sh\n";
        for (users, groups, own, given) in [
            ("", "", true, false),
            ("", "kim:x:1001:\nkim:x:1002:", true, true),
            ("", "kim:x:1001:kim\nkim:x:1002:kim", true, true),
            ("", "kim:x:1001:kim,lee\nkim:x:1002:lee", false, false),
            (
                "",
                "kim:x:1001:\na:x:1001:lee\nkim:x:1002:\nb:x:1002:lee",
                false,
                false,
            ),
            (
                "max:x:1004:1001::/:/bin/sh\nmin:x:1005:1002::/:/bin/sh\n",
                "kim:x:1001:\nkim:x:1002:",
                false,
                false,
            ),
        ] {
            let users = format!("{USERS}{users}");
            for (group, expected) in [(1001, own), (1002, given)] {
                let found = is_private(group, 1001, &users, groups);
                assert_eq!(found, expected, "{group}: {users} {groups}");
            }
        }
        assert!(!is_private(1005, 1001, USERS, "staff:x:1005:"));
    }

    #[test]
    fn root_s_group_is_root_s_as_long_as_no_person_is_in_it() {
        const USERS: &str = "root:x:0:0::/:/bin/sh\nsync:x:5:0::/:/bin/sync\n\
            kim:x:1001:1001::/:/bin/sh\nlee:x:1003:1003::/:/bin/sh\n";
        for (users, groups, expected) in [
            ("", "", true),
            ("", "root:x:0:", true),
            ("", "root:x:0:root,kim", true),
            ("", "root:x:0:lee", false),
            ("", "root:x:0:somebody", false),
            ("", "root:x:0:\nwheel:x:0:lee", false),
            ("max:x:1004:0::/:/bin/sh\n", "root:x:0:", false),
        ] {
            let users = format!("{USERS}{users}");
            let found = is_roots_alone(1001, &users, groups);
            assert_eq!(found, expected, "{users} {groups}");
        }
    }

    #[test]
    fn root_gave_a_user_the_home_and_what_is_above_it() {
        let places = || ["/home/kim", "/var/home/kim", "/run/user/1001"].map(PathBuf::from);
        for (folder, expected) in [
            ("/", true),
            ("/home", true),
            ("/var", true),
            ("/var/home", true),
            ("/run/user", true),
            ("/home/kim", false),
            ("/home/ki", false),
            ("/home/lee", false),
            ("/tmp", false),
            ("/srv/team", false),
        ] {
            assert_eq!(is_above(Path::new(folder), places()), expected, "{folder}");
        }
        assert!(is_above(Path::new("/"), []) && !is_above(Path::new("/home"), []));
    }

    #[test]
    fn a_lock_that_another_user_made_is_refused_by_name() {
        // Only root can give a file away.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let path = std::env::temp_dir().join(format!("kubefob-lock-{}", std::process::id()));
        drop(open_lock(&path).unwrap());
        std::os::unix::fs::chown(&path, Some(4711), None).unwrap();
        let refused = open_lock(&path).unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        assert!(refused.contains("4711") && refused.contains("kubefob-lock"));
    }

    #[test]
    fn an_environment_is_read_as_the_kernel_shows_it() {
        let block = b"A=1\0EMPTY=\0broken\0B=x=y\0=odd\0";
        let found: Vec<_> = variables(block.split(|byte| *byte == 0)).collect();
        let expected = [("A", "1"), ("EMPTY", ""), ("B", "x=y"), ("", "odd")];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.into(), value.into()))
        );
    }
}
