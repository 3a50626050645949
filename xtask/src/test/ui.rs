//! The set `ui`: the user interface by itself, in a browser, over a host with scripted views.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::{Request, read};
use crate::cache::Cache;
use crate::cargo;
use crate::prerequisites::Tool;
use crate::summary::Outcome;
use crate::system;

/// How it is written, and its types; then its tests.
const CHECKS: [&str; 2] = ["format:check", "check"];

pub(super) fn run(request: &Request) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let missing = missing()?;
    if !missing.is_empty() {
        if request.require_real {
            outcome.failed = missing;
        } else {
            outcome.skipped = missing;
        }
        return Ok(outcome);
    }
    install()?;
    if request.name.is_none() {
        for check in CHECKS {
            if npm(&["run", "--silent", check])?.success() {
                outcome.passed += 1;
            } else {
                outcome.failed.push(format!("npm run {check} failed"));
            }
        }
    }
    let tests = tests(request.name.as_deref())?;
    outcome.passed += tests.passed;
    outcome.failed.extend(tests.failed);
    outcome.skipped.extend(tests.skipped);
    Ok(outcome)
}

fn missing() -> Result<Vec<String>> {
    if let Some(problem) = Tool::Node.problem() {
        return Ok(vec![problem]);
    }
    let missing = system::missing(&Cache::open()?, system::is_for_ui);
    let missing = missing.into_iter();
    Ok(missing
        .map(|(name, why)| format!("{name}: {why}"))
        .collect())
}

/// What the lock file names, where it is newer than what is there.
fn install() -> Result<()> {
    let ui = cargo::root().join("ui");
    // npm leaves this file when it is through.
    let installed = written(&ui.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < written(&ui.join("package-lock.json")) {
        let status = npm(&["ci", "--no-audit", "--no-fund"])?;
        anyhow::ensure!(status.success(), "npm ci failed");
    }
    Ok(())
}

fn written(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|found| found.modified()).ok()
}

fn tests(name: Option<&str>) -> Result<Outcome> {
    let results = cargo::target().join("results-ui.json");
    crate::cache::remove(&results)?;
    let mut arguments = vec!["exec", "--no", "--", "vitest", "run"];
    arguments.extend(
        name.into_iter()
            .flat_map(|name| ["--testNamePattern", name]),
    );
    let status = command(&arguments)
        .env("KUBEFOB_RESULTS", &results)
        .status()
        .context("npm can't be started")?;
    let mut outcome =
        read(&results).context("the tests in the browser ended without saying what came of it")?;
    if !status.success() && outcome.failed.is_empty() {
        outcome.failed.push("vitest ended with an error".to_owned());
    }
    Ok(outcome)
}

fn npm(arguments: &[&str]) -> Result<std::process::ExitStatus> {
    command(arguments).status().context("npm can't be started")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command
        .args(arguments)
        .current_dir(cargo::root().join("ui"));
    command
}
