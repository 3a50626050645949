//! What is held by questions that nobody answers: a kubeconfig of somebody else, run and interrupted, is over.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use world::browser::LEAVE;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

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
    let begun = Instant::now();
    while scene.questions()?.len() < count {
        ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "{:?}\n{}",
            scene.pages()?,
            scene.person.log()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Whether the person's own sign-in came back where its provider knows it.
fn came_back_at_8000(scene: &Scene) -> Result<bool> {
    let mut pages = scene.pages()?.into_iter().map(|step| step.url);
    Ok(pages.any(|url| url.starts_with("http://localhost:8000/?") && url.contains("code=")))
}
