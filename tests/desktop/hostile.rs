//! Threat 17: names from a provider, a kubeconfig and a file's own name, in tooltip, menu, notification, window and
//! consent: none turns the direction of writing, begins a line, hides a letter or is markup, however long it is.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use playground::{AttackerApi, Fault};
use serde_json::json;
use world::driver::Driver;
use world::item::Host;
use world::session::Session;

use crate::seat::Seat;

/// Backwards, in a line of its own, unseen, in colour, as markup.
const HOSTILE: &str = "evil\u{202e}\u{2066}\r\n\u{2028}second\u{200b}line\u{ad}\u{3164}\u{1b}[31m<b onclick=alert(1)>b</b>&amp;";
/// How long a name is made, and what a line of tray and notification may have of it.
const LONG: usize = 4_000;
const LINE: usize = 96;

pub(crate) fn walk() -> Result<()> {
    let session = Session::start()?;
    let name = format!("name-{HOSTILE}{}", "x".repeat(LONG));
    let config = json!({
        "token_seconds": 20,
        "users": [{ "name": name, "password": "p", "groups": [format!("group-{HOSTILE}")] }],
        "kube": { "rules": [{ "subject": { "user": name }, "verbs": ["*"], "resources": ["*"] }] },
    });
    let mut seat = Seat::with(&session.keyring, config, (&name, "p"))?;
    seat.person.variable("DISPLAY", &session.screen.display);
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_secs(60))?;
    let context = format!("context-{HOSTILE}{}", "y".repeat(LONG));
    let set = [
        "config",
        "set-context",
        &context,
        "--user=none",
        "--cluster=none",
    ];
    ensure!(person.kubectl(&set)?.ok);
    let works = person.kubectl(&["get", "namespaces"])?;
    ensure!(works.ok, "{works:?}\n{}", person.log());

    let item = Host::at(&session.keyring.address)?.item()?;
    item.until("who is signed in", |item| {
        Ok(item.tooltip()?.contains("signed in"))
    })?;
    // It is markup: what is escaped there is a letter for whoever reads it.
    let tooltip = item.tooltip()?;
    ensure!(!tooltip.contains('<'), "{tooltip:?}");
    let tooltip = ["&lt;", "&gt;", "&amp;"]
        .into_iter()
        .zip(["<", ">", "&"])
        .fold(tooltip, |text, (escaped, letter)| {
            text.replace(escaped, letter)
        });
    one_line(&tooltip)?;
    ensure!(tooltip.contains("name-evil"), "{tooltip:?}");
    let labels: Vec<String> = item.menu()?.into_iter().map(|entry| entry.label).collect();
    for label in &labels {
        one_line(label)?;
    }
    for beginning in ["name-evil", "context-evil"] {
        let is_there = labels.iter().any(|label| label.starts_with(beginning));
        ensure!(is_there, "{beginning}: {labels:?}");
    }
    println!("in the tray: {tooltip:?}");

    item.click("Open Kubefob")?;
    let page = Driver::hold(port)?;
    page.until("name-evil")?;
    inert_page(&page)?;
    let length = "return document.body.innerText.length";
    let length = page.run(length)?.as_u64().unwrap_or(u64::MAX);
    ensure!(length < 2_000, "a name of {length} letters");
    page.painted()?;
    session.picture("hostile-accounts")?;
    page.run("location.hash = 'contexts'")?;
    page.until("context-evil")?;
    inert_page(&page)?;
    page.painted()?;
    session.picture("hostile-contexts")?;
    println!("in the window: text, and nothing else");
    session.picture_of_menu("hostile-menu")?;

    seat.runtime
        .block_on(seat.playground.fault(Fault::RevokedSessions { user: None }))?;
    let told = session.notified("needs you")?;
    let told = told.trim_start();
    ensure!(
        is_inert(told) && told.contains("name-evil") && told.chars().count() < 2 * LINE,
        "{told:?}"
    );
    session.picture("hostile-notification")?;
    println!("notified: {told}");
    item.click("Sign in")?;
    item.until("signed in again", |item| {
        Ok(item.tooltip()?.contains("signed in"))
    })?;
    drop(page);
    consent(&seat, &session, port)
}

/// A question about a file with such a name, and such names in it.
fn consent(seat: &Seat, session: &Session, port: u16) -> Result<()> {
    let person = &seat.person;
    for window in person.windows() {
        crate::window::kill(window)?;
    }
    let other = seat.runtime.block_on(AttackerApi::start())?;
    let file = person.home.join("file-evil\u{202e}\n\u{200b}<b>.yaml");
    fs::write(&file, seat.pointed_at(&other)?)?;
    let file = file.display().to_string();
    let waiting = person.start(&["--kubeconfig", &file, "get", "--raw", "/api"])?;
    let page = Driver::hold(port)?;
    page.until("file-evil")?;
    inert_page(&page)?;
    // What is asked is in sight with what is to be read of it, whatever its names are.
    let in_sight =
        "return document.querySelector('dl').getBoundingClientRect().top < innerHeight / 2";
    page.until_run("what is to be read", in_sight, &json!(true))?;
    page.until_run(
        "a window as high as its content",
        crate::window::GAP,
        &json!(12),
    )?;
    page.painted()?;
    session.picture("hostile-consent")?;
    // Under a name of any length it can be answered.
    page.run("document.querySelector('form .end').scrollIntoView()")?;
    page.click("Don’t allow")?;
    let said = world::person::said(waiting.wait_with_output()?)?;
    ensure!(
        said.err.contains("[trust-refused") && !other.saw_authorization(),
        "{said:?}"
    );
    println!("in the question: text, and nothing else");
    Ok(())
}

fn one_line(text: &str) -> Result<()> {
    let so = is_inert(text) && !text.contains('\n') && text.chars().count() <= LINE;
    ensure!(so, "{} characters: {text:?}", text.chars().count());
    Ok(())
}

/// The page's own ends of lines aside.
fn inert_page(page: &Driver) -> Result<()> {
    let text = page.text()?;
    ensure!(is_inert(&text), "{text:?}");
    for (what, script) in [
        (
            "markup",
            "return document.querySelector('[onclick], main b b') === null",
        ),
        (
            "an end of a line in a name",
            "return ![...document.querySelectorAll('body *')].some((at) => at.children.length === 0 && /evil[^]*\\n/.test(at.textContent.trim()))",
        ),
        (
            "wider than the window",
            "return document.documentElement.scrollWidth <= innerWidth",
        ),
    ] {
        ensure!(page.run(script)? == json!(true), "{what}: {text:?}");
    }
    Ok(())
}

/// Whether nothing in it is more than text, or less.
fn is_inert(text: &str) -> bool {
    !text.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{ad}' | '\u{3164}')
    })
}
