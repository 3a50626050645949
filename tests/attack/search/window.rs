//! No token is in the memory of the window's processes, nor in a frame to one.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use world::desk::Desk;
use world::keyring::Keyring;
use world::parts;
use world::person::said;
use world::wait;

use super::processes::{Seen, look_once};
use super::{Needle, Secret, bytes, id_token, refresh_tokens, root_alone};
use crate::scene::{Scene, Seat};
use crate::table::{NO_ROW, Table};

/// The processes of a window that is open.
const WINDOW: [&str; 3] = ["kubefob-window", "WebKitWebProcess", "WebKitNetworkProcess"];

/// A window is open while somebody signs in and tokens are renewed.
pub(crate) async fn window(table: &Table) -> Result<()> {
    root_alone()?;
    let program = parts::window("kubefob-window-released")?;
    let mut scene = Scene::set(Seat {
        config: json!({ "token_seconds": 6, "rotation": "strict" }),
        ..Seat::default()
    })
    .await?;
    let keyrings = tempfile::Builder::new()
        .prefix("kubefob-keyring-")
        .tempdir()?;
    let keyring = Keyring::start(keyrings.path())?;
    let person = &mut scene.person;
    person.variable("DBUS_SESSION_BUS_ADDRESS", &keyring.address);
    fs::copy(program, person.path().join("kubefob-window"))?;
    let shown = said(person.command("kubefob-window").output()?)?;
    ensure!(shown.ok, "{shown:?}");

    let mut desk = Desk::at(&scene.person)?;
    scene.works("at first")?;
    let playground = &scene.playground;
    let refreshes = playground.counters().refreshes;
    let renewed = wait::up_to(Duration::from_secs(300)).until_async("two refreshes", async || {
        scene.works("while tokens rotate")?;
        Ok(playground.counters().refreshes >= refreshes + 2)
    });
    renewed.await?;
    let view = desk.until("who is signed in", |view| {
        view["accounts"][0]["state"] == "signed-in"
    })?;
    let account = view["accounts"][0]["id"].clone();
    let told = desk.ask(&json!({ "do": "sign-in", "account": account, "open_browser": false }))?;
    ensure!(told == json!({ "is": "done" }), "{told}");

    let mut needles = refresh_tokens(playground);
    needles.push(id_token(&scene)?);
    let key = keyring.search()?;
    let key = key.lines().find_map(|line| line.strip_prefix("secret = "));
    let key = key.context("no key in the keyring")?;
    needles.push(Needle::new(Secret::VaultKey, key));
    needles.push(Needle::new(Secret::VaultKey, bytes(key)?));
    let secret = playground.addresses().client_secret.clone();
    needles.push(Needle::new(Secret::OfClient, secret.unwrap_or_default()));

    let at_once = wait::up_to(Duration::from_secs(60)).every(Duration::ZERO);
    let seen = at_once.until("a window with a page", || {
        let seen = look_once(scene.person.root(), &needles);
        let all = WINDOW
            .iter()
            .all(|program| seen.looked.contains_key(*program));
        Ok(if all {
            Ok(seen)
        } else {
            Err(format!("{:?}", seen.looked))
        })
    })?;
    judged(&seen)?;
    for frame in &desk.frames {
        for needle in &needles {
            ensure!(!needle.is_in(frame), "{:?} in a frame", needle.secret);
        }
    }
    table.row(
        NO_ROW,
        format!("all of them, in the memory of {}", WINDOW.join(", ")),
        "nowhere, with the window open through a sign-in and two refreshes",
    );
    table.row(
        NO_ROW,
        format!("all of them, in {} frames to a window", desk.frames.len()),
        "nowhere",
    );
    Ok(())
}

fn judged(seen: &Seen) -> Result<()> {
    for (secret, program) in &seen.memory {
        ensure!(
            secret.is_allowed_in(program),
            "{secret:?} in the memory of {program}"
        );
    }
    for secret in [Secret::RefreshToken, Secret::VaultKey, Secret::IdToken] {
        let there = (secret, super::RESIDENT.to_owned());
        ensure!(
            seen.memory.contains(&there),
            "no {secret:?} even in the resident: {:?}",
            seen.memory
        );
    }
    Ok(())
}
