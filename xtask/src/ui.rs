//! The user interface: what npm brings for it, and `ui/dist`, which the window's build takes in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Result, anyhow};

use crate::cache::Cache;
use crate::cargo;
use crate::prerequisites::Tool;
use crate::run;
use crate::system;

/// What it is made of beside its own folder: texts and icons.
const BESIDE: [&str; 2] = ["src-tauri/crates/broker/src/texts", "icons/ui"];

/// All that the window needs before cargo can build it. What is missing, and why.
pub(crate) fn prepare_window() -> Result<Vec<(String, String)>> {
    let cache = Cache::open()?;
    let mut missing = system::missing_for_window(&cache);
    let interface = match Tool::Node.problem() {
        Some(problem) => Err(anyhow!(problem)),
        None => build(&cache),
    };
    if let Err(why) = interface {
        missing.push(("the user interface".to_owned(), format!("{why:#}")));
    }
    Ok(missing)
}

/// npm, in the folder of the user interface.
pub(crate) fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder());
    command
}

/// What the lock file names, where it is newer than what is there.
pub(crate) fn install(cache: &Cache) -> Result<()> {
    let ui = folder();
    // npm leaves this file when it is through.
    let installed = written(&ui.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < written(&ui.join("package-lock.json")) {
        run::logged(&mut npm(&["ci"]), &cache.log("npm-ci"))?;
    }
    Ok(())
}

/// `ui/dist`, where anything that it is made of is newer.
fn build(cache: &Cache) -> Result<()> {
    let made = written(&folder().join("dist/index.html"));
    let sources = BESIDE.iter().map(|folder| cargo::root().join(folder));
    let newest = sources.chain([folder()]).filter_map(|it| newest(&it)).max();
    if made.is_some() && made > newest {
        return Ok(());
    }
    install(cache)?;
    run::logged(&mut npm(&["run", "build"]), &cache.log("npm-build"))
}

fn folder() -> PathBuf {
    cargo::root().join("ui")
}

fn written(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|found| found.modified()).ok()
}

/// When the last file below a folder was written, but for what is made there.
fn newest(folder: &Path) -> Option<SystemTime> {
    let below = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.ok()?;
        let name = entry.file_name();
        if name == "node_modules" || name == "dist" || name == "dist-demo" {
            return None;
        }
        if entry.file_type().ok()?.is_dir() {
            newest(&entry.path())
        } else {
            written(&entry.path())
        }
    };
    fs::read_dir(folder).ok()?.filter_map(below).max()
}
