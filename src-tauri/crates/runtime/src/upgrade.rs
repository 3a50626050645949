//! The resident's own program, and becoming the one that replaced it.
//!
//! Lock and sockets stay open across it ([`crate::single`]), so no client sees a closed door, and a connection
//! that nobody has accepted yet is accepted by the successor.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::os::execute::execute;
use crate::single::{Claim, INHERIT};

/// A program whose file was touched more recently than this may still be on its way in.
const SETTLED: Duration = Duration::from_secs(1);

/// The file that this process was started from.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    stamp: Option<Stamp>,
}

/// What tells one file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is as it was.
    Same,
    /// It is gone for now, or another is just being written: look again in a second.
    Settling,
    /// Another is there, newer or older.
    Replaced,
}

impl Program {
    /// The file of this process, as it is now: to be asked first thing.
    ///
    /// # Errors
    /// The system does not say.
    pub fn of_this_process() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        // What Linux says of a file that was replaced between our start and now. There is another, then.
        let gone = path
            .to_str()
            .and_then(|text| text.strip_suffix(" (deleted)"));
        Ok(match gone {
            Some(was) if !path.exists() => Self {
                path: was.into(),
                stamp: None,
            },
            Some(_) | None => Self {
                stamp: stamp(&path).map(|(stamp, _)| stamp),
                path,
            },
        })
    }

    /// Where it is. A watch on its folder says when to look.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another program is there now.
    #[must_use]
    pub fn fate(&self) -> Fate {
        let Some((found, touched)) = stamp(&self.path) else {
            return Fate::Settling;
        };
        if Some(found) == self.stamp {
            return Fate::Same;
        }
        // A clock that was set back must not hold it up for ever.
        let settled = SystemTime::now()
            .duration_since(touched)
            .map_or(true, |age| age >= SETTLED);
        if settled {
            Fate::Replaced
        } else {
            Fate::Settling
        }
    }

    /// Becomes the program that is there now, with our arguments, lock and sockets. Returns only if that fails;
    /// everything is then as it was. Whatever else is to survive must be at rest before.
    #[must_use]
    pub fn become_it(&self, claim: &Claim) -> io::Error {
        let handed = match claim.hand_over() {
            Ok(handed) => handed,
            Err(error) => return error,
        };
        // systemd's numbers are ours now.
        let ours =
            |name: &OsStr| name == INHERIT || name.as_encoded_bytes().starts_with(b"LISTEN_");
        let environment = std::env::vars_os()
            .filter(|(name, _)| !ours(name))
            .chain([(INHERIT.into(), handed)]);
        let error = execute(&self.path, std::env::args_os(), environment);
        match claim.keep() {
            Ok(()) => error,
            Err(leaking) => leaking,
        }
    }
}

/// A file that can be executed, and when it or its name was last touched.
fn stamp(path: &Path) -> Option<(Stamp, SystemTime)> {
    let found = std::fs::metadata(path).ok()?;
    if !found.is_file() || found.mode() & 0o111 == 0 {
        return None;
    }
    let stamp = Stamp {
        device: found.dev(),
        inode: found.ino(),
        modified: (found.mtime(), found.mtime_nsec()),
        length: found.len(),
    };
    let changed = u64::try_from(found.ctime()).unwrap_or(0);
    Some((stamp, SystemTime::UNIX_EPOCH + Duration::from_secs(changed)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(path: &Path, content: &str) {
        fs::write(path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn settled(ours: &Program) -> Fate {
        let begun = std::time::Instant::now();
        loop {
            let fate = ours.fate();
            if fate != Fate::Settling || begun.elapsed() > Duration::from_secs(5) {
                return fate;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    #[test]
    fn this_process_is_as_it_was() {
        let ours = Program::of_this_process().unwrap();
        assert_eq!(ours.fate(), Fate::Same);
    }

    #[test]
    fn another_file_in_its_place_is_noticed_once_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubefob");
        program(&path, "one");
        let ours = Program {
            stamp: stamp(&path).map(|(stamp, _)| stamp),
            path: path.clone(),
        };
        assert_eq!(ours.fate(), Fate::Same);
        let next = folder.path().join("next");
        program(&next, "two");
        fs::rename(&next, &path).unwrap();
        assert_eq!(ours.fate(), Fate::Settling);
        assert_eq!(settled(&ours), Fate::Replaced);

        fs::remove_file(&path).unwrap();
        assert_eq!(ours.fate(), Fate::Settling, "an upgrade under way");
        fs::write(&path, "no program").unwrap();
        assert_eq!(ours.fate(), Fate::Settling);
    }
}
