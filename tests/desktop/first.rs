//! The first start with nothing, to its end, on the real parts: an account by the form, signed in to at Keycloak, its
//! stanza put into a kubeconfig, and kubectl answered by the real kube-apiserver.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use tokio::runtime::Runtime;
use world::RealWorld;
use world::browser::read_log;
use world::driver::Driver;
use world::item::Host;
use world::parts::Missing;
use world::person::said;
use world::scenario::{Bound, World};
use world::session::Session;

use crate::seat::RealSeat;

pub(crate) fn walk(world: &RealWorld, runtime: &Runtime) -> Result<()> {
    runtime.block_on(async {
        world.tokens(300, false).await?;
        world.bind(Bound::User).await
    })?;
    let session = Session::start()?;
    let Some(seat) = RealSeat::with_nothing(&session, world)? else {
        let missing = Missing {
            name: "mount namespaces".to_owned(),
            why: "they are not allowed here".to_owned(),
        };
        return Err(missing.into());
    };
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_secs(60))?;
    let opened = said(person.command("kubefob-window").output()?)?;
    ensure!(opened.ok, "{opened:?}\n{}", person.log());
    let page = Driver::hold(port)?;
    page.until("No accounts yet")?;
    page.painted()?;
    session.picture("first-nothing")?;

    page.click_at(Locator::Css("[data-do=add-account]"))?;
    page.type_into(Locator::Css("[name=issuer]"), &world.keycloak.issuer())?;
    page.type_into(
        Locator::Css("[name=client]"),
        world::keycloak::Keycloak::CLIENT_ID,
    )?;
    page.type_into(Locator::Css("[name=secret]"), &world.keycloak.client_secret)?;
    page.until("answers.")?;
    page.painted()?;
    session.picture("first-add")?;
    page.click_at(Locator::Css("[data-do=add]"))?;
    page.until("Signed in · test")?;
    page.painted()?;
    session.picture("first-signed-in")?;
    println!("added by the form, and signed in at Keycloak");

    let shown = page.run("return document.querySelector('[data-part=yaml] code').textContent")?;
    let stanza = shown.as_str().context("no stanza")?;
    ensure!(!stanza.contains(&world.keycloak.client_secret), "{stanza}");
    let name = stanza
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("- name: "));
    let name = name.context("a stanza without a name")?.trim_matches('"');
    let file = person.home.join(".kube/config");
    let before = fs::read_to_string(&file)?;
    let after = before.replace("users: null\n", &format!("users:\n{stanza}\n"));
    ensure!(after != before, "{before}");
    fs::write(&file, after)?;
    let user = format!("--user={name}");
    for line in [
        &["set-context", "lab", "--cluster=lab", &user][..],
        &["use-context", "lab"],
    ] {
        let done = person.kubectl(&[&["config"], line].concat())?;
        ensure!(done.ok, "{done:?}\n{stanza}");
    }
    page.click_at(Locator::Css("[data-do=close]"))?;
    drop(page);
    end_windows(&seat)?;

    let get = ["get", "namespace", "default", "-o=name"];
    let waiting = person.start(&get)?;
    let question = Driver::hold(port)?;
    question.until("Let test sign in to a new server?")?;
    question.painted()?;
    session.picture("first-question")?;
    question.click("Always")?;
    let works = said(waiting.wait_with_output()?)?;
    ensure!(
        works.ok && works.out == "namespace/default\n",
        "{works:?}\n{}",
        person.log()
    );
    let again = person.kubectl(&get)?;
    ensure!(again.ok, "{again:?}");
    let opened = read_log(&seat.log)?;
    let opened = opened.iter().filter(|step| step.url.contains("/start/"));
    ensure!(opened.count() == 1, "one sign-in, and no page after it");
    println!(
        "kubectl works by the shown stanza, asked about once: {}",
        works.out.trim()
    );

    let item = Host::at(&session.keyring.address)?.item()?;
    ensure!(
        item.tooltip()?.contains("test · signed in"),
        "{:?}",
        item.tooltip()
    );
    session.picture("first-end")?;
    runtime.block_on(world.bind(Bound::Nobody))
}

/// What lingers hidden would be held in place of the next one.
fn end_windows(seat: &RealSeat) -> Result<()> {
    for window in seat.person.windows() {
        let ended = Command::new("kill")
            .args(["-KILL", &window.to_string()])
            .status()?;
        ensure!(ended.success(), "kill said {ended}");
    }
    crate::window::until("the window's end", || Ok(seat.person.windows().is_empty()))
}
