//! Our own programs, built and laid side by side as a package would install them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo::{Packages, cargo, succeed, target};
use crate::shim;
use crate::ui;

/// Builds the resident, the shim, some sets of tests and some other programs, and returns the
/// folder with `kubefob`, `kubectl-fob` and `kubectl-oidc_login` in it, and the window if it is among the packages.
pub(crate) fn lay(packages: Packages, sets: &[&str], others: &[&str]) -> Result<PathBuf> {
    let folder = lay_with(&resident(packages, sets, others)?, "programs")?;
    match packages {
        Packages::All => lay_windows(&folder)?,
        Packages::WithoutWindow => crate::cache::remove(&folder.join("kubefob-window"))?,
    }
    Ok(folder)
}

/// The window as a release has it, and the one that a driver may hold.
fn lay_windows(folder: &Path) -> Result<()> {
    let built = target().join("debug/kubefob-window");
    for (features, name) in [
        ("", "kubefob-window-released"),
        ("kubefob-window/automation", "kubefob-window"),
    ] {
        let mut build = cargo();
        build.arg("build").args(Packages::All.arguments()).args([
            "--bin",
            "kubefob-window",
            "--features",
            features,
        ]);
        succeed(&mut build)?;
        place(&built, &folder.join(name))?;
    }
    Ok(())
}

/// The same as a release has them.
pub(crate) fn lay_release() -> Result<PathBuf> {
    // By itself: with the workspace it would get features that the tests ask of its dependencies.
    succeed(cargo().args(["build", "--release", "--package", "kubefob"]))?;
    lay_with(&target().join("release/kubefob"), "programs-release")
}

/// All that a person installs: the same, and the window where it can be built.
pub(crate) fn lay_all() -> Result<PathBuf> {
    let folder = lay_release()?;
    let window = folder.join("kubefob-window");
    let missing = ui::prepare_window()?;
    if !missing.is_empty() {
        for (what, why) in missing {
            eprintln!("without the window: {what}: {why}");
        }
        crate::cache::remove(&window)?;
        return Ok(folder);
    }
    succeed(cargo().args(["build", "--release", "--package", "kubefob-window"]))?;
    place(&target().join("release/kubefob-window"), &window)?;
    Ok(folder)
}

/// What the bench measures tray and window against, as the release is; the folder that they are in. Each is built beside
/// what it is compared with: by itself it would get its dependencies with fewer features, and so all of them once more.
pub(crate) fn build_probes(window: bool) -> Result<PathBuf> {
    let tray = [("bare-item", "kubefob")];
    let window = window.then_some(("empty-window", "kubefob-window"));
    for (probe, compared) in tray.into_iter().chain(window) {
        let mut build = cargo();
        build.args(["build", "--release", "--package", compared]);
        succeed(build.args(["--package", probe, "--bin", probe]))?;
    }
    Ok(target().join("release"))
}

fn lay_with(resident: &Path, folder: &str) -> Result<PathBuf> {
    let folder = target().join(folder);
    fs::create_dir_all(&folder)?;
    place(resident, &folder.join("kubefob"))?;
    let shim = folder.join("kubectl-fob");
    place(&shim::build()?, &shim)?;
    // The same file under kubelogin's name.
    rename_over(&folder.join("kubectl-oidc_login"), |made| {
        fs::hard_link(&shim, made)
    })?;
    Ok(folder)
}

/// The resident and all the others in one build, of the whole workspace: each in one of its own would
/// get its dependencies with other features, and so all of them once more.
fn resident(packages: Packages, sets: &[&str], others: &[&str]) -> Result<PathBuf> {
    let mut build = cargo();
    build.arg("build").args(packages.arguments());
    build.args(["--bin", "kubefob"]);
    for set in sets {
        build.args(["--test", set]);
    }
    for other in others {
        build.args(["--bin", other]);
    }
    succeed(&mut build)?;
    Ok(target().join("debug/kubefob"))
}

fn place(built: &Path, path: &Path) -> Result<()> {
    rename_over(path, |made| fs::copy(built, made).map(|_| ()))
        .with_context(|| format!("can't lay {} to {}", built.display(), path.display()))
}

/// A program that runs can be renamed over, but not written to.
fn rename_over(path: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    let made = path.with_extension(std::process::id().to_string());
    make(&made)?;
    fs::rename(&made, path)?;
    // Renaming a hard link over another one of the same file does nothing and leaves it there.
    crate::cache::remove(&made)
}
