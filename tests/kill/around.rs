//! What changes around a resident while it runs: its settings, its screen, its keyring, its socket; and who speaks
//! to it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use world::keyring::Keyring;
use world::parts;
use world::person::Person;
use world::running::Running;
use world::versions::renamed;
use world::wait;

use crate::upgrade::{replace, version};

/// Only serves to fail.
const LATEST: Duration = Duration::from_secs(120);

/// Asks for the view until it is so.
fn shown(person: &Person, what: &str, so: impl Fn(&Value) -> bool) -> Result<Value> {
    wait::up_to(LATEST)
        .every(Duration::ZERO)
        .until(what, || {
            let view = person.fob(&["status"])?;
            Ok(wait::is(so(&view), view))
        })
        .with_context(|| person.log())
}

fn has_notice(view: &Value, code: &str) -> bool {
    view["notices"]
        .as_array()
        .is_some_and(|notices| notices.iter().any(|notice| notice["code"] == code))
}

/// Settings count as soon as they are written; a file that can't be used changes nothing and is told. A screen
/// that goes is let go.
pub(crate) async fn settings() -> Result<()> {
    let (_playground, person, screen) = crate::signed_in(json!({})).await?;
    let pid = person.resident().context("no resident")?;
    let file = person.instance.join("config/settings.json");
    let renews = |view: &Value| view["accounts"][0]["renews"] == true;
    let no_notice = |view: &Value| view["notices"] == json!([]);
    shown(&person, "a session that renews", |view| {
        renews(view) && no_notice(view)
    })?;

    person.setting("language", json!("ko"))?;
    person.setting("keep_fresh", json!("while-in-use"))?;
    let in_korean = |person: &Person| -> Result<()> {
        let at_once = wait::up_to(LATEST).every(Duration::ZERO);
        at_once.until("a status in Korean", || {
            let said = person.kubectl(&["fob", "status"])?;
            Ok(wait::is(said.out.contains("토큰"), format!("{said:?}")))
        })?;
        Ok(())
    };
    in_korean(&person)?;
    shown(
        &person,
        "a session that renews while a screen is there",
        renews,
    )?;

    // Cut in half, and of a newer version: what held before holds.
    let whole = fs::read(&file)?;
    for unusable in [&whole[..whole.len() / 2], br#"{"version": 2}"#.as_slice()] {
        fs::write(&file, unusable)?;
        shown(&person, "bad-settings", |view| {
            has_notice(view, "bad-settings")
        })?;
        in_korean(&person)?;
        ensure!(fs::read(&file)? == unusable, "it was written over");
        fs::write(&file, &whole)?;
        shown(&person, "no notice", no_notice)?;
    }

    // The screen goes, and with it "in use".
    screen.end()?;
    shown(&person, "a session that nobody uses", |view| !renews(view))?;
    person.setting("keep_fresh", json!("always"))?;
    shown(&person, "a session that always renews", renews)?;
    ensure!(person.residents() == [pid], "another resident");
    println!(
        "language, keep_fresh and a lost screen counted without a restart; half a file and a newer one were told and changed nothing"
    );
    Ok(())
}

/// The session bus and the keyring come after the resident: tokens come to rest without a restart, and without
/// anybody asking.
pub(crate) async fn keyring_later() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bus = format!("unix:path={}", folder.path().join("keyring/bus").display());
    let (playground, mut person, _screen) = crate::signed_in(json!({})).await?;
    person.end_resident("TERM")?;
    // Anew: with a keyring that is not there yet, and without what was kept beside it.
    fs::remove_dir_all(person.instance.join("data/vault"))?;
    person.setting("keep", json!("keyring"))?;
    person.variable("DBUS_SESSION_BUS_ADDRESS", &bus);
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    let sign_ins = playground.counters().sign_ins;
    let pid = person.resident().context("no resident")?;
    let kept = |keep: &'static str| move |view: &Value| view["keep"] == keep;
    shown(&person, "no keyring", kept("memory-no-keyring"))?;

    let keyring = match Keyring::start(folder.path()) {
        Ok(keyring) => keyring,
        Err(error) => return Err(error),
    };
    let sealed = person.instance.join("data/vault");
    let begun = Instant::now();
    let is_sealed = || {
        fs::read_dir(&sealed).is_ok_and(|mut files| {
            files.any(|file| {
                file.is_ok_and(|file| file.file_name().to_string_lossy().ends_with(".sealed"))
            })
        })
    };
    wait::up_to(LATEST)
        .until("a sealed file", || Ok(is_sealed()))
        .with_context(|| person.log())?;
    let took = begun.elapsed();
    shown(&person, "sealed", kept("sealed"))?;
    ensure!(
        keyring.search()?.contains("kubefob"),
        "no key in the keyring"
    );
    ensure!(person.residents() == [pid], "another resident");
    person.end_resident("KILL")?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    ensure!(
        playground.counters().sign_ins == sign_ins,
        "the session is lost"
    );
    println!(
        "bus and gnome-keyring came later than the resident: sealed {:.1} s after, unasked; a kill then lost nothing",
        took.as_secs_f64()
    );
    Ok(())
}

