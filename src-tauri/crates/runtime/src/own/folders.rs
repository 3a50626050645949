//! Where things rest.

use std::path::{Path, PathBuf};

use broker::RestingPlaces;
use broker::texts::clean;
use wire::endpoint::{EndpointError, Places, create_folder};

use crate::own::settings;

/// Where this user's, or this instance's, things rest. XDG_* is not asked: a snap sets it for its
/// children, and a second vault is worse than a folder somebody did not expect.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Settings.
    pub config: PathBuf,
    /// Accounts and trust.
    pub data: PathBuf,
    /// What belongs to this machine: the lock, and the socket where there is no runtime folder.
    pub machine: PathBuf,
    /// Sealed tokens, of this machine: two residents must never renew one session, and a home
    /// can be shared.
    pub vault: PathBuf,
    /// The program's log.
    pub log: PathBuf,
    /// The home whose `.kube/config` is the person's own.
    pub home: PathBuf,
    /// The instance's label, where KUBEFOB_HOME makes one.
    pub instance: Option<String>,
}

impl Folders {
    /// The folders of a user or an instance. An instance's person lives in the HOME that started
    /// it, which the shim passes on as KUBEFOB_PERSON_HOME.
    ///
    /// # Errors
    /// There is no home.
    pub fn of(places: &Places) -> Result<Self, EndpointError> {
        let machine = places.machine_folder()?;
        if let Some(instance) = places.instance() {
            let person = ["KUBEFOB_PERSON_HOME", "HOME"]
                .into_iter()
                .find_map(std::env::var_os);
            return Ok(Self {
                config: instance.join("config"),
                data: instance.join("data"),
                vault: instance.join("data/vault"),
                log: instance.join("log"),
                home: match person.map(PathBuf::from).filter(|home| home.is_absolute()) {
                    Some(home) => home,
                    None => places.home()?,
                },
                instance: Some(instance.display().to_string()),
                machine,
            });
        }
        let data = places.data_folder()?;
        let home = places.home()?;
        Ok(Self {
            config: config(&home),
            vault: machine.join("vault"),
            log: data.join("log"),
            data,
            machine,
            home,
            instance: None,
        })
    }

    /// As people are shown them.
    #[must_use]
    pub fn shown(&self) -> RestingPlaces {
        let shown = |path: &Path| clean(&below_home(path, &self.home));
        RestingPlaces {
            tokens: shown(&self.vault),
            settings: shown(&settings::path(&self.config)),
            log: shown(&self.log),
        }
    }

    /// The vaults of every machine that shares these folders, this one's first.
    pub(crate) fn vaults(&self) -> Vec<PathBuf> {
        let mut vaults = vec![self.vault.clone()];
        if self.instance.is_none()
            && let Some(machines) = self.machine.parent()
            && let Ok(machines) = std::fs::read_dir(machines)
        {
            vaults.extend(
                machines
                    .flatten()
                    .map(|machine| machine.path().join("vault")),
            );
        }
        vaults
    }

    /// Makes those that are missing, for the user alone. What can't be made, or is somebody else's, costs what
    /// would rest there and no more. Vault and settings look at theirs whenever they read it.
    #[must_use]
    pub fn create(&self, places: &Places) -> Lacking {
        let create = |folder: &Path| create_folder(folder, places.uid()).err();
        for folder in [&self.machine, &self.vault, &self.config] {
            drop(create(folder));
        }
        Lacking {
            data: create(&self.data),
            log: create(&self.log),
        }
    }
}

/// The folders that can't be used, and why.
#[derive(Debug, Default)]
pub struct Lacking {
    /// That of accounts and trust.
    pub data: Option<EndpointError>,
    /// That of the log.
    pub log: Option<EndpointError>,
}

/// A path as people write it, `~` for their home.
pub(crate) fn below_home(path: &Path, home: &Path) -> String {
    let below = path.strip_prefix(home);
    let written = below.map_or_else(|_| path.to_owned(), |rest| Path::new("~").join(rest));
    written.display().to_string()
}

#[cfg(target_os = "linux")]
fn config(home: &std::path::Path) -> PathBuf {
    home.join(".config/kubefob")
}

#[cfg(not(target_os = "linux"))]
fn config(home: &std::path::Path) -> PathBuf {
    dirs::config_dir()
        .unwrap_or_else(|| home.join(".config"))
        .join("kubefob")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use super::*;

    #[test]
    fn an_instance_keeps_everything_below_its_folder() {
        let instance = tempfile::tempdir().unwrap();
        let uid = wire::os::uid().unwrap();
        let places = Places::new(uid, Some(instance.path().as_os_str()), || None).unwrap();
        let folders = Folders::of(&places).unwrap();
        let lacking = folders.create(&places);
        assert!(lacking.data.is_none() && lacking.log.is_none());
        for folder in [
            &folders.config,
            &folders.data,
            &folders.machine,
            &folders.vault,
            &folders.log,
        ] {
            assert!(folder.starts_with(instance.path()), "{}", folder.display());
            assert!(folder.is_dir());
        }
        assert_eq!(folders.instance.as_deref(), instance.path().to_str());
        assert!(folders.home.is_absolute());
    }

    #[test]
    fn a_user_s_folders_are_below_the_home_that_the_system_names() {
        let uid = wire::os::uid().unwrap();
        let places = Places::new(uid, Some(OsStr::new("")), || None).unwrap();
        let (folders, home) = (Folders::of(&places).unwrap(), places.home().unwrap());
        assert_eq!(folders.home, home);
        assert_eq!(folders.instance, None);
        let inside = |folder: &Path, outer: &Path| folder.starts_with(outer);
        assert!(inside(&folders.data, &home) && inside(&folders.machine, &folders.data));
        assert!(
            inside(&folders.vault, &folders.machine),
            "a session is renewed by one machine alone"
        );
        #[cfg(target_os = "linux")]
        assert_eq!(folders.config, home.join(".config/kubefob"));
    }
}
