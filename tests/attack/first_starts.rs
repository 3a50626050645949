//! Threat 27: a list of accounts and trust that is lost or damaged makes no first start, so nothing is trusted in
//! bulk twice. What was taken back stays taken back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::scene::{ONE_REQUEST, Scene, Seat};
use crate::table::Table;

/// Does something to a file.
type Damage = fn(&Path) -> Result<()>;

/// What may become of the file.
const DAMAGES: [(&str, Damage); 5] = [
    ("emptied", |file| Ok(fs::write(file, "")?)),
    ("removed", |file| Ok(fs::remove_file(file)?)),
    ("a newer version's", |file| {
        Ok(fs::write(file, r#"{"version": 2, "trusts": []}"#)?)
    }),
    ("set aside", |file| {
        let aside = file.with_extension("json.unreadable");
        Ok(fs::rename(file, aside)?)
    }),
    ("damaged", |file| {
        let whole = fs::read(file)?;
        Ok(fs::write(file, &whole[..whole.len() / 2])?)
    }),
];

/// Each damage after each other one, with an end and a start between.
pub(crate) async fn lost_lists(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    untrusted(&scene)?;
    // A walk in which each follows each other one once, and comes back to the first.
    let mut at = 0;
    let mut before = "as it was";
    for step in (1..DAMAGES.len()).flat_map(|step| [step; 5]).chain([1]) {
        let (name, damage) = DAMAGES[at];
        let when = format!("{before}, then {name}");
        scene.person.end_resident("TERM")?;
        damage(&accounts(&scene)).context(when.clone())?;
        nothing_is_trusted(&scene, &when)?;
        scene.person.end_resident("TERM")?;
        nothing_is_trusted(&scene, &format!("{when}, one start later"))?;
        before = name;
        at = (at + step) % DAMAGES.len();
    }
    table.row(
        27,
        "accounts.json emptied, removed, of a newer version, set aside, damaged: each after each other, with an end and a start",
        "what was taken back is asked about; no token",
    );
    Ok(())
}

/// Before anybody is answered the list is on disk: a kill at once makes no second first start.
pub(crate) async fn killed_at_once(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.person.end_resident("KILL")?;
    let kept = fs::read_to_string(accounts(&scene)).context("no list at the first answer")?;
    ensure!(kept.contains(scene.playground.kube_url()), "{kept}");
    let (trusts, by) = trusts(&scene)?;
    ensure!((trusts, by.as_deref()) == (1, Some("first-start")));
    table.row(
        27,
        "control: the first start of all, and a kill with its first answer",
        "trusted in bulk, once: accounts.json is there and says so",
    );
    // And nothing is left of it but an empty list.
    let said = scene.person.kubectl(&["fob", "reset", "--yes"])?;
    ensure!(said.ok, "{said:?}");
    while scene.person.resident().is_some() {
        std::thread::yield_now();
    }
    let left = fs::read_to_string(accounts(&scene)).context("no list after a reset")?;
    ensure!(!left.contains(scene.playground.kube_url()), "{left}");
    nothing_is_trusted(&scene, "after a reset")?;
    table.row(
        27,
        "kubectl fob reset, then a start",
        "an empty list is left: nothing is trusted in bulk twice",
    );
    Ok(())
}

/// Takes the one pair back.
fn untrusted(scene: &Scene) -> Result<()> {
    let trusts = scene.person.fob(&["trusts"])?;
    let name = trusts[0]["name"].as_str().context("no pair")?;
    let said = scene.person.kubectl(&["fob", "untrust", name])?;
    ensure!(said.ok && said.out.contains("taken back"), "{said:?}");
    Ok(())
}

fn nothing_is_trusted(scene: &Scene, when: &str) -> Result<()> {
    let served = scene.served();
    let said = scene.person.kubectl(ONE_REQUEST)?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{when}: {said:?}"
    );
    ensure!(scene.served() == served, "{when}: a token went out");
    ensure!(trusts(scene)?.0 == 0, "{when}: something is trusted");
    Ok(())
}

/// How many pairs are trusted, and how the first came to be.
fn trusts(scene: &Scene) -> Result<(usize, Option<String>)> {
    let trusts = scene.person.fob(&["trusts"])?;
    let count = trusts.as_array().context("a list")?.len();
    Ok((count, trusts[0]["by"].as_str().map(str::to_owned)))
}

fn accounts(scene: &Scene) -> PathBuf {
    scene.person.instance.join("data/accounts.json")
}
