//! Files as another process finds them: from its folder and its root, by ways that nobody else has a say in.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::askers::way::{self, Changed, Doubt, End};
use crate::os::files::Stamp;
use crate::os::files::regular::Unread;
use crate::os::tree::{self, Disk, Handle, Kind, Standing};

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
        let (end, changed) = way::look(&self.disk, &self.standing, path);
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

    /// Whether a path leads to the folder that the process stands in. None: that can't be told.
    pub(crate) fn stands_in(&self, path: &Path) -> Option<bool> {
        match way::walk(&self.disk, &self.standing, path) {
            Ok(End::There(place)) => Some(place.part.identity == self.identity().1),
            Ok(End::Missing) => Some(false),
            Err(_) => None,
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

/// What a system refuses for good says that we don't see what the other process saw.
fn refused(error: io::Error) -> Unread {
    if tree::is_passing(&error) {
        Unread::Io(error)
    } else {
        Unread::InDoubt(None)
    }
}
