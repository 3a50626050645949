//! The set `real`: the article's way on real parts.

mod flags;
mod matrix;
mod sessions;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use world::browser::{self, Settings};
use world::keycloak::Keycloak;
use world::scenario::lifetime::lifetime;
use world::scenario::seed::seed;
use world::scenario::terminal::terminal;
use world::scenario::{Bound, World};
use world::{Real, RealWorld, Set};

/// The scripted browser's program.
pub(crate) const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted-browser");

fn main() -> ExitCode {
    Real::run(|set, real| {
        set.trial("flags", flags::flags);
        trial(set, real, "parts", parts);
        trial(set, real, "controls", controls);
        trial(set, real, "scripted_browser", scripted_browser);
        trial(set, real, "seed", async |world| {
            seed(world, Path::new(SCRIPTED)).await
        });
        trial(set, real, "matrix", matrix::matrix);
        trial(set, real, "sessions", sessions::sessions);
        trial(set, real, "terminal", async |world| {
            terminal(world, Path::new(SCRIPTED)).await
        });
        trial(set, real, "lifetime", async |world| {
            lifetime(world, Path::new(SCRIPTED)).await
        });
    })
}

/// A trial in the world that all of them share.
fn trial(
    set: &mut Set,
    real: &Arc<Real>,
    name: &'static str,
    body: impl AsyncFnOnce(&RealWorld) -> Result<()> + Send + 'static,
) {
    let real = Arc::clone(real);
    set.trial(name, move || real.with(body));
}

