//! How a resident lives on and how it ends: the shell that started it closes, and SIGTERM.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use playground::{Endpoint, Fault};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;
use world::parts;
use world::person::{Person, said};
use world::wait;

/// Only serves to fail.
const LATEST: Duration = Duration::from_secs(120);

/// A shell on a terminal of its own starts the resident by its first kubectl, and closes.
pub(crate) async fn shell() -> Result<()> {
    for program in ["setsid", "bash"] {
        parts::system(program)?;
    }
    let (playground, person, _screen) = crate::signed_in(json!({})).await?;
    person.end_resident("TERM")?;
    let (mut terminal, mut shell) = shell_of(&person)?;
    writeln!(terminal, "kubectl get ns -o=name; echo ended-$?")?;
    // kubectl has returned, though the resident that it started stays.
    let shown = read_until(&mut terminal, "ended-0")?;
    ensure!(shown.contains("namespace/default"), "{shown}");
    let pid = person.resident().context("no resident")?;
    drop(terminal);
    wait(&mut shell).context("the shell stays")?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    ensure!(person.residents() == [pid], "it ended with its shell");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<_> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let (session, terminal) = (fields.get(3), fields.get(4));
    ensure!(session == Some(&&*pid.to_string()), "session {session:?}");
    ensure!(terminal == Some(&"0"), "terminal {terminal:?}");
    ensure!(playground.counters().sign_ins == 1);
    println!(
        "its shell got SIGHUP and is gone; resident {pid} is in a session of its own and answers (a systemd scope is not tried: there is none here)"
    );
    Ok(())
}

/// SIGTERM with nobody there, in the middle of a refresh, and while somebody waits for a person.
pub(crate) async fn terminate() -> Result<()> {
    let config = json!({ "rotation": "strict", "token_seconds": 5 });
    let (playground, person, _screen) = crate::signed_in(config).await?;
    person.end_resident("KILL")?;
    let ended = |resident: &mut Child| -> Result<()> {
        let status = wait(resident)?;
        ensure!(status.code() == Some(0), "{status}\n{}", person.log());
        let socket = person.instance.join("socket");
        ensure!(!socket.exists(), "the socket stays");
        Ok(())
    };

    // Nobody there.
    let mut resident = start(&person)?;
    signal(&resident)?;
    ended(&mut resident)?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "the next call starts another: {said:?}");
    person.end_resident("TERM")?;

    // In the middle of a refresh, whose reply takes its time: it is answered, and the new refresh token rests.
    let mut resident = start(&person)?;
    let slow = Fault::Slow { milliseconds: 1000 };
    let fault = playground.fault(slow.at(Endpoint::Refresh)).await?;
    let seen = playground.counters().refreshes;
    crate::seen("a refresh", async || {
        Ok(playground.counters().refreshes != seen)
    })
    .await?;
    // Whether it gets what is left of the old token or has to wait for the new one, which is a second old when it
    // comes: it is answered.
    let mut asking = person.command("kubectl-fob");
    let mut asking = asking.arg("token").spawn()?;
    heard(&person, &mut asking)?;
    signal(&resident)?;
    ended(&mut resident)?;
    let said = said_by(asking)?;
    ensure!(
        said.ok,
        "a caller in the middle of a refresh: {said:?}\n{}",
        person.log()
    );
    playground.lift(fault).await?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    let counters = playground.counters();
    ensure!(
        counters.sign_ins == 1 && counters.ended_by_reuse == 0,
        "{counters:?}"
    );
    person.end_resident("TERM")?;

    // Somebody waits for a person who never comes.
    let mut resident = start(&person)?;
    person.fob(&["logout"])?;
    person.setting("browser", json!(["true"]))?;
    let (mut terminal, _shell) = shell_of(&person)?;
    writeln!(terminal, "kubectl fob login --no-browser; echo ended-$?")?;
    read_until(&mut terminal, "/start/")?;
    signal(&resident)?;
    ended(&mut resident)?;
    let shown = read_until(&mut terminal, "ended-1")?;
    let told = shown.lines().find(|line| line.contains("ending"));
    let told = told.with_context(|| format!("nobody is told of the end: {shown}"))?;
    println!("whoever waited for a person was told: {told}");
    println!(
        "SIGTERM: exit code 0 and no socket left, three times; a refresh under way was answered and sealed"
    );
    Ok(())
}

