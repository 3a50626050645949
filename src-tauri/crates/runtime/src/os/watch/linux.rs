//! Linux: inotify. Neither opening nor reading counts: a folder of programs is opened all day long, and nobody
//! must wake up for that.
#![allow(unsafe_code)] // tokio wants a promise that a descriptor stays open

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init, remove_watch};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::nearest;

/// Folders that are watched. It belongs to the tokio runtime that it was made in.
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: AsyncFd<OwnedFd>,
    watched: BTreeSet<i32>,
}

impl Watch {
    /// One that watches nothing yet.
    ///
    /// # Errors
    /// The system gives none (`fs.inotify.max_user_instances`).
    pub(crate) fn new() -> io::Result<Self> {
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // SAFETY: the descriptor is ours, and nobody takes it out of the OwnedFd that stays in there.
        let inotify = unsafe { AsyncFd::register_with_interest(inotify, Interest::READABLE) }?;
        Ok(Self {
            inotify,
            watched: BTreeSet::new(),
        })
    }

    /// Watches these folders from now on, and no others. Of one that is not there, the nearest above it is
    /// watched: call again after each change, and look only then.
    pub(crate) fn set(&mut self, folders: impl IntoIterator<Item = PathBuf>) {
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let folders = folders
            .into_iter()
            .filter_map(|folder| nearest(&folder))
            // The number of a folder is that of its inode: the same again while it is the same.
            .filter_map(|folder| add_watch(self.inotify.get_ref(), folder, flags).ok())
            .collect();
        let before = std::mem::replace(&mut self.watched, folders);
        for gone in before.difference(&self.watched) {
            // It fails for a folder that is no more.
            let _ = remove_watch(self.inotify.get_ref(), *gone);
        }
    }

    /// Waits until something happened. Dropping the wait loses nothing.
    ///
    /// # Errors
    /// The watch can't be read.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        self.inotify.async_io(Interest::READABLE, read).await
    }
}

/// Reads what there is. What it says is looked up, not believed.
fn read(inotify: &OwnedFd) -> io::Result<()> {
    let mut buffer = [0_u8; 4096];
    rustix::io::read(inotify, &mut buffer)?;
    // All of it, so that one wake-up is one look.
    while rustix::io::read(inotify, &mut buffer).is_ok() {}
    Ok(())
}
