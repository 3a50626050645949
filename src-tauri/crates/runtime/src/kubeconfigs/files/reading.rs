//! One file, read as an asker finds it, and what is kept of it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::asker::ProcessId;
use broker::clock::{Moment, Now};
use kubeconfig::Config;

use super::remembered::{Ledger, state};
use super::starts::Starts;
use super::versions::{Key, Since, Versions};
use crate::askers::ground::Ground;
use crate::askers::way::Changed;
use crate::kubeconfigs::settled::Ours;
use crate::os::files::Stamp;
use crate::os::files::regular::Unread;

/// What a file is looked at and read by. Anything can happen between two of its answers.
pub(super) trait Sight {
    /// As [`Ground::look`].
    fn look(&self, path: &Path) -> (Result<Stamp, Unread>, Changed);

    /// Reads a regular file that has settled.
    ///
    /// # Errors
    /// Why there is nothing to read, or nothing to believe.
    fn read(&self, path: &Path) -> Result<(Vec<u8>, Stamp), Unread>;

    /// A file was known as it stands, and is not read again.
    fn known(&self, path: &Path, stamp: Stamp);

    /// What both clocks say.
    fn now(&self) -> Now;
}

/// Files on this machine's disks.
pub(super) struct OnDisk<'look> {
    pub(super) ground: &'look Ground,
    pub(super) ledger: &'look Ledger,
    pub(super) ours: &'look Ours,
}

impl Sight for OnDisk<'_> {
    fn look(&self, path: &Path) -> (Result<Stamp, Unread>, Changed) {
        self.ground.look(path)
    }

    fn read(&self, path: &Path) -> Result<(Vec<u8>, Stamp), Unread> {
        let most = kubeconfig::MAX_BYTES as u64;
        self.ledger.read(self.ground, path, most, self.ours)
    }

    fn known(&self, path: &Path, stamp: Stamp) {
        self.ledger.note(path, Ok(stamp));
    }

    fn now(&self) -> Now {
        crate::clock::now()
    }
}

/// Loads a file, or takes what is known of it if it stands as it stood; what is found is kept as a version of it.
///
/// # Errors
/// As [`Sight::read`]; `Malformed`, where kubectl could not load it either.
pub(super) fn load(
    versions: &Mutex<Versions>,
    sight: &impl Sight,
    key: &Key,
    path: &Path,
    named: &Path,
) -> Result<Arc<Config>, Unread> {
    // Unless it is known as it stands, be it that somebody is about to write it.
    let now = sight.now().moment;
    let (found, changed) = sight.look(path);
    if let Ok(stamp) = found {
        let since = Since::of(changed, sight.now());
        if let Some(config) = lock(versions).known(key, &stamp, since, now) {
            sight.known(path, stamp);
            return Ok(config);
        }
    }
    match sight.read(path) {
        Ok((text, stamp)) => {
            let config = parse(named, &text)?;
            // When it came to be so is found out of what was read, or of nothing.
            let changed = match sight.look(path) {
                (Ok(after), changed) if after == stamp => changed,
                (Ok(_) | Err(_), _) => Changed::UNKNOWN,
            };
            let by = sight.now();
            let since = Since::of(changed, by);
            let seen = (now, by.moment);
            Ok(lock(versions).learn(key.clone(), stamp, since, config, seen))
        }
        Err(unread) => {
            if let Unread::Missing = unread {
                let changed = match sight.look(path) {
                    (Err(Unread::Missing), changed) => changed,
                    (Ok(_) | Err(_), _) => Changed::UNKNOWN,
                };
                let since = Since::of(changed, sight.now());
                lock(versions).gone(key.clone(), since, now);
            }
            Err(unread)
        }
    }
}

/// Notes that a file that was one before is no kubeconfig now, be it that something is there.
pub(super) fn gone(versions: &Mutex<Versions>, sight: &impl Sight, key: &Key, path: &Path) {
    let now = sight.now().moment;
    let (found, changed) = sight.look(path);
    // When a folder came to be there it does not tell.
    let changed = match state(found.as_ref().copied()) {
        Some(_) => changed,
        None => Changed::UNKNOWN,
    };
    let since = Since::of(changed, sight.now());
    lock(versions).gone(key.clone(), since, now);
}

/// Whether what a path leads to, which was looked at before, is known to be what a process found there: a word's file, which
/// is no kubeconfig now, an authority's, preferences. `by` is the process, and when it started. A folder tells when
/// something was made in it, and not when it came to be there: that is for whoever takes one for evidence to find out.
pub(super) fn is_as_found(
    starts: &Mutex<Starts>,
    sight: &impl Sight,
    (root, path, whole): ((u64, u64), &Path, &Path),
    by: (Option<ProcessId>, Moment),
    is_folder: bool,
    lives: impl Fn(ProcessId) -> bool,
) -> bool {
    let (found, changed) = sight.look(path);
    let is_a_folder = is_folder && matches!(found, Err(Unread::NotRegular));
    if state(found.as_ref().copied()).is_none() && !is_a_folder {
        return false;
    }
    let since = Since::of(changed, sight.now());
    let mut starts = starts.lock().unwrap_or_else(PoisonError::into_inner);
    starts.knows((root, whole), since, by, lives)
}

/// A kubeconfig by the name that it was asked for.
///
/// # Errors
/// `Malformed`.
pub(super) fn parse(named: &Path, text: &[u8]) -> Result<Config, Unread> {
    kubeconfig::load(named, text).map_err(|error| Unread::Malformed(error.to_string()))
}

fn lock(versions: &Mutex<Versions>) -> MutexGuard<'_, Versions> {
    versions.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
