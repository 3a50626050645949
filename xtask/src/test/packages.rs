//! The packages of the release, made while the sets run: those wait for other programs more than they compute.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::{Request, judged};
use crate::bundle;
use crate::cargo;
use crate::run;
use crate::summary::{Outcome, Summary};

/// What came of the packages, as soon as it is known.
pub(super) enum Making<'scope> {
    /// They are not made.
    Not(Outcome),
    /// The folder that they are in, and how long it took.
    Begun(ScopedJoinHandle<'scope, (Result<PathBuf>, Duration)>),
}

impl<'scope> Making<'scope> {
    /// Begins, where they can be made and may be installed. The system's packages that it takes are there on return.
    pub(super) fn begin(scope: &'scope Scope<'scope, '_>, request: &Request) -> Result<Self> {
        if !request.install {
            let why = "it installs one on this machine: allow it by --install".to_owned();
            return Ok(Self::Not(Outcome {
                skipped: vec![why],
                ..Outcome::default()
            }));
        }
        let missing = bundle::missing()?;
        if !missing.is_empty() {
            return Ok(Self::Not(judged(missing, request)));
        }
        let begun = Instant::now();
        Ok(Self::Begun(scope.spawn(move || (make(), begun.elapsed()))))
    }

    /// Waits for them; their folder, where they were made.
    pub(super) fn end(self, summary: &mut Summary) -> Option<PathBuf> {
        let (made, took) = match self {
            Self::Not(outcome) => {
                summary.add("packages", outcome, Duration::ZERO);
                return None;
            }
            Self::Begun(making) => making
                .join()
                .unwrap_or_else(|_| (Err(anyhow!("making the packages")), Duration::ZERO)),
        };
        let mut folder = None;
        let outcome = made.map(|made| {
            folder = Some(made);
            Outcome::default()
        });
        summary.done("packages", outcome, took);
        folder
    }
}

/// By a process that steps back for every other.
fn make() -> Result<PathBuf> {
    let xtask = env::current_exe().context("this program's own file")?;
    let mut bundle = Command::new("nice");
    bundle.args(["-n", "19"]).arg(xtask).arg("bundle");
    run::logged(&mut bundle, &cargo::target().join("packages.log"))?;
    Ok(bundle::folder())
}