/// The article's second section, without any program of ours: that the parts are the real ones
/// and stand together.
async fn parts(world: &RealWorld) -> Result<()> {
    for part in ["keycloak", "etcd", "kube-apiserver", "kubectl"] {
        println!("{part} {}", world.parts.version(part).unwrap_or("?"));
    }
    let tokens = world.keycloak.password_grant().await?;
    let token = tokens.id_token.as_str();
    println!("2-2: a token for the password of {}", Keycloak::USER);

    let path = "/api/v1/namespaces/default";
    let (status, body) = world.apiserver.get(path, Some("a.bad.token")).await?;
    ensure!(
        status == 401 && body["message"] == "Unauthorized",
        "{status}: {body}"
    );
    println!("2-5: 401 with a bad token");

    let (status, body) = world.apiserver.get(path, Some(token)).await?;
    let message = body["message"].as_str().unwrap_or_default();
    ensure!(
        status == 403 && message.contains(r#"User "test" cannot get"#),
        "{status}: {body}"
    );
    println!("2-5: 403: {message}");
    let refused = world.kubectl_as(token, &["get", "namespace", "default"], "")?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(
        !refused.status.success() && said.contains(r#"User "test""#),
        "{said}"
    );

    world.bind(Bound::User).await?;
    println!("2-3: the role, and its binding to the user");
    let (status, body) = world.apiserver.get(path, Some(token)).await?;
    ensure!(
        status == 200 && body["metadata"]["name"] == "default",
        "{status}: {body}"
    );
    let served = world.kubectl_as(token, &["get", "namespace", "default", "-o=name"], "")?;
    let said = String::from_utf8_lossy(&served.stdout);
    ensure!(said == "namespace/default\n", "{served:?}");
    println!("2-4: 200 on namespaces/default; kubectl: {}", said.trim());

    let who = world.kubectl_as(
        token,
        &["auth", "whoami", "-o=jsonpath={.status.userInfo}"],
        "",
    )?;
    let who = String::from_utf8_lossy(&who.stdout);
    ensure!(who.contains(r#""kubernetes:admin""#), "{who}");
    println!("whoami: {who}");

    // As it was, for the trials that go the same way.
    world.bind(Bound::Nobody).await?;
    let (status, _) = world.apiserver.get(path, Some(token)).await?;
    ensure!(status == 403, "{status} without the binding");
    Ok(())
}

/// What the other trials tell Keycloak to do, done: rotation, a stop and a start, an end.
async fn controls(world: &RealWorld) -> Result<()> {
    let keycloak = &world.keycloak;
    keycloak.set_rotation(true).await?;
    keycloak.set_token_lifespan(60).await?;
    let tokens = keycloak.password_grant().await?;
    let (status, body) = keycloak.refresh(&tokens.refresh_token).await?;
    // Keycloak states what is left when it answers: on a slow start a second is gone by then.
    let left = body["expires_in"].as_u64();
    ensure!(
        status == 200 && left.is_some_and(|seconds| (30..=60).contains(&seconds)),
        "{status}: {body}"
    );
    let second = body["refresh_token"]
        .as_str()
        .context("no second refresh token")?
        .to_owned();
    println!("a refresh brings a token of one minute, and another refresh token");

    keycloak.stop().await?;
    ensure!(
        keycloak.refresh(&second).await.is_err(),
        "something answers at its port"
    );
    keycloak.start_again().await?;
    let (status, body) = keycloak.refresh(&second).await?;
    ensure!(status == 200, "{status}: {body}");
    println!(
        "stopped and started, it knows the session still: {} in all",
        { keycloak.sessions().await?.len() }
    );

    let (status, body) = keycloak.refresh(&second).await?;
    ensure!(
        status == 400 && body["error"] == "invalid_grant",
        "{status}: {body}"
    );
    println!(
        "the same refresh token again: {}",
        body["error_description"]
    );

    let tokens = keycloak.password_grant().await?;
    keycloak.end_sessions().await?;
    ensure!(keycloak.sessions().await?.is_empty());
    let (status, body) = keycloak.refresh(&tokens.refresh_token).await?;
    ensure!(
        status == 400 && body["error"] == "invalid_grant",
        "{status}: {body}"
    );
    println!(
        "after the end of its session: {}",
        body["error_description"]
    );

    keycloak.set_rotation(false).await?;
    keycloak.set_token_lifespan(300).await
}

/// The scripted browser signs in on Keycloak's own page and comes back with a code.
async fn scripted_browser(world: &RealWorld) -> Result<()> {
    let log = world.folder.join("scripted-browser.jsonl");
    let settings = Settings {
        ca: Some(world.pki.ca.clone()),
        user: Keycloak::USER.to_owned(),
        password: world.keycloak.password.clone(),
        log: Some(log.clone()),
        ..Settings::default()
    };
    let script = world.folder.join("open");
    settings.launcher(Path::new(SCRIPTED), &script)?;

    let listener = match TcpListener::bind("127.0.0.1:8000").await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:18000").await?,
    };
    let port = listener.local_addr()?.port();
    let address = format!(
        "{}/protocol/openid-connect/auth?response_type=code&scope=openid&state=s1&client_id={}\
         &redirect_uri=http://localhost:{port}",
        world.keycloak.issuer(),
        Keycloak::CLIENT_ID,
    );
    let mut browser = tokio::process::Command::new(&script).arg(address).spawn()?;
    let (mut callback, _) = listener.accept().await?;
    let mut request = vec![0; 4096];
    let length = callback.read(&mut request).await?;
    let request = String::from_utf8_lossy(&request[..length]);
    let line = request.lines().next().unwrap_or_default();
    ensure!(
        line.starts_with("GET /?") && line.contains("&code="),
        "{line}"
    );
    let page = "<title>Signed in</title><p>You may close this.";
    let length = page.len();
    callback
        .write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{page}").as_bytes())
        .await?;
    ensure!(browser.wait().await?.success());

    let steps = browser::read_log(&log)?;
    for step in &steps {
        println!(
            "{} {} {} {}",
            step.status, step.method, step.url, step.title
        );
    }
    let last = steps.last().context("no steps")?;
    ensure!(
        last.text.as_deref() == Some("You may close this."),
        "{last:?}"
    );
    let logged = std::fs::read_to_string(&log)?;
    ensure!(
        !logged.contains(&world.keycloak.password) && !logged.contains("s1"),
        "{logged}"
    );
    Ok(())
}
