//! Which kubectl takes what the shim prints: each one that there is, in each version of the
//! exec credential, against the real cluster.

use std::path::Path;

use anyhow::{Result, ensure};
use world::RealWorld;
use world::browser;
use world::person::Said;
use world::scenario::{Bound, Seated, World};

use crate::SCRIPTED;

/// The versions of `client.authentication.k8s.io` that the shim speaks.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
/// The least that counts as a matrix: an old one, those between, and the built one.
const LEAST: [&str; 5] = [
    "kubectl-1.24",
    "kubectl-1.25",
    "kubectl-1.30",
    "kubectl-1.35",
    "kubectl",
];

/// One sign-in; then every kubectl asks in every version, by the article's kubeconfig, in which
/// nothing else changes.
pub(crate) async fn matrix(world: &RealWorld) -> Result<()> {
    for name in LEAST {
        world.parts.path(name)?;
    }
    world.bind(Bound::User).await?;
    let seated = Seated::new(world, "matrix", Path::new(SCRIPTED))?;
    let person = &seated.person;
    let seed = std::fs::read_to_string(person.home.join(".kube/config"))?;

    println!("\n| kubectl | v1 | v1beta1 |\n|---|---|---|");
    let mut kubectls: Vec<&str> = world.parts.kubectls().collect();
    // By age, and the built one is the newest.
    kubectls.sort_by_key(|name| *name == "kubectl");
    let mut refused = Vec::new();
    for name in kubectls {
        person.install_kubectl(world.parts.path(name)?)?;
        let version = world.parts.version(name).unwrap_or("?");
        let mut row = format!("| {version} |");
        for api in VERSIONS {
            person.kubeconfig(&stanza(&seed, api)?)?;
            let said = person.kubectl(&["get", "namespace", "default", "-o=name"])?;
            let cell = judged(&said);
            if cell == Cell::Refused {
                refused.push(format!("{version} {api}: {said:?}"));
            }
            row += &format!(" {} |", cell.word());
        }
        println!("{row}");
    }
    ensure!(
        refused.is_empty(),
        "{}\n{}",
        refused.join("\n"),
        person.log()
    );
    let pages = browser::read_log(&seated.log)?
        .iter()
        .filter(|step| step.url.contains("/start/"))
        .count();
    ensure!(pages == 1, "one page for all of them: {pages}");
    world.bind(Bound::Nobody).await
}

/// The article's stanza, asking for a version. `v1` wants to know whether the plugin may talk to
/// a person; kubectls that know `v1beta1` alone pass over the line.
fn stanza(seed: &str, api: &str) -> Result<String> {
    const LINE: &str = "apiVersion: client.authentication.k8s.io/v1beta1\n";
    ensure!(seed.matches(LINE).count() == 1, "one stanza: {seed}");
    let asked = format!(
        "apiVersion: client.authentication.k8s.io/{api}\n      interactiveMode: IfAvailable\n"
    );
    Ok(seed.replace(LINE, &asked))
}

#[derive(PartialEq, Eq)]
enum Cell {
    /// 200 from the cluster.
    Served,
    /// It does not know the version, whatever a plugin prints.
    Unknown,
    Refused,
}

impl Cell {
    fn word(&self) -> &'static str {
        match self {
            Cell::Served => "200",
            Cell::Unknown => "not known to it",
            Cell::Refused => "refused",
        }
    }
}

/// `exec plugin: invalid apiVersion "…"` is what client-go says before it starts any plugin
/// (plugin/pkg/client/auth/exec/exec.go).
fn judged(said: &Said) -> Cell {
    if said.ok && said.out == "namespace/default\n" {
        Cell::Served
    } else if said.err.contains("exec plugin: invalid apiVersion") {
        Cell::Unknown
    } else {
        Cell::Refused
    }
}
