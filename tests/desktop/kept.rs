//! What the window finds and keeps: the kubeconfigs that askers had, and where it stood.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use serde_json::json;
use world::driver::Driver;
use world::onlooker::{Area, Onlooker};
use world::person::{Person, Said, said};
use world::session::Session;

use crate::seat::Seat;
use crate::window::until;

/// A second kubeconfig, known by its use alone: listed, switched in, seen by kubectl, and followed from outside.
pub(crate) fn files() -> Result<()> {
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_secs(60))?;
    let own = fs::read_to_string(&seat.file)?;
    let team = person.home.join("team.yaml");
    let renamed = own
        .replace("name: my_prod", "name: team-prod")
        .replace(&format!("name: {}\n", seat.current), "name: team-dev\n")
        .replace(
            &format!("current-context: {}", seat.current),
            "current-context: team-dev",
        )
        .replace(
            &format!("cluster: {}\n", seat.current),
            "cluster: team-dev\n",
        );
    fs::write(&team, &renamed)?;
    let team = team.to_str().context("a path")?.to_owned();

    ensure!(
        person.kubectl(&["get", "namespaces"])?.ok,
        "{}",
        person.log()
    );
    let opened = said(person.command("kubefob-window").output()?)?;
    ensure!(opened.ok, "{opened:?}");
    let page = Driver::hold(port)?;
    page.until("renews by itself")?;
    page.run("location.hash = 'contexts'")?;
    page.until("my_prod")?;
    ensure!(
        !page.text()?.contains("team-prod"),
        "before anybody used it"
    );

    let used = of_team(person, &team, &["get", "namespaces"])?;
    ensure!(used.ok, "{used:?}\n{renamed}");
    page.until("~/team.yaml")?;
    until_current(&page, "team-dev")?;
    println!("listed as soon as kubectl used it");
    page.painted()?;
    session.picture("window-other-files")?;

    page.click_at(Locator::XPath("//*[@data-row][.//b='team-prod']"))?;
    until("the switch", || {
        let current = of_team(person, &team, &["config", "current-context"])?;
        Ok(current.out == "team-prod\n")
    })?;
    let after = fs::read_to_string(&team)?;
    let expected = renamed.replace("current-context: team-dev", "current-context: team-prod");
    ensure!(after == expected, "{after}");
    ensure!(
        fs::read_to_string(&seat.file)? == own,
        "the person's own file"
    );
    until_current(&page, "team-prod")?;
    println!("switched in the window, seen by kubectl, and no other byte is another");

    let back = of_team(person, &team, &["config", "use-context", "team-dev"])?;
    ensure!(back.ok, "{back:?}");
    until_current(&page, "team-dev")?;
    println!("switched by kubectl, seen in the window");
    Ok(())
}

fn of_team(person: &Person, file: &str, arguments: &[&str]) -> Result<Said> {
    let mut kubectl = person.command("kubectl");
    said(kubectl.env("KUBECONFIG", file).args(arguments).output()?)
}

fn until_current(page: &Driver, name: &str) -> Result<()> {
    let script = format!(
        "const row = [...document.querySelectorAll('[data-row]')] \
           .find((row) => row.querySelector('b')?.textContent === '{name}'); \
         return row?.getAttribute('aria-selected') ?? row?.getAttribute('aria-current')"
    );
    page.until_run(
        &format!("{name} as the current one"),
        &script,
        &json!("true"),
    )
}

/// Moved, made larger and closed, it comes back so, by another process and another resident.
pub(crate) fn frame() -> Result<()> {
    const THERE: Area = Area {
        x: 61,
        y: 83,
        width: 720,
        height: 520,
    };
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_millis(200))?;
    let eye = Onlooker::at(&session.screen.display)?;
    let open = || -> Result<Driver> {
        let opened = said(person.command("kubefob-window").output()?)?;
        ensure!(opened.ok, "{opened:?}");
        let page = Driver::hold(port)?;
        page.until("Accounts")?;
        Ok(page)
    };
    let page = open()?;
    let first = eye.until_window("Kubefob")?;
    ensure!(first.area != THERE && first.area.width == 860, "{first:?}");
    eye.put(first, THERE)?;
    let size = format!(
        "return innerWidth === {} && innerHeight === {}",
        THERE.width, THERE.height
    );
    page.until_run("its new size", &size, &json!(true))?;
    drop(page);
    eye.close(first)?;
    until("the window's end", || Ok(person.windows().is_empty()))?;
    person.end_resident("TERM")?;
    let page = open()?;
    page.until_run("its size", &size, &json!(true))?;
    until("its place", || {
        Ok(eye
            .window("Kubefob")?
            .is_some_and(|shown| shown.area == THERE))
    })?;
    page.painted()?;
    session.picture("window-came-back")?;
    println!("it came back where it stood, as large as it was");
    Ok(())
}
