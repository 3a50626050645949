//! Other users of this machine, by number: what they try is done on a thread that has become
//! theirs.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::parts::Missing;

/// Another user of this machine. It needs no entry in passwd.
#[derive(Clone, Copy, Debug)]
pub struct Other(pub u32);

impl Other {
    /// Somebody who is not us, and has no privileges.
    ///
    /// # Errors
    /// [`Missing`], where a test may not become another user: that is root's alone.
    pub fn somebody() -> Result<Self, Missing> {
        // A user namespace with one user in it has no other either.
        let mapped = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let all = mapped
            .split_whitespace()
            .nth(2)
            .and_then(|count| count.parse().ok());
        if geteuid().is_root() && all.is_some_and(|count: u64| count > 65_534) {
            return Ok(Self(54_321));
        }
        Err(Missing {
            name: "other users".to_owned(),
            why: "only root can become one".to_owned(),
        })
    }

    /// The same, with an entry in passwd, as some programs want one of whoever runs them.
    ///
    /// # Errors
    /// As [`Self::somebody`]; or there is none.
    pub fn somebody_known() -> Result<Self, Missing> {
        Self::somebody()?;
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let known = users.lines().find_map(|line| {
            let mut fields = line.strip_prefix("daemon:")?.split(':');
            fields.nth(1)?.parse().ok()
        });
        known.map(Self).ok_or_else(|| Missing {
            name: "other users".to_owned(),
            why: "none is called daemon".to_owned(),
        })
    }

    /// A program to be started: by this user, or by us.
    pub fn command(whose: Option<Self>, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(Self(id)) = whose {
            command.uid(id).gid(id).current_dir("/");
        }
        command
    }

    /// Does something as this user, and waits for it. The thread is theirs until its end; sockets
    /// that it makes stay theirs after it.
    pub fn does<T: Send>(self, what: impl FnOnce() -> T + Send) -> Result<T> {
        let become_them = || {
            let (uid, gid) = (Uid::from_raw(self.0), Gid::from_raw(self.0));
            set_thread_groups(&[])?;
            set_thread_res_gid(gid, gid, gid)?;
            // The last one: it takes away the right to do the others.
            set_thread_res_uid(uid, uid, uid)
        };
        thread::scope(|scope| {
            let theirs = scope.spawn(|| {
                become_them().context("another user")?;
                anyhow::Ok(what())
            });
            theirs
                .join()
                .map_err(|_| anyhow!("another user's thread"))?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Other;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::Path;

    #[test]
    fn a_thread_becomes_another_user_alone() {
        let Ok(other) = Other::somebody() else { return };
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let file = folder.path().join("mine");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let read = |path: &Path| fs::read(path).is_ok();
        assert!(!other.does(|| read(&file)).unwrap(), "they read it");
        assert!(read(&file), "we can't read it");
        let owner = other.does(|| fs::metadata("/proc/thread-self").unwrap().uid());
        assert_eq!(owner.unwrap(), other.0);
    }
}
