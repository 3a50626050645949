//! The parts that `cargo xtask` found or made, as it names them to the sets by environment.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// Every part by its name: `kubectl`, `kubectl-1.24`, `kube-apiserver`, `etcd`, `keycloak`, `java`.
#[derive(Debug)]
pub struct Parts {
    parts: BTreeMap<String, Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    version: Option<String>,
    path: Option<PathBuf>,
    why: Option<String>,
}

/// What a trial can't do without and is not here. As a trial's error it is a skip by name, or a
/// failure where the real parts are required.
#[derive(Clone, Debug)]
pub struct Missing {
    /// What it is called.
    pub name: String,
    /// Why it is not here.
    pub why: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "no {}: {}", self.name, self.why)
    }
}

impl std::error::Error for Missing {}

impl Parts {
    /// Those of the file that KUBEFOB_PARTS names.
    pub fn from_environment() -> Result<Self> {
        let Some(file) = env::var_os("KUBEFOB_PARTS") else {
            return Err(not_by_xtask("KUBEFOB_PARTS"));
        };
        let text = fs::read_to_string(&file).context("the file of KUBEFOB_PARTS")?;
        let parts = serde_json::from_str(&text).context("the file of KUBEFOB_PARTS")?;
        Ok(Self { parts })
    }

    /// Where a part is.
    pub fn path(&self, name: &str) -> Result<&Path, Missing> {
        let missing = |why: &str| Missing {
            name: name.to_owned(),
            why: why.to_owned(),
        };
        let part = self
            .parts
            .get(name)
            .ok_or_else(|| missing("not made for this set"))?;
        part.path
            .as_deref()
            .ok_or_else(|| missing(part.why.as_deref().unwrap_or("unknown")))
    }

    /// Which version of a part it is; nothing if it has none, or is not here.
    pub fn version(&self, name: &str) -> Option<&str> {
        self.parts
            .get(name)?
            .version
            .as_deref()
            .filter(|version| !version.is_empty())
    }

    /// The names of every kubectl, the built one too, for a matrix.
    pub fn kubectls(&self) -> impl Iterator<Item = &str> {
        self.parts
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("kubectl"))
    }
}

/// A program that a package of the system brings, `gnome-keyring-daemon` say: whether xtask could
/// install it.
pub fn system(program: &str) -> Result<(), Missing> {
    let skipped = env::var("KUBEFOB_SKIP").unwrap_or_default();
    let why = skipped
        .split(';')
        .filter_map(|entry| entry.split_once(": "))
        .find_map(|(name, why)| (name == program).then_some(why));
    match why {
        Some(why) => Err(Missing {
            name: program.to_owned(),
            why: why.to_owned(),
        }),
        None => Ok(()),
    }
}

/// One of our own programs: `kubefob`, `kubectl-fob` or `kubectl-oidc_login`, as they lie side by
/// side in the folder that KUBEFOB_PROGRAMS names.
pub fn program(name: &str) -> Result<PathBuf> {
    let Some(folder) = env::var_os("KUBEFOB_PROGRAMS") else {
        return Err(not_by_xtask("KUBEFOB_PROGRAMS"));
    };
    let path = PathBuf::from(folder).join(name);
    anyhow::ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

/// The window, where this machine could build it.
pub fn window(name: &str) -> Result<PathBuf> {
    program(name).map_err(|error| {
        let (name, why) = (name.to_owned(), format!("{error:#}"));
        Missing { name, why }.into()
    })
}

/// A program that the bench measures ours against, in the folder that KUBEFOB_PROBES names.
pub fn probe(name: &str) -> Result<PathBuf> {
    let Some(folder) = env::var_os("KUBEFOB_PROBES") else {
        return Err(not_by_xtask("KUBEFOB_PROBES"));
    };
    let path = PathBuf::from(folder).join(name);
    anyhow::ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}

/// Whether a missing part is a failure.
pub fn required() -> bool {
    env::var_os("KUBEFOB_REQUIRE_REAL").is_some_and(|value| value == "1")
}

/// Whether the set was asked for by its name, and so does all of what it does only a share of
/// among the others.
pub fn thorough() -> bool {
    env::var_os("KUBEFOB_THOROUGH").is_some_and(|value| value == "1")
}

fn not_by_xtask(variable: &str) -> anyhow::Error {
    let why = "this set is started by `cargo xtask test`".to_owned();
    Missing {
        name: variable.to_owned(),
        why,
    }
    .into()
}
