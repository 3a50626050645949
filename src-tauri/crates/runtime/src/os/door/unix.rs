//! Linux and macOS: an entry in a folder, and a descriptor that whoever started us may have left open.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use wire::endpoint::{EndpointError, Places, create_folder};

use super::{INHERIT, Unclaimed, io_at};
use crate::os::descriptor;
use crate::os::files::{Identity, of_entry};

/// Marks a socket that whoever started us bound, and keeps: systemd.
const LENT: &str = "lent";

/// More sockets than candidates are nobody's.
const MOST: usize = 8;

/// One bound socket.
#[derive(Debug)]
pub(crate) struct Door {
    path: PathBuf,
    pub(crate) listener: UnixListener,
    bound: Identity,
    /// Whoever bound it removes it: it is systemd's otherwise.
    pub(crate) ours: bool,
}

/// What whoever started this process left open for it.
#[derive(Debug, Default)]
pub struct Handed {
    pub(crate) lock: Option<File>,
    pub(crate) doors: Vec<Handle>,
}

/// A socket that was left open.
#[derive(Debug)]
pub(crate) struct Handle {
    listener: UnixListener,
    /// The entry that it was bound as; systemd doesn't say.
    bound: Option<Identity>,
    pub(crate) ours: bool,
}

impl Door {
    /// Makes the socket, in the place of one that nobody has any more.
    pub(crate) fn bind(path: &Path, places: &Places) -> Result<Self, Unclaimed> {
        if let Some(folder) = path.parent() {
            create_folder(folder, places.uid())?;
        }
        match wire::endpoint::check_socket(path, places.uid()) {
            Ok(()) => std::fs::remove_file(path).map_err(|error| io_at(path, error))?,
            Err(EndpointError::Missing { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        let listener = UnixListener::bind(path).map_err(|error| io_at(path, error))?;
        let mode = Permissions::from_mode(0o600);
        std::fs::set_permissions(path, mode).map_err(|error| io_at(path, error))?;
        listener
            .set_nonblocking(true)
            .map_err(|error| io_at(path, error))?;
        let bound = of_entry(path).map_err(|error| io_at(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            listener,
            bound,
            ours: true,
        })
    }

    fn of(path: &Path, handle: Handle) -> Option<Self> {
        let found = socket(path)?;
        if handle.bound.is_some_and(|bound| bound != found) {
            return None;
        }
        handle.listener.set_nonblocking(true).ok()?;
        Some(Self {
            path: path.to_owned(),
            listener: handle.listener,
            bound: found,
            ours: handle.ours,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where something happens when it goes.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.parent()
    }

    /// What the server serves.
    pub(crate) fn listener(&mut self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }

    /// Whether it is still the one that was made.
    pub(crate) fn in_place(&self) -> bool {
        of_entry(&self.path).is_ok_and(|found| found == self.bound)
    }

    /// Whoever bound it removes it, unless another has bound it since.
    pub(crate) fn remove(self) {
        if self.ours && self.in_place() {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

impl Handed {
    /// What the environment of this process names: ours after an upgrade ([`INHERIT`]), else systemd's
    /// (LISTEN_FDS, meant for the process that LISTEN_PID names).
    pub(crate) fn to_this_process() -> Self {
        let variable = std::env::var_os;
        match variable(INHERIT) {
            Some(names) => Self::inherited(&names),
            None => Self::activated(variable("LISTEN_PID"), variable("LISTEN_FDS")),
        }
    }

    /// `LOCK FD:DEVICE:INODE[:lent]…`
    pub(crate) fn inherited(names: &OsStr) -> Self {
        let mut words = names.to_str().unwrap_or_default().split(' ');
        let lock = words.next().and_then(|word| word.parse().ok());
        let doors = words.take(MOST).filter_map(|word| {
            let mut parts = word.split(':');
            let number: RawFd = parts.next()?.parse().ok()?;
            let bound = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let mut handle = Handle::new(descriptor::take(number)?)?;
            handle.bound = Some(bound);
            handle.ours = parts.next() != Some(LENT);
            Some(handle)
        });
        // The sockets first, in the order of the words: the lock's number is not among them, or is taken once.
        let doors = doors.collect();
        Self {
            lock: lock.and_then(descriptor::take).map(File::from),
            doors,
        }
    }

    pub(crate) fn activated(pid: Option<OsString>, count: Option<OsString>) -> Self {
        let number = |text: Option<OsString>| text?.to_str()?.parse::<u32>().ok();
        if number(pid) != Some(std::process::id()) {
            return Self::default();
        }
        let count = number(count)
            .unwrap_or(0)
            .min(u32::try_from(MOST).unwrap_or(0));
        let numbers = (3..3 + count).filter_map(|number| RawFd::try_from(number).ok());
        let doors = numbers
            .filter_map(|number| Handle::new(descriptor::take(number)?))
            .collect();
        Self { lock: None, doors }
    }

    /// The lock's file, if it was left open.
    pub(crate) fn take_lock(&mut self) -> Option<File> {
        self.lock.take()
    }

    /// The socket that was left open at this path.
    pub(crate) fn door_at(&mut self, path: &Path) -> Option<Door> {
        let at_path = |handle: &mut Handle| leads_to(&handle.listener, path);
        self.doors
            .extract_if(.., at_path)
            .find_map(|handle| Door::of(path, handle))
    }
}

impl Handle {
    /// One that systemd lends. None, and it is closed: it is no socket that listens.
    pub(crate) fn new(descriptor: OwnedFd) -> Option<Self> {
        descriptor::listens(&descriptor).then(|| Self {
            listener: descriptor.into(),
            bound: None,
            ours: false,
        })
    }
}

/// Leaves them open for the program that this process becomes, and gives the value of [`INHERIT`] that names them.
pub(crate) fn hand_over(lock: &File, doors: &[Door]) -> io::Result<OsString> {
    let mut names = lock.as_raw_fd().to_string();
    descriptor::keep_for_children(lock, true)?;
    for door in doors.iter().filter(|door| door.in_place()) {
        descriptor::keep_for_children(&door.listener, true)?;
        let (device, inode) = door.bound;
        names.push_str(&format!(" {}:{device}:{inode}", door.listener.as_raw_fd()));
        if !door.ours {
            names.push_str(&format!(":{LENT}"));
        }
    }
    Ok(names.into())
}

/// Undoes [`hand_over`].
pub(crate) fn keep(lock: &File, doors: &[Door]) -> io::Result<()> {
    descriptor::keep_for_children(lock, false)?;
    for door in doors {
        descriptor::keep_for_children(&door.listener, false)?;
    }
    Ok(())
}

fn leads_to(listener: &UnixListener, path: &Path) -> bool {
    listener
        .local_addr()
        .is_ok_and(|address| address.as_pathname() == Some(path))
}

fn socket(path: &Path) -> Option<Identity> {
    let found = std::fs::symlink_metadata(path).ok()?;
    found
        .file_type()
        .is_socket()
        .then(|| (found.dev(), found.ino()))
}
