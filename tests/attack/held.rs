//! What holds on after whoever brought it: a question that nobody answers, a first shell's limits, a sign-in page that
//! was seen once.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::{AttackerApi, Config, Fault, Playground};
use serde_json::json;
use world::browser::LEAVE;
use world::person::said;
use world::wait;

use crate::scene::{LATEST, ONE_REQUEST, Scene, Seat, attackers};
use crate::table::{NO_ROW, Table};

/// Accounts that nobody has signed in to are asked about on the pages of their sign-ins, and the person's own sign-in
/// comes after.
pub(crate) async fn ports(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat {
        consent: LEAVE,
        ..Seat::default()
    })
    .await?;
    let api = AttackerApi::start().await?;
    let mut waiting = Vec::new();
    for number in 1..=3 {
        let scope = format!("--oidc-extra-scope=theirs{number}");
        let stanza = scene.exec("kubectl", &[&scope]);
        let file = scene.kubeconfig(&[("prod", attackers(&api))], stanza);
        let file = scene.hostile(&format!("theirs{number}"), &file)?;
        let arguments = [&["--kubeconfig", &file], ONE_REQUEST].concat();
        waiting.push(scene.person.start(&arguments)?);
        asked(&scene, number).await?;
    }
    for port in [8000, 18000] {
        TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("{port} is held"))?;
    }
    scene.works("beside three questions")?;
    ensure!(came_back_at_8000(&scene)?, "{:?}", scene.pages()?);
    table.row(
        11,
        "three accounts of another's kubeconfig are asked about, and nobody answers",
        "the person signs in: no port that a provider knows is theirs",
    );

    for kubectl in &mut waiting {
        kubectl.kill()?;
        kubectl.wait()?;
    }
    scene.person.kubectl(&["fob", "logout"])?;
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    scene.works("after whoever asked was interrupted")?;
    table.row(
        11,
        "the same, and whoever asked was interrupted",
        "the person signs in",
    );
    Ok(())
}

/// Waits until so many questions stand in the browser.
async fn asked(scene: &Scene, count: usize) -> Result<()> {
    let often = wait::up_to(LATEST).every(Duration::from_millis(10));
    let what = format!("{count} questions");
    let asked = often.until_async(&what, async || {
        let pages = scene.pages()?;
        Ok(wait::is(
            scene.questions()?.len() >= count,
            format!("{pages:?}"),
        ))
    });
    asked.await.with_context(|| scene.person.log())?;
    Ok(())
}

/// Whether the person's own sign-in came back where its provider knows it.
fn came_back_at_8000(scene: &Scene) -> Result<bool> {
    let mut pages = scene.pages()?.into_iter().map(|step| step.url);
    Ok(pages.any(|url| url.starts_with("http://localhost:8000/?") && url.contains("code=")))
}

/// Whoever asks first has limits of its own, and starts the resident of all.
pub(crate) async fn limits(table: &Table) -> Result<()> {
    // What this user may not raise again is the browser's limit too, which could not be signed in with.
    let status: &[&str] = &["fob", "status"];
    for (limits, words) in [
        ("true", ONE_REQUEST),
        ("ulimit -S -f 0", ONE_REQUEST),
        ("ulimit -f 0", status),
    ] {
        let scene = Scene::set(Seat::default()).await?;
        let line = format!("umask 777; {limits}; exec kubectl {}", words.join(" "));
        let mut shell = scene.person.command("/bin/sh");
        let first = said(shell.args(["-c", &line]).output()?)?;
        ensure!(first.ok, "{limits}: {first:?}\n{}", scene.person.log());
        let resident = scene.person.resident();
        ensure!(resident.is_some(), "{limits}: it ended");
        let blocked = blocked(resident.unwrap_or_default())?;
        ensure!(blocked == 0, "{limits}: {blocked:x} are blocked");
        let then = scene.person.kubectl(words)?;
        ensure!(then.ok, "{limits}: {then:?}\n{}", scene.person.log());
        ensure!(scene.person.resident() == resident, "{limits}: another one");
        for entry in fs::read_dir(&scene.person.instance)? {
            let entry = entry?;
            let (path, found) = (entry.path(), entry.metadata()?);
            let whole = if found.is_dir() { 0o700 } else { 0o600 };
            let mode = found.permissions().mode();
            ensure!(mode & whole == whole, "{limits}: {path:?} is {mode:o}");
        }
    }
    table.row(
        NO_ROW,
        "the first shell has 'umask 777' and 'ulimit -f 0'",
        "the resident that it starts serves everybody, and its folders are its own to use",
    );
    Ok(())
}

/// Which signals a process has blocked.
fn blocked(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let blocked = line.context("no SigBlk")?.trim();
    Ok(u64::from_str_radix(blocked, 16)?)
}

/// A provider's page for passwords is another than when the person signed in.
pub(crate) async fn moved_page(table: &Table) -> Result<()> {
    let other: Config = serde_json::from_value(json!({}))?;
    let other = Playground::start(other).await?;
    for moves in [false, true] {
        let scene = Scene::signed_in(Seat {
            config: json!({ "token_seconds": 3 }),
            ..Seat::default()
        })
        .await?;
        let noted = scene.noting_browser()?;
        if moves {
            for (name, path) in [
                ("authorization_endpoint", "auth"),
                ("token_endpoint", "token"),
            ] {
                let url = format!("{}/protocol/openid-connect/{path}", other.issuer());
                let name = name.to_owned();
                scene
                    .playground
                    .fault(Fault::EndpointUrl { name, url })
                    .await?;
            }
            let both = [scene.playground.ca_pem(), other.ca_pem()].concat();
            fs::write(&scene.ca, both)?;
        }
        let over = Fault::RevokedSessions { user: None };
        scene.playground.fault(over).await?;
        let address = opened(&scene, &noted).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let page = client.get(&address).send().await?;
        let is_sent_on = page.status() == 303;
        let text = page.text().await?;
        ensure!(is_sent_on != moves, "{moves}: {text}");
        ensure!(
            !moves || text.contains("You will sign in at https://localhost:"),
            "{text}"
        );
    }
    table.row(
        25,
        "a provider moves its sign-in page after somebody has signed in",
        "they are told where a password goes before they are sent there",
    );
    Ok(())
}

/// The address that the person's browser is given as soon as their session is over. Until then kubectl works.
async fn opened(scene: &Scene, noted: &std::path::Path) -> Result<String> {
    let mut kubectl = scene.person.start(ONE_REQUEST)?;
    let often = wait::up_to(LATEST).every(Duration::from_millis(10));
    let opened = often.until_async("a browser that is opened", async || {
        if let Some((line, _)) = fs::read_to_string(noted)?.split_once('\n') {
            return Ok(Some(line.to_owned()));
        }
        if kubectl.try_wait()?.is_some() {
            kubectl = scene.person.start(ONE_REQUEST)?;
        }
        Ok(None)
    });
    let line = opened.await.with_context(|| scene.person.log())?;
    kubectl.kill()?;
    kubectl.wait()?;
    Ok(line)
}
