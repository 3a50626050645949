//! A change of a kubeconfig: locked as kubectl does, read, edited, and written whole or not at all.
//!
//! kubectl locks `FILE.lock` (O_EXCL) but reads before it locks, and so loses updates (client-go
//! `tools/clientcmd/config.go`: `ModifyConfig`, `lockFile`). Here a write is of what was read under the lock, and of
//! a file that had settled: a program that writes without a lock must not find its half made the whole. It
//! blocks, for a few times [`PATIENCE`] at most: the caller runs it off the loop.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use broker::problem::Problem;

use crate::clock;
use crate::kubeconfigs::settled::{
    self, Ours, PATIENCE, TRY_EVERY, is_held, lock_is_anothers, lock_of, locked,
};
use crate::os::files::Stamp;
use crate::os::files::regular::{self, Unread};
use crate::os::ownership;

/// Sets `current-context` in a file, which comes about if it is not there. Gives back the one before, as it was
/// under the lock.
///
/// # Errors
/// `KubeconfigLocked`: another program holds the lock. `KubeconfigNotChanged`: with the reason; the file is as it
/// was.
pub(crate) fn set_current_context(
    ours: &Ours,
    file: &Path,
    context: &str,
) -> Result<Option<String>, Problem> {
    let not_changed = |reason: String| {
        let path = file.display().to_string();
        Problem::KubeconfigNotChanged { path, reason }
    };
    let lock = match Lock::of(file, Instant::now() + PATIENCE) {
        Ok(Some(lock)) => lock,
        Ok(None) => {
            let path = lock_of(file).display().to_string();
            return Err(Problem::KubeconfigLocked { path });
        }
        Err(error) => return Err(not_changed(format!("no lock beside it: {error}"))),
    };
    let outcome = change(file, context, ours).map_err(not_changed);
    drop(lock);
    outcome
}

/// Reads, edits and writes. The lock is held.
fn change(file: &Path, context: &str, ours: &Ours) -> Result<Option<String>, String> {
    let text = |error: io::Error| error.to_string();
    let target = leads_to(file).map_err(text)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let most = kubeconfig::MAX_BYTES as u64;
        let (before, stamp) = match settled::read(&target, most, settled::Lock::Ours, ours) {
            Ok((bytes, stamp)) => (bytes, Some(stamp)),
            Err(Unread::Missing) => (Vec::new(), None),
            Err(unread) => return Err(unread.reason()),
        };
        let previous = kubeconfig::load(file, &before)
            .map_err(|error| error.to_string())?
            .current_context
            .filter(|name| !name.is_empty());
        let after = kubeconfig::set_current_context(file, &before, context)
            .map_err(|error| error.to_string())?;
        if after == before {
            return Ok(previous);
        }
        ownership::ours_alone(&target)?;
        if write(&target, &after, stamp, ours).map_err(text)? {
            return Ok(previous);
        }
        if Instant::now() >= deadline {
            return Err(Unread::Unsettled.reason());
        }
    }
}

/// The file that is replaced: a symlink stays one, be it that nothing is yet where it leads to.
fn leads_to(file: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut path = file.to_owned();
    for _ in 0..MOST {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let Ok(link) = fs::read_link(&path) else {
            return Ok(path);
        };
        path = path.parent().unwrap_or(Path::new("")).join(link);
    }
    Err(io::ErrorKind::InvalidInput.into())
}

/// Puts a new file in the place of the old one, with its owner, mode and extended attributes. False, and nothing is
/// done: the old one is not as it was read.
fn write(target: &Path, bytes: &[u8], read: Option<Stamp>, ours: &Ours) -> io::Result<bool> {
    let mut options = atomic_write_file::OpenOptions::new();
    ownership::keep_owner(&mut options);
    let mut file = options.open(target)?;
    ownership::copy_attributes(target, file.as_file())?;
    file.write_all(bytes)?;
    let written = file.as_file().try_clone()?;
    written.sync_all()?;
    // As late as can be: who writes without a lock is heeded as far as that goes.
    if regular::state(target) != read {
        file.discard()?;
        return Ok(false);
    }
    let before = regular::stamp(&written).ok();
    file.commit()?;
    // Its new name is its last change, unless somebody has it open for writing already.
    if let (Some(before), Ok(after)) = (before, regular::stamp(&written))
        && (before.length, before.modified) == (after.length, after.modified)
    {
        ours.remember(after);
    }
    Ok(true)
}

/// kubectl's lock on one file. Dropping it gives it back.
enum Lock {
    /// This file of ours.
    Held(PathBuf),
    /// Another user made a file in its place, where they may (a sticky folder). As long as that is there no kubectl of
    /// this person's writes, and it can't be removed by everybody: what counts is that nothing changes meanwhile.
    Squatted,
}

impl Lock {
    /// Takes the lock; none if another holds it until the deadline, or has left it there long ago.
    fn of(file: &Path, deadline: Instant) -> io::Result<Option<Self>> {
        let path = lock_of(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        loop {
            let mut options = File::options();
            options.write(true).create_new(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o000);
            }
            match options.open(&path) {
                Ok(_) => return Ok(Some(Self::Held(path))),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) if lock_is_anothers(file) => return Ok(Some(Self::Squatted)),
                Err(_) => {}
            }
            let left_behind = locked(file).is_some_and(|made| !is_held(made, clock::wall()));
            if left_behind || Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(TRY_EVERY);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let Self::Held(path) = self else { return };
        if let Err(error) = fs::remove_file(&*path) {
            tracing::warn!(%error, lock = %path.display(), "a kubeconfig's lock stays");
        }
    }
}

#[cfg(test)]
mod tests;
