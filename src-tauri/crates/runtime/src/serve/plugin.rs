//! Which `kubectl-oidc_login` comes first on PATH: that of whoever asked last, or else this desktop's.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use broker::event::Event;
use broker::plugin::{First, Plugin};

use crate::askers::asker::{Found, Program};
use crate::hall::blocking::blocking;
use crate::hall::inbox::Inbox;
use crate::os::environment::variable;
use crate::os::files::{self, Identity};
use crate::own::folders::below_home;

/// The file that kubectl looks for (`kubectl/pkg/cmd/plugin.go`: `LookPath`); on Windows that ending of PATHEXT which
/// ours has.
const NAME: &str = if cfg!(windows) {
    "kubectl-oidc_login.exe"
} else {
    "kubectl-oidc_login"
};
/// The file of ours that it is a name of.
const SHIM: &str = if cfg!(windows) {
    "kubectl-fob.exe"
} else {
    "kubectl-fob"
};
/// How many folders of a PATH are looked at.
const MOST: usize = 128;
/// A folder can be on a server that sleeps.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whoever looks for it, shared by its clones.
#[derive(Clone)]
pub(crate) struct Plugins(Arc<PluginSearch>);

struct PluginSearch {
    /// Where our programs are.
    folder: PathBuf,
    home: PathBuf,
    inbox: Inbox,
    newest: Mutex<Newest>,
}

/// The PATH that counts, and whose it is.
struct Newest {
    path: OsString,
    on: Option<String>,
    program: Option<Arc<Program>>,
}

impl Plugins {
    /// `folder` is where our programs are, `path` this desktop's PATH.
    pub(crate) fn new(folder: &Path, home: &Path, path: Option<&OsStr>, inbox: Inbox) -> Self {
        Self(Arc::new(PluginSearch {
            folder: folder.to_owned(),
            home: home.to_owned(),
            inbox,
            newest: Mutex::new(Newest {
                path: path.unwrap_or_default().to_owned(),
                on: None,
                program: None,
            }),
        }))
    }

    /// A program asked for a token. Most often it is the one that asked before.
    pub(crate) fn asked_by(&self, found: &Found) {
        let mut newest = self.0.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = newest.program.as_ref();
        if known.is_some_and(|known| Arc::ptr_eq(known, &found.program)) {
            return;
        }
        newest.program = Some(Arc::clone(&found.program));
        let environment = found.program.environment.as_deref().unwrap_or_default();
        let Some(path) = variable(environment, "PATH").filter(|path| *path != newest.path) else {
            return;
        };
        newest.path = path.to_owned();
        newest.on = Some(found.asker.program.clone());
        drop(newest);
        self.look_again();
    }

    /// Looks, and tells the broker, some time soon.
    pub(crate) fn look_again(&self) {
        let this = self.clone();
        tokio::spawn(async move { this.look(None).await });
    }

    /// Looks, and has told the broker when it is done. `path` is a person's own, who asks now.
    pub(crate) async fn look(&self, path: Option<OsString>) {
        let (path, on) = match path {
            Some(path) => (path, Some("kubectl fob".to_owned())),
            None => {
                let newest = self.0.newest.lock().unwrap_or_else(PoisonError::into_inner);
                (newest.path.clone(), newest.on.clone())
            }
        };
        let inner = Arc::clone(&self.0);
        let looking = blocking(move || first(&path, &inner.folder, &inner.home, on));
        if let Ok(Ok(plugin)) = tokio::time::timeout(PATIENCE, looking).await {
            self.0.inbox.event(Event::Plugin(plugin));
        }
    }
}

/// None: there is nothing to say, of an empty PATH or since ours is not installed.
fn first(path: &OsStr, folder: &Path, home: &Path, on: Option<String>) -> Option<Plugin> {
    let ours = folder.join(NAME);
    let shim = [ours.clone(), folder.join(SHIM)].map(|file| identity(&file));
    ours.exists().then_some(())?;
    let folders: Vec<PathBuf> = std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .take(MOST)
        .collect();
    if folders.is_empty() {
        return None;
    }
    let mut there = folders
        .iter()
        .map(|folder| folder.join(NAME))
        .filter(|file| runs(file));
    let is_ours = |file: &PathBuf| identity(file).is_some() && shim.contains(&identity(file));
    let found = there.next();
    let own = |folder: &&PathBuf| folder.starts_with(home) && folder.is_dir();
    Some(Plugin {
        first: found.map(|file| First {
            is_ours: is_ours(&file),
            ours_follows: there.any(|file| is_ours(&file)),
            in_own_folder: file.starts_with(home),
            shown: below_home(&file, home),
            path: file.display().to_string(),
        }),
        own_folder: folders
            .iter()
            .find(own)
            .map(|folder| folder.display().to_string()),
        ours: ours.display().to_string(),
        on,
    })
}

/// A file that kubectl would run.
fn runs(file: &Path) -> bool {
    files::program(file).is_some()
}

/// Which file it is, whatever links lead there.
fn identity(file: &Path) -> Option<Identity> {
    files::of_target(file).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn executable(file: &Path) {
        fs::write(file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn the_first_that_runs_is_found_and_known_by_its_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = root.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let (ours, krew, links) = (folder("ours"), folder("home/.krew/bin"), folder("home/bin"));
        let home = root.path().join("home");
        let look = |folders: &[&Path]| {
            let path = std::env::join_paths(folders).unwrap();
            first(&path, &ours, &home, None)
        };
        assert_eq!(look(&[&krew]), None, "ours is not installed");
        executable(&ours.join(NAME));
        let none = look(&[Path::new("relative"), &links]).unwrap();
        assert_eq!(none.first, None);
        assert_eq!(none.own_folder, Some(links.display().to_string()));
        assert_eq!(look(&[Path::new("relative")]), None);
        // What can't be run is passed over.
        fs::write(krew.join(NAME), "").unwrap();
        assert_eq!(look(&[&krew]).unwrap().first, None);
        executable(&krew.join(NAME));
        let theirs = look(&[&krew, &ours]).unwrap().first.unwrap();
        assert_eq!(theirs.shown, "~/.krew/bin/kubectl-oidc_login");
        assert_eq!(
            (theirs.is_ours, theirs.ours_follows, theirs.in_own_folder),
            (false, true, true)
        );
        symlink(ours.join(NAME), links.join(NAME)).unwrap();
        assert!(look(&[&links, &krew]).unwrap().first.unwrap().is_ours);
    }
}