/// Its program is removed, as a package is: it ends by itself, and no session with it.
pub(crate) async fn removed() -> Result<()> {
    let (playground, person, _screen) = crate::signed_in(json!({})).await?;
    person.end_resident("TERM")?;
    let mut resident = start(&person)?;
    let program = person.path().join("kubefob");
    let aside = person.home.join("aside");
    std::fs::rename(&program, &aside)?;
    let begun = Instant::now();
    let status = wait(&mut resident)?;
    ensure!(status.code() == Some(0), "{status}\n{}", person.log());
    ensure!(!person.instance.join("socket").exists(), "the socket stays");
    println!(
        "its program was removed: it ended {:.0} s later",
        begun.elapsed().as_secs_f64()
    );
    std::fs::rename(&aside, &program)?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    ensure!(playground.counters().sign_ins == 1, "the session is lost");
    Ok(())
}

/// The resident as a child of ours, so that its exit code is seen; it listens when this returns.
fn start(person: &Person) -> Result<Child> {
    let mut command = person.command("kubefob");
    let resident = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    person.fob(&["version"])?;
    ensure!(person.residents() == [resident.id()], "another one answers");
    Ok(resident)
}

fn signal(resident: &Child) -> Result<()> {
    let kill = Command::new("kill")
        .args(["-TERM", &resident.id().to_string()])
        .status()?;
    ensure!(kill.success(), "kill said {kill}");
    Ok(())
}

fn wait(child: &mut Child) -> Result<ExitStatus> {
    let what = format!("the end of {}", child.id());
    wait::up_to(LATEST)
        .every(Duration::from_millis(5))
        .until(&what, || Ok(child.try_wait()?))
}

/// Waits until a caller is connected to the resident, or has its answer already.
fn heard(person: &Person, caller: &mut Child) -> Result<()> {
    let socket = person.instance.join("socket").display().to_string();
    let at_once = wait::up_to(LATEST).every(Duration::ZERO);
    at_once.until("a connection", || {
        // unix(5) of /proc/net: the sixth column is the state, 03 is connected.
        let sockets = std::fs::read_to_string("/proc/net/unix")?;
        let connected = sockets
            .lines()
            .any(|line| line.ends_with(&socket) && line.split_whitespace().nth(5) == Some("03"));
        Ok(connected || caller.try_wait()?.is_some())
    })
}

fn said_by(child: Child) -> Result<world::person::Said> {
    said(child.wait_with_output()?)
}

/// An interactive shell of the person's that leads a session on a new terminal, and that terminal.
fn shell_of(person: &Person) -> Result<(File, Child)> {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&terminal)?;
    unlockpt(&terminal)?;
    let path = ptsname(&terminal, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let inside: OwnedFd = rustix::fs::open(path, flags, Mode::empty())?;
    let as_person = person.command("kubectl");
    let environment: Vec<_> = as_person
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let mut shell = Command::new("setsid");
    shell
        .args(["--ctty", "--wait", "bash", "--norc", "--noprofile", "-i"])
        .env_clear()
        .envs(environment)
        .current_dir(&person.home)
        .stdin(inside.try_clone()?)
        .stdout(inside.try_clone()?)
        .stderr(inside);
    Ok((File::from(terminal), shell.spawn()?))
}

fn read_until(terminal: &mut File, wanted: &str) -> Result<String> {
    let mut shown = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = terminal.read(&mut buffer)?;
        shown.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&shown);
        if text.contains(wanted) {
            return Ok(text.into_owned());
        }
        ensure!(count > 0, "the terminal ended: {text}");
    }
}
