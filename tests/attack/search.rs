//! Where secrets are, and where they are not: a sign-in, refreshes and a few commands, and a
//! search through every process of the scene (`search/processes.rs`), every file that it left, and
//! the core that the resident does not leave.

mod processes;
pub(crate) mod window;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use playground::{Endpoint, Fault, Playground, What};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, kill_process, prlimit, set_child_subreaper, waitpid,
};
use serde_json::json;
use world::keyring::Keyring;
use world::parts::Missing;
use world::person::said;
use world::wait;

use crate::scene::{ONE_REQUEST, Scene, Seat};
use crate::table::{NO_ROW, Table};
use processes::{Seen, Watching};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Secret {
    RefreshToken,
    VaultKey,
    IdToken,
    OfClient,
}

/// One secret in one spelling.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Needle {
    secret: Secret,
    bytes: Vec<u8>,
}

impl Needle {
    fn new(secret: Secret, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        assert!(bytes.len() >= 24, "anything would contain it");
        Self { secret, bytes }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        memmem::find(bytes, &self.bytes).is_some()
    }
}

const KUBECTL: &str = "kubectl";
const RESIDENT: &str = "kubefob";
const SHIMS: [&str; 2] = ["kubectl-oidc_login", "kubectl-fob"];

impl Secret {
    /// Whether a program may have it in its memory.
    fn is_allowed_in(self, program: &str) -> bool {
        let shim = SHIMS.contains(&program);
        match self {
            Self::RefreshToken | Self::VaultKey => program == RESIDENT,
            // Whoever asks has it from the shim, and kubelogin's flags are arguments of both.
            Self::IdToken | Self::OfClient => program == RESIDENT || program == KUBECTL || shim,
        }
    }
}

/// Refresh token and vault key are in the resident's memory alone, an ID token in the shim and the
/// client that asked too, a client secret also where kubelogin's own flags put it.
pub(crate) async fn search(table: &Table) -> Result<()> {
    root_alone()?;
    let begun = SystemTime::now();
    let mut scene = Scene::set(Seat {
        config: json!({ "token_seconds": 6, "rotation": "strict" }),
        ..Seat::default()
    })
    .await?;
    // Its folder is none of ours: without a password it rests in the clear.
    let keyrings = tempfile::Builder::new()
        .prefix("kubefob-keyring-")
        .tempdir()?;
    let keyring = Keyring::start(keyrings.path())?;
    scene
        .person
        .variable("DBUS_SESSION_BUS_ADDRESS", &keyring.address);
    set_child_subreaper(Pid::from_raw(std::process::id().cast_signed()))?;

    let (needles, seen) = life(&scene, &keyring).await?;
    processes(table, &seen, &needles)?;
    files(table, &scene, &needles, begun)?;
    core(table, &scene)
}

fn root_alone() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (name, why) = ("other processes' memory", "only root can read it");
    let (name, why) = (name.to_owned(), why.to_owned());
    Err(Missing { name, why }.into())
}

