//! Threat 30: what is taken back, while the disk takes nothing. It is said to be so for good only where it is.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use world::disk::Disk;
use world::person::Said;
use world::wait;

use crate::scene::{ONE_REQUEST, Scene, Seat};
use crate::table::Table;

/// Said to whoever must do it again if this resident ends.
const UNTIL_THEN: &str = "[only-until-end]";

/// A pair that is taken back, then a SIGKILL.
pub(crate) async fn untrusted(table: &Table) -> Result<()> {
    let (scene, disk) = signed_in_on_a_disk().await?;
    let name = pair(&scene)?;
    let filler = disk.fill()?;
    let said = scene.person.kubectl(&["fob", "untrust", &name])?;
    only_until_then(&said)?;
    refused(&scene, "while this resident lives")?;
    let notices = |scene: &Scene| -> Result<String> {
        Ok(scene.person.fob(&["status"])?["notices"].to_string())
    };
    let noticed = notices(&scene)?;
    ensure!(noticed.contains("accounts-unwritten"), "{noticed}");
    scene.person.end_resident("KILL")?;
    ensure!(
        pair(&scene)? == name,
        "as it was said, it did not outlive it"
    );
    table.row(
        30,
        "kubectl fob untrust on a full disk, SIGKILL, a start",
        "it said that it holds until Kubefob ends, why, and what to do",
    );
    let said = scene.person.kubectl(&["fob", "untrust", &name])?;
    only_until_then(&said)?;
    fs::remove_file(filler)?;
    let written = wait::up_to(Duration::from_secs(60))
        .every(Duration::from_millis(50))
        .until_async("accounts that are written", async || {
            let notices = notices(&scene)?;
            Ok(wait::is(!notices.contains("accounts-unwritten"), notices))
        });
    written.await.with_context(|| scene.person.log())?;
    scene.person.end_resident("KILL")?;
    refused(&scene, "written once there was room")?;
    table.row(
        30,
        "the same, and room before the SIGKILL",
        "written by itself: it stays taken back",
    );
    Ok(())
}

/// The control: a disk that takes it.
pub(crate) async fn control(table: &Table) -> Result<()> {
    let (scene, _disk) = signed_in_on_a_disk().await?;
    let said = scene.person.kubectl(&["fob", "untrust", &pair(&scene)?])?;
    ensure!(said.ok && said.out.contains("taken back"), "{said:?}");
    scene.person.end_resident("KILL")?;
    refused(&scene, "said and done")?;
    table.row(
        30,
        "control: kubectl fob untrust, SIGKILL, a start",
        "\"taken back\", and it is",
    );
    Ok(())
}

/// Every other command that takes something back.
pub(crate) async fn the_others(table: &Table) -> Result<()> {
    for words in [&["fob", "logout"][..], &["fob", "remove", "--yes"]] {
        let (scene, disk) = signed_in_on_a_disk().await?;
        let account = scene.account()?;
        let words = [words, &[&account]].concat();
        disk.remount("ro")?;
        let said = scene.person.kubectl(&words)?;
        // The one line has room for the worse of the two.
        not_for_good(&said, "[cannot-forget]")?;
        table.row(
            30,
            format!("kubectl {} {} on a read-only disk", words[0], words[1]),
            "says what still rests, and what to do",
        );
        disk.remount("rw")?;
        disk.fill()?;
        // What the sealed file took is enough for the list.
        let said = scene.person.kubectl(&words)?;
        ensure!(said.ok || said.err.contains(UNTIL_THEN), "{said:?}");
        scene.person.end_resident("KILL")?;
        let status = scene.person.fob(&["status"])?;
        let signed_in = status["accounts"].to_string().contains("\"signed-in\"");
        ensure!(!said.ok || !signed_in, "{said:?}, and then {status:#}");
        table.row(
            30,
            format!(
                "kubectl {} {} on a full disk, SIGKILL, a start",
                words[0], words[1]
            ),
            "what it said is so",
        );
    }
    let (scene, disk) = signed_in_on_a_disk().await?;
    disk.fill()?;
    let said = scene.person.kubectl(&["fob", "reset", "--yes"])?;
    while scene.person.resident().is_some() {
        std::thread::yield_now();
    }
    refused(&scene, "after a reset on a full disk")?;
    table.row(
        30,
        "kubectl fob reset on a full disk, then a start",
        if said.ok {
            "nothing is trusted any more"
        } else {
            "it said what is left; nothing is trusted any more"
        },
    );
    Ok(())
}

/// Somebody whose accounts and tokens rest on a small disk.
async fn signed_in_on_a_disk() -> Result<(Scene, Disk)> {
    let scene = Scene::set(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let disk = Disk::mount(&scene.person.instance.join("data"))?;
    scene.works("at first")?;
    Ok((scene, disk))
}

fn only_until_then(said: &Said) -> Result<()> {
    not_for_good(said, UNTIL_THEN)
}

fn not_for_good(said: &Said, code: &str) -> Result<()> {
    ensure!(
        !said.ok && said.err.contains(code) && !said.out.contains("taken back"),
        "{said:?}"
    );
    let claims = ["are gone from this computer", "are forgotten here"];
    ensure!(
        !claims.iter().any(|claim| said.out.contains(claim)),
        "{said:?}"
    );
    Ok(())
}

fn refused(scene: &Scene, when: &str) -> Result<()> {
    let said = scene.person.kubectl(ONE_REQUEST)?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{when}: {said:?}"
    );
    Ok(())
}

/// The name of the one pair that is trusted.
fn pair(scene: &Scene) -> Result<String> {
    let trusts = scene.person.fob(&["trusts"])?;
    let name = trusts[0]["name"].as_str();
    Ok(name.with_context(|| format!("{trusts:#}"))?.to_owned())
}
