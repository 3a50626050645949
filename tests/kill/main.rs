//! The set `kill`: the resident dies at any moment, and no session with it. It ends, becomes another program, and
//! has its surroundings changed.

mod around;
mod at_rest;
mod ending;
mod keycloak;
mod rounds;
mod upgrade;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use playground::{Config, Playground};
use world::Real;
use world::browser::Settings;
use world::parts::{self, Parts};
use world::person::{Person, seed_kubeconfig};
use world::screen::Screen;

use crate::rounds::{Provider, rounds, seen};

fn main() -> ExitCode {
    Real::run(|set, real| {
        set.trial("playground", || runtime()?.block_on(kills()));
        set.trial("one_owner", || runtime()?.block_on(one_owner()));
        let world = Arc::clone(real);
        set.trial("keycloak", move || world.with(keycloak::kills));
        set.trial("upgrade", || runtime()?.block_on(upgrade::upgrade()));
        set.trial("upgrade_waits", || {
            runtime()?.block_on(upgrade::upgrade_waits())
        });
        set.trial("shell", || runtime()?.block_on(ending::shell()));
        set.trial("terminate", || runtime()?.block_on(ending::terminate()));
        set.trial("settings", || runtime()?.block_on(around::settings()));
        set.trial("keyring_later", || {
            runtime()?.block_on(around::keyring_later())
        });
        set.trial("sockets", || runtime()?.block_on(around::sockets()));
        set.trial("activated", || runtime()?.block_on(around::activated()));
        set.trial("removed", || runtime()?.block_on(ending::removed()));
    })
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
    keep_plain(&person)?;
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

/// Tokens on disk, without a keyring.
fn keep_plain(person: &Person) -> Result<()> {
    let settings = std::fs::read_to_string(person.instance.join("config/settings.json"))?;
    let mut settings: serde_json::Value = serde_json::from_str(&settings)?;
    settings["keep"] = "plain".into();
    person.settings(&settings)
}

/// 500 kills; 50 where the set is one of many. Rotation without reuse, tokens of four seconds.
async fn kills() -> Result<()> {
    let times = if parts::thorough() { 500 } else { 50 };
    let config = serde_json::json!({ "rotation": "strict", "token_seconds": 4 });
    let (playground, person, _screen) = signed_in(config).await?;
    let refreshing = async || {
        let before = playground.counters().refreshes;
        seen("a refresh", async || {
            Ok(playground.counters().refreshes != before)
        })
        .await
    };
    let tally = rounds(
        &person,
        times,
        Duration::from_millis(4),
        refreshing,
        async || {
            let counters = playground.counters();
            Ok(Provider {
                sign_ins: counters.sign_ins,
                refreshes: counters.refreshes,
                reused: counters.ended_by_reuse,
            })
        },
    )
    .await?;
    println!("the playground: {}", tally.text());
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