/// The socket is removed, and bound again; a peer of another age gets a clear answer.
pub(crate) async fn sockets() -> Result<()> {
    let (_playground, person, _screen) = crate::signed_in(json!({})).await?;
    let pid = person.resident().context("no resident")?;
    let socket = person.instance.join("socket");
    fs::remove_file(&socket)?;
    wait::up_to(LATEST)
        .every(Duration::from_millis(5))
        .until("a socket that is bound again", || {
            Ok(UnixStream::connect(&socket))
        })?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}");
    ensure!(person.residents() == [pid], "another resident");

    // What stands before the first frame: the oldest and the newest version that its writer speaks.
    for versions in [[2, 3], [0, 0]] {
        let mut stream = UnixStream::connect(&socket)?;
        stream.set_read_timeout(Some(LATEST))?;
        // In one piece: it may be answered, and the door shut, before a second one.
        stream.write_all(&[b"KFOB", &versions[..], &[1, 0, 0, 0, 0]].concat())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer);
        ensure!(answer.starts_with(b"KFOB\x01\x01"), "{text}");
        ensure!(
            text.contains("another version of Kubefob's protocol"),
            "{versions:?}: {text}"
        );
    }
    println!(
        "a socket that was removed is bound again by the same resident; clients of another age are told so"
    );
    Ok(())
}

/// systemd listens in the resident's place and starts it at the first question. Its socket stays its own, through an
/// upgrade too.
pub(crate) async fn activated() -> Result<()> {
    const ACTIVATE: &str = "systemd-socket-activate";
    parts::system(ACTIVATE)?;
    let (playground, person, _screen) = crate::signed_in(json!({})).await?;
    person.end_resident("TERM")?;
    let socket = person.instance.join("socket");
    let program = person.path().join("kubefob");
    let as_person = person.command("kubefob");
    let environment = as_person
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut systemd = std::process::Command::new(ACTIVATE);
    systemd.arg(format!("--listen={}", socket.display()));
    for (name, value) in environment {
        systemd.arg(format!("--setenv={}={}", name.display(), value.display()));
    }
    systemd.arg(&program).arg("--background");
    let systemd = Running::start(ACTIVATE, &mut systemd, &person.home)?;
    wait::up_to(LATEST)
        .every(Duration::from_millis(5))
        .until("systemd's socket", || Ok(socket.exists()))?;
    ensure!(person.resident().is_none(), "it was started unasked");
    let bound = fs::metadata(&socket)?.ino();

    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    // It becomes what it starts.
    ensure!(person.residents() == [systemd.pid()], "another one answers");
    let begun = version(&person)?;
    let copy = renamed(&fs::read(&program)?, &begun, "9.9.9")?;
    replace(&person, &program, &copy, "9.9.9")?;
    ensure!(person.residents() == [systemd.pid()], "another process");
    ensure!(
        fs::metadata(&socket)?.ino() == bound,
        "the socket is another"
    );

    person.end_resident("TERM")?;
    ensure!(
        fs::metadata(&socket)?.ino() == bound,
        "systemd's socket was removed"
    );
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    ensure!(playground.counters().sign_ins == 1);
    println!(
        "started by its socket, become 9.9.9 and ended: the socket is the one that {ACTIVATE} bound"
    );
    Ok(())
}
