//! One resident per user and machine: whoever holds the lock, for life, may bind the socket.
//!
//! The lock is a file of the machine's folder, and it alone decides: connecting, unlinking and binding
//! without it gave up to five owners when a hundred started at once. A program that [`crate::life::upgrade`]
//! became finds lock and sockets open already, and one that systemd started finds the sockets.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use wire::endpoint::{Places, create_folder};

use crate::os::door::{self, Door, io_at};
use crate::os::files::{of_entry, of_file};

pub use crate::os::door::{Handed, INHERIT, Unclaimed};
pub use crate::os::socket::Bound;

/// The right to be the resident, and its sockets.
#[derive(Debug)]
pub struct Claim {
    lock: File,
    lock_path: PathBuf,
    doors: Vec<Door>,
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
pub fn claim_with(places: &Places, mut handed: Handed) -> Result<Claim, Unclaimed> {
    let folder = places.machine_folder()?;
    create_folder(&folder, places.uid())?;
    let lock_path = folder.join("lock");
    let handed_lock = handed
        .take_lock()
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
    let mut problem = None;
    for socket in places.candidates() {
        let door = socket
            .map_err(Unclaimed::from)
            .and_then(|path| match handed.door_at(&path) {
                Some(door) => Ok(door),
                None => Door::bind(&path, places),
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
    pub fn listeners(&mut self) -> io::Result<Vec<Bound>> {
        self.doors.iter_mut().map(Door::listener).collect()
    }

    /// Whether lock and sockets are still the ones that were made, and no candidate lacks one.
    #[must_use]
    pub fn in_place(&self, places: &Places) -> bool {
        let bound = |path: PathBuf| {
            self.doors
                .iter()
                .any(|door| door.path() == path && door.in_place())
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
        let mut folders: Vec<_> = [self.lock_path.parent()]
            .into_iter()
            .chain(self.doors.iter().map(Door::folder))
            .filter_map(|folder| folder.map(Path::to_path_buf))
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
    pub fn renew(&mut self, places: &Places) -> Result<Vec<Bound>, Unclaimed> {
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
                .any(|door| door.path() == path && door.in_place())
            {
                continue;
            }
            self.doors.retain(|door| door.path() != path);
            match Door::bind(&path, places) {
                Ok(mut door) => {
                    let listener = door.listener();
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

    /// Leaves lock and sockets to the program that takes our place, and gives the value of
    /// [`INHERIT`] that names them.
    pub(crate) fn hand_over(&self) -> io::Result<OsString> {
        door::hand_over(&self.lock, &self.doors)
    }

    /// Undoes [`Claim::hand_over`].
    pub(crate) fn keep(&self) -> io::Result<()> {
        door::keep(&self.lock, &self.doors)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The lock goes last: until then nobody else binds.
        self.close();
    }
}

/// The lock's file, locked. A file that somebody removed meanwhile is none: another could lock its successor.
fn take_lock(path: &Path) -> Result<File, Unclaimed> {
    loop {
        let unusable = |error| Unclaimed::Lock {
            path: path.to_owned(),
            error,
        };
        let lock = wire::os::open_lock(path).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) if is_at(&lock, path) => return Ok(lock),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unclaimed::Taken),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
    }
}

/// Whether a path still leads to an open file.
fn is_at(file: &File, path: &Path) -> bool {
    file.metadata().is_ok_and(|open| open.is_file())
        && of_file(file).is_ok_and(|open| of_entry(path).is_ok_and(|found| found == open))
}

#[cfg(test)]
mod tests;
