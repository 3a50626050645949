//! `cargo xtask bench`: builds the release, and has the package `tests` measure it.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::bundle;
use crate::cargo;
use crate::parts::{Parts, Wanted};
use crate::prerequisites::Tool;
use crate::programs;
use crate::test::World;

/// What a caller wants measured.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// One family of rows alone.
    only: Option<String>,
}

impl Request {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            [] => Ok(Self { only: None }),
            ["--only", name] => Ok(Self {
                only: Some((*name).to_owned()),
            }),
            other => Err(format!(
                "bench takes --only NAME, not `{}`",
                other.join(" ")
            )),
        }
    }

    fn wants(&self, family: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == family)
    }
}

/// Measures; an unmet goal is no failure.
pub(crate) fn run(request: &Request) -> Result<ExitCode> {
    if let Some(problem) = Tool::Rust.problem() {
        bail!("missing on this machine: {problem}");
    }
    let parts = Parts::gather(Wanted::Kubectl)?;
    let folder = programs::lay_all()?;
    let probes = programs::build_probes(folder.join("kubefob-window").exists())?;
    let mut world = World::write(folder, &parts)?;
    if request.wants("package") && bundle::missing()?.is_empty() {
        world.packages = Some(bundle::make()?);
    }
    let mut command = cargo::cargo();
    // Its own build too is a release: a slow client would flatter whatever it measures.
    command.args(["test", "--quiet", "--release", "--package", "tests"]);
    command.args(["--test", "bench", "--"]);
    if let Some(only) = &request.only {
        command.args(["--only", only]);
    }
    world.tell(&mut command);
    command.env("KUBEFOB_PROBES", probes);
    let file = cargo::target().join("bench.json");
    crate::cache::remove(&file)?;
    command.env("KUBEFOB_BENCH", &file);
    let status = command.status().context("cargo can't be started")?;
    if file.exists() {
        println!("{}", file.display());
    }
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn a_request_names_one_family_or_none() {
        assert_eq!(Request::parse(&[]), Ok(Request { only: None }));
        let only = Some("shim".to_owned());
        assert_eq!(Request::parse(&["--only", "shim"]), Ok(Request { only }));
        for wrong in [&["--only"][..], &["shim"], &["--only", "a", "b"]] {
            assert!(Request::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
