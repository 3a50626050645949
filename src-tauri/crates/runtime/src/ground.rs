//! Files as another process finds them: from its folder and its root, by ways that nobody else has a say in.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use broker::clock::Wall;

use crate::os::files::Stamp;
use crate::os::tree::{self, Disk, Handle};
use crate::regular::Unread;
use crate::way::{self, Doubt, End, Kind, Pass, Standing};

/// Where a process stands, and with whose eyes its files are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    disk: Disk,
    standing: Standing<Handle>,
    /// What its folder is called, for whoever is told of a file.
    folder: PathBuf,
}

/// What a ground is known by: its root, and the folder in it.
pub(crate) type Identity = ((u64, u64), (u64, u64));

impl Ground {
    /// Where another process of this user stands: in a folder that is called so.
    ///
    /// # Errors
    /// It has gone, or the system does not show it.
    pub(crate) fn of(pid: u32, folder: PathBuf) -> io::Result<Self> {
        let disk = Disk::ours();
        Ok(Self {
            standing: tree::standing(disk, pid)?,
            disk,
            folder,
        })
    }

    /// Where this process stands: at the root.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn ours() -> io::Result<Self> {
        let disk = Disk::ours();
        Ok(Self {
            standing: tree::here(disk)?,
            disk,
            folder: PathBuf::from("/"),
        })
    }

    /// The same, where neither disk nor network is waited for.
    pub(crate) fn without_a_wait(self) -> Self {
        Self {
            disk: self.disk.without_a_wait(),
            ..self
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        let Standing { root, folder } = &self.standing;
        (root.part.identity, folder.part.identity)
    }

    /// A path as it is called from the root.
    pub(crate) fn whole(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// Opens a regular file.
    ///
    /// # Errors
    /// It is missing or no regular file; `InDoubt`: another process can have found another one; `Io`: just now the
    /// system can't tell.
    pub(crate) fn open(&self, path: &Path) -> Result<File, Unread> {
        tree::open(&self.find(path)?).map_err(refused)
    }

    /// The state of a regular file, or why there is none (as [`Ground::open`]); and when the way to that came to be as
    /// it is, as far as it tells.
    pub(crate) fn look(&self, path: &Path) -> (Result<Stamp, Unread>, Changed) {
        let mut changed = Changed::default();
        let end =
            way::walk_by(
                &self.disk,
                &self.standing,
                path,
                &mut |pass, handle| match tree::times(handle) {
                    Ok((modified, at)) => changed.count(pass, modified, at),
                    Err(_) => changed.0 = None,
                },
            );
        let state = ended(end).and_then(|handle| tree::stamp(&handle).map_err(refused));
        (state, changed)
    }

    /// Reads how a regular file begins.
    ///
    /// # Errors
    /// As [`Ground::open`].
    pub(crate) fn beginning(&self, path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
        let mut bytes = Vec::new();
        let mut file = self.open(path)?.take(most);
        file.read_to_end(&mut bytes).map_err(Unread::Io)?;
        Ok(bytes)
    }

    /// Whether there is a folder, which nobody reads as a file. In doubt, there is none.
    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        match way::walk(&self.disk, &self.standing, path) {
            Ok(End::There(place)) => place.part.kind == Kind::Folder,
            Ok(End::Missing) | Err(_) => false,
        }
    }

    fn find(&self, path: &Path) -> Result<Handle, Unread> {
        ended(way::walk(&self.disk, &self.standing, path))
    }
}

fn ended(end: Result<End<Handle>, Doubt>) -> Result<Handle, Unread> {
    match end {
        Ok(End::There(place)) => match place.part.kind {
            Kind::File | Kind::Null => Ok(place.handle),
            Kind::Folder | Kind::Link(_) | Kind::Other => Err(Unread::NotRegular),
        },
        Ok(End::Missing) => Err(Unread::Missing),
        Err(Doubt::Refused(error)) => Err(refused(error)),
        Err(Doubt::Foreign(part)) => Err(Unread::InDoubt(Some(part))),
        Err(Doubt::Unseen) => Err(Unread::InDoubt(None)),
    }
}

/// When a way last came to lead where it leads, in seconds and nanoseconds of the system's clock. None: that can't be
/// told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed(Option<(i64, i64)>);

impl Default for Changed {
    fn default() -> Self {
        Self(Some((i64::MIN, 0)))
    }
}

impl Changed {
    /// That it can't be told.
    pub(crate) const UNKNOWN: Self = Self(None);

    /// One part more, by when its content changed and when anything about it did.
    fn count(&mut self, pass: Pass, modified: (i64, i64), changed: (i64, i64)) {
        let counts = match pass {
            Pass::Link | Pass::End => Some(changed),
            // What is made or removed in it changes its content. But a folder that was renamed has changed since.
            // Both times of one change can differ a little.
            Pass::Folder => {
                (nanoseconds(changed) > nanoseconds(modified) + 100_000_000).then_some(changed)
            }
            Pass::Missing => Some(changed.max(modified)),
        };
        if let (Some(latest), Some(counts)) = (&mut self.0, counts) {
            *latest = counts.max(*latest);
        }
    }

    /// Whether nothing has changed since it was so: a folder's own change is not seen any more once something was made
    /// in it.
    pub(crate) fn is_by(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Some(this), Some(other)) => this <= other,
            (None, Some(_)) | (Some(_) | None, None) => false,
        }
    }

    #[cfg(test)]
    pub(crate) fn test(at: u64) -> Self {
        Self(Some((at.cast_signed(), 0)))
    }

    /// On the clock.
    pub(crate) fn at(self) -> Option<Wall> {
        let (seconds, nanoseconds) = self.0?;
        let milliseconds = seconds.saturating_mul(1000);
        Some(Wall(milliseconds.saturating_add(nanoseconds / 1_000_000)))
    }
}

/// What a system refuses for good says that we don't see what the other process saw.
fn refused(error: io::Error) -> Unread {
    if tree::is_passing(&error) {
        Unread::Io(error)
    } else {
        Unread::InDoubt(None)
    }
}

fn nanoseconds((seconds, nanoseconds): (i64, i64)) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}
