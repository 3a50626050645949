//! The set `kill`: the resident dies at any moment, and no session with it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use playground::{Config, Playground};
use world::Set;
use world::browser::Settings;
use world::parts::{self, Parts};
use world::person::{Person, seed_kubeconfig};
use world::screen::Screen;

fn main() -> ExitCode {
    let mut set = Set::new();
    set.trial("playground", || runtime()?.block_on(kills()));
    set.trial("one_owner", || runtime()?.block_on(one_owner()));
    set.run()
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Runtime::new()?)
}

/// Somebody signed in at a playground, with tokens kept on disk.
async fn signed_in(config: serde_json::Value) -> Result<(Playground, Person, Screen)> {
    let config: Config = serde_json::from_value(config)?;
    let playground = Playground::start(config).await?;
    let parts = Parts::from_environment()?;
    let screen = Screen::start()?;
    let folder = tempfile::tempdir()?.keep();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, playground.ca_pem())?;
    let browser = Settings {
        ca: Some(ca.clone()),
        user: "test".into(),
        password: "test".into(),
        ..Settings::default()
    };
    let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
    let person = Person::new(parts.path("kubectl")?, scripted, &browser, Some(&screen))?;
    let settings = std::fs::read_to_string(person.instance.join("config/settings.json"))?;
    let mut settings: serde_json::Value = serde_json::from_str(&settings)?;
    settings["keep"] = "plain".into();
    person.settings(&settings)?;
    let flag = format!("--certificate-authority={}", ca.display());
    person.kubeconfig(&seed_kubeconfig(
        playground.ca_pem().as_bytes(),
        playground.kube_url(),
        playground.issuer(),
        "kubefob-playground-client-secret",
        &[&flag],
    ))?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    Ok((playground, person, screen))
}

/// `kill -9` at random moments while refresh tokens rotate without reuse. A session is lost only
/// where the provider took a token and our note of its reply did not reach the disk: then the
/// same token is presented once more, and the provider says so. Each loss must be such a one.
async fn kills() -> Result<()> {
    let times = if parts::thorough() { 500 } else { 50 };
    let config = serde_json::json!({ "rotation": "strict", "token_seconds": 4 });
    let (playground, person, _screen) = signed_in(config).await?;
    let mut losses = 0;
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..times {
        // Half of the kills at any moment, half right where it hurts: as a refresh is under way.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        if round % 2 == 0 {
            let seen = playground.counters().refreshes;
            wait_for_refresh(&playground, seen).await?;
            tokio::time::sleep(Duration::from_micros(chance % 4_000)).await;
        } else {
            tokio::time::sleep(Duration::from_millis(chance % 600)).await;
        }
        person.end_resident("KILL")?;
        let said = person.kubectl(&["get", "ns", "-o=name"])?;
        ensure!(said.ok, "{said:?}\n{}", person.log());
        // A session that ended so goes on serving its last token, so that the new sign-in may
        // come rounds later; but each one has such an end behind it, the first apart.
        let counters = playground.counters();
        ensure!(
            counters.sign_ins - 1 <= counters.ended_by_reuse,
            "a sign-in without a reply that was lost: {counters:?}\n{}",
            person.log()
        );
        losses = counters.ended_by_reuse;
    }
    println!(
        "{times} kills: {losses} between the provider's commit and our fsync, none else lost; {} refreshes",
        playground.counters().refreshes
    );
    Ok(())
}

async fn wait_for_refresh(playground: &Playground, seen: u64) -> Result<()> {
    let begun = std::time::Instant::now();
    while playground.counters().refreshes == seen {
        ensure!(
            begun.elapsed() < Duration::from_secs(30),
            "no refresh in 30 s"
        );
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    Ok(())
}

/// A hundred start at one instant over a stale socket: one resident owns the session.
async fn one_owner() -> Result<()> {
    let trials = if parts::thorough() { 50 } else { 5 };
    let config = serde_json::json!({ "rotation": "strict" });
    let (_playground, person, _screen) = signed_in(config).await?;
    for _ in 0..trials {
        person.end_resident("KILL")?;
        ensure!(
            person.instance.join("socket").exists(),
            "the socket is stale"
        );
        let mut starters = Vec::new();
        for _ in 0..100 {
            starters.push(person.command("kubectl-fob").arg("token").spawn()?);
        }
        for starter in starters {
            let said = world::person::said(starter.wait_with_output()?)?;
            ensure!(said.ok, "{said:?}\n{}", person.log());
        }
        let owners = person.residents();
        ensure!(owners.len() == 1, "owners: {owners:?}");
    }
    println!("{trials} × 100 starters over a stale socket: one owner each");
    Ok(())
}
