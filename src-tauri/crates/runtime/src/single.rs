//! One resident per user and machine: whoever holds the lock, for life, may bind the socket.
//!
//! The lock is a file of the machine's folder, and it alone decides: connecting, unlinking and binding
//! without it gave up to five owners when a hundred started at once. A program that [`crate::upgrade`]
//! became finds lock and sockets open already, and one that systemd started finds the sockets.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use wire::endpoint::{EndpointError, Places, create_folder};

use crate::os::descriptor;

/// The variable that says which descriptors are lock and sockets: `LOCK FD:DEVICE:INODE[:lent]…`.
pub const INHERIT: &str = "KUBEFOB_INHERIT";

/// Marks a socket that whoever started us bound, and keeps: systemd.
const LENT: &str = "lent";

/// More sockets than candidates are nobody's.
const MOST: usize = 8;

/// The right to be the resident, and its sockets.
#[derive(Debug)]
pub struct Claim {
    lock: File,
    lock_path: PathBuf,
    doors: Vec<Door>,
}

/// One bound socket.
#[derive(Debug)]
struct Door {
    path: PathBuf,
    listener: UnixListener,
    bound: Entry,
    /// Whoever bound it removes it: it is systemd's otherwise.
    ours: bool,
}

/// Device and inode of an entry in a folder.
type Entry = (u64, u64);

