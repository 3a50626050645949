//! A change of a kubeconfig: locked as kubectl does, read, edited, and written whole or not at all.
//!
//! kubectl locks `FILE.lock` (O_EXCL) but reads before it locks, and so loses updates (client-go
//! `tools/clientcmd/config.go`: `ModifyConfig`, `lockFile`). Here a write is of what was read under the lock. It
//! blocks, for [`PATIENCE`] at most: the caller runs it off the loop.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use broker::problem::{Code, Problem};

use crate::os::ownership;
use crate::regular::{Unread, bounded, open};

/// How long another's lock is waited for. kubectl holds one for milliseconds, and itself waits for none.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a lock is tried: a file's disappearance is an event that not every file system tells.
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Sets `current-context` in a file, which comes about if it is not there.
///
/// # Errors
/// `KubeconfigLocked`: another program holds the lock. `KubeconfigNotChanged`: with the reason; the file is as it was.
pub(crate) fn set_current_context(file: &Path, context: &str) -> Result<(), Problem> {
    let not_changed = |reason: String| {
        let path = file.display().to_string();
        Problem::new(
            Code::KubeconfigNotChanged,
            vec![("path", path), ("reason", reason)],
        )
    };
    let lock = match Lock::of(file, Instant::now() + PATIENCE) {
        Ok(Some(lock)) => lock,
        Ok(None) => {
            let path = Lock::path(file).display().to_string();
            return Err(Problem::new(Code::KubeconfigLocked, vec![("path", path)]));
        }
        Err(error) => return Err(not_changed(format!("no lock beside it: {error}"))),
    };
    let outcome = change(file, context).map_err(not_changed);
    drop(lock);
    outcome
}

/// Reads, edits and writes. The lock is held.
fn change(file: &Path, context: &str) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    // A symlink stays one: what it leads to is replaced.
    let target = match fs::canonicalize(file) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
        Err(error) => return Err(text(error)),
    };
    let read = open(&target).and_then(|file| bounded(file, kubeconfig::MAX_BYTES as u64));
    let before = match read {
        Ok(bytes) => bytes,
        Err(Unread::Missing) => Vec::new(),
        Err(unread) => return Err(unread.reason()),
    };
    let after = kubeconfig::set_current_context(file, &before, context)
        .map_err(|error| error.to_string())?;
    if after == before {
        return Ok(());
    }
    ownership::ours_alone(&target)?;
    write(&target, &after).map_err(text)
}

/// Puts a new file in the place of the old one, with its owner, mode and extended attributes.
fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = atomic_write_file::OpenOptions::new();
    #[cfg(unix)]
    {
        use atomic_write_file::unix::OpenOptionsExt as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).preserve_mode(true).preserve_owner(true);
    }
    let mut file = options.open(target)?;
    ownership::copy_attributes(target, file.as_file())?;
    file.write_all(bytes)?;
    file.commit()
}

/// kubectl's lock on one file. Dropping it gives it back.
struct Lock(PathBuf);

impl Lock {
    /// `FILE.lock`.
    fn path(file: &Path) -> PathBuf {
        let mut name = OsString::from(file);
        name.push(".lock");
        PathBuf::from(name)
    }

    /// Takes the lock; none if another holds it until the deadline.
    fn of(file: &Path, deadline: Instant) -> io::Result<Option<Self>> {
        let path = Self::path(file);
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
                Ok(_) => return Ok(Some(Self(path))),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) if Instant::now() >= deadline => return Ok(None),
                Err(_) => std::thread::sleep(TRY_EVERY),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, lock = %self.0.display(), "a kubeconfig's lock stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;

    fn kubeconfig(folder: &Path, contexts: usize) -> PathBuf {
        let mut text = String::from("# mine\ncurrent-context: none # here\ncontexts:\n");
        for context in 0..contexts {
            text.push_str(&format!(
                "- {{name: c{context}, context: {{cluster: a, user: b}}}}\n"
            ));
        }
        let file = folder.join("config");
        fs::write(&file, text).unwrap();
        file
    }

    fn current(file: &Path) -> String {
        let config = kubeconfig::load(file, &fs::read(file).unwrap()).unwrap();
        config.current_context.unwrap()
    }

    /// 40 writers, twice: each name is written once, no reader sees half a file, and only the one line differs.
    #[test]
    fn no_switch_is_lost_and_no_reader_sees_half_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = Arc::new(kubeconfig(folder.path(), 80));
        let rest = |text: &str| {
            text.lines()
                .filter(|line| !line.starts_with("current-context:"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let before = rest(&fs::read_to_string(&*file).unwrap());
        for round in 0..2 {
            let writers: Vec<_> = (0..40)
                .map(|writer| {
                    let file = Arc::clone(&file);
                    std::thread::spawn(move || {
                        let name = format!("c{}", round * 40 + writer);
                        // A crowd of forty waits longer than one person's command does.
                        while let Err(problem) = set_current_context(&file, &name) {
                            assert_eq!(problem.code, Code::KubeconfigLocked);
                        }
                        assert!(current(&file).starts_with('c'));
                    })
                })
                .collect();
            for writer in writers {
                writer.join().unwrap();
            }
        }
        let after = fs::read_to_string(&*file).unwrap();
        assert_eq!(rest(&after), before);
        assert!(after.contains(" # here\n"), "{after}");
        let names: BTreeSet<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, BTreeSet::from([OsString::from("config")]));
    }

    #[test]
    fn a_lock_that_stays_is_named_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = kubeconfig(folder.path(), 1);
        let lock = Lock::of(&file, Instant::now()).unwrap().unwrap();
        assert!(Lock::of(&file, Instant::now()).unwrap().is_none());
        drop(lock);
        assert!(Lock::of(&file, Instant::now()).unwrap().is_some());
        assert_eq!(current(&file), "none");
    }

    #[cfg(unix)]
    #[test]
    fn symlink_and_mode_stay_and_a_folder_of_others_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let real = kubeconfig(folder.path(), 1);
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("config", &link).unwrap();
        set_current_context(&link, "c0").unwrap();
        assert_eq!(current(&real), "c0");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );

        fs::hard_link(&real, folder.path().join("twin")).unwrap();
        assert!(set_current_context(&link, "c1").is_err());
        fs::remove_file(folder.path().join("twin")).unwrap();

        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        let file = kubeconfig(&open, 1);
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let problem = set_current_context(&file, "c0").unwrap_err();
        assert_eq!(problem.code, Code::KubeconfigNotChanged);
        assert_eq!(current(&file), "none");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("config");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let problem = set_current_context(&pipe, "c0").unwrap_err();
        assert_eq!(problem.code, Code::KubeconfigNotChanged);
    }

    #[test]
    fn a_file_that_is_not_there_comes_about() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join("config");
        set_current_context(&file, "c0").unwrap();
        assert_eq!(current(&file), "c0");
    }
}
