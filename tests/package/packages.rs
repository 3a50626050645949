//! The packages that `cargo xtask bundle` made, and the system's own hands on them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;
use world::parts::Missing;
use world::versions::renamed;

/// What the next version calls itself: as long as ours.
pub(crate) const NEXT: &str = "9.9.9";

/// The one package with this ending.
pub(crate) fn made(ending: &str) -> Result<PathBuf> {
    let missing = || Missing {
        name: "packages".to_owned(),
        why: "`cargo xtask test package --install` makes them".to_owned(),
    };
    let folder = env::var_os("KUBEFOB_PACKAGES").ok_or_else(missing)?;
    let mut found = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == ending));
    let one = found.next().with_context(|| format!("no .{ending}"))?;
    ensure!(found.next().is_none(), "more than one .{ending}");
    Ok(one)
}

/// A package that is installed, as long as it lives.
pub(crate) struct Installed;

impl Installed {
    /// Installs it, and what it depends on.
    ///
    /// # Errors
    /// [`Missing`], for whoever is not root.
    pub(crate) fn new(package: &Path) -> Result<Self> {
        if !geteuid().is_root() {
            let why = "only root installs packages".to_owned();
            let name = "root".to_owned();
            return Err(Missing { name, why }.into());
        }
        let installed = Self;
        installed.become_package(package)?;
        Ok(installed)
    }

    /// Puts another one in its place: newer or older.
    pub(crate) fn become_package(&self, package: &Path) -> Result<()> {
        apt(&["install", "--allow-downgrades"], package.as_os_str())
    }

    /// What stands where: files, links and folders, by dpkg's own list.
    pub(crate) fn list(&self) -> Result<Vec<PathBuf>> {
        let list = output(Command::new("dpkg").args(["--listfiles", "kubefob"]))?;
        Ok(list.lines().map(PathBuf::from).collect())
    }

    /// Removes it, and what it had.
    pub(crate) fn remove(self) -> Result<()> {
        apt(&["remove"], "kubefob".as_ref())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // After `remove` there is nothing left to do.
        drop(apt(&["purge"], "kubefob".as_ref()));
    }
}

fn apt(verb: &[&str], what: &std::ffi::OsStr) -> Result<()> {
    let mut apt = Command::new("apt-get");
    apt.args(["-q", "-y", "--no-install-recommends"])
        .args(verb)
        .arg(what)
        .env("DEBIAN_FRONTEND", "noninteractive");
    output(&mut apt).map(drop)
}

/// The .deb of a next version: the same, but that its resident says so, and is another file.
pub(crate) fn next(package: &Path, folder: &Path) -> Result<PathBuf> {
    let tree = folder.join("next");
    output(
        Command::new("dpkg-deb")
            .arg("--raw-extract")
            .args([package, &tree]),
    )?;
    let control = tree.join("DEBIAN/control");
    let fields = fs::read_to_string(&control)?;
    let version = fields
        .lines()
        .find_map(|line| line.strip_prefix("Version: ")?.split('-').next());
    let version = version.context("no version")?;
    // The resident alone knows its version.
    let program = tree.join("usr/bin/kubefob");
    fs::write(&program, renamed(&fs::read(&program)?, version, NEXT)?)?;
    fs::write(&control, fields.replace(version, NEXT))?;
    fs::remove_file(tree.join("DEBIAN/md5sums"))?;
    let next = folder.join("kubefob-next.deb");
    output(
        Command::new("dpkg-deb")
            .args(["--build", "--root-owner-group"])
            .args([&tree, &next]),
    )?;
    Ok(next)
}

/// What a program prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("{command:?} can't be started"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
