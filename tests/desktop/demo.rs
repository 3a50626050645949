//! The walk-through tells what it should, fails where something comes out otherwise, and leaves
//! nothing behind, however it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use world::parts::{self, Parts};

/// What programs say in it, in this order, and what it finds itself.
const TOLD: [&str; 18] = [
    "KUBECONFIG=",
    "--oidc-issuer-url=http://localhost:",
    "· signed out",
    r#"[window] click "Sign in""#,
    "Signed in as test",
    "tray: test · signed in",
    "[kubernetes:admin system:authenticated]",
    r#"User "test" cannot list resource "nodes""#,
    r#"[tray] click "production""#,
    "+ current-context: production",
    "the browser stayed shut",
    "notification: ",
    "[session-ended]",
    "100 of 100 worked",
    "provider saw 1 request for a token",
    "[trust-refused]",
    "The provider's own session is over too",
    "[signed-out]",
];

/// Where it leaves its pictures, in a test's own folder.
const PICTURES_OF_IT: &str = "pictures";

/// The pictures.
const PICTURES: [&str; 8] = [
    "01-first-screen.png",
    "02-signed-in.png",
    "03-switched.png",
    "04-needs-you.png",
    "05-signed-in-again.png",
    "06-kubefob-is-gone.png",
    "07-question.png",
    "08-signed-out.png",
];

/// Without a terminal and a display, from its first step to its last.
pub(crate) fn told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let output = demo(folder.path())?.output()?;
    let text = String::from_utf8(output.stdout)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{}\n{errors}\n{text}",
        output.status
    );
    let mut rest = text.as_str();
    for words in TOLD {
        rest = rest
            .split_once(words)
            .with_context(|| format!("`{words}` is not told, or not there:\n{text}"))?
            .1;
    }
    for picture in PICTURES {
        let file = folder.path().join(PICTURES_OF_IT).join(picture);
        ensure!(fs::metadata(&file)?.len() > 0, "{}", file.display());
    }
    left_nothing(&text)
}

/// Kubefob's place is taken by a program that only fails: so does the walk-through.
pub(crate) fn fails() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut demo = demo(folder.path())?;
    for name in ["kubefob", "kubectl-fob", "kubefob-window"] {
        symlink(parts::program(name)?, folder.path().join(name))?;
    }
    symlink("/bin/false", folder.path().join("kubectl-oidc_login"))?;
    let output = demo.env("KUBEFOB_PROGRAMS", folder.path()).output()?;
    let text = String::from_utf8(output.stdout)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && errors.contains("the first command does not work"),
        "{}: {errors}\n{text}",
        output.status
    );
    left_nothing(&text)
}

/// Ctrl-C while Kubefob runs.
pub(crate) fn interrupted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut child = demo(folder.path())?.spawn()?;
    let mut out = BufReader::new(child.stdout.take().context("no pipe")?);
    let mut text = String::new();
    while !text.contains("Signed in as test") {
        ensure!(out.read_line(&mut text)? > 0, "it ended too early:\n{text}");
    }
    kill_process(Pid::from_child(&child), Signal::INT)?;
    let ended = child.wait()?;
    ensure!(ended.code() == Some(130), "{ended}");
    out.read_to_string(&mut text)?;
    left_nothing(&text)
}

fn demo(folder: &Path) -> Result<Command> {
    Parts::from_environment()?.path("kubectl")?;
    parts::window("kubefob-window")?;
    for program in ["Xvfb", "gnome-keyring-daemon", "xfce4-panel", "dunst"] {
        parts::system(program)?;
    }
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env("KUBEFOB_PICTURES", folder.join(PICTURES_OF_IT))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(demo)
}

/// The folder that it told is gone, and no process has it in its command line.
fn left_nothing(text: &str) -> Result<()> {
    let folder = text
        .split_once("their files are in ")
        .and_then(|(_, rest)| rest.split_once(','))
        .map(|(folder, _)| PathBuf::from(folder))
        .with_context(|| format!("no folder is told:\n{text}"))?;
    ensure!(!folder.exists(), "{} is left", folder.display());
    let left: Vec<String> = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|process| command_line(&process.path()))
        .filter(|line| line.contains(folder.to_string_lossy().as_ref()))
        .collect();
    ensure!(left.is_empty(), "left running: {left:#?}");
    Ok(())
}

/// None of what is no process, or is over.
fn command_line(process: &Path) -> Option<String> {
    let line = fs::read(process.join("cmdline")).ok()?;
    Some(String::from_utf8_lossy(&line).replace('\0', " "))
}
