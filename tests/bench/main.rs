//! What it costs: each figure beside its goal, from one run (`cargo xtask bench`).
//!
//! Figures are ratios within the run, of things done by turns, so that a busy or a slow machine
//! changes both sides. An unmet goal is said and is no failure; what can't be measured is one.
//! The figures go to the file that KUBEFOB_BENCH names, as JSON.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a surprise is a failed run"
)]

mod before;
mod desktop;
mod ground;
mod kubectl;
mod package;
mod parallel;
mod resident;
mod row;
mod socket;
mod spawn;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use ground::Ground;
use row::{Row, summary};

/// Rows that are measured together.
struct Family {
    name: &'static str,
    measure: fn(&mut Shared) -> Result<Vec<Row>>,
}

/// In the order in which they are measured: the machine is still, the resident young.
const FAMILIES: [Family; 12] = [
    Family {
        name: "package",
        measure: |_| package::sizes(),
    },
    Family {
        name: "memory",
        measure: |shared| resident::memory(shared.fresh()?),
    },
    Family {
        name: "idle",
        measure: |shared| resident::idle(shared.ground()?),
    },
    Family {
        name: "tray",
        measure: |shared| desktop::tray(shared.desktop()?),
    },
    Family {
        name: "window",
        measure: |shared| desktop::window(shared.desktop()?),
    },
    Family {
        name: "shim",
        measure: |shared| spawn::shim(shared.ground()?),
    },
    Family {
        name: "socket",
        measure: |shared| socket::load(shared.ground()?),
    },
    Family {
        name: "kubelogin",
        measure: |shared| {
            let mut rows = spawn::kubelogin(shared.ground()?)?;
            rows.extend(kubectl::kubelogin(shared.ground()?)?);
            Ok(rows)
        },
    },
    Family {
        name: "kubectl",
        measure: |shared| kubectl::shim(shared.ground()?),
    },
    Family {
        name: "before",
        measure: |shared| before::before(shared.ground()?),
    },
    Family {
        name: "start",
        measure: |shared| resident::start(shared.ground()?),
    },
    Family {
        name: "parallel",
        measure: |shared| {
            shared.end();
            parallel::token_requests()
        },
    },
];

/// The ground that families stand on, made for the first of them that wants it so.
#[derive(Default)]
struct Shared(Option<(Kind, Ground)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bare,
    Desktop,
}

impl Shared {
    fn ground(&mut self) -> Result<&Ground> {
        self.of(Kind::Bare, Ground::signed_in)
    }

    /// One with a panel.
    fn desktop(&mut self) -> Result<&Ground> {
        self.of(Kind::Desktop, Ground::at_a_desktop)
    }

    fn of(&mut self, kind: Kind, make: fn() -> Result<Ground>) -> Result<&Ground> {
        if self.0.as_ref().is_none_or(|(is, _)| *is != kind) {
            // Its ports are free before.
            self.end();
            self.0 = Some((kind, make()?));
        }
        self.0
            .as_ref()
            .map(|(_, ground)| ground)
            .context("no ground")
    }

    /// One that nothing has been measured on.
    fn fresh(&mut self) -> Result<&Ground> {
        self.end();
        self.ground()
    }

    /// Its ports are free again.
    fn end(&mut self) {
        self.0 = None;
    }
}

fn main() -> ExitCode {
    // xtask runs every crate's own tests by one command; this has none.
    if env::var_os("KUBEFOB_UNIT").is_some() {
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match (env::var(ground::PART), words.as_slice()) {
        (Ok(part), _) => play(&part),
        (Err(_), ["--only", name]) => measure(Some(name)),
        (Err(_), []) => measure(None),
        (Err(_), other) => bail(other),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bail(words: &[&str]) -> Result<()> {
    bail!("what is `{}`? It takes --only NAME", words.join(" "))
}

/// A part of the bench that is a process of its own.
fn play(part: &str) -> Result<()> {
    match part {
        "spawner" => spawn::spawner(&task()?),
        "asker" => socket::asker(),
        "load" => socket::clients(&task()?),
        "echo" => socket::echo(&task::<PathBuf>()?),
        other => bail!("there is no part `{other}`"),
    }
}

fn task<T: serde::de::DeserializeOwned>() -> Result<T> {
    serde_json::from_reader(std::io::stdin()).context("a part's task")
}

fn measure(only: Option<&str>) -> Result<()> {
    let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    if let Some(name) = only.filter(|name| !names.contains(name)) {
        bail!("no rows `{name}`: there are {}", names.join(", "));
    }
    // One provider of cryptography for all that speaks TLS; a second call finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    let mut shared = Shared::default();
    for family in &FAMILIES {
        if only.is_some_and(|only| only != family.name) {
            continue;
        }
        eprintln!("bench: {}", family.name);
        match (family.measure)(&mut shared) {
            Ok(measured) => {
                for row in &measured {
                    println!("{}", row.text());
                }
                rows.extend(measured);
            }
            Err(error) => failed.push(format!("{}: {error:#}", family.name)),
        }
    }
    shared.end();
    println!("\n{}; {}", summary(&rows), machine());
    if let Some(file) = env::var_os("KUBEFOB_BENCH") {
        let text = format!("{:#}\n", serde_json::json!(rows));
        fs::write(&file, text).context("the file of KUBEFOB_BENCH")?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("not measured:\n{}", failed.join("\n"))
}

/// The machine, for whoever compares two tables.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    format!("{processors} × {model}, load {load}")
}
