//! `cargo xtask test`: builds what the tests need, runs them, and says what came of it.

mod beside;
mod platforms;
mod ui;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use self::beside::Beside;
use crate::cargo::{self, Packages};
use crate::parts::{Parts, Wanted};
use crate::prerequisites::Tool;
use crate::programs;
use crate::run;
use crate::summary::{Outcome, Summary};

/// The binaries of the package `tests`.
const SETS: [&str; 6] = ["it", "real", "attack", "kill", "desktop", PACKAGE];

/// The set that installs a package on this machine, and removes it.
const PACKAGE: &str = "package";

/// The one that looks at what other systems have of their own.
const PLATFORMS: &str = "platforms";

/// What a caller wants tested.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// One set alone; none is everything.
    set: Option<String>,
    /// Of a set, the tests whose name contains this.
    name: Option<String>,
    require_real: bool,
    /// This machine may have a package installed.
    install: bool,
}

impl Request {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let required = env::var_os("KUBEFOB_REQUIRE_REAL").is_some_and(|value| value != "0");
        let mut request = Self {
            set: None,
            name: None,
            require_real: required,
            install: env::var_os("CI").is_some_and(|value| value == "true"),
        };
        for word in words {
            match (*word, &request) {
                ("--require-real", _) => request.require_real = true,
                ("--install", _) => request.install = true,
                (flag, _) if flag.starts_with('-') => {
                    return Err(format!("no such flag: `{flag}`"));
                }
                (set, Request { set: None, .. }) => {
                    if !["lint", "unit", PLATFORMS, "ui"]
                        .iter()
                        .chain(&SETS)
                        .any(|known| *known == set)
                    {
                        return Err(format!("no such set: `{set}`"));
                    }
                    request.set = Some(set.to_owned());
                }
                (name, Request { name: None, .. }) => request.name = Some(name.to_owned()),
                (extra, _) => return Err(format!("one set and one name; what is `{extra}`?")),
            }
        }
        Ok(request)
    }

    fn wants(&self, set: &str) -> bool {
        self.set.as_deref().is_none_or(|asked| asked == set)
    }

    /// Whether the window is built too.
    fn wants_window(&self) -> bool {
        match self.set.as_deref() {
            None | Some("attack" | "desktop") => true,
            Some(_) => false,
        }
    }

    fn parts(&self) -> Option<Wanted> {
        match self.set.as_deref() {
            Some("lint" | "unit" | PLATFORMS | "ui") => None,
            Some("it" | "attack" | PACKAGE) => Some(Wanted::Kubectl),
            _ => Some(Wanted::All),
        }
    }
}

