//! Threat 9, where a person sat: their screen has ended, and another user serves what has that name now.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use world::person::{Said, said};
use world::screen::Screen;
use world::user::Other;

use crate::scene::{Scene, Seat, attackers};
use crate::table::Table;

/// Their X server takes the place of the person's, in less time than the resident takes to look: it does nothing
/// meanwhile.
pub(crate) async fn screen(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut scene = Scene::set(Seat::default()).await?;
    let display = Screen::free()?;
    let own = Screen::start_again(&display, None)?;
    scene.person.variable("DISPLAY", &display);
    scene.works("at their own screen")?;
    asked(&scene).await?;
    table.row(
        9,
        "control: a question at the person's own X server",
        "shown",
    );

    let resident = scene.person.resident().context("no resident")?;
    signal(resident, "STOP")?;
    own.end()?;
    let theirs = Screen::start_again(&display, Some(other))?;
    signal(resident, "CONT")?;
    let pages = scene.pages()?.len();
    let attacker = AttackerApi::start().await?;
    let said = scene.run(&hostile(&scene, &attacker)?)?;
    ensure!(!said.ok && said.err.contains("[not-trusted]"), "{said:?}");
    ensure!(scene.person.kubectl(&["fob", "logout"])?.ok, "signed in");
    let said = signs_in(&scene)?;
    ensure!(!said.ok && said.err.contains("[signed-out]"), "{said:?}");
    ensure!(scene.pages()?.len() == pages, "{:?}", scene.pages()?);
    ensure!(
        scene.person.resident() == Some(resident),
        "another resident"
    );
    table.row(
        9,
        "the person's X server ends, and another user's has its place: a question, and a sign-in",
        "neither is shown there: nobody sits at a desktop",
    );

    theirs.end()?;
    let own = Screen::start_again(&display, None)?;
    let said = signs_in(&scene)?;
    ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    asked(&scene).await?;
    table.row(
        9,
        "control: the person's own X server is there again",
        "sign-in and question are shown",
    );
    own.end()
}

fn hostile(scene: &Scene, attacker: &AttackerApi) -> Result<String> {
    let servers = [("prod", attackers(attacker))];
    scene.hostile(
        "hostile",
        &scene.kubeconfig(&servers, scene.exec("kubectl", &[])),
    )
}

/// The person is asked about a new server, on a page, and says no.
async fn asked(scene: &Scene) -> Result<()> {
    let before = scene.questions()?.len();
    let said = scene.run(&hostile(scene, &AttackerApi::start().await?)?)?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{said:?}\n{}",
        scene.person.log()
    );
    ensure!(scene.questions()?.len() == before + 1, "not asked once");
    Ok(())
}

/// From a shell that has the name of their screen: what a person's command comes from says where they sit.
fn signs_in(scene: &Scene) -> Result<Said> {
    let mut shell = scene.person.command("/bin/sh");
    said(shell.args(["-c", "kubectl fob login; exit $?"]).output()?)
}

fn signal(pid: u32, name: &str) -> Result<()> {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status()?;
    ensure!(status.success(), "kill said {status}");
    Ok(())
}
