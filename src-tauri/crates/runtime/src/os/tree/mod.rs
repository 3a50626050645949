//! A file system as a process sees it, part by part: what is told of a part, and how each system tells it.
//!
//! | name | is |
//! |---|---|
//! | `Disk`, `Handle` | the system's own [`Tree`], and what stands for a part |
//! | `standing`, `here` | where a process stands; where we do |
//! | `open`, `stamp` | a file at the end of a way, to be read; its state |
//! | `is_passing` | whether an error is one of this moment |

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
mod mounts;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{Disk, Handle, here, is_passing, open, stamp, standing};
#[cfg(windows)]
pub(crate) use windows::{Disk, Handle, here, is_passing, open, stamp, standing};

/// A file system, as one process sees it.
pub(crate) trait Tree {
    /// What stands for one part, open.
    type Handle;

    /// What stands in a folder under this name, itself and not what it leads to; `..` is the folder's own folder.
    ///
    /// # Errors
    /// What the system says.
    fn enter(&self, folder: &Self::Handle, name: &OsStr) -> io::Result<(Part, Self::Handle)>;

    /// When the content of a part changed last, and when anything about it did.
    ///
    /// # Errors
    /// What the system says.
    fn times(&self, part: &Self::Handle) -> io::Result<Times>;

    /// The root of a drive, where there are drives (`C:`).
    ///
    /// # Errors
    /// What the system says.
    fn drive(&self, _prefix: &OsStr) -> io::Result<Place<Self::Handle>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// One part of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// It belongs to this person or to root.
    pub(crate) ours: bool,
    /// Others may write it too. Of a link that says nothing.
    pub(crate) others_write: bool,
    /// In a folder: others may take away only what is theirs.
    pub(crate) sticky: bool,
    /// How many names it has.
    pub(crate) names: u64,
    /// What it shows is made up for whoever looks (procfs), or by another user or machine (FUSE).
    pub(crate) made_up: bool,
    /// Which it is: the number of its disk, and its own there.
    pub(crate) identity: (u64, u64),
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File,
    /// It leads there.
    Link(PathBuf),
    /// `/dev/null` (Windows: `NUL`), which reads as an empty file whoever may write to it.
    Null,
    /// A pipe, another device, a socket.
    Other,
}

/// A part with what stands for it.
#[derive(Clone, Debug)]
pub(crate) struct Place<H> {
    pub(crate) part: Part,
    pub(crate) handle: H,
}

/// Where a process stands: all that its paths begin at.
#[derive(Clone, Debug)]
pub(crate) struct Standing<H> {
    pub(crate) root: Place<H>,
    pub(crate) folder: Place<H>,
}

/// Two times, in seconds and nanoseconds: of a content, and of anything about it.
pub(crate) type Times = ((i64, i64), (i64, i64));
