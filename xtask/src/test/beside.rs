//! What is built while the sets run: those wait for other programs more than they compute. First the packages of the
//! release, which a set waits for, and then the check for other systems.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{PACKAGE, PLATFORMS, Request, judged, platforms};
use crate::bundle;
use crate::cargo;
use crate::run;
use crate::summary::{Outcome, Summary};

/// What came of it, and how long it took.
type Done<T> = (Result<T>, Duration);

/// What is under way, if it is wanted.
pub(super) struct Beside {
    packages: Option<Receiver<Done<PathBuf>>>,
    platforms: Option<Receiver<Done<Outcome>>>,
}

impl Beside {
    /// Begins. Packages are made where they can be, and may be installed; the system's own that it takes are there on
    /// return.
    pub(super) fn begin<'scope>(
        scope: &'scope Scope<'scope, '_>,
        request: &'scope Request,
        summary: &mut Summary,
    ) -> Result<Self> {
        let makes = request.wants(PACKAGE) && can_be_made(request, summary)?;
        let checks = request.wants(PLATFORMS);
        let (made, packages) = channel();
        let (checked, platforms) = channel();
        // Whoever waits for either is there as long as the scope.
        scope.spawn(move || {
            if makes {
                drop(made.send(timed(make)));
            }
            if checks {
                drop(checked.send(timed(|| platforms::check(request))));
            }
        });
        Ok(Self {
            packages: makes.then_some(packages),
            platforms: checks.then_some(platforms),
        })
    }

    /// Waits for the packages; their folder, where they were made.
    pub(super) fn packages(&self, summary: &mut Summary) -> Option<PathBuf> {
        let (made, took) = ended(self.packages.as_ref()?);
        let mut folder = None;
        let outcome = made.map(|made| {
            folder = Some(made);
            Outcome::default()
        });
        summary.done("packages", outcome, took);
        folder
    }

    /// Waits for the check.
    pub(super) fn platforms(self, summary: &mut Summary) {
        if let Some(platforms) = &self.platforms {
            let (outcome, took) = ended(platforms);
            summary.done(PLATFORMS, outcome, took);
        }
    }
}

fn can_be_made(request: &Request, summary: &mut Summary) -> Result<bool> {
    let outcome = if request.install {
        judged(bundle::missing()?, request)
    } else {
        Outcome {
            skipped: vec!["it installs one on this machine: allow it by --install".to_owned()],
            ..Outcome::default()
        }
    };
    let can = outcome == Outcome::default();
    if !can {
        summary.add("packages", outcome, Duration::ZERO);
    }
    Ok(can)
}

/// By a process that steps back for every other.
fn make() -> Result<PathBuf> {
    let xtask = env::current_exe().context("this program's own file")?;
    let mut bundle = Command::new("nice");
    bundle.args(["-n", "19"]).arg(xtask).arg("bundle");
    run::logged(&mut bundle, &cargo::target().join("packages.log"))?;
    Ok(bundle::folder())
}

fn timed<T>(what: impl FnOnce() -> Result<T>) -> Done<T> {
    let begun = Instant::now();
    (what(), begun.elapsed())
}

fn ended<T>(done: &Receiver<Done<T>>) -> Done<T> {
    match done.recv() {
        Ok(done) => done,
        Err(error) => (Err(error).context("it was not ended"), Duration::ZERO),
    }
}
