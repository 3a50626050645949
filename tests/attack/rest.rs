//! Threat 19: what a stolen disk or an old backup is good for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::Counters;
use serde_json::{Value, json};
use world::wait;

use crate::scene::{Scene, Seat};
use crate::table::Table;

/// Two accounts that are signed in, and at rest: the resident has ended.
async fn at_rest() -> Result<(Scene, BTreeMap<String, PathBuf>)> {
    let scene = Scene::signed_in(Seat {
        config: json!({ "rotation": "strict" }),
        keep: "plain",
        consent: "always",
        ..Seat::default()
    })
    .await?;
    let other = scene.exec("kubectl", &["--oidc-extra-scope=groups"]);
    let other = scene.kubeconfig(&[("own", scene.own_server())], other);
    let said = scene.run(&scene.hostile("other", &other)?)?;
    ensure!(said.ok, "{said:?}");
    let status = scene.person.fob(&["status"])?;
    ensure!(states(&status) == ["signed-in", "signed-in"], "{status:#}");
    scene.person.end_resident("TERM")?;
    let vault = vault(&scene);
    let sealed: BTreeMap<String, PathBuf> = fs::read_dir(&vault)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "sealed")
        })
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    ensure!(sealed.len() >= 2, "{sealed:?}");
    Ok((scene, sealed))
}

fn vault(scene: &Scene) -> PathBuf {
    scene.person.instance.join("data/vault")
}

fn states(status: &Value) -> Vec<&str> {
    let accounts = status["accounts"].as_array().map(Vec::as_slice);
    let states = accounts.unwrap_or_default().iter();
    states
        .filter_map(|account| account["state"].as_str())
        .collect()
}

/// The files of two accounts, each in the other's place.
pub(crate) async fn swapped(table: &Table) -> Result<()> {
    let (scene, sealed) = at_rest().await?;
    let files: Vec<_> = sealed.values().collect();
    let [one, two, ..] = files.as_slice() else {
        anyhow::bail!("{files:?}")
    };
    let aside = vault(&scene).join("aside");
    fs::rename(one, &aside)?;
    fs::rename(two, one)?;
    fs::rename(&aside, two)?;
    nothing_comes_back(&scene, "swapped")?;
    table.row(
        19,
        "two sealed files, each in the other's place",
        "set aside; nobody is signed in by them",
    );
    Ok(())
}

/// One bit of a file, in its head, in its middle, in its last byte.
pub(crate) async fn flipped(table: &Table) -> Result<()> {
    for place in ["first", "middle", "last"] {
        let (scene, sealed) = at_rest().await?;
        for path in sealed.values() {
            let mut bytes = fs::read(path)?;
            let index = match place {
                "first" => 0,
                "middle" => bytes.len() / 2,
                _ => bytes.len() - 1,
            };
            *bytes.get_mut(index).context("an empty file")? ^= 1;
            fs::write(path, bytes)?;
        }
        nothing_comes_back(&scene, place)?;
        table.row(
            19,
            format!("one bit flipped in the {place} byte of each sealed file"),
            "set aside; nobody is signed in by them",
        );
    }
    Ok(())
}

/// The sealed files without the key that was somewhere else.
pub(crate) async fn without_the_key(table: &Table) -> Result<()> {
    let (scene, _) = at_rest().await?;
    let key = fs::read_dir(vault(&scene))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.extension()
                .is_none_or(|extension| extension != "sealed")
                && path.is_file()
        });
    fs::remove_file(key.context("no key in a file")?)?;
    nothing_comes_back(&scene, "without the key")?;
    table.row(
        19,
        "a copy of the disk without the key",
        "nobody is signed in by it",
    );
    Ok(())
}

/// What the resident makes of it, seen from outside: no session, and no token presented.
fn nothing_comes_back(scene: &Scene, what: &str) -> Result<()> {
    let before = presented(&scene.playground.counters());
    let status = scene.person.fob(&["status"])?;
    ensure!(
        !status.to_string().contains("\"signed-in\"") && states(&status).len() == 2,
        "{what}: {status:#}\n{}",
        scene.person.log()
    );
    let said = scene.person.kubectl(&["fob", "token"])?;
    ensure!(!said.ok && said.out.is_empty(), "{what}: {said:?}");
    ensure!(
        presented(&scene.playground.counters()) == before,
        "{what}: a token was presented"
    );
    // And the person gets on.
    scene.works(what)
}

fn presented(counters: &Counters) -> u32 {
    counters.presented.values().sum()
}

/// An older copy in the newer one's place: a token that was exchanged already.
pub(crate) async fn rolled_back(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        config: json!({ "rotation": "strict", "token_seconds": 3 }),
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    renewed(&scene, 1).await?;
    scene.person.end_resident("TERM")?;
    let old = copied(&vault(&scene))?;
    scene.works("after the copy")?;
    renewed(&scene, 2).await?;
    scene.person.end_resident("TERM")?;
    for (path, bytes) in old {
        fs::write(path, bytes)?;
    }
    // Whoever sits at the browser does nothing, so that what is said stays to be read.
    scene.noting_browser()?;
    let status = wait::up_to(Duration::from_secs(60))
        .every(Duration::from_millis(50))
        .until_async("a session that needs its person", async || {
            let status = scene.person.fob(&["status"])?;
            Ok(wait::is(states(&status) == ["needs-you"], status))
        });
    let status = status.await.with_context(|| scene.person.log())?;
    let code = status["accounts"][0]["problem"]["code"]
        .as_str()
        .unwrap_or_default();
    ensure!(code.starts_with("session-ended"), "{status:#}");
    table.row(
        19,
        "an older copy in the newer one's place",
        format!("the provider ends the session, and status says so: {code}"),
    );
    Ok(())
}

fn copied(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let files = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.is_file());
    files
        .map(|path| Ok((path.clone(), fs::read(&path)?)))
        .collect()
}

/// Goes on until tokens were renewed so many times more.
async fn renewed(scene: &Scene, times: u64) -> Result<()> {
    let before = scene.playground.counters().refreshes;
    wait::up_to(Duration::from_secs(300))
        .until_async(&format!("{times} refreshes more"), async || {
            let refreshes = scene.playground.counters().refreshes;
            if refreshes < before + times {
                scene.works("until renewed")?;
            }
            Ok(wait::is(refreshes >= before + times, refreshes))
        })
        .await?;
    Ok(())
}
