//! etcd, kube-apiserver and kubectl, built from Go modules of ours that pin every byte.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Found, Wanted, part};
use crate::cache::{self, Filling};
use crate::cargo::root;
use crate::prerequisites::Tool;
use crate::run;

struct Recipe {
    /// The part's name, and the program's.
    name: &'static str,
    /// Our module: a folder of `tests/real/parts`.
    module: &'static str,
    /// The module that the version is taken from.
    versioned: &'static str,
    package: &'static str,
}

const KUBECTL: Recipe = Recipe {
    name: "kubectl",
    module: "kubernetes",
    versioned: "k8s.io/kubernetes",
    package: "k8s.io/kubernetes/cmd/kubectl",
};
const KUBE_APISERVER: Recipe = Recipe {
    name: "kube-apiserver",
    module: "kubernetes",
    versioned: "k8s.io/kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
};
const ETCD: Recipe = Recipe {
    name: "etcd",
    module: "etcd",
    versioned: "go.etcd.io/etcd/server/v3",
    package: "go.etcd.io/etcd/server/v3",
};

/// One after the other: each build takes every core that there is.
pub(super) fn parts(filling: &Filling<'_>, wanted: Wanted) -> Vec<Found> {
    let recipes: &[Recipe] = match wanted {
        Wanted::Kubectl => &[KUBECTL],
        Wanted::All => &[KUBECTL, KUBE_APISERVER, ETCD],
    };
    let found: Vec<Found> = recipes
        .iter()
        .map(|recipe| built(filling, recipe))
        .collect();
    // 3.5 GB that only a build of another version would look at. What can't be removed harms no one.
    if wanted == Wanted::All && found.iter().all(|part| part.place.is_ok()) {
        let _ = cache::remove(&filling.cache.path("go"));
    }
    found
}

/// kubectl if it is in the cache.
pub(super) fn built_kubectl(filling: &Filling<'_>) -> Option<Found> {
    let version = pinned(&KUBECTL).ok()?;
    let path = filling.cache.path(place(&KUBECTL, &version));
    path.exists().then(|| Found {
        name: KUBECTL.name.to_owned(),
        version,
        place: Ok(path),
    })
}

/// kubectl, built if it is not in the cache.
pub(super) fn kubectl(filling: &Filling<'_>) -> Found {
    built(filling, &KUBECTL)
}

fn place(recipe: &Recipe, version: &str) -> String {
    format!("bin/{}-{version}", recipe.name)
}

fn built(filling: &Filling<'_>, recipe: &Recipe) -> Found {
    let version = match pinned(recipe) {
        Ok(version) => version,
        Err(error) => {
            let why = Err(format!("{error:#}"));
            return Found {
                name: recipe.name.to_owned(),
                version: String::new(),
                place: why,
            };
        }
    };
    let place = place(recipe, &version);
    part(
        filling,
        (recipe.name, &version),
        &place,
        &[Tool::Go],
        || {
            let scratch = filling.scratch(recipe.name)?;
            let program = scratch.join(recipe.name);
            run::logged(
                &mut build(filling, recipe, &version, &program),
                &filling.cache.log(recipe.name),
            )?;
            filling.put(&program, &place)?;
            Ok(())
        },
    )
}

/// The version that our go.mod pins, without the `v`.
fn pinned(recipe: &Recipe) -> Result<String> {
    let file = module(recipe).join("go.mod");
    let text =
        fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?;
    let version = text.lines().find_map(|line| {
        let line = line.trim().trim_start_matches("require ");
        let version = line.strip_prefix(recipe.versioned)?.strip_prefix(" v")?;
        version.split_whitespace().next()
    });
    let version =
        version.with_context(|| format!("{} pins no {}", file.display(), recipe.versioned))?;
    Ok(version.to_owned())
}

fn build(filling: &Filling<'_>, recipe: &Recipe, version: &str, program: &Path) -> Command {
    let go = filling.cache.path("go");
    let mut command = Command::new("go");
    command
        .current_dir(module(recipe))
        .args([
            "build",
            "-trimpath",
            "-ldflags",
            &linker_flags(recipe, version),
            "-o",
        ])
        .arg(program)
        .arg(recipe.package)
        // A build of our own: nothing of the person's settings but where modules come from.
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env("GOFLAGS", "-mod=readonly -buildvcs=false -modcacherw")
        .env("GOPATH", &go)
        .env("GOMODCACHE", go.join("mod"))
        .env("GOCACHE", go.join("build"))
        .env("CGO_ENABLED", "0");
    command
}

/// Kubernetes calls itself `v0.0.0-master` if nobody tells it, and `kubectl version` then fails.
fn linker_flags(recipe: &Recipe, version: &str) -> String {
    let mut flags = "-s -w".to_owned();
    if recipe.module == "kubernetes" {
        let mut numbers = version.split('.');
        let major = numbers.next().unwrap_or_default();
        let minor = numbers.next().unwrap_or_default();
        let variable = "k8s.io/component-base/version";
        flags.push_str(&format!(
            " -X {variable}.gitVersion=v{version} -X {variable}.gitMajor={major} -X {variable}.gitMinor={minor}"
        ));
    }
    flags
}

fn module(recipe: &Recipe) -> std::path::PathBuf {
    root().join("tests/real/parts").join(recipe.module)
}
