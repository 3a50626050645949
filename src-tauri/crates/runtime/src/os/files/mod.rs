//! What the system tells of a file without reading it, and without waiting for a disk or a network.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod unknown;

#[cfg(target_os = "linux")]
pub(crate) use linux::{local, state};
#[cfg(not(target_os = "linux"))]
pub(crate) use unknown::{local, state};

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
