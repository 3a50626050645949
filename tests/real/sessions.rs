//! Sessions as Keycloak has them: a client secret that form-encoding changes, an audience more at a refresh, a provider
//! that is away while somebody asks, a session that its administrator ends.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use world::keycloak::Keycloak;
use world::scenario::{Bound, Seated, World};
use world::{RealWorld, wait};

use crate::SCRIPTED;

/// Each of its characters is another one in a form.
const SECRET: &str = "a+b/c=d e%f";
/// For how long somebody asks a provider that is away. Keycloak's start makes it some half a minute more.
const AWAY: Duration = Duration::from_secs(60);
/// A session heals by itself so soon after the provider's return.
const HEALS: Duration = Duration::from_secs(30);

/// One sign-in carries all of it but the last, which is one page more.
pub(crate) async fn sessions(world: &RealWorld) -> Result<()> {
    let keycloak = &world.keycloak;
    world.bind(Bound::User).await?;
    world.tokens(RealWorld::SHORT, false).await?;
    keycloak.set_client(json!({ "secret": SECRET })).await?;

    let seated = Seated::new(world, "sessions", Path::new(SCRIPTED))?;
    let kubeconfig = world.kubeconfig(&[])?;
    ensure!(kubeconfig.matches(&keycloak.client_secret).count() == 1);
    let file = seated.person.home.join(".kube/config");
    let written = std::fs::read_to_string(&file)?;
    std::fs::write(&file, written.replace(&keycloak.client_secret, SECRET))?;
    seated.works("signed in with a secret that form-encoding changes")?;
    let first = expiry(&seated)?;
    renewed(&seated, first).await?;

    audience(world, &seated).await?;
    away(world, &seated).await?;
    ended(world, &seated).await?;

    let said = seated.person.kubectl(&["fob", "logout"])?;
    ensure!(said.ok && said.out.contains("revoked them too"), "{said:?}");
    seated.person.end_resident("TERM")?;
    let secret = &keycloak.client_secret;
    keycloak.set_client(json!({ "secret": secret })).await?;
    world.tokens(300, false).await?;
    world.bind(Bound::Nobody).await
}

/// A mapper puts an audience into each token from now on.
async fn audience(world: &RealWorld, seated: &Seated) -> Result<()> {
    let keycloak = &world.keycloak;
    ensure!(audiences(seated)? == json!(Keycloak::CLIENT_ID));
    let path = format!("clients?clientId={}", Keycloak::CLIENT_ID);
    let found = keycloak.admin(Method::GET, &path, None).await?;
    let id = found[0]["id"].as_str().context("no such client")?;
    let mappers = format!("clients/{id}/protocol-mappers/models");
    let mapper = json!({
        "name": "other-audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {
            "included.custom.audience": "other",
            "id.token.claim": "true",
            "access.token.claim": "false",
        },
    });
    keycloak.admin(Method::POST, &mappers, Some(mapper)).await?;
    let before = expiry(seated)?;
    renewed(seated, before).await?;
    let found = audiences(seated)?;
    let has = |one: &str| {
        found
            .as_array()
            .is_some_and(|all| all.contains(&json!(one)))
    };
    ensure!(has("other") && has(Keycloak::CLIENT_ID), "{found}");
    seated.works("renewed with an audience more")?;

    let all = keycloak.admin(Method::GET, &mappers, None).await?;
    let made = all
        .as_array()
        .and_then(|all| all.iter().find(|one| one["name"] == "other-audience"));
    let made = made
        .and_then(|one| one["id"].as_str())
        .context("no mapper")?;
    keycloak
        .admin(Method::DELETE, &format!("{mappers}/{made}"), None)
        .await?;
    Ok(())
}

/// However often it is asked for meanwhile, the session heals soon, and by itself.
async fn away(world: &RealWorld, seated: &Seated) -> Result<()> {
    let pages = seated.pages()?;
    world.stop_provider().await?;
    until(seated, "the provider is missed", |account| {
        account["state"] == "cannot-reach"
    })
    .await?;
    let (began, mut asks) = (Instant::now(), 0);
    wait::up_to(2 * AWAY)
        .every(Duration::from_secs(2))
        .until("asked all the while", || {
            asks += 1;
            seated.person.kubectl(&["get", "namespace", "default"])?;
            Ok(began.elapsed() > AWAY)
        })?;
    world.start_provider().await?;
    let back = Instant::now();
    until(seated, "it heals", |account| {
        account["state"] == "signed-in"
    })
    .await?;
    let healed = back.elapsed();
    println!("asked for {asks} times while Keycloak was away: healed {healed:?} after its return");
    ensure!(healed < HEALS, "{healed:?}\n{}", seated.person.log());
    seated.works("Keycloak is back")?;
    ensure!(seated.pages()? == pages, "it costs no sign-in");
    Ok(())
}

/// The end is told with the command that mends it, and costs one page when somebody asks.
async fn ended(world: &RealWorld, seated: &Seated) -> Result<()> {
    let pages = seated.pages()?;
    world.end_sessions().await?;
    let account = until(seated, "the end is noticed", |account| {
        account["state"] == "needs-you"
    })
    .await?;
    let problem = &account["problem"];
    let hint = problem["hint"].as_str().unwrap_or_default();
    println!("status: {} {hint}", problem["message"]);
    ensure!(
        problem["code"] == "session-ended" && hint.contains("kubectl fob login"),
        "{problem:#}"
    );
    ensure!(seated.pages()? == pages, "no page that nobody asked for");
    seated.works("after the one page that an ask brings")?;
    seated.works("and no other")?;
    ensure!(seated.pages()? == pages + 1, "{}", seated.pages()?);
    Ok(())
}

/// What the token that kubectl is given says of whom it is for.
fn audiences(seated: &Seated) -> Result<Value> {
    let said = seated.person.kubectl(&["fob", "token"])?;
    let part = said.out.trim().split('.').nth(1);
    let part = part.with_context(|| format!("no token: {}", said.err))?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?;
    Ok(claims["aud"].clone())
}

fn expiry(seated: &Seated) -> Result<i64> {
    let status = seated.person.fob(&["status"])?;
    let expires = status["accounts"][0]["expires"].as_i64();
    expires.with_context(|| format!("no expiry: {status:#}"))
}

async fn renewed(seated: &Seated, before: i64) -> Result<()> {
    let later = |account: &Value| account["expires"].as_i64() > Some(before);
    until(seated, "a token renewed ahead of its end", later).await?;
    Ok(())
}

/// Looks at the account until it is so; two minutes at most, since tokens live one.
async fn until(seated: &Seated, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value> {
    let account = wait::up_to(Duration::from_secs(120))
        .every(Duration::from_millis(500))
        .until_async(what, async || {
            let status = seated.person.fob(&["status"])?;
            let account = status["accounts"][0].clone();
            Ok(wait::is(holds(&account), account))
        });
    account.await.with_context(|| seated.person.log())
}