/// Runs it; the exit code says whether all that ran passed.
pub(crate) fn run(request: &Request) -> Result<ExitCode> {
    check_prerequisites(request)?;
    let mut summary = Summary::default();
    let sets: Vec<&str> = SETS.into_iter().filter(|set| request.wants(set)).collect();
    // Most of the parts' first time is waiting for a registry or for Go; cargo's share fits beside.
    thread::scope(|scope| -> Result<()> {
        let begun = Instant::now();
        let parts = request
            .parts()
            .map(|wanted| scope.spawn(move || (Parts::gather(wanted), begun.elapsed())));
        let packages = window(request, &mut summary)?;
        if request.wants("lint") {
            lint(&mut summary, packages);
        }
        if request.wants("unit") {
            summary.step("unit", || unit(request, packages));
        }
        let Some(parts) = parts else {
            if request.wants("ui") {
                summary.step("ui", || ui::run(request, packages));
            }
            if request.wants(PLATFORMS) {
                summary.step(PLATFORMS, || platforms::check(request));
            }
            return Ok(());
        };
        let mut programs = None;
        summary.step("programs", || {
            programs = Some(programs::lay(packages, &sets, &[])?);
            Ok(Outcome::default())
        });
        let (parts, took) = parts.join().map_err(|_| anyhow!("gathering the parts"))?;
        let parts = parts?;
        let missing = parts.missing().into_iter().chain(parts.skipped.clone());
        summary.add("parts", judged(missing, request), took);
        let beside = Beside::begin(scope, request, &mut summary)?;
        // Not sooner: two can't install the system's packages at once.
        if request.wants("ui") {
            summary.step("ui", || ui::run(request, packages));
        }
        let Some(programs) = programs else {
            return Ok(());
        };
        let mut world = World::write(programs, &parts)?;
        for set in sets.iter().filter(|set| **set != PACKAGE) {
            summary.step(set, || run_set(set, request, packages, &world));
        }
        world.packages = beside.packages(&mut summary);
        if world.packages.is_some() {
            summary.step(PACKAGE, || run_set(PACKAGE, request, packages, &world));
        }
        beside.platforms(&mut summary);
        Ok(())
    })?;
    println!("{}", summary.text());
    Ok(if summary.failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn check_prerequisites(request: &Request) -> Result<()> {
    let mut needed = vec![Tool::Rust];
    if request.require_real && request.parts().is_some() {
        needed.extend(Tool::REAL);
    }
    let problems: Vec<String> = needed.into_iter().filter_map(Tool::problem).collect();
    if !problems.is_empty() {
        bail!("missing on this machine:\n  {}", problems.join("\n  "));
    }
    Ok(())
}

/// A part that is missing is a named skip, or a failure where the real parts are required.
fn judged(missing: impl IntoIterator<Item = (String, String)>, request: &Request) -> Outcome {
    let missing = missing
        .into_iter()
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    let mut outcome = Outcome::default();
    if request.require_real {
        outcome.failed = missing;
    } else {
        outcome.skipped = missing;
    }
    outcome
}

/// Makes what the window is built from, and says whether it can be built.
fn window(request: &Request, summary: &mut Summary) -> Result<Packages> {
    if !request.wants_window() {
        return Ok(Packages::WithoutWindow);
    }
    let begun = Instant::now();
    let missing = crate::ui::prepare_window()?;
    let packages = if missing.is_empty() {
        Packages::All
    } else {
        Packages::WithoutWindow
    };
    summary.add("window", judged(missing, request), begun.elapsed());
    Ok(packages)
}

fn lint(summary: &mut Summary, packages: Packages) {
    summary.step("format", || checked(&["fmt", "--all", "--check"]));
    summary.step("clippy", || {
        let mut arguments = vec!["clippy"];
        arguments.extend(packages.arguments());
        arguments.extend(["--all-targets", "--", "-D", "warnings"]);
        checked(&arguments)
    });
}

fn checked(arguments: &[&str]) -> Result<Outcome> {
    let status = cargo::cargo()
        .args(arguments)
        .status()
        .context("cargo can't be started")?;
    if !status.success() {
        bail!("cargo {} failed", arguments[0]);
    }
    Ok(Outcome {
        passed: 1,
        ..Outcome::default()
    })
}

/// Every crate's own tests. The sets are in this build too, and stand aside until they have a
/// world.
fn unit(request: &Request, packages: Packages) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut command = cargo::cargo();
    command
        .arg("test")
        .args(packages.arguments())
        .args(["--no-fail-fast", "--"])
        .args(&request.name);
    command.env("KUBEFOB_UNIT", "1");
    let mut within = None;
    let success = run::watched(&mut command, |line| note(line, &mut within, &mut outcome))?;
    if !success && outcome.failed.is_empty() {
        outcome.failed.push("cargo test failed".to_owned());
    }
    Ok(outcome)
}

/// What a line of libtest's output says. `within` is the failed test whose own output this is.
fn note(line: &str, within: &mut Option<usize>, outcome: &mut Outcome) {
    if let Some(failed) = line.strip_prefix("---- ") {
        let name = failed.strip_suffix(" stdout ----");
        let position = |name| outcome.failed.iter().rposition(|failed| failed == name);
        *within = name.and_then(position);
        return;
    }
    if line == "failures:" {
        *within = None;
    }
    if let Some(failed) = within.and_then(|index| outcome.failed.get_mut(index)) {
        failed.push_str(if failed.contains('\n') { "\n" } else { ":\n" });
        failed.push_str(line);
        return;
    }
    let Some((name, result)) = line
        .strip_prefix("test ")
        .and_then(|line| line.split_once(" ... "))
    else {
        return;
    };
    if result == "ok" {
        outcome.passed += 1;
    } else if result.starts_with("FAILED") {
        outcome.failed.push(name.to_owned());
    } else if let Some(why) = result.strip_prefix("ignored") {
        outcome
            .skipped
            .push(format!("{name}{}", why.replace(", ", ": ")));
    }
}

/// What the sets are told of the world around them, by environment.
pub(crate) struct World {
    programs: PathBuf,
    parts: PathBuf,
    skipped: String,
    /// The folder of packages, where they were made.
    pub(crate) packages: Option<PathBuf>,
}

impl World {
    pub(crate) fn write(programs: PathBuf, parts: &Parts) -> Result<Self> {
        let skipped: Vec<String> = parts
            .skipped
            .iter()
            .map(|(name, why)| format!("{name}: {}", why.replace([';', '\n'], ",")))
            .collect();
        Ok(Self {
            programs,
            parts: parts.write()?,
            skipped: skipped.join(";"),
            packages: None,
        })
    }

    /// Tells it to what is started.
    pub(crate) fn tell(&self, command: &mut Command) {
        command
            .env("KUBEFOB_PROGRAMS", &self.programs)
            .env("KUBEFOB_PARTS", &self.parts)
            .env("KUBEFOB_SKIP", &self.skipped)
            .envs(
                self.packages
                    .iter()
                    .map(|folder| ("KUBEFOB_PACKAGES", folder)),
            );
    }
}

/// What a set's binary leaves in the file that KUBEFOB_RESULTS names.
#[derive(Deserialize)]
struct Results {
    passed: u64,
    failed: Vec<Failure>,
    skipped: Vec<String>,
}

#[derive(Deserialize)]
struct Failure {
    name: String,
    why: String,
}

fn run_set(set: &str, request: &Request, packages: Packages, world: &World) -> Result<Outcome> {
    let results = cargo::target().join(format!("results-{set}.json"));
    crate::cache::remove(&results)?;
    let mut command = cargo::cargo();
    command
        .args(["test", "--quiet"])
        .args(packages.arguments())
        .args(["--test", set, "--"])
        .args(&request.name)
        .env("KUBEFOB_RESULTS", &results)
        .env(
            "KUBEFOB_REQUIRE_REAL",
            if request.require_real { "1" } else { "0" },
        )
        // A set that was asked for by its name does all of it; one of many does its share.
        .env(
            "KUBEFOB_THOROUGH",
            if request.set.is_some() { "1" } else { "0" },
        );
    world.tell(&mut command);
    let success = command
        .status()
        .context("cargo can't be started")?
        .success();
    let mut outcome = read(&results)
        .with_context(|| format!("the set `{set}` ended without saying what came of it"))?;
    if !success && outcome.failed.is_empty() {
        outcome.failed.push("ended with an error".to_owned());
    }
    if let Some(name) = &request.name
        && outcome == Outcome::default()
    {
        bail!("the set `{set}` has no test with `{name}` in its name");
    }
    Ok(outcome)
}

fn read(results: &Path) -> Result<Outcome> {
    let text = fs::read_to_string(results)?;
    let Results {
        passed,
        failed,
        skipped,
    } = serde_json::from_str(&text)?;
    let failed = failed
        .into_iter()
        .map(|Failure { name, why }| format!("{name}: {why}"))
        .collect();
    Ok(Outcome {
        passed,
        failed,
        skipped,
    })
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Request, note};

    #[test]
    fn a_request_names_a_set_and_a_test() {
        let parse = |words: &[&str]| Request::parse(words);
        let real = parse(&["real", "seed", "--require-real"]).expect("it is one");
        assert_eq!(real.set.as_deref(), Some("real"));
        assert_eq!(real.name.as_deref(), Some("seed"));
        assert!(real.require_real && real.wants("real") && !real.wants("unit"));
        let all = parse(&[]).expect("it is one");
        assert!(all.wants("real") && all.wants("lint"));
        assert!(parse(&["package", "--install"]).is_ok_and(|request| request.install));
        for wrong in [&["reel"][..], &["real", "seed", "more"], &["--fast"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_libtest_says_is_counted() {
        let mut outcome = Outcome::default();
        let mut within = None;
        for line in [
            "running 3 tests",
            "test frames::round_trip ... ok",
            "test frames::cut_off ... FAILED",
            "test slow ... ignored, takes an hour",
            "failures:",
            "---- frames::cut_off stdout ----",
            "thread 'frames::cut_off' panicked at a.rs:1:2:",
            "one byte is missing",
            "failures:",
            "    frames::cut_off",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured",
        ] {
            note(line, &mut within, &mut outcome);
        }
        assert_eq!(outcome.passed, 1);
        assert_eq!(
            outcome.failed,
            [
                "frames::cut_off:\nthread 'frames::cut_off' panicked at a.rs:1:2:\none byte is missing"
            ]
        );
        assert_eq!(outcome.skipped, ["slow: takes an hour"]);
    }
}
