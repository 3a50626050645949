//! Kills against the real Keycloak, and what its own log of events says of each.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use world::RealWorld;
use world::browser::Settings;
use world::keycloak::Keycloak;
use world::parts;
use world::person::{Person, seed_kubeconfig};
use world::screen::Screen;

use crate::at_rest;
use crate::rounds::{Provider, rounds, seen};

/// The article's user may see namespaces. (`view` would be enough, but a cluster that has just
/// started has not put it together yet.)
const BINDING: [&str; 4] = [
    "create",
    "clusterrolebinding",
    "kubefob-kill",
    "--clusterrole=cluster-admin",
];

/// Fifty kills; five where the set is one of many. Rotation without reuse, and tokens of four
/// seconds, so that a refresh comes every other one.
pub(crate) async fn kills(world: &RealWorld) -> Result<()> {
    let times = if parts::thorough() { 50 } else { 5 };
    let keycloak = &world.keycloak;
    keycloak.set_rotation(true).await?;
    keycloak.set_token_lifespan(4).await?;
    keycloak
        .set_realm(json!({
            "eventsEnabled": true,
            "enabledEventTypes": ["LOGIN", "REFRESH_TOKEN", "REFRESH_TOKEN_ERROR"],
        }))
        .await?;
    let user = format!("--user={}", Keycloak::USER);
    world.administer(&[&BINDING[..], &[&user]].concat(), "")?;
    let (person, _screen) = signed_in(world)?;

    let refreshing = async || {
        // The note before sending is a write.
        let before = at_rest::files(&person);
        seen("a write of the vault", async || {
            Ok(at_rest::files(&person) != before)
        })
        .await
    };
    // Keycloak answers a refresh in ten to forty milliseconds here.
    let window = Duration::from_millis(40);
    let tally = rounds(&person, times, window, refreshing, || events(keycloak)).await?;
    println!("Keycloak: {}", tally.text());
    Ok(())
}

fn signed_in(world: &RealWorld) -> Result<(Person, Screen)> {
    let screen = Screen::start()?;
    let browser = Settings {
        ca: Some(world.pki.ca.clone()),
        user: Keycloak::USER.to_owned(),
        password: world.keycloak.password.clone(),
        ..Settings::default()
    };
    let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
    let person = Person::new(
        world.parts.path("kubectl")?,
        scripted,
        &browser,
        Some(&screen),
    )?;
    crate::keep_plain(&person)?;
    let flag = format!("--certificate-authority={}", world.pki.ca.display());
    person.kubeconfig(&seed_kubeconfig(
        &std::fs::read(&world.pki.ca)?,
        &world.apiserver.url,
        &world.keycloak.issuer(),
        &world.keycloak.client_secret,
        &[&flag],
    ))?;
    let said = person.kubectl(&["get", "ns", "-o=name"])?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    Ok((person, screen))
}

/// What Keycloak noted. A refresh token that comes a second time is the one error there may be.
async fn events(keycloak: &Keycloak) -> Result<Provider> {
    let events = keycloak
        .admin(Method::GET, "events?max=100000", None)
        .await?;
    let mut provider = Provider::default();
    for event in events.as_array().context("no events")? {
        match event["type"].as_str() {
            Some("LOGIN") => provider.sign_ins += 1,
            Some("REFRESH_TOKEN") => provider.refreshes += 1,
            Some("REFRESH_TOKEN_ERROR") => {
                ensure!(is_reuse(event), "{event:#}");
                provider.reused += 1;
            }
            _ => {}
        }
    }
    Ok(provider)
}

fn is_reuse(event: &Value) -> bool {
    event["details"]["reason"] == "Maximum allowed refresh token reuse exceeded"
}
