//! The real parts: Keycloak, etcd, kube-apiserver, kubectl and its older sisters, and the system's
//! own tools. Each is found in the cache, or fetched and built into it, or missing for a reason.

mod go;
mod keycloak;
mod kubectls;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value, json};

use crate::cache::{Cache, Filling};
use crate::cargo;
use crate::prerequisites::Tool;
use crate::system;

/// What a run of the tests can use.
pub(crate) struct Parts {
    found: Vec<Found>,
    /// The system's tools that are not here: name and why.
    pub(crate) skipped: Vec<(String, String)>,
}

struct Found {
    name: String,
    version: String,
    place: Result<PathBuf, String>,
}

/// How much of it a run asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Kubectl,
    All,
}

impl Parts {
    /// Finds or makes them. Go's builds go on beside what is fetched.
    pub(crate) fn gather(wanted: Wanted) -> Result<Self> {
        let cache = Cache::open()?;
        let lock = cache.lock()?;
        let filling = &lock;
        thread::scope(|lanes| {
            let built = lanes.spawn(move || go::parts(filling, wanted));
            let fetched = lanes.spawn(move || -> Vec<Found> {
                let mut fetched = Vec::new();
                if wanted == Wanted::All {
                    fetched.extend(keycloak::parts(filling));
                }
                fetched.extend(kubectls::parts(filling));
                fetched
            });
            let skipped = system::missing(&cache, |_| true);
            let mut found = built.join().map_err(|_| anyhow!("building the parts"))?;
            found.extend(fetched.join().map_err(|_| anyhow!("fetching the parts"))?);
            Ok(Self { found, skipped })
        })
    }

    /// A kubectl, whichever: the person's own, else one of the cache, else one that is fetched or
    /// built. And what a desktop that nobody looks at is made of, where there is none.
    pub(crate) fn for_demo(desktop: bool) -> Result<Self> {
        let cache = Cache::open()?;
        let kubectl = match kubectls::own() {
            Some(own) => own,
            None => some_kubectl(&cache.lock()?),
        };
        Ok(Self {
            found: vec![kubectl],
            skipped: system::missing(&cache, |program| desktop && system::is_for_desktop(program)),
        })
    }

    /// Writes what [`Parts::json`] says where whoever is started can read it.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let file = cargo::target().join("parts.json");
        fs::write(&file, format!("{:#}\n", self.json()))
            .with_context(|| format!("can't write {}", file.display()))?;
        Ok(file)
    }

    /// The parts that could not be had, each with why.
    pub(crate) fn missing(&self) -> Vec<(String, String)> {
        self.found
            .iter()
            .filter_map(|part| {
                let why = part.place.as_ref().err()?;
                Some((part.name.clone(), why.clone()))
            })
            .collect()
    }

    /// Name -> version and path, or a null and why: what `world::parts` reads.
    pub(crate) fn json(&self) -> Value {
        let parts: Map<String, Value> = self
            .found
            .iter()
            .map(|part| {
                let value = match &part.place {
                    Ok(path) => json!({ "version": part.version, "path": path }),
                    Err(why) => json!({ "version": part.version, "path": null, "why": why }),
                };
                (part.name.clone(), value)
            })
            .collect();
        Value::Object(parts)
    }
}

/// The built one if it is there. Else fetching is quicker than building.
fn some_kubectl(filling: &Filling<'_>) -> Found {
    if let Some(built) = go::built_kubectl(filling) {
        return built;
    }
    let fetched = kubectls::parts(filling);
    let newest = fetched.into_iter().rfind(|kubectl| kubectl.place.is_ok());
    let mut kubectl = newest.unwrap_or_else(|| go::kubectl(filling));
    "kubectl".clone_into(&mut kubectl.name);
    kubectl
}

/// Makes all of them, and prints what there is.
pub(crate) fn list() -> Result<ExitCode> {
    let parts = Parts::gather(Wanted::All)?;
    println!("{:#}", parts.json());
    let missing: Vec<_> = parts.missing().into_iter().chain(parts.skipped).collect();
    for (name, why) in &missing {
        eprintln!("missing: {name}: {why}");
    }
    Ok(if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The part as it stands in the cache, else as `make` makes it, if `tools` are here.
fn part(
    filling: &Filling<'_>,
    (name, version): (&str, &str),
    place: &str,
    tools: &[Tool],
    make: impl FnOnce() -> Result<()>,
) -> Found {
    let path = filling.cache.path(place);
    let place = if path.exists() {
        Ok(path)
    } else {
        made(name, version, tools, make).map(|()| path)
    };
    Found {
        name: name.to_owned(),
        version: version.to_owned(),
        place,
    }
}

fn made(
    name: &str,
    version: &str,
    tools: &[Tool],
    make: impl FnOnce() -> Result<()>,
) -> Result<(), String> {
    let problems: Vec<String> = tools.iter().filter_map(|tool| tool.problem()).collect();
    if !problems.is_empty() {
        return Err(problems.join("; "));
    }
    eprintln!("parts: {name} {version}: begun (once; it stays in the cache)");
    let begun = Instant::now();
    let result = make();
    let seconds = begun.elapsed().as_secs_f32();
    match result {
        Ok(()) => {
            eprintln!("parts: {name} {version}: ready after {seconds:.0} s");
            Ok(())
        }
        Err(error) => {
            eprintln!("parts: {name} {version}: failed after {seconds:.0} s: {error:#}");
            Err(format!("{error:#}"))
        }
    }
}
