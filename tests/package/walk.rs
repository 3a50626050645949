//! Installed, started by a double-click, signed in, used, upgraded while in use, removed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use playground::{Config, Playground};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::colleague::Colleague;
use crate::packages::{Installed, NEXT, made, next, output};

/// How many ask at the same time while it is upgraded.
const CALLERS: usize = 4;
const NAMESPACES: &[&str] = &["get", "ns", "-o=name"];

pub(crate) fn walk() -> Result<()> {
    let package = made("deb")?;
    let folder = tempfile::tempdir()?;
    let newer = next(&package, folder.path())?;
    let installed = Installed::new(&package)?;
    let files = installed.list()?;
    let changed = output(Command::new("dpkg").args(["--verify", "kubefob"]))?;
    ensure!(changed.is_empty(), "{changed}");
    nothing_is_switched_on(&files)?;
    println!("installed: {} files and folders", files.len());

    let runtime = Runtime::new()?;
    let config: Config = serde_json::from_value(json!({ "token_seconds": 10 }))?;
    let playground = runtime.block_on(Playground::start(config))?;
    let colleague = Colleague::new(&playground)?;
    ensure!(colleague.running("kubefob").is_empty(), "started by nobody");

    // A double-click, and another one.
    for _ in 0..2 {
        let mut launch = colleague.command("gio");
        let entry = "/usr/share/applications/kubefob.desktop";
        let launched = launch
            .args(["launch", entry])
            .stdout(Stdio::null())
            .status()?;
        ensure!(launched.success(), "gio: {launched}");
        colleague.until("the window", |colleague| {
            colleague.running("kubefob").len() == 1
                && colleague.running("kubefob-window").len() == 1
                && colleague.sees_page()
        })?;
    }
    colleague.reads()?;
    colleague.picture("package-started")?;
    let resident = colleague.running("kubefob");
    println!("started by its desktop entry, twice: resident {resident:?}, one window");

    let said = colleague.kubectl(NAMESPACES)?;
    ensure!(said.ok, "{said:?}\n{}", colleague.log());
    ensure!(playground.counters().sign_ins == 1);
    ensure!(
        colleague.keyring.search()?.contains("kubefob"),
        "no key in the keyring"
    );
    println!(
        "signed in by the first kubectl: {}",
        said.out.trim().replace('\n', ", ")
    );

    // kubectl finds on PATH whom to ask what may follow.
    let context = colleague.kubectl(&["config", "current-context"])?.out;
    for (typed, expected) in [
        (&["log"][..], "login\tSign in"),
        (&["use", ""], context.trim()),
    ] {
        let told = colleague.kubectl(&[&["__complete", "fob"], typed].concat())?;
        ensure!(
            told.ok && told.out.contains(expected),
            "{typed:?}: {told:?}"
        );
    }

    let answered = while_in_use(&colleague, || {
        installed.become_package(&newer)?;
        colleague.until("the next version", |colleague| {
            colleague
                .fob("version")
                .is_ok_and(|said| said["kubefob"] == NEXT)
        })
    })?;
    ensure!(colleague.running("kubefob") == resident, "another process");
    ensure!(playground.counters().sign_ins == 1, "the session is lost");
    println!(
        "upgraded to {NEXT} by apt: {answered} kubectl calls meanwhile, 0 failed, the same process"
    );

    installed.remove()?;
    colleague.until("the end of all that runs", |colleague| {
        ["kubefob", "kubefob-window"]
            .iter()
            .all(|program| colleague.running(program).is_empty())
    })?;
    for file in files
        .iter()
        .filter(|file| file.to_string_lossy().contains("kube"))
    {
        ensure!(
            fs::symlink_metadata(file).is_err(),
            "{} stays",
            file.display()
        );
    }
    println!("removed: nothing of it runs, and none of its files is left");

    // What is the person's stays: whoever installs it again is signed in.
    let installed = Installed::new(&package)?;
    let said = colleague.kubectl(NAMESPACES)?;
    ensure!(said.ok, "{said:?}\n{}", colleague.log());
    ensure!(playground.counters().sign_ins == 1, "the session is lost");
    installed.remove()?;
    println!("installed again: kubectl works, and nobody had to sign in");
    Ok(())
}

/// Neither a unit nor an autostart entry that whoever installs it has to find and switch off.
fn nothing_is_switched_on(files: &[std::path::PathBuf]) -> Result<()> {
    let on = |path: &&std::path::PathBuf| {
        let path = path.to_string_lossy();
        path.contains(".wants/") || path.contains("/autostart/") || path.starts_with("/etc/")
    };
    let on: Vec<_> = files
        .iter()
        .filter(on)
        .filter(|path| !path.is_dir())
        .collect();
    ensure!(on.is_empty(), "{on:?}");
    let wanted = Path::new("/etc/systemd/user/sockets.target.wants/kubefob.socket");
    ensure!(!wanted.exists(), "{} is enabled", wanted.display());
    Ok(())
}

/// Does something while kubectl is called by several, over and over. How many calls there were; none may fail.
fn while_in_use(colleague: &Colleague, what: impl FnOnce() -> Result<()>) -> Result<u64> {
    let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let failed = std::thread::scope(|scope| -> Result<Vec<String>> {
        let call = || {
            while !over.load(Ordering::Relaxed) {
                match colleague.kubectl(NAMESPACES) {
                    Ok(said) if said.ok => drop(answered.fetch_add(1, Ordering::Relaxed)),
                    Ok(said) => return Some(format!("{said:?}")),
                    Err(error) => return Some(format!("{error:#}")),
                }
            }
            None
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        let done = what();
        over.store(true, Ordering::Relaxed);
        let failed = callers.into_iter().filter_map(|caller| caller.join().ok());
        let failed = failed.flatten().collect();
        done.context("while in use")?;
        Ok(failed)
    })?;
    ensure!(failed.is_empty(), "{failed:?}\n{}", colleague.log());
    let answered = answered.into_inner();
    ensure!(answered > 0, "nobody called");
    Ok(answered)
}