/// A sign-in, some commands and some refreshes, watched. Each thing is slow once, so that whoever
/// waits for it can be looked at with what there is at that moment.
async fn life(scene: &Scene, keyring: &Keyring) -> Result<(Vec<Needle>, Seen)> {
    let playground = &scene.playground;
    let slow = |at| {
        Fault::Slow {
            milliseconds: 1_500,
        }
        .at(at)
        .times(1)
    };
    let secret = playground
        .addresses()
        .client_secret
        .clone()
        .unwrap_or_default();
    let watching = Watching::start(scene.person.root());
    watching.look_for([Needle::new(Secret::OfClient, secret)]);

    // The resident has the provider's reply, and the browser, kubectl and the shim wait for more.
    playground.fault(slow(Endpoint::Jwks)).await?;
    let first = scene.person.start(ONE_REQUEST)?;
    playground
        .event(|what| matches!(what, What::TokensIssued { .. }))
        .await;
    watching.look_for(refresh_tokens(playground));
    let first = said(first.wait_with_output()?)?;
    ensure!(first.ok, "{first:?}\n{}", scene.person.log());

    let key = keyring.search()?;
    let key = key.lines().find_map(|line| line.strip_prefix("secret = "));
    let key = key.context("no key in the keyring")?;
    watching.look_for([Needle::new(Secret::VaultKey, key)]);
    watching.look_for([Needle::new(Secret::VaultKey, bytes(key)?)]);
    watching.look_for([id_token(scene)?]);

    // kubectl has the token, and waits for the cluster.
    playground.fault(slow(Endpoint::Kubernetes)).await?;
    scene.works("slowly")?;
    // The resident renews by itself, and in the middle of it kubectl goes on.
    playground.fault(slow(Endpoint::Refresh)).await?;
    let refreshes = playground.counters().refreshes;
    let renewed = wait::up_to(Duration::from_secs(300)).until_async("two refreshes", async || {
        watching.look_for(refresh_tokens(playground));
        scene.works("while tokens rotate")?;
        Ok(playground.counters().refreshes >= refreshes + 2)
    });
    renewed.await?;
    watching.look_for([id_token(scene)?]);
    watching.look_for(refresh_tokens(playground));
    // With everything known, once more.
    playground.fault(slow(Endpoint::Kubernetes)).await?;
    scene.works("at last")?;
    let status = scene.person.fob(&["status"])?;
    ensure!(status["keep"] == "sealed", "{status:#}");
    Ok(watching.end())
}

fn processes(table: &Table, seen: &Seen, needles: &[Needle]) -> Result<()> {
    for (secret, program) in &seen.memory {
        ensure!(
            secret.is_allowed_in(program),
            "{secret:?} in the memory of {program}"
        );
    }
    // The search finds what is there.
    for secret in [
        Secret::RefreshToken,
        Secret::VaultKey,
        Secret::IdToken,
        Secret::OfClient,
    ] {
        let there = (secret, RESIDENT.to_owned());
        ensure!(
            seen.memory.contains(&there),
            "no {secret:?} even in the resident: {:?}",
            seen.memory
        );
    }
    for (secret, program) in [(Secret::IdToken, KUBECTL), (Secret::OfClient, SHIMS[0])] {
        let there = (secret, program.to_owned());
        ensure!(
            seen.memory.contains(&there),
            "no {secret:?} even in {program}: {:?}",
            seen.memory
        );
    }
    for program in [RESIDENT, KUBECTL, SHIMS[0], "scripted-browser"] {
        ensure!(
            seen.looked.contains_key(program),
            "{program} was never looked at: {:?}",
            seen.looked
        );
    }
    let mut secrets_in_arguments = 0;
    for process in &seen.lines {
        for needle in needles {
            ensure!(
                !needle.is_in(&process.environment),
                "{:?} in the environment of {}",
                needle.secret,
                process.program
            );
            if needle.is_in(&process.arguments) {
                let flags = needle.secret == Secret::OfClient
                    && (process.program == KUBECTL || process.program == SHIMS[0]);
                ensure!(
                    flags,
                    "{:?} in the arguments of {}",
                    needle.secret,
                    process.program
                );
                secrets_in_arguments += 1;
            }
        }
    }
    ensure!(
        secrets_in_arguments > 0,
        "not even kubelogin's own flags were seen"
    );
    let looks: usize = seen.looked.values().sum();
    let outcome = |text: &str| {
        format!(
            "{text} ({looks} looks at {:?})",
            seen.looked.keys().collect::<Vec<_>>()
        )
    };
    table.row(
        NO_ROW,
        "refresh tokens and vault key, in the memory of every process",
        outcome("in the resident's alone"),
    );
    table.row(
        NO_ROW,
        "ID tokens, in the same",
        "in the resident, the shim and the kubectl that asked",
    );
    table.row(
        NO_ROW,
        "all of them and the client secret, in every argument list and environment",
        "the client secret in kubelogin's own flags; nothing else",
    );
    Ok(())
}

