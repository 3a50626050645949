//! What happens to a session over time: short tokens, rotation without reuse, a provider that goes
//! and comes, a resident that is killed, a session that is revoked.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Bound, Seated, World};
use crate::keyring::Keyring;
use crate::person::Person;
use crate::wait;

/// From one sign-in to the sign-out. Two pages in all: one for the sign-in, one for the session
/// that was revoked.
pub async fn lifetime<W: World>(world: &W, scripted: &Path) -> Result<()> {
    world.tokens(W::SHORT, true).await?;
    world.bind(Bound::User).await?;

    let keyring = Keyring::start(world.folder())?;
    let mut seated = Seated::new(world, "lifetime", scripted)?;
    seated
        .person
        .variable("DBUS_SESSION_BUS_ADDRESS", &keyring.address);
    let person = &seated.person;

    seated.works("after the sign-in")?;
    ensure!(seated.pages()? == 1);
    let status = person.fob(&["status"])?;
    ensure!(status["keep"] == "sealed", "{status:#}");
    let found = keyring.search()?;
    ensure!(found.contains("service = kubefob"), "{found}");
    println!("the key rests in gnome-keyring, seen there by secret-tool");

    let first = expiry(&status)?;
    let second = until(person, "a token renewed ahead of its end", |status| {
        expiry(status).is_ok_and(|expires| expires > first)
    })
    .await?;
    println!("renewed by itself: {first} -> {}", expiry(&second)?);
    seated.works("after the renewal")?;

    for member in [false, true] {
        world.admit(member).await?;
        let renewed = person.fob(&["renew"])?;
        let expected = if member {
            vec!["kubernetes:admin"]
        } else {
            Vec::new()
        };
        ensure!(renewed["groups"] == Value::from(expected), "{renewed:#}");
        println!("renewed by hand: the groups are {}", renewed["groups"]);
    }
    ensure!(seated.pages()? == 1, "new groups cost no page");

    person.end_resident("KILL")?;
    seated.works("after kill -9 of the resident")?;
    ensure!(seated.pages()? == 1, "still one page");

    world.stop_provider().await?;
    println!("{} is stopped", W::PROVIDER);
    let away = until(person, "the provider is missed", |status| {
        status["accounts"][0]["state"] == "cannot-reach"
    })
    .await?;
    println!("status: {}", away["accounts"][0]["problem"]["message"]);
    let last = expiry(&away)?;
    until(person, "the token has run out", |_| now() > last).await?;
    let began = std::time::Instant::now();
    let said = person.kubectl(&["get", "namespace", "default"])?;
    ensure!(!said.ok && said.err.contains("[unreachable]"), "{said:?}");
    println!(
        "an ask without a token is answered after {:?}",
        began.elapsed()
    );
    world.start_provider().await?;
    // An ask tries at once, but not twice within two seconds.
    wait::up_to(Duration::from_secs(60))
        .every(Duration::ZERO)
        .until("kubectl works again", || {
            Ok(seated.works("after the provider came back"))
        })
        .with_context(|| person.log())?;
    ensure!(
        seated.pages()? == 1,
        "a provider that was away costs no sign-in"
    );

    world.end_sessions().await?;
    println!("the session is revoked in {}", W::PROVIDER);
    let ended = until(person, "the end is noticed", |status| {
        status["accounts"][0]["state"] == "needs-you"
    })
    .await?;
    println!("status: {}", ended["accounts"][0]["problem"]["message"]);
    ensure!(
        ended["accounts"][0]["problem"]["code"] == "session-ended",
        "{ended:#}"
    );
    let hint = ended["accounts"][0]["problem"]["hint"].as_str();
    ensure!(
        hint.is_some_and(|hint| hint.contains("kubectl fob login")),
        "{ended:#}"
    );
    seated.works("after one new sign-in")?;
    ensure!(
        seated.pages()? == 2,
        "one page for the ended session: {}",
        seated.pages()?
    );

    let said = person.kubectl(&["fob", "logout", "--everywhere"])?;
    ensure!(said.ok, "{said:?}");
    print!("{}", said.out);
    ensure!(
        world.sessions().await? == 0,
        "the provider's session is over too"
    );
    let said = person.kubectl(&["get", "namespace", "default"])?;
    ensure!(!said.ok && said.err.contains("[signed-out]"), "{said:?}");
    ensure!(seated.pages()? == 2, "signed out, no page opens by itself");

    person.end_resident("TERM")?;
    world.tokens(300, false).await?;
    world.bind(Bound::Nobody).await
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

/// Looks at the status until it is so; two minutes at most, since real tokens live one.
async fn until(person: &Person, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value> {
    let status = wait::up_to(Duration::from_secs(120))
        .every(Duration::from_millis(500))
        .until_async(what, async || {
            let status = person.fob(&["status"])?;
            Ok(wait::is(holds(&status), status))
        });
    status.await.with_context(|| person.log())
}
