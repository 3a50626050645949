//! The kubeconfigs that askers had: a few are known, the newest first, as long as they are there.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How many files of askers are known.
pub(super) const MOST: usize = 16;

/// The files of askers, shared by its clones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<SeenFiles>);

#[derive(Debug, Default)]
struct SeenFiles {
    paths: Mutex<VecDeque<PathBuf>>,
    news: Notify,
}

impl Seen {
    /// An asker had these.
    pub(crate) fn saw(&self, files: impl Iterator<Item = PathBuf>) {
        let mut paths = self.paths();
        for file in files {
            let known = paths.iter().position(|path| *path == file);
            match known {
                Some(0) => continue,
                Some(at) => drop(paths.remove(at)),
                None => self.0.news.notify_one(),
            }
            paths.push_front(file);
            paths.truncate(MOST);
        }
    }

    /// They are to be looked at: there is another one, or somebody who wants to see them.
    pub(crate) fn look(&self) {
        self.0.news.notify_one();
    }

    /// Waits until they are to be looked at.
    pub(crate) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// The folders that they are in.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let paths = self.paths();
        paths
            .iter()
            .filter_map(|path| Some(path.parent()?.to_owned()))
            .collect()
    }

    /// The files themselves.
    pub(crate) fn known(&self) -> Vec<PathBuf> {
        self.paths().iter().cloned().collect()
    }

    /// What is no file any more is nobody's.
    pub(super) fn forget(&self, file: &Path) {
        self.paths().retain(|path| path != file);
    }

    fn paths(&self) -> MutexGuard<'_, VecDeque<PathBuf>> {
        self.0.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
