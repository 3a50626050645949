//! Files as somebody left them, not as somebody is leaving them.
//!
//! kubectl truncates a kubeconfig and then writes it (client-go `tools/clientcmd/loader.go`: `WriteToFile`, which is
//! Go's `os.WriteFile`), under `FILE.lock`; other programs do the same without a lock. Whoever reads in between finds
//! an empty file, or half of one, which can be a kubeconfig too: one with fewer contexts, or another cluster for a
//! user. So a reading counts if no lock is held, the file was the same before and after it, and had been so for a
//! moment. A lock that stays is a crash's, and a file of ours is whole from its first instant.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use broker::clock::Wall;

use crate::clock;
use crate::os::files::Stamp;
use crate::os::files::regular::{Unread, bounded, open, stamp};
use crate::os::ownership;

/// How long a lock is heeded. kubectl holds one for milliseconds: what is older was left behind.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// How often is looked: a file's disappearance is an event that not every file system tells.
pub(crate) const TRY_EVERY: Duration = Duration::from_millis(10);
/// How long a file must have been as it is.
const QUIET: Duration = Duration::from_millis(100);
/// And one that is empty, which few mean it to be.
const QUIET_IF_EMPTY: Duration = Duration::from_secs(1);
/// How many files of ours are remembered: a person switches in one or two.
const OURS: usize = 8;

/// kubectl's lock on a file: `FILE.lock`.
pub(crate) fn lock_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".lock");
    PathBuf::from(name)
}

/// Whether a lock that was made then is one that somebody still holds. One from a future further off was made by
/// another clock, and says nothing.
pub(crate) fn is_held(made: Wall, now: Wall) -> bool {
    Duration::from_millis(now.0.abs_diff(made.0)) < PATIENCE
}

/// When a file's lock was made, if there is one of this person's or of root's. One of another user's, who may make files
/// beside it (a sticky folder), is nobody's whose writing counts.
pub(crate) fn locked(file: &Path) -> Option<Wall> {
    let found = std::fs::symlink_metadata(lock_of(file)).ok()?;
    if !ownership::is_ours_or_roots(&found) {
        return None;
    }
    let made = found.modified();
    let since = made.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// Whether another user's file has the place of a file's lock: it is none, and nobody can take one.
pub(crate) fn lock_is_anothers(file: &Path) -> bool {
    let found = std::fs::symlink_metadata(lock_of(file));
    found.is_ok_and(|found| !ownership::is_ours_or_roots(&found))
}

/// Whose a lock is that is found beside a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    /// The reader's own.
    Ours,
    /// Another program's.
    Theirs,
}

/// The states in which our own writes left files: each was whole before it had its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ours(Arc<Mutex<VecDeque<Stamp>>>);

impl Ours {
    pub(crate) fn remember(&self, stamp: Stamp) {
        let mut stamps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps.len() >= OURS {
            stamps.pop_front();
        }
        stamps.push_back(stamp);
    }

    fn has(&self, stamp: &Stamp) -> bool {
        let stamps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stamps.contains(stamp)
    }
}

/// Reads a file once it has settled. It blocks, for [`PATIENCE`] at most.
///
/// # Errors
/// As [`open`] and [`bounded`]; `Unsettled`: it did not settle.
pub(crate) fn read(
    path: &Path,
    most: u64,
    lock: Lock,
    ours: &Ours,
) -> Result<(Vec<u8>, Stamp), Unread> {
    let locked = || match lock {
        Lock::Ours => None,
        Lock::Theirs => locked(path),
    };
    read_by(|| open(path), locked, most, ours)
}

