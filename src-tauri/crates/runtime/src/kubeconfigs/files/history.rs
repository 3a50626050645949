//! What is known of files: what each said, and since when.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::clock::Moment;
use kubeconfig::Config;

use super::lifetime::{lives, start};
use super::reading::{self, OnDisk};
use super::remembered::{Ledger, state};
use super::starts::Starts;
use super::versions::{Before, Key, Since, Versions};
use crate::askers::asker::Found;
use crate::askers::ground::Ground;
use crate::askers::way::Changed;
use crate::kubeconfigs::settled::Ours;
use crate::os::files::regular::Unread;

/// It, shared by its clones.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// Of kubeconfigs.
    versions: Arc<Mutex<Versions>>,
    /// Of all other files.
    starts: Arc<Mutex<Starts>>,
    ours: Ours,
}

impl History {
    /// What our own writes left.
    pub(super) fn ours(&self) -> &Ours {
        &self.ours
    }

    /// Whether a file has been as it was just looked at since its asker started. It has versions, or is known otherwise.
    pub(super) fn is_unchanged(
        &self,
        root: (u64, u64),
        path: &Path,
        changed: Changed,
        found: &Found,
        start: Moment,
    ) -> bool {
        let process = found.asker.process;
        let now = crate::clock::now();
        let mut versions = self.versions();
        if versions.has_changed(path, changed, process, start, now.moment) {
            return false;
        }
        let by = (process, start);
        let since = Since::of(changed, now);
        versions.has(root, path) || self.starts().knows((root, path), since, by, lives)
    }

    /// Loads a file as whoever stands there finds it. Its versions are kept, by the name that it was given.
    pub(super) fn load(
        &self,
        ground: &Ground,
        path: &Path,
        named: &Path,
        ledger: &Ledger,
    ) -> Result<Arc<Config>, Unread> {
        let sight = OnDisk {
            ground,
            ledger,
            ours: &self.ours,
        };
        let key = Key::of(ground, path, named);
        reading::load(&self.versions, &sight, &key, path, named)
    }

    /// What a file said before, at some time since its asker started.
    ///
    /// # Errors
    /// `InDoubt`: it is not known what it said when the asker started.
    pub(super) fn before(
        &self,
        ground: &Ground,
        path: &Path,
        found: &Found,
    ) -> Result<Before, Unread> {
        let key = Key::of(ground, path, path);
        let before = self
            .versions()
            .since(&key, found.asker.process, start(found), lives);
        before.ok_or_else(|| Unread::InDoubt(Some(path.to_owned())))
    }

    /// Whether a file that is no kubeconfig now has been one. That it is none is a version too, from now on.
    pub(super) fn had_versions(&self, ground: &Ground, path: &Path, ledger: &Ledger) -> bool {
        let key = Key::of(ground, path, path);
        let had = self.versions().has(key.root, &key.path);
        if had {
            let sight = OnDisk {
                ground,
                ledger,
                ours: &self.ours,
            };
            reading::gone(&self.versions, &sight, &key, path);
        }
        had
    }

    /// Whether what a path leads to is known to be what an asker found there; it was looked at before.
    pub(super) fn is_as_found(
        &self,
        ground: &Ground,
        path: &Path,
        found: &Found,
        is_folder: bool,
    ) -> bool {
        let sight = OnDisk {
            ground,
            ledger: &Ledger::default(),
            ours: &self.ours,
        };
        let at = (ground.identity().0, path, &*ground.whole(path));
        let by = (found.asker.process, start(found));
        reading::is_as_found(&self.starts, &sight, at, by, is_folder, lives)
    }

    /// A watch on these, which began then, has said nothing until just now. It may block.
    pub(super) fn unchanged_until(&self, watched: &[PathBuf], began: Moment, now: Moment) {
        let Ok(ground) = Ground::ours() else { return };
        let look = |path: &Path| {
            let (found, changed) = ground.look(path);
            let now = crate::clock::now();
            Some((state(found.as_ref().copied())?, Since::of(changed, now)))
        };
        let root = ground.identity().0;
        self.versions()
            .unchanged_until(root, watched, (began, now), look);
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn starts(&self) -> MutexGuard<'_, Starts> {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
