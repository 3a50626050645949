//! What a question says, and what is said of its answer, where somebody else has chosen the words or filled the disk.

use std::fs;

use anyhow::{Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::disk::Disk;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers, server};
use crate::table::Table;

fn kept() -> Seat {
    Seat {
        keep: "plain",
        ..Seat::default()
    }
}

/// As kubectl names its server itself, wherever the file lies.
fn told(scene: &Scene) -> Value {
    let mut stanza = scene.exec("kubectl", &[]);
    stanza["provideClusterInfo"] = json!(true);
    stanza
}

fn get(file: &str) -> String {
    format!("kubectl --kubeconfig '{file}' {}", ONE_REQUEST.join(" "))
}

/// The person's own address, with the attacker's authority and proxy, spelled so that it is another text.
pub(crate) async fn spelled(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let url = scene.playground.kube_url();
    let spellings = [
        url.to_owned(),
        format!("{url}/"),
        format!("{url}//"),
        url.replacen("https", "HTTPS", 1),
    ];
    for (number, spelling) in spellings.iter().enumerate() {
        let mut cluster = server(spelling, attacker.ca_pem());
        cluster["proxy-url"] = json!(attacker.url());
        let file = scene.kubeconfig(&[("own", cluster)], told(&scene));
        let before = scene.questions()?.len();
        let said = scene.run(&scene.hostile(&format!("hostile-{number}"), &file)?)?;
        ensure!(
            !said.ok && said.err.contains("[trust-refused"),
            "{spelling}: {said:?}"
        );
        let asked = scene.questions()?.split_off(before);
        let [asked] = asked.as_slice() else {
            anyhow::bail!("{spelling}: {asked:?}");
        };
        // What readers take for different addresses is no server that can be seen.
        let is_seen = !asked.contains("can't be seen from here");
        let warnings = [
            "with another certificate authority",
            "that proxy can read your token",
            attacker.url(),
        ];
        ensure!(
            !is_seen || warnings.iter().all(|warning| asked.contains(warning)),
            "{spelling}: {asked}"
        );
        ensure!(is_seen || number > 0, "the control is seen: {asked}");
    }
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    table.row(
        1,
        "the person's own address spelled in three other ways, with another authority and a proxy",
        "the warning is there, the proxy is named; no token",
    );
    Ok(())
}

/// Names that would be lines of the question, or of the list of what is trusted.
pub(crate) async fn padded(table: &Table) -> Result<()> {
    let mut scene = Scene::signed_in(kept()).await?;
    scene.without_desktop()?;
    let forged = "  known    you allowed this server before: nothing new is given away";
    let columns = 80;
    for (number, blank) in [" ", "\u{a0}", "\u{2800}"].into_iter().enumerate() {
        let attacker = AttackerApi::start().await?;
        let beside = format!("  server   {}  (", attacker.url()).len();
        let name = format!("own){}{forged}", blank.repeat(columns - beside - 4));
        let file = scene.kubeconfig(&[(&name, attackers(&attacker))], told(&scene));
        let file = scene.hostile(&format!("hostile-{number}"), &file)?;
        let said = scene.person.on_terminal(&get(&file), "n\n")?;
        ensure!(said.out.contains("Allow?"), "{said:?}");
        for line in said.out.lines() {
            let letters: Vec<char> = line.trim_end_matches('\r').chars().collect();
            for shown in letters.chunks(columns) {
                let shown: String = shown.iter().collect();
                ensure!(!shown.trim_start().starts_with("known"), "{said:?}");
            }
        }
        ensure!(!attacker.saw_authorization(), "{said:?}");
    }
    table.row(
        28,
        "a context's name that is a line of the question on 80 columns, by three kinds of blanks",
        "quoted, its blanks are one, cut to a line",
    );
    let attacker = AttackerApi::start().await?;
    let name = "own; in your kubeconfig at the first start, 2026-01-01T00:00:00Z)";
    let file = scene.kubeconfig(&[(name, attackers(&attacker))], told(&scene));
    let file = scene.hostile("hostile", &file)?;
    let said = scene.person.on_terminal(&get(&file), "y\n")?;
    ensure!(attacker.saw_authorization(), "no attack: {said:?}");
    let trusts = scene.person.kubectl(&["fob", "trusts"])?;
    let line = trusts.out.lines().find(|line| line.contains("own; in"));
    let line = line.unwrap_or_default();
    let (before, _) = line.split_once("\"own; in").unwrap_or_default();
    ensure!(before.contains("(allowed on a terminal"), "{trusts:?}");
    table.row(
        28,
        "a context's name that says how its server came to be trusted",
        "quoted, behind how it did",
    );
    Ok(())
}

/// A yes for good, while the disk takes nothing.
pub(crate) async fn unwritten(table: &Table) -> Result<()> {
    for is_full in [false, true] {
        let mut scene = Scene::set(kept()).await?;
        let disk = Disk::mount(&scene.person.instance.join("data"))?;
        scene.works("at first")?;
        let new = |attacker: &AttackerApi, name: &str| {
            let servers = [("new", attackers(attacker))];
            scene.hostile(name, &scene.kubeconfig(&servers, told(&scene)))
        };
        let (first, second) = (AttackerApi::start().await?, AttackerApi::start().await?);
        let files = (new(&first, "first")?, new(&second, "second")?);
        let filler = is_full.then(|| disk.fill()).transpose()?;
        scene.presses("always")?;
        let said = scene.run(&files.0)?;
        ensure!(first.saw_authorization(), "{said:?}");
        let page = scene.page_with("Allowed", 1).await?;
        ensure!(
            page.contains("holds only until Kubefob ends") == is_full,
            "{page}"
        );
        ensure!(page.contains("fob trusts") != is_full, "{page}");
        // The same at a terminal.
        if let Some(filler) = &filler {
            fs::remove_file(filler)?;
        }
        scene.without_desktop()?;
        let _filler = is_full.then(|| disk.fill()).transpose()?;
        let said = scene.person.on_terminal(&get(&files.1), "y\n")?;
        ensure!(second.saw_authorization(), "{said:?}");
        ensure!(said.out.contains("[only-until-end]") == is_full, "{said:?}");
    }
    table.row(
        30,
        "always, on the page and at a terminal, on a full disk",
        "the token, and the word that it holds until Kubefob ends",
    );
    println!("control: with room, nobody is told so");
    Ok(())
}
