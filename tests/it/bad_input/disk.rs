//! Disks that take nothing: tokens are in memory then, and on disk as soon as it takes them.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use world::disk::Disk;
use world::wait;

use super::{Scene, Table, runtime};

pub(super) fn trial(table: &Table) -> Result<()> {
    runtime()?.block_on(async {
        full(table).await?;
        read_only(table).await
    })
}

/// A sign-in while the disk is full.
async fn full(table: &Table) -> Result<()> {
    let scene = Scene::set(json!({})).await?;
    let disk = Disk::mount(&scene.person.instance.join("data"))?;
    let filler = disk.fill()?;
    scene.works("on a full disk")?;
    let told = in_memory(&scene).await?;
    fs::remove_file(filler)?;
    on_disk_again(&scene).await?;
    table.row(
        "a full disk",
        &told,
        "signed in, in memory; on disk once there is room",
    );
    Ok(())
}

/// A renewal while it is read-only. Tokens of four seconds, rotated without reuse.
async fn read_only(table: &Table) -> Result<()> {
    let config = json!({ "rotation": "strict", "token_seconds": 4 });
    let scene = Scene::set(config).await?;
    let disk = Disk::mount(&scene.person.instance.join("data"))?;
    scene.works("at first")?;
    disk.remount("ro")?;
    let before = scene.playground.counters().refreshes;
    until("a renewal", async || {
        Ok(scene.playground.counters().refreshes > before)
    })
    .await?;
    scene.works("on a read-only disk")?;
    let told = in_memory(&scene).await?;
    // A kill between a refresh and its seal would cost the session, which is another set's matter:
    // the next token lives long enough that none is under way below.
    scene.playground.set_token_seconds(600);
    until("a long token", async || {
        let status = scene.person.fob(&["status"])?;
        let expires = status["accounts"][0]["expires"].as_i64();
        Ok(expires.is_some_and(|expires| expires > now() + 60_000))
    })
    .await?;
    disk.remount("rw")?;
    on_disk_again(&scene).await?;
    table.row(
        "a read-only disk",
        &told,
        "renewed in memory; on disk once it takes it",
    );
    Ok(())
}

/// Waits until the person is told that nothing can be kept, and returns the words.
async fn in_memory(scene: &Scene) -> Result<String> {
    until("tokens in memory alone", async || {
        Ok(scene.person.fob(&["status"])?["keep"] == "memory-no-disk")
    })
    .await?;
    let said = scene.person.kubectl(&["fob", "status"])?;
    let line = said.out.lines().find(|line| line.contains("memory"));
    Ok(line.with_context(|| format!("{said:?}"))?.to_owned())
}

/// Waits until all is at rest, and shows it by a kill.
async fn on_disk_again(scene: &Scene) -> Result<()> {
    until("tokens on disk", async || {
        Ok(scene.person.fob(&["status"])?["keep"] == "plain")
    })
    .await?;
    // Whose tokens they are, and where they may go, is another file.
    until("the account on disk", async || {
        Ok(scene.person.instance.join("data/accounts.json").exists())
    })
    .await?;
    scene.person.end_resident("KILL")?;
    scene.works("after a kill")?;
    ensure!(
        scene.sign_ins() == 1,
        "the session was not on disk: {}",
        scene.person.log()
    );
    Ok(())
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

async fn until(what: &str, is: impl AsyncFn() -> Result<bool>) -> Result<()> {
    wait::up_to(Duration::from_secs(180))
        .every(Duration::from_millis(100))
        .until_async(what, is)
        .await
}