/// Everything below the person's folder, and what appeared in the system's own for such things.
fn files(table: &Table, scene: &Scene, needles: &[Needle], begun: SystemTime) -> Result<()> {
    let mut searched = Searched::default();
    searched.folder(scene.person.root(), needles)?;
    for entry in fs::read_dir("/tmp")?.flatten() {
        let metadata = entry.metadata()?;
        let new = metadata.modified().is_ok_and(|changed| changed >= begun);
        if metadata.is_file() && new && metadata.len() < (1 << 26) {
            // It may be gone by now.
            drop(searched.file(&entry.path(), needles));
        }
    }
    let kubeconfig = scene.person.home.join(".kube/config");
    let (own, others): (Vec<_>, Vec<_>) = searched
        .found
        .into_iter()
        .partition(|(secret, path)| *secret == Secret::OfClient && *path == kubeconfig);
    ensure!(
        own.len() == 1,
        "not even the kubeconfig's own secret was found"
    );
    ensure!(others.is_empty(), "in the clear: {others:?}");
    let vault = scene.person.instance.join("data/vault");
    ensure!(fs::read_dir(&vault)?.count() > 0, "nothing was kept");
    table.row(
        NO_ROW,
        format!(
            "all of them, in {} files of the scene, the log among them",
            searched.files
        ),
        "the client secret in the person's own kubeconfig; nothing else",
    );
    Ok(())
}

#[derive(Default)]
struct Searched {
    files: usize,
    found: Vec<(Secret, std::path::PathBuf)>,
}

impl Searched {
    fn folder(&mut self, folder: &Path, needles: &[Needle]) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.folder(&entry.path(), needles)?;
            } else if kind.is_file() {
                self.file(&entry.path(), needles)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, needles: &[Needle]) -> Result<()> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        self.files += 1;
        for needle in needles.iter().filter(|needle| needle.is_in(&bytes)) {
            self.found.push((needle.secret, path.to_owned()));
        }
        Ok(())
    }
}

/// SIGABRT with cores allowed: an ordinary process leaves one, and the resident none.
fn core(table: &Table, scene: &Scene) -> Result<()> {
    let all = || Rlimit {
        current: None,
        maximum: None,
    };
    let dumped = |pid: Pid| -> Result<bool> {
        prlimit(Some(pid), Resource::Core, all())?;
        kill_process(pid, Signal::ABORT)?;
        let (_, status) = waitpid(Some(pid), WaitOptions::empty())?.context("not ours")?;
        // WCOREDUMP
        Ok(status.as_raw() & 0x80 != 0)
    };
    let resident = scene.person.resident().context("no resident")?;
    let resident = Pid::from_raw(resident.cast_signed()).context("no number")?;
    ensure!(!dumped(resident)?, "the resident left a core");
    let ordinary = Command::new("sleep")
        .arg("600")
        .current_dir(&scene.folder)
        .stdin(Stdio::null())
        .spawn()?;
    let attack = "SIGABRT to the resident, with cores allowed";
    if dumped(Pid::from_child(&ordinary))? {
        table.row(
            NO_ROW,
            attack,
            "no core, where an ordinary process leaves one",
        );
    } else {
        table.row(
            NO_ROW,
            attack,
            "no core (nor does any other process here leave one)",
        );
    }
    Ok(())
}

fn refresh_tokens(playground: &Playground) -> Vec<Needle> {
    let all = playground.refresh_tokens().into_iter();
    all.map(|token| Needle::new(Secret::RefreshToken, token))
        .collect()
}

/// The newest one's signature: what is the same in all of them is no secret.
fn id_token(scene: &Scene) -> Result<Needle> {
    let said = scene.person.kubectl(&["fob", "token"])?;
    ensure!(said.ok, "{said:?}");
    let (_, signature) = said.out.trim().rsplit_once('.').context("no token")?;
    Ok(Needle::new(Secret::IdToken, signature))
}

fn bytes(digits: &str) -> Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}
