//! A client secret that a person types: it crosses in one command, and stands in no answer, view, file or log afterwards.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;
use world::desk::Desk;

use crate::scene::{Scene, Seat};
use crate::table::{NO_ROW, Table};

const TYPED: &str = "a-secret-that-somebody-typed";

/// Typed for an account that is added, that is there already, that is none, and that is refused.
pub(crate) async fn secret(table: &Table) -> Result<()> {
    let client = json!({ "id": "added", "secret": TYPED });
    let scene = Scene::set(Seat {
        config: json!({ "tls": false, "clients": [{}, client] }),
        ..Seat::default()
    })
    .await?;
    let person = &scene.person;
    person.fob(&["status"])?;
    let mut desk = Desk::at(person)?;
    let add = |issuer: &str, client: &str| {
        json!({
            "do": "add", "issuer": issuer, "client_id": client, "client_secret": TYPED,
            "scopes": [], "label": "added", "sign_in": true
        })
    };
    let issuer = scene.playground.issuer();
    let none = desk.ask(&add("http://localhost:1/none", "added"))?;
    ensure!(none["is"] == "refused", "{none}");
    let added = desk.ask(&add(issuer, "added"))?;
    ensure!(added["is"] == "added" && added["known"] == false, "{added}");
    desk.until("who is signed in", |view| {
        let mut accounts = view["accounts"].as_array().into_iter().flatten();
        accounts.any(|account| account["label"] == "added" && account["state"] == "signed-in")
    })?;
    let again = desk.ask(&add(issuer, "added"))?;
    ensure!(again["known"] == true, "{again}");
    let stanza = desk.ask(&json!({ "do": "stanza", "account": "added" }))?;
    ensure!(stanza["is"] == "stanza", "{stanza}");
    let told = desk.ask(&json!({ "do": "sign-out", "account": "added", "everywhere": true }))?;
    ensure!(
        told["is"] == "signed-out" && told["revocation"]["is"] == "done",
        "{told}"
    );

    ensure!(!desk.frames.is_empty());
    for frame in &desk.frames {
        ensure!(!has(frame), "{}", String::from_utf8_lossy(frame));
    }
    for words in [&["status"][..], &["accounts"], &["trusts"]] {
        let said = person.fob(words)?;
        ensure!(!has(said.to_string().as_bytes()), "{said:#}");
    }
    let mut files = 0;
    search(person.root(), &mut files)?;
    table.row(
        NO_ROW,
        format!(
            "a typed client secret, searched in {} frames, three commands' answers and {files} files",
            desk.frames.len()
        ),
        "it is in none",
    );

    // It is kept all the same.
    let told = desk.ask(&json!({ "do": "sign-in", "account": "added", "open_browser": true }))?;
    ensure!(told == json!({ "is": "done" }), "{told}");
    for command in [
        json!({
            "do": "add", "issuer": issuer, "client_id": "x", "client_secret": null, "scopes": [],
            "label": null, "sign_in": false, "tls": { "ca_files": ["/tmp/ca"], "ca_data": [] }
        }),
        json!({ "do": "remove", "account": "added", "ask_first": true }),
    ] {
        ensure!(Desk::at(person)?.ask(&command).is_err(), "{command}");
    }
    table.row(
        7,
        "a window that names a certificate authority for an account to be added",
        "no such command; the connection ends",
    );
    Ok(())
}

fn has(bytes: &[u8]) -> bool {
    bytes
        .windows(TYPED.len())
        .any(|part| part == TYPED.as_bytes())
}

/// Everything of this person's.
fn search(folder: &Path, files: &mut usize) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            search(&entry.path(), files)?;
        } else if kind.is_file() {
            *files += 1;
            ensure!(!has(&fs::read(entry.path())?), "{}", entry.path().display());
        }
    }
    Ok(())
}
