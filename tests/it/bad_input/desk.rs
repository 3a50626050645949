//! What is in the way of a sign-in: ports, a browser, settings, a clock.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use world::person::said;

use super::{Scene, Table, runtime};

pub(super) fn trial(table: &Table) -> Result<()> {
    runtime()?.block_on(async {
        ports(table).await?;
        browser(table).await?;
        settings(table).await
    })
}

/// Both ports that a provider knows are somebody else's, and then they are not.
async fn ports(table: &Table) -> Result<()> {
    let scene = Scene::set(json!({})).await?;
    let taken: Vec<TcpListener> = ["127.0.0.1:8000", "127.0.0.1:18000"]
        .into_iter()
        .map(TcpListener::bind)
        .collect::<Result<_, _>>()
        .context("this trial needs the ports itself")?;
    let said = scene
        .person
        .kubectl(&["get", "--raw", "/api/v1/namespaces"])?;
    let line = said.err.lines().find(|line| line.contains("[ports-taken]"));
    let line = line.with_context(|| format!("{said:?}"))?.to_owned();
    ensure!(!said.ok && scene.sign_ins() == 0, "{said:?}");
    drop(taken);
    // A person asks again: the first time was told of.
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(said.ok, "{said:?}");
    scene.works("with the ports free again")?;
    table.row("both ports taken", &line, "signed in once they were free");
    Ok(())
}

/// A browser that is not there: the address is said, and leads on.
async fn browser(table: &Table) -> Result<()> {
    let scene = Scene::set(json!({})).await?;
    scene
        .person
        .setting("browser", json!(["/nowhere/browser"]))?;
    let mut waiting = scene.person.start(&["get", "namespaces", "-o=name"])?;
    let mut lines = BufReader::new(waiting.stderr.take().context("no pipe")?).lines();
    let line = lines
        .find(|line| line.as_ref().is_ok_and(|line| line.contains("/start/")))
        .context("no address is said")??;
    let from = line.find("http://localhost:").context("no address")?;
    let address = line[from..].split_whitespace().next().unwrap_or_default();
    let launcher = scene.person.root().join("another-browser");
    let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
    scene.browser.launcher(scripted, &launcher)?;
    ensure!(Command::new(launcher).arg(address).status()?.success());
    let got = said(waiting.wait_with_output()?)?;
    ensure!(got.ok && got.out.contains("namespace/default"), "{got:?}");
    let told = line.replace(address, "http://localhost:8000/start/…");
    table.row(
        "a browser that can't be opened",
        &told,
        "signed in by that address",
    );
    Ok(())
}

/// Settings that can't be used: the defaults hold, the file stays as it is, and mended it counts.
async fn settings(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(json!({})).await?;
    let person = &scene.person;
    let path = person.instance.join("config/settings.json");
    let good = fs::read(&path)?;
    for (input, text) in [
        (
            "settings of a newer version",
            r#"{"version":2,"keep":"plain"}"#.as_bytes(),
        ),
        ("settings cut in half", &good[..good.len() / 2]),
    ] {
        person.end_resident("TERM")?;
        fs::write(&path, text)?;
        let status = person.fob(&["status"])?;
        let notices = status["notices"].as_array().context("no notices")?;
        let notice = notices
            .iter()
            .find(|notice| notice["code"] == "bad-settings");
        let notice = notice.with_context(|| format!("{status:#}"))?;
        ensure!(fs::read(&path)? == text, "the file is not written over");
        let told = format!("{} {}", notice["message"], notice["hint"]).replace('"', "");
        person.end_resident("TERM")?;
        fs::write(&path, &good)?;
        scene.works("with the settings mended")?;
        ensure!(scene.sign_ins() == 1, "the session is still there");
        table.row(
            input,
            &told,
            "the file as it was; mended, the session is there",
        );
    }
    Ok(())
}

/// The provider's clock and the cluster's against ours, ten minutes either way.
pub(super) fn clock(table: &Table) -> Result<()> {
    runtime()?.block_on(async {
        for (input, seconds) in [
            ("our clock ten minutes behind", 600),
            ("our clock ten minutes ahead", -600),
        ] {
            let scene = Scene::set(json!({})).await?;
            scene.playground.advance(seconds);
            scene.works(input)?;
            let status = scene.person.fob(&["status"])?;
            let off = status["accounts"][0]["clockOff"].as_i64();
            let off = off.with_context(|| format!("{status:#}"))?;
            ensure!((off.abs() - 600).abs() < 60, "{off}");
            let said = scene.person.kubectl(&["fob", "status"])?;
            let line = said
                .out
                .lines()
                .find(|line| line.contains(&off.to_string()));
            table.row(
                input,
                line.with_context(|| format!("{said:?}"))?,
                "signed in, kubectl works",
            );
        }
        Ok(())
    })
}
