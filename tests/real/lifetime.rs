//! What happens to a session over time, at the real Keycloak: one-minute tokens, rotation without
//! reuse, a provider that goes and comes, a resident that is killed, a session that is revoked.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use world::RealWorld;
use world::browser;
use world::keyring::Keyring;
use world::person::Person;

use crate::seed::{Seated, seated};
use crate::{BINDING, ROLE};

pub(crate) async fn lifetime(world: &RealWorld) -> Result<()> {
    let keycloak = &world.keycloak;
    keycloak.set_rotation(true).await?;
    keycloak.set_token_lifespan(60).await?;
    world.administer(&["apply", "-f", "-"], &format!("{ROLE}---{BINDING}"))?;

    let keyring = Keyring::start(&world.folder)?;
    let Seated {
        mut person,
        log,
        _screen,
    } = seated(world, "lifetime")?;
    person.variable("DBUS_SESSION_BUS_ADDRESS", &keyring.address);
    let works = |person: &Person, when: &str| -> Result<()> {
        let said = person.kubectl(&["get", "namespace", "default", "-o=name"])?;
        ensure!(
            said.ok && said.out == "namespace/default\n",
            "{when}: {said:?}\n{}",
            person.log()
        );
        println!("{when}: kubectl works");
        Ok(())
    };
    let pages = || -> Result<usize> {
        let steps = browser::read_log(&log)?;
        Ok(steps
            .iter()
            .filter(|step| step.url.contains("/start/"))
            .count())
    };

    works(&person, "after the sign-in")?;
    ensure!(pages()? == 1);
    let status = person.fob(&["status"])?;
    ensure!(status["keep"] == "sealed", "{status:#}");
    let found = keyring.search()?;
    ensure!(found.contains("service = kubefob"), "{found}");
    println!("the key rests in gnome-keyring, seen there by secret-tool");

    let first = expiry(&status)?;
    let second = until(&person, "a token renewed ahead of its end", |status| {
        expiry(status).is_ok_and(|expires| expires > first)
    })
    .await?;
    println!("renewed by itself: {first} -> {}", expiry(&second)?);
    works(&person, "after the renewal")?;

    person.end_resident("KILL")?;
    works(&person, "after kill -9 of the resident")?;
    ensure!(pages()? == 1, "still one page");

    keycloak.stop().await?;
    println!("Keycloak is stopped");
    let away = until(&person, "the provider is missed", |status| {
        status["accounts"][0]["state"] == "cannot-reach"
    })
    .await?;
    println!("status: {}", away["accounts"][0]["problem"]["message"]);
    let last = expiry(&away)?;
    until(&person, "the token has run out", |_| now() > last).await?;
    let began = std::time::Instant::now();
    let said = person.kubectl(&["get", "namespace", "default"])?;
    ensure!(!said.ok && said.err.contains("[unreachable]"), "{said:?}");
    println!(
        "an ask without a token is answered after {:?}",
        began.elapsed()
    );
    keycloak.start_again().await?;
    works(&person, "after Keycloak came back")?;
    ensure!(pages()? == 1, "a provider that was away costs no sign-in");

    keycloak.end_sessions().await?;
    println!("the session is revoked in Keycloak");
    let ended = until(&person, "the end is noticed", |status| {
        status["accounts"][0]["state"] == "needs-you"
    })
    .await?;
    println!("status: {}", ended["accounts"][0]["problem"]["message"]);
    ensure!(
        ended["accounts"][0]["problem"]["code"] == "session-ended",
        "{ended:#}"
    );
    works(&person, "after one new sign-in")?;
    ensure!(
        pages()? == 2,
        "one page for the ended session: {}",
        pages()?
    );

    let said = person.kubectl(&["fob", "logout", "--everywhere"])?;
    ensure!(said.ok, "{said:?}");
    print!("{}", said.out);
    ensure!(
        keycloak.sessions().await?.is_empty(),
        "Keycloak's session is over too"
    );
    let said = person.kubectl(&["get", "namespace", "default"])?;
    ensure!(!said.ok && said.err.contains("[signed-out]"), "{said:?}");
    ensure!(pages()? == 2, "signed out, no page opens by itself");

    person.end_resident("TERM")?;
    keycloak.set_rotation(false).await?;
    keycloak.set_token_lifespan(300).await?;
    world.administer(&["delete", "-f", "-"], &format!("{ROLE}---{BINDING}"))
}

fn expiry(status: &Value) -> Result<i64> {
    status["accounts"][0]["expires"]
        .as_i64()
        .with_context(|| format!("no expiry: {status:#}"))
}

fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Looks at the status until it is so; two minutes at most, since tokens live one.
async fn until(person: &Person, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value> {
    let begun = std::time::Instant::now();
    loop {
        let status = person.fob(&["status"])?;
        if holds(&status) {
            return Ok(status);
        }
        ensure!(
            begun.elapsed() < Duration::from_secs(120),
            "never: {what}: {status:#}\n{}",
            person.log()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
