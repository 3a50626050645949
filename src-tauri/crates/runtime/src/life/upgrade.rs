//! The resident's own program, and becoming the one that replaced it.
//!
//! Lock and sockets stay open across it ([`crate::life::single`]), so no client sees a closed door, and a connection
//! that nobody has accepted yet is accepted by the successor.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::desk::desktop::Variables;
use crate::life::single::{Claim, INHERIT};
use crate::os::execute::execute;
use crate::os::{files, image};

/// A program whose file was touched more recently than this may still be on its way in.
const SETTLED: Duration = Duration::from_secs(1);

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// The file that this process was started from.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    stamp: Option<Stamp>,
    /// How the file of this process begins: what one that takes its place must be like.
    beginning: Vec<u8>,
}

/// Another program that was tried, and the very file that it was.
#[derive(Clone, Debug)]
pub struct Tried {
    stamp: Stamp,
    /// What it calls itself.
    pub version: String,
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
    /// Nothing that could be run is there.
    Gone,
    /// Another has just been put there, or is still being written: look again in a second.
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
        // Not by its path, which may lead to another by now.
        #[cfg(target_os = "linux")]
        let beginning = beginning(Path::new("/proc/self/exe"))?.0;
        #[cfg(not(target_os = "linux"))]
        let beginning = beginning(&path)?.0;
        // What Linux says of a file that was replaced between our start and now. There is another, then.
        let gone = path
            .to_str()
            .and_then(|text| text.strip_suffix(" (deleted)"));
        Ok(match gone {
            Some(was) if !path.exists() => Self {
                path: was.into(),
                stamp: None,
                beginning,
            },
            Some(_) | None => Self {
                stamp: stamp(&path).map(|(stamp, _)| stamp),
                path,
                beginning,
            },
        })
    }

    /// Where it is. A watch on its folder says when to look.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing at all is there: it was removed, or the disk that it was on.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        let found = std::fs::symlink_metadata(&self.path);
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether another program is there now.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.fate_at(SystemTime::now())
    }

    fn fate_at(&self, now: SystemTime) -> Fate {
        let Some((found, touched)) = stamp(&self.path) else {
            return Fate::Gone;
        };
        if Some(found) == self.stamp {
            return Fate::Same;
        }
        // A clock that was set back must not hold it up for ever.
        let settled = now
            .duration_since(touched)
            .map_or(true, |age| age >= SETTLED);
        if settled {
            Fate::Replaced
        } else {
            Fate::Settling
        }
    }

    /// Looks whether the program that is there now is whole and runs here at all (its libraries are there, it is
    /// for this machine): it is asked for its version, in a process of its own.
    ///
    /// # Errors
    /// Why it can't take this one's place.
    pub async fn try_it(&self) -> io::Result<Tried> {
        let (stamp, _) = stamp(&self.path).ok_or(io::ErrorKind::NotFound)?;
        // First: whatever is no program would be given to the shell.
        self.check()?;
        let mut asked = tokio::process::Command::new(&self.path);
        asked
            .arg("--version")
            .env_remove(INHERIT)
            .current_dir(wire::os::root())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, asked.output())
            .await
            .map_err(|_| io::Error::other("it does not answer"))??;
        let said = String::from_utf8_lossy(&output.stdout);
        match said.strip_prefix("kubefob ") {
            Some(version) if output.status.success() => Ok(Tried {
                stamp,
                version: version.trim_end().to_owned(),
            }),
            Some(_) | None => Err(io::Error::other(format!(
                "it ended without its version ({})",
                output.status
            ))),
        }
    }

    /// Whether the program that is there now is still the one that was tried.
    #[must_use]
    pub fn is_still(&self, tried: &Tried) -> bool {
        stamp(&self.path).is_some_and(|(stamp, _)| stamp == tried.stamp)
    }

    fn check(&self) -> io::Result<()> {
        let (beginning, length) = beginning(&self.path)?;
        image::check(&beginning, length, &self.beginning).map_err(io::Error::other)
    }

    /// Becomes the program that is there now, with our arguments, lock and sockets, and what was found out since about
    /// the `desktop` in place of what our environment said of it. Whatever else is to survive must be at rest before.
    ///
    /// Returns where a process can't become another: that other was started, and waits for our end ([`INHERIT`]).
    ///
    /// # Errors
    /// Why not; everything is then as it was.
    pub fn become_it(&self, claim: &Claim, desktop: Variables) -> io::Result<()> {
        self.check()?;
        let handed = claim.hand_over()?;
        // systemd's numbers are ours now.
        let ours =
            |name: &OsStr| name == INHERIT || name.as_encoded_bytes().starts_with(b"LISTEN_");
        let environment = std::env::vars_os()
            .filter(|(name, _)| !ours(name) && !desktop.iter().any(|(known, _)| known == name))
            .chain([(INHERIT.into(), handed)]);
        let environment: Vec<_> = environment.chain(desktop.iter().cloned()).collect();
        execute(&self.path, std::env::args_os(), environment).or_else(|error| {
            claim.keep()?;
            Err(error)
        })
    }

    /// Becomes the window's program, which asks the resident that is there to show it; or starts it, where a process
    /// can't become another.
    ///
    /// # Errors
    /// Why not.
    pub fn become_window(&self) -> io::Result<()> {
        let window = self.path.with_file_name(crate::serve::window::PROGRAM);
        execute(&window, [window.clone().into()], std::env::vars_os())
    }
}

/// The beginning of a file, and how long it is.
fn beginning(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut beginning = Vec::with_capacity(image::BEGINNING);
    file.take(image::BEGINNING as u64)
        .read_to_end(&mut beginning)?;
    Ok((beginning, length))
}

/// A file that can be executed, and when it or its name was last touched.
fn stamp(path: &Path) -> Option<(Stamp, SystemTime)> {
    let found = files::program(path)?;
    let stamp = Stamp {
        device: found.device,
        inode: found.inode,
        modified: found.modified,
        length: found.length,
    };
    let seconds = u64::try_from(found.changed.0).unwrap_or(0);
    // Whole seconds would make it up to one older than it is.
    let nanoseconds = u32::try_from(found.changed.1).unwrap_or(0);
    let changed = Duration::new(seconds, nanoseconds);
    Some((stamp, SystemTime::UNIX_EPOCH + changed))
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
            beginning: Vec::new(),
        };
        assert_eq!(ours.fate(), Fate::Same);
        let next = folder.path().join("next");
        program(&next, "two");
        fs::rename(&next, &path).unwrap();
        let touched = stamp(&path).unwrap().1;
        let just_before = SETTLED - Duration::from_nanos(1);
        assert_eq!(ours.fate_at(touched + just_before), Fate::Settling);
        assert_eq!(ours.fate_at(touched + SETTLED), Fate::Replaced);
        let set_back = touched - Duration::from_secs(3600);
        assert_eq!(ours.fate_at(set_back), Fate::Replaced, "not for ever");

        fs::remove_file(&path).unwrap();
        assert_eq!(ours.fate(), Fate::Gone, "an upgrade under way");
        fs::write(&path, "no program").unwrap();
        assert_eq!(ours.fate(), Fate::Gone);
    }
}