/// The same of a file that is opened in another way, its lock being looked for there too.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_by(
    open: impl Fn() -> Result<File, Unread>,
    locked: impl Fn() -> Option<Wall>,
    most: u64,
    ours: &Ours,
) -> Result<(Vec<u8>, Stamp), Unread> {
    let begun = Instant::now();
    let mut first_seen: Option<(Stamp, Instant)> = None;
    loop {
        // Before anything is read: what is written meanwhile is younger than nothing.
        let (now, moment) = (clock::wall(), Instant::now());
        let held = locked().is_some_and(|made| is_held(made, now));
        let found = open().and_then(|file| look(&file, most));
        let settled = match &found {
            // Whoever holds the lock has not begun.
            Ok((_, before, after)) if before == after && ours.has(after) => true,
            Ok((_, before, after)) => {
                let since = match first_seen {
                    Some((stamp, since)) if stamp == *after => since,
                    Some(_) | None => moment,
                };
                first_seen = Some((*after, since));
                !held && before == after && is_quiet(after, now, moment.duration_since(since))
            }
            Err(Unread::NotRegular | Unread::InDoubt(_) | Unread::Io(_)) => true,
            Err(Unread::Missing | Unread::TooLong | Unread::Malformed(_) | Unread::Unsettled) => {
                !held
            }
        };
        if settled {
            return found.map(|(text, _, at)| (text, at));
        }
        if begun.elapsed() >= PATIENCE {
            return Err(Unread::Unsettled);
        }
        std::thread::sleep(TRY_EVERY);
    }
}

/// One reading, and the file's state before and after it.
fn look(file: &File, most: u64) -> Result<(Vec<u8>, Stamp, Stamp), Unread> {
    let before = stamp(file)?;
    let text = bounded(file, most)?;
    let after = stamp(file)?;
    Ok((text, before, after))
}

/// Whether a file has been as it is for long enough, by its own word or by ours, who have seen it so for `steady`.
fn is_quiet(stamp: &Stamp, now: Wall, steady: Duration) -> bool {
    let (seconds, nanoseconds) = stamp.changed;
    let changed = seconds
        .saturating_mul(1000)
        .saturating_add(nanoseconds / 1_000_000);
    // From the future: another clock's, or written since we began to look.
    let age = u64::try_from(now.0.saturating_sub(changed)).unwrap_or(0);
    let quiet = if stamp.length == 0 {
        QUIET_IF_EMPTY
    } else {
        QUIET
    };
    Duration::from_millis(age).max(steady) >= quiet
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_000_000);

    #[test]
    fn a_file_has_settled_by_its_own_word_or_by_what_was_seen_of_it() {
        for (length, age, steady, quiet) in [
            (10, 0, 0, false),
            (10, 99, 99, false),
            (10, 100, 0, true),
            (10, 0, 100, true),
            // Empty.
            (0, 100, 100, false),
            (0, 1000, 0, true),
            (0, 0, 1000, true),
            // Written since the look began, or by a clock that is ahead.
            (10, -5, 0, false),
            (10, -3_600_000, 99, false),
            (10, -3_600_000, 100, true),
        ] {
            let changed = NOW.0 - age;
            let stamp = Stamp {
                device: 1,
                inode: 1,
                length,
                modified: (0, 0),
                changed: (changed / 1000, changed % 1000 * 1_000_000),
            };
            let found = is_quiet(&stamp, NOW, Duration::from_millis(steady));
            assert_eq!(
                found, quiet,
                "{length} bytes, {age} ms old, seen {steady} ms"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_of_another_user_s_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let lock = lock_of(&file);
        assert_eq!(locked(&file), None);
        std::fs::write(&lock, "").unwrap();
        assert!(locked(&file).is_some());
        // Only root can give a file away.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::lchown(&lock, Some(4711), None).unwrap();
            assert_eq!(locked(&file), None);
            assert!(lock_is_anothers(&file));
        }
    }

    #[test]
    fn a_lock_is_heeded_for_as_long_as_somebody_can_hold_it() {
        for (age, held) in [
            (0, true),
            (2999, true),
            (3000, false),
            (-100, true),
            (-3000, false),
        ] {
            assert_eq!(is_held(Wall(NOW.0 - age), NOW), held, "{age} ms old");
        }
    }
}