/// Why there is no claim.
#[derive(Debug, thiserror::Error)]
pub enum Unclaimed {
    /// Another resident is there.
    #[error("another resident is there")]
    Taken,
    /// A folder that can't be used.
    #[error(transparent)]
    Place(#[from] EndpointError),
    /// The lock or the socket can't be made.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What whoever started this process left open for it.
#[derive(Debug, Default)]
pub struct Handed {
    lock: Option<File>,
    doors: Vec<Handle>,
}

/// A socket that was left open.
#[derive(Debug)]
struct Handle {
    listener: UnixListener,
    /// The entry that it was bound as; systemd doesn't say.
    bound: Option<Entry>,
    ours: bool,
}

/// Takes the lock, then binds. What whoever started us left open is used where it is ours.
///
/// For the start of the program: it takes the descriptors over that the environment names.
///
/// # Errors
/// [`Unclaimed::Taken`] where another holds the lock; else what stands in the way.
pub fn claim(places: &Places) -> Result<Claim, Unclaimed> {
    claim_with(places, Handed::to_this_process())
}

/// [`claim`], with what was left open.
///
/// # Errors
/// As [`claim`].
pub fn claim_with(places: &Places, handed: Handed) -> Result<Claim, Unclaimed> {
    let folder = places.machine_folder()?;
    create_folder(&folder, places.uid())?;
    let lock_path = folder.join("lock");
    let handed_lock = handed
        .lock
        .filter(|lock| is_at(lock, &lock_path) && lock.try_lock().is_ok());
    let lock = match handed_lock {
        Some(lock) => lock,
        None => take_lock(&lock_path)?,
    };
    let mut claim = Claim {
        lock,
        lock_path,
        doors: Vec::new(),
    };
    let mut handles = handed.doors;
    let mut problem = None;
    for socket in places.candidates() {
        let door = socket.map_err(Unclaimed::from).and_then(|path| {
            let at_path = |handle: &mut Handle| leads_to(&handle.listener, &path);
            match handles
                .extract_if(.., at_path)
                .find_map(|handle| use_door(&path, handle))
            {
                Some(door) => Ok(door),
                None => bind(&path, places),
            }
        });
        match door {
            Ok(door) => claim.doors.push(door),
            Err(unbound) => problem = Some(unbound),
        }
    }
    match problem {
        Some(problem) if claim.doors.is_empty() => Err(problem),
        Some(_) | None => Ok(claim),
    }
}

impl Claim {
    /// The listeners, for the server.
    ///
    /// # Errors
    /// The system gives no second descriptor.
    pub fn listeners(&self) -> io::Result<Vec<UnixListener>> {
        self.doors
            .iter()
            .map(|door| door.listener.try_clone())
            .collect()
    }

    /// Whether lock and sockets are still the ones that were made, and no candidate lacks one.
    #[must_use]
    pub fn in_place(&self, places: &Places) -> bool {
        let bound = |path: PathBuf| {
            self.doors
                .iter()
                .any(|door| door.path == path && door.in_place())
        };
        is_at(&self.lock, &self.lock_path) && places.candidates().flatten().all(bound)
    }

    /// Unbinds the sockets and keeps the lock: nobody new finds this resident, and none takes its place yet.
    pub fn close(&mut self) {
        for door in self.doors.drain(..) {
            door.remove();
        }
    }

    /// The folders in which something happens when a lock or socket goes: to be watched.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<_> = [&self.lock_path]
            .into_iter()
            .chain(self.doors.iter().map(|door| &door.path))
            .filter_map(|path| path.parent().map(Path::to_path_buf))
            .collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Binds again what is gone or was replaced, and what can be bound since. Returns the listeners that are new.
    ///
    /// # Errors
    /// [`Unclaimed::Taken`]: the lock's file was replaced and another holds it, so this resident must end and
    /// leave the sockets alone. Else what stands in the way, if no socket is left.
    pub fn renew(&mut self, places: &Places) -> Result<Vec<UnixListener>, Unclaimed> {
        if !is_at(&self.lock, &self.lock_path) {
            if let Some(folder) = self.lock_path.parent() {
                create_folder(folder, places.uid())?;
            }
            let taken = take_lock(&self.lock_path);
            if matches!(taken, Err(Unclaimed::Taken)) {
                // The entries are the other's by now, or will be.
                self.doors.clear();
            }
            self.lock = taken?;
        }
        let mut new = Vec::new();
        let mut problem = None;
        for path in places.candidates() {
            let path = match path {
                Ok(path) => path,
                Err(error) => {
                    problem = Some(error.into());
                    continue;
                }
            };
            if self
                .doors
                .iter()
                .any(|door| door.path == path && door.in_place())
            {
                continue;
            }
            self.doors.retain(|door| door.path != path);
            match bind(&path, places) {
                Ok(door) => {
                    let listener = door.listener.try_clone();
                    new.push(listener.map_err(|error| io_at(&path, error))?);
                    self.doors.push(door);
                }
                Err(unbound) => problem = Some(unbound),
            }
        }
        match problem {
            Some(problem) if self.doors.is_empty() => Err(problem),
            Some(_) | None => Ok(new),
        }
    }

    /// Leaves lock and sockets open for the program that this process becomes, and gives the value of
    /// [`INHERIT`] that names them.
    pub(crate) fn hand_over(&self) -> io::Result<OsString> {
        let mut names = self.lock.as_raw_fd().to_string();
        descriptor::keep_for_children(&self.lock, true)?;
        for door in self.doors.iter().filter(|door| door.in_place()) {
            descriptor::keep_for_children(&door.listener, true)?;
            let (device, inode) = door.bound;
            names.push_str(&format!(" {}:{device}:{inode}", door.listener.as_raw_fd()));
            if !door.ours {
                names.push_str(&format!(":{LENT}"));
            }
        }
        Ok(names.into())
    }

    /// Undoes [`Claim::hand_over`].
    pub(crate) fn keep(&self) -> io::Result<()> {
        descriptor::keep_for_children(&self.lock, false)?;
        for door in &self.doors {
            descriptor::keep_for_children(&door.listener, false)?;
        }
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The lock goes last: until then nobody else binds.
        self.close();
    }
}

impl Door {
    /// Whoever bound it removes it, unless another has bound it since.
    fn remove(self) {
        if self.ours && self.in_place() {
            drop(std::fs::remove_file(&self.path));
        }
    }

    fn in_place(&self) -> bool {
        entry(&self.path).is_ok_and(|found| found == self.bound)
    }
}

impl Handed {
    /// What the environment of this process names: ours after an upgrade ([`INHERIT`]), else systemd's
    /// (LISTEN_FDS, meant for the process that LISTEN_PID names).
    fn to_this_process() -> Self {
        let variable = std::env::var_os;
        match variable(INHERIT) {
            Some(names) => Self::inherited(&names),
            None => Self::activated(variable("LISTEN_PID"), variable("LISTEN_FDS")),
        }
    }

    fn inherited(names: &OsStr) -> Self {
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

    fn activated(pid: Option<OsString>, count: Option<OsString>) -> Self {
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
}

impl Handle {
    /// One that systemd lends. None, and it is closed: it is no socket that listens.
    fn new(descriptor: OwnedFd) -> Option<Self> {
        descriptor::listens(&descriptor).then(|| Self {
            listener: descriptor.into(),
            bound: None,
            ours: false,
        })
    }
}

/// The lock's file, locked. A file that somebody removed meanwhile is none: another could lock its successor.
fn take_lock(path: &Path) -> Result<File, Unclaimed> {
    loop {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)
            .map_err(|error| io_at(path, error))?;
        match lock.try_lock() {
            Ok(()) if is_at(&lock, path) => return Ok(lock),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unclaimed::Taken),
            Err(TryLockError::Error(error)) => return Err(io_at(path, error)),
        }
    }
}

fn use_door(path: &Path, handle: Handle) -> Option<Door> {
    let found = socket(path)?;
    if handle.bound.is_some_and(|bound| bound != found) {
        return None;
    }
    handle.listener.set_nonblocking(true).ok()?;
    Some(Door {
        path: path.to_owned(),
        listener: handle.listener,
        bound: found,
        ours: handle.ours,
    })
}

fn bind(path: &Path, places: &Places) -> Result<Door, Unclaimed> {
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
    let bound = entry(path).map_err(|error| io_at(path, error))?;
    Ok(Door {
        path: path.to_owned(),
        listener,
        bound,
        ours: true,
    })
}

fn leads_to(listener: &UnixListener, path: &Path) -> bool {
    listener
        .local_addr()
        .is_ok_and(|address| address.as_pathname() == Some(path))
}

/// Whether a path still leads to an open file.
fn is_at(file: &File, path: &Path) -> bool {
    file.metadata().is_ok_and(|open| {
        open.is_file() && entry(path).is_ok_and(|found| found == (open.dev(), open.ino()))
    })
}

fn socket(path: &Path) -> Option<Entry> {
    let found = std::fs::symlink_metadata(path).ok()?;
    found
        .file_type()
        .is_socket()
        .then(|| (found.dev(), found.ino()))
}

fn entry(path: &Path) -> io::Result<Entry> {
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

fn io_at(path: &Path, error: io::Error) -> Unclaimed {
    Unclaimed::Io {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests;
