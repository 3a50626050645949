//! Which crate may build on which (`src-tauri/ARCHITECTURE.md`). A new crate, or a new arrow, is
//! written down here first.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Each crate of ours, and those of ours that it builds on, on any system. A crate's own tests
/// may also use the playground.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("kubectl-fob", &["wire"]),
    ("kubeconfig", &[]),
    ("broker", &["kubeconfig"]),
    ("provider", &["broker"]),
    ("runtime", &["wire", "kubeconfig", "broker", "provider"]),
    ("kubefob", &["broker", "runtime", "wire"]),
    ("kubefob-window", &["wire"]),
    ("tests", &["playground", "runtime", "wire"]),
    (
        "fuzz",
        &["wire", "kubeconfig", "broker", "provider", "runtime"],
    ),
    ("playground", &[]),
    ("bare-item", &[]),
    ("empty-window", &[]),
    ("xtask", &[]),
    ("bundle", &["broker"]),
];

/// Programs are started, never built on.
const PROGRAMS: &[&str] = &[
    "kubefob",
    "kubectl-fob",
    "kubefob-window",
    "bare-item",
    "empty-window",
    "xtask",
];

/// Where everything that is bought is named: what these start with costs every question.
const ALL_BOUGHT: &[(&str, &[&str])] = &[
    ("kubectl-fob", &["rustix", "windows-sys"]),
    ("wire", &["rustix", "windows-sys"]),
];

/// What decides has no way out to the world.
const PURE: &[&str] = &["kubeconfig", "broker"];
const WAYS_OUT: &[&str] = &[
    "hyper",
    "hyper-util",
    "open",
    "reqwest",
    "rustix",
    "rustls",
    "tokio",
    "zbus",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

impl Dependency {
    fn is_ours(&self) -> bool {
        self.path.is_some()
    }

    /// A dependency of the crate's own tests alone.
    fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

pub(crate) fn hold() -> Result<()> {
    let packages = packages()?;
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let found: BTreeSet<_> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let known: BTreeSet<_> = arrows.keys().copied().collect();
    ensure!(
        found == known,
        "the crates are {found:?}, and boundaries.rs knows {known:?}"
    );
    let broken: Vec<String> = packages
        .iter()
        .flat_map(|package| wrong(package, arrows[package.name.as_str()]))
        .collect();
    ensure!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

/// What a crate builds on though it may not.
fn wrong(package: &Package, ours: &[&str]) -> Vec<String> {
    let by_name = |list: &[(&str, &'static [&'static str])]| {
        list.iter()
            .find(|(name, _)| *name == package.name)
            .map(|(_, allowed)| *allowed)
    };
    let all_bought = by_name(ALL_BOUGHT);
    let pure = PURE.contains(&package.name.as_str());
    let says = |dependency: &Dependency, why: &str| {
        format!("{} -> {}: {why}", package.name, dependency.name)
    };
    let mut wrong = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        if dependency.is_ours() {
            let for_its_tests = dependency.is_for_tests() && name == "playground";
            if PROGRAMS.contains(&name) {
                wrong.push(says(dependency, "nothing builds on a program"));
            } else if !for_its_tests && !ours.contains(&name) {
                wrong.push(says(dependency, "no such arrow"));
            }
        } else if !dependency.is_for_tests() {
            if all_bought.is_some_and(|allowed| !allowed.contains(&name)) {
                wrong.push(says(dependency, "it is in every question's way"));
            }
            if pure && WAYS_OUT.contains(&name) {
                wrong.push(says(dependency, "a pure crate has no way out"));
            }
        }
    }
    // An arrow that nobody uses any more would let it come back unseen.
    for arrow in ours {
        if !package.dependencies.iter().any(|each| each.name == *arrow) {
            wrong.push(format!("{} -> {arrow}: no longer there", package.name));
        }
    }
    wrong
}

fn packages() -> Result<Vec<Package>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let told = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .args(["--offline", "--manifest-path"])
        .arg(manifest)
        .output()
        .context("cargo can't be started")?;
    ensure!(
        told.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&told.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&told.stdout)?;
    Ok(metadata.packages)
}
