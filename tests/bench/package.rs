//! What a person downloads, and what it takes on their disk.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::row::{Goal, Row};

const DOWNLOAD: &str = "size of the .deb";
const INSTALLED: &str = "size of what it installs";
/// In MB of a million bytes.
const GOAL: Goal = Goal::Most(8.0);

pub(crate) fn sizes() -> Result<Vec<Row>> {
    let Some(folder) = env::var_os("KUBEFOB_PACKAGES") else {
        let why = "the packages can't be made on this machine: `cargo xtask bundle` says why";
        return Ok(vec![
            Row::skipped(DOWNLOAD, GOAL, why),
            Row::skipped(INSTALLED, Goal::None, why),
        ]);
    };
    let packages = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
    let mut packages = packages.filter(|path| path.extension().is_some_and(|end| end == "deb"));
    let package = packages.next().context("no .deb")?;
    let download = fs::metadata(&package)?.len();
    let installed = installed(&package)?;
    let megabytes = |bytes: u64| (bytes as f64 / 1e4).round() / 1e2;
    Ok(vec![
        Row::new(
            DOWNLOAD,
            (megabytes(download), "MB"),
            GOAL,
            "three programs, compressed by xz; libraries are the system's",
        ),
        Row::new(
            INSTALLED,
            (megabytes(installed * 1024), "MB"),
            Goal::None,
            "the package's Installed-Size",
        ),
    ])
}

/// In KiB.
fn installed(package: &Path) -> Result<u64> {
    let output = Command::new("dpkg-deb")
        .arg("--field")
        .arg(package)
        .arg("Installed-Size")
        .output()?;
    ensure!(output.status.success(), "dpkg-deb: {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
