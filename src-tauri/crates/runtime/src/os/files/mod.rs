//! What the system tells of a file without reading it.
//!
//! | name | is |
//! |---|---|
//! | `local` | whether nobody changes it but through this kernel |
//! | `inside` | what it says in the file system that another process sees |
//! | `stamp`, `program` | its state, of an open file or of one that can be run |
//! | `of_file`, `of_entry`, `of_target` | which file it is |
//! | `without_a_wait`, `no_follow`, `private`, `private_in_place`, `sync_folder` | how it is opened, made, and kept |
//! | `regular` | a file read with a bound, and why one is not |
//! | `path` | a path as the shim sends it |

#[cfg(target_os = "linux")]
mod linux;
pub(crate) mod regular;
#[cfg(unix)]
mod unix;
#[cfg(not(target_os = "linux"))]
mod unknown;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{inside, local};
#[cfg(not(target_os = "linux"))]
pub(crate) use unknown::{inside, local};

#[cfg(unix)]
pub(crate) use unix::{
    no_follow, of_entry, of_file, of_target, path, private, private_in_place, program, stamp,
    sync_folder, without_a_wait,
};
#[cfg(windows)]
pub(crate) use windows::{
    no_follow, of_entry, of_file, of_target, path, private, private_in_place, program, stamp,
    sync_folder, without_a_wait,
};

/// Which file it is: the number of its disk, and its own there.
pub(crate) type Identity = (u64, u64);

/// One state of a file: another content has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) length: u64,
    /// Of the content; seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
    /// Of anything about the file, which nobody can set back.
    pub(crate) changed: (i64, i64),
}
