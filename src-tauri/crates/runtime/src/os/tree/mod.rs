//! A file system as a process sees it, part by part.
//!
//! | name | is |
//! |---|---|
//! | `Disk`, `Handle` | the system's own [`Tree`](crate::askers::way::Tree), and what stands for a part |
//! | `standing`, `here` | where a process stands; where we do |
//! | `open`, `stamp` | a file at the end of a way, to be read; its state |
//! | `is_passing` | whether an error is one of this moment |

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
