//! `cargo xtask demo`: gets what the walk-through needs, and starts it. The walk-through itself is
//! a program of the package `tests` (`tests/demo`).

use std::env;
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::cargo::{self, Packages};
use crate::parts::Parts;
use crate::prerequisites::Tool;
use crate::programs;
use crate::run;
use crate::ui;

/// How the walk-through is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    no_wait: bool,
    scripted: bool,
}

impl Request {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut request = Self::default();
        for word in words {
            match *word {
                "--no-wait" => request.no_wait = true,
                "--scripted" => request.scripted = true,
                other => return Err(format!("no such flag of demo: `{other}`")),
            }
        }
        Ok(request)
    }
}

/// Becomes the walk-through; returns only where that is started beside.
pub(crate) fn run(request: Request) -> Result<ExitCode> {
    let person = io::stdin().is_terminal() && io::stdout().is_terminal();
    let ssh = below_sshd();
    let own_desktop = person && !request.scripted && !ssh && on_a_desktop();
    if let Some(problem) = Tool::Rust.problem() {
        bail!("missing on this machine:\n  {problem}");
    }
    eprintln!("demo: getting ready (the first time builds everything, which takes minutes)");
    let (parts, laid) = thread::scope(|scope| {
        let parts = scope.spawn(move || Parts::for_demo(!own_desktop));
        let laid = lay();
        let parts = parts.join().map_err(|_| anyhow!("getting the parts"));
        (parts, laid)
    });
    let parts = parts??;
    let missing = parts.missing().into_iter().chain(parts.skipped.clone());
    let missing: Vec<String> = missing
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    if !missing.is_empty() {
        bail!("missing on this machine:\n  {}", missing.join("\n  "));
    }
    let mut demo = Command::new(cargo::target().join("debug/demo"));
    demo.env("KUBEFOB_PROGRAMS", laid?)
        .env("KUBEFOB_PARTS", parts.write()?)
        .env("KUBEFOB_PICTURES", pictures());
    if own_desktop {
        demo.arg("--own-desktop");
    }
    if person && !request.no_wait {
        demo.arg("--wait");
    }
    if ssh {
        return beside(&demo);
    }
    // So that Ctrl-C and the exit code are its own.
    Err(demo.exec()).context("the demo can't be started")
}

/// The programs, the window among them.
fn lay() -> Result<PathBuf> {
    let missing: Vec<String> = ui::prepare_window()?
        .into_iter()
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    if !missing.is_empty() {
        bail!("missing on this machine:\n  {}", missing.join("\n  "));
    }
    programs::lay(Packages::All, &[], &["demo", "scripted-browser"])
}

/// Where it leaves its pictures.
fn pictures() -> PathBuf {
    let wanted = env::var_os("KUBEFOB_PICTURES").filter(|folder| !folder.is_empty());
    wanted.map_or_else(|| cargo::target().join("demo-pictures"), PathBuf::from)
}

/// Starts it where it has no sshd among its ancestors, and waits for it. Whoever comes by ssh is
/// asked on their terminal, and a terminal can't be asked by a script.
fn beside(demo: &Command) -> Result<ExitCode> {
    eprintln!("demo: you are here by ssh: it is shown as at a desktop, and a script signs in");
    // Its errors go where its output goes; what is left of the standard error says how it ended.
    // The shell is gone at once, and what it started belongs to nobody from then on.
    const SCRIPT: &str = r#"exec 3<&0; { "$0" "$@" 2>&1 <&3 3<&-; echo "$?" >&2; } &"#;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", SCRIPT])
        .arg(demo.get_program())
        .args(demo.get_args())
        .envs(
            demo.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stderr(Stdio::piped());
    let mut started = shell.spawn().context("sh can't be started")?;
    let mut ended = String::new();
    let mut pipe = started.stderr.take().context("no pipe")?;
    pipe.read_to_string(&mut ended)?;
    started.wait()?;
    let code: Option<u8> = ended
        .lines()
        .last()
        .and_then(|code| code.trim().parse().ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Whether there is a screen of this computer, as the resident looks for one, and a host for what it has in the tray.
fn on_a_desktop() -> bool {
    let set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    let screen =
        set("WAYLAND_DISPLAY") || env::var("DISPLAY").is_ok_and(|display| display.starts_with(':'));
    screen && has_tray()
}

fn has_tray() -> bool {
    let mut asked = Command::new("dbus-send");
    asked.args([
        "--session",
        "--print-reply=literal",
        "--dest=org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus.NameHasOwner",
        "string:org.kde.StatusNotifierWatcher",
    ]);
    let has = run::output(&mut asked).is_some_and(|said| said.contains("true"));
    if !has {
        eprintln!("demo: this desktop has no StatusNotifier host: it is shown on a virtual one");
    }
    has
}

fn below_sshd() -> bool {
    let mut process = std::process::id();
    while process > 1 {
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
            return false;
        };
        // PID (NAME) STATE PARENT …, and the name may hold anything.
        let Some((before, after)) = stat.rsplit_once(") ") else {
            return false;
        };
        if before
            .split_once('(')
            .is_some_and(|(_, name)| name.starts_with("sshd"))
        {
            return true;
        }
        let parent = after
            .split(' ')
            .nth(1)
            .and_then(|parent| parent.parse().ok());
        process = parent.unwrap_or(0);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn its_flags() {
        assert_eq!(Request::parse(&[]), Ok(Request::default()));
        let asked = Request::parse(&["--no-wait", "--scripted"]);
        assert_eq!(
            asked,
            Ok(Request {
                no_wait: true,
                scripted: true
            })
        );
        assert!(Request::parse(&["--fast"]).is_err());
    }
}
