//! cargo, started by us, and where it works.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;

/// The workspace.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().map(Path::to_path_buf).unwrap_or(here)
}

pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(path))
}

pub(crate) fn cargo() -> Command {
    cargo_of(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A cargo, or what stands for one.
pub(crate) fn cargo_of(program: impl AsRef<OsStr>) -> Command {
    let mut cargo = Command::new(program);
    cargo.current_dir(root());
    // What `cargo run` told this xtask about itself is not for the cargos that it starts.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Which packages cargo builds together. All of one build have each dependency in one form, so that whoever builds
/// the same packages again finds them built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packages {
    All,
    /// Those that need no GTK.
    WithoutWindow,
}

impl Packages {
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::All => &["--workspace"],
            Self::WithoutWindow => &[
                "--workspace",
                "--exclude",
                "kubefob-window",
                "--exclude",
                "empty-window",
            ],
        }
    }
}

pub(crate) fn host() -> Result<String> {
    let said = run::output(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let triple = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("`rustc -vV` names no host")?.to_owned())
}

pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    if !command
        .status()
        .context("cargo can't be started")?
        .success()
    {
        let arguments: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}
