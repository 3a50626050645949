//! The binary is replaced by a newer and by an older one, and by a half of one, while kubectl calls go on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use world::person::Person;
use world::versions::renamed;
use world::wait;

/// How many ask at the same time, one question after the other.
const CALLERS: usize = 24;
/// Only serves to fail.
const LATEST: Duration = Duration::from_secs(240);

/// What the callers did.
#[derive(Default)]
struct Calls {
    over: AtomicBool,
    shim: AtomicU64,
    kubectl: AtomicU64,
}

/// Newer, older, cut off, newer again: no call fails, and the process stays the same.
pub(crate) async fn upgrade() -> Result<()> {
    // Tokens that run out every few seconds, and refresh tokens that work once: a program that is become in the
    // middle of a refresh would end the session.
    let config = json!({ "rotation": "strict", "token_seconds": 6 });
    let (playground, person, _screen) = crate::signed_in(config).await?;
    let program = person.path().join("kubefob");
    let built = fs::read(&program)?;
    let pid = person.resident().context("no resident")?;
    let begun = version(&person)?;
    let calls = Calls::default();
    let failed = std::thread::scope(|scope| -> Result<Vec<String>> {
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                scope.spawn({
                    let (calls, person) = (&calls, &person);
                    move || call(person, calls, number)
                })
            })
            .collect();
        let replaced = (|| -> Result<()> {
            for next in ["9.9.9", "0.0.1"] {
                let copy = renamed(&built, &begun, next)?;
                let seen = playground.counters().refreshes;
                let took = replace(&person, &program, &copy, next)?;
                println!(
                    "became {next} after {:.1} s, the same process {pid}; {} refreshes meanwhile",
                    took.as_secs_f64(),
                    playground.counters().refreshes - seen
                );
            }
            // Half of a program is never become, in whichever way it comes.
            let (half, _) = built.split_at(built.len() / 2);
            install(&program, half)?;
            notice(&person, Some("upgrade-failed"))?;
            ensure!(version(&person)? == "0.0.1", "half a program was become");
            let copy = renamed(&built, &begun, "9.9.9")?;
            replace(&person, &program, &copy, "9.9.9")?;
            notice(&person, None)?;
            println!(
                "half a program was refused and said so in `status`; the whole one was become"
            );
            Ok(())
        })();
        calls.over.store(true, Ordering::Relaxed);
        let failed = callers.into_iter().filter_map(|caller| caller.join().ok());
        let failed = failed.flatten().collect();
        replaced.with_context(|| person.log())?;
        Ok(failed)
    })?;
    ensure!(failed.is_empty(), "{failed:?}\n{}", person.log());
    ensure!(
        person.residents() == [pid],
        "the process is another: {:?}, not {pid}",
        person.residents()
    );
    let counters = playground.counters();
    ensure!(counters.sign_ins == 1, "a session was lost: {counters:?}");
    println!(
        "{CALLERS} callers: {} calls of the shim and {} of kubectl across 3 upgrades, 0 failed; {} refreshes, 1 sign-in",
        calls.shim.load(Ordering::Relaxed),
        calls.kubectl.load(Ordering::Relaxed),
        counters.refreshes
    );
    Ok(())
}

/// Tokens that are in memory alone are not given up for an upgrade: it waits, says so, and comes once they rest.
pub(crate) async fn upgrade_waits() -> Result<()> {
    let (playground, mut person, _screen) = crate::signed_in(json!({})).await?;
    person.end_resident("TERM")?;
    // Anew, with a keyring that is nowhere.
    fs::remove_dir_all(person.instance.join("data/vault"))?;
    person.setting("keep", json!("keyring"))?;
    person.variable("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    let sign_ins = playground.counters().sign_ins;
    let pid = person.resident().context("no resident")?;
    let program = person.path().join("kubefob");
    let begun = version(&person)?;
    install(&program, &renamed(&fs::read(&program)?, &begun, "9.9.9")?)?;
    notice(&person, Some("upgrade-waits"))?;
    ensure!(version(&person)? == begun, "tokens were given up");
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}");

    person.setting("keep", json!("plain"))?;
    becomes(&person, "9.9.9").with_context(|| person.log())?;
    notice(&person, None)?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    ensure!(person.residents() == [pid], "another process");
    ensure!(
        playground.counters().sign_ins == sign_ins,
        "the session is lost"
    );
    println!(
        "an upgrade waited while tokens were in memory alone, said so, and came once they rested"
    );
    Ok(())
}

/// Asks until it is over. What failed, as it was said.
fn call(person: &Person, calls: &Calls, number: usize) -> Option<String> {
    while !calls.over.load(Ordering::Relaxed) {
        let (count, said) = if number.is_multiple_of(4) {
            (&calls.kubectl, person.kubectl(&["get", "ns", "-o=name"]))
        } else {
            let shim = person.command("kubectl-fob").arg("token").output();
            let said = shim.map_err(Into::into).and_then(world::person::said);
            (&calls.shim, said)
        };
        match said {
            Ok(said) if said.ok && !said.out.is_empty() => {
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(said) => return Some(format!("{said:?}")),
            Err(error) => return Some(format!("{error:#}")),
        }
    }
    None
}

/// As a package manager does: beside it, then renamed over it.
fn install(program: &Path, content: &[u8]) -> Result<()> {
    let beside = program.with_extension("new");
    fs::write(&beside, content)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755))?;
    Ok(fs::rename(beside, program)?)
}

pub(crate) fn replace(
    person: &Person,
    program: &Path,
    content: &[u8],
    wanted: &str,
) -> Result<Duration> {
    let begun = Instant::now();
    install(program, content)?;
    becomes(person, wanted)?;
    Ok(begun.elapsed())
}

/// Waits until another version answers.
fn becomes(person: &Person, wanted: &str) -> Result<()> {
    let at_once = wait::up_to(LATEST).every(Duration::ZERO);
    at_once.until(&format!("version {wanted}"), || {
        let version = version(person)?;
        Ok(wait::is(version == wanted, version))
    })?;
    Ok(())
}

pub(crate) fn version(person: &Person) -> Result<String> {
    let said = person.fob(&["version"])?;
    let version = said["kubefob"].as_str();
    Ok(version.context("no version")?.to_owned())
}

/// Waits until `status` shows this one notice, or none.
fn notice(person: &Person, code: Option<&str>) -> Result<()> {
    let what = format!("notices of {code:?}");
    let at_once = wait::up_to(LATEST).every(Duration::ZERO);
    at_once.until(&what, || {
        let view: Value = person.fob(&["status"])?;
        let shown = view["notices"].as_array().context("no notices")?;
        let codes: Vec<_> = shown
            .iter()
            .filter_map(|one| one["code"].as_str())
            .collect();
        let so = codes == code.into_iter().collect::<Vec<_>>();
        Ok(wait::is(so, format!("{codes:?}")))
    })?;
    Ok(())
}
