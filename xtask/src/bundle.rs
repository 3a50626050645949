//! `cargo xtask bundle`: the release, and packages of it. What is in them, the package `bundle` knows.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::cache::Cache;
use crate::cargo;
use crate::programs;
use crate::system;
use crate::ui;

/// What packages can't be made without and is not here, and why.
pub(crate) fn missing() -> Result<Vec<(String, String)>> {
    let mut missing = system::missing(&Cache::open()?, system::is_for_packages);
    missing.extend(ui::prepare_window()?);
    Ok(missing)
}

/// Where they are made.
pub(crate) fn folder() -> PathBuf {
    cargo::target().join("packages")
}

/// Makes the packages, and returns the folder that they are in.
pub(crate) fn make() -> Result<PathBuf> {
    let missing = missing()?;
    if !missing.is_empty() {
        let why = missing
            .into_iter()
            .map(|(name, why)| format!("\n  {name}: {why}"));
        bail!("missing for packages:{}", why.collect::<String>());
    }
    let programs = programs::lay_all()?;
    let packages = folder();
    // What an earlier version left is of no use to anybody.
    crate::cache::remove(&packages)?;
    let mut bundle = cargo::cargo();
    bundle.args(["run", "--quiet", "--package", "bundle", "--"]);
    cargo::succeed(bundle.args([&programs, &packages]))?;
    Ok(packages)
}
