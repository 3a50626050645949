//! The set `ui`: the user interface by itself, in a browser, over a host with scripted views.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Context, Result};

use super::{Request, read};
use crate::cache::Cache;
use crate::cargo::{self, Packages};
use crate::prerequisites::Tool;
use crate::summary::Outcome;
use crate::system;
use crate::ui::{install, npm};

/// How it is written, and its types; then its tests.
const CHECKS: [&str; 2] = ["format:check", "check"];

pub(super) fn run(request: &Request, packages: Packages) -> Result<Outcome> {
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
    install(&Cache::open()?)?;
    if request.name.is_none() {
        for check in CHECKS {
            if status(&["run", "--silent", check])?.success() {
                outcome.passed += 1;
            } else {
                outcome.failed.push(format!("npm run {check} failed"));
            }
        }
    }
    let tests = tests(request.name.as_deref(), &pages(packages)?)?;
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

/// The pages that the person's browser shows, as a test of the crate that makes them writes them; the folder.
fn pages(packages: Packages) -> Result<PathBuf> {
    const TEST: &str =
        "pages::tests::every_page_stands_in_both_languages_and_none_but_a_question_has_a_script";
    let folder = cargo::target().join("pages");
    crate::cache::remove(&folder)?;
    fs::create_dir_all(&folder)?;
    let mut command = cargo::cargo();
    command
        .args(["test", "--quiet"])
        .args(packages.arguments())
        .args(["--lib", "--", "--exact", TEST])
        .env("KUBEFOB_PAGES", &folder);
    cargo::succeed(&mut command)?;
    Ok(folder)
}

fn tests(name: Option<&str>, pages: &Path) -> Result<Outcome> {
    let results = cargo::target().join("results-ui.json");
    crate::cache::remove(&results)?;
    let mut arguments = vec!["exec", "--no", "--", "vitest", "run"];
    arguments.extend(
        name.into_iter()
            .flat_map(|name| ["--testNamePattern", name]),
    );
    let status = npm(&arguments)
        .env("KUBEFOB_RESULTS", &results)
        .env("KUBEFOB_PAGES", pages)
        .status()
        .context("npm can't be started")?;
    let mut outcome =
        read(&results).context("the tests in the browser ended without saying what came of it")?;
    if !status.success() && outcome.failed.is_empty() {
        outcome.failed.push("vitest ended with an error".to_owned());
    }
    Ok(outcome)
}

fn status(arguments: &[&str]) -> Result<ExitStatus> {
    npm(arguments).status().context("npm can't be started")
}
