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

    /// Watches these folders from now on, and these files, and no others. Of a folder that is not there, the nearest
    /// above it is watched: call again after each change, and look only then. Of a file, only what is done to itself is
    /// told, so that it may lie among others that are written all day long. Gives the files that are watched.
    pub(crate) fn set(
        &mut self,
        folders: impl IntoIterator<Item = PathBuf>,
        files: impl IntoIterator<Item = PathBuf>,
    ) -> Vec<PathBuf> {
        let to_itself = WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        let mut watched = BTreeSet::new();
        let mut kept = Vec::new();
        for file in files {
            // A link by itself, and what it leads to.
            let link = to_itself | WatchFlags::DONT_FOLLOW;
            let inotify = self.inotify.get_ref();
            let both = [link, to_itself].map(|flags| add_watch(inotify, &file, flags).ok());
            watched.extend(both.iter().flatten());
            if both.iter().all(Option::is_some) {
                kept.push(file);
            }
        }
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
            .filter_map(|folder| add_watch(self.inotify.get_ref(), folder, flags).ok());
        watched.extend(folders);
        let before = std::mem::replace(&mut self.watched, watched);
        for gone in before.difference(&self.watched) {
            // It fails for a folder that is no more.
            let _ = remove_watch(self.inotify.get_ref(), *gone);
        }
        kept
    }

    /// Whether something has happened already. It is told once.
    pub(crate) fn has_news(&mut self) -> bool {
        read(self.inotify.get_ref()).is_ok()
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
