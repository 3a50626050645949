//! Accounts without a terminal: from a home that has none to one that kubectl works by, and away again.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use fantoccini::Locator;
use playground::Endpoint;
use world::driver::Driver;
use world::person::said;
use world::session::Session;

use crate::seat::{SECRET, Seat};
use crate::window::until;

/// Nothing is there: an account is added, signed in to, used by kubectl as the window says, renamed and removed.
pub(crate) fn walk() -> Result<()> {
    let session = Session::start()?;
    let seat = Seat::without_account(&session)?;
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_millis(200))?;
    let page = open(&seat, port)?;
    page.until("No accounts yet")?;
    page.painted()?;
    session.picture("window-empty")?;

    page.click_at(Locator::Css("[data-do=add-account]"))?;
    page.type_into(Locator::Css("[name=issuer]"), "http://localhost:1/nobody")?;
    page.click_at(Locator::Css("[name=client]"))?;
    page.click_at(Locator::Css("[data-code=unreachable]"))?;
    println!("a provider that is not there is said beside the field");
    page.type_over("[name=issuer]", seat.playground.issuer())?;
    page.type_into(Locator::Css("[name=client]"), "added")?;
    page.type_into(Locator::Css("[name=secret]"), SECRET)?;
    page.until("answers.")?;
    page.painted()?;
    session.picture("window-add")?;
    page.click_at(Locator::Css("[data-do=add]"))?;
    page.until_so("who is signed in", |text| text.contains("Signed in · test"))?;
    ensure!(seat.playground.counters().sign_ins == 1);
    page.painted()?;
    session.picture("window-added")?;
    let shown =
        page.run("return document.querySelector('[data-part=command] code').textContent")?;
    let command = shown.as_str().unwrap_or_default().to_owned();
    const EVERYTHING: &str = "return document.documentElement.outerHTML \
         + [...document.querySelectorAll('input')].map((input) => input.value) \
         + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage })";
    let everything = page.run(EVERYTHING)?;
    ensure!(!everything.to_string().contains(SECRET), "{everything}");
    ensure!(!has(person.root(), SECRET)?, "in a file");
    println!("the typed client secret is in no field, store or file");
    page.click_at(Locator::Css("[data-do=close]"))?;

    let ran = said(shell(&seat, &command).output()?)?;
    ensure!(ran.ok, "{command}: {ran:?}");
    let user = fs::read_to_string(&seat.file)?;
    ensure!(
        user.contains("kubectl-fob") && !user.contains(SECRET),
        "{user}"
    );
    let user = command.split_whitespace().nth(3).unwrap_or_default();
    let user = format!("--user={user}");
    let named = person.kubectl(&["config", "set-context", "lab", "--cluster=lab", &user])?;
    ensure!(named.ok && person.kubectl(&["config", "use-context", "lab"])?.ok);
    shut(&seat, page)?;

    let waiting = person.start(&["get", "--raw", "/api/v1/namespaces"])?;
    let consent = Driver::hold(port)?;
    consent.click("Always")?;
    let works = said(waiting.wait_with_output()?)?;
    drop(consent);
    ensure!(works.ok, "{works:?}");
    println!("kubectl works by the user that the window showed");
    until("the window's end", || Ok(person.windows().is_empty()))?;

    let page = open(&seat, port)?;
    page.until(" uses it")?;
    page.painted()?;
    session.picture("window-used")?;
    menu(&page, "Rename…")?;
    page.type_over("[name=label]", "the lab")?;
    page.click_at(Locator::Css("[data-do=rename]"))?;
    page.until("the lab")?;
    let accounts = person.fob(&["accounts"])?;
    ensure!(accounts[0]["label"] == "the lab", "{accounts:#}");

    menu(&page, "Remove…")?;
    page.click_at(Locator::Css("[data-do=remove]"))?;
    // Its kubeconfig still names it, and offers it anew.
    page.until("1 of your contexts can sign in here")?;
    page.painted()?;
    session.picture("window-removed")?;
    let accounts = person.fob(&["accounts"])?;
    ensure!(
        accounts.as_array().is_some_and(Vec::is_empty),
        "{accounts:#}"
    );
    let trusts = person.fob(&["trusts"])?;
    ensure!(trusts.as_array().is_some_and(Vec::is_empty), "{trusts:#}");
    let counters = seat.playground.counters();
    ensure!(counters.requests_at(Endpoint::Revoke) > 0, "{counters:?}");
    println!("renamed, and removed: signed out, nothing left, offered anew");
    Ok(())
}

/// A line as this person's shell runs it.
fn shell(seat: &Seat, line: &str) -> Command {
    let as_is = seat.person.command("kubectl");
    let environment = as_is.get_envs();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", line])
        .env_clear()
        .envs(environment.filter_map(|(name, value)| Some((name, value?))))
        .current_dir(&seat.person.home);
    shell
}

fn open(seat: &Seat, port: u16) -> Result<Driver> {
    let shown = said(seat.person.command("kubefob-window").output()?)?;
    ensure!(shown.ok, "{shown:?}\n{}", seat.person.log());
    Driver::hold(port)
}

/// Closes the window, and waits until its process is gone.
fn shut(seat: &Seat, page: Driver) -> Result<()> {
    page.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'w', ctrlKey: true, bubbles: true }))")?;
    drop(page);
    until("the window's end", || Ok(seat.person.windows().is_empty()))
}

fn menu(page: &Driver, words: &str) -> Result<()> {
    page.click_at(Locator::Css("[data-account] [aria-haspopup=menu]"))?;
    let item = format!("//*[@role='menuitem'][normalize-space(.)='{words}']");
    page.click_at(Locator::XPath(&item))
}

fn has(folder: &Path, text: &str) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let (path, kind) = {
            let entry = entry?;
            (entry.path(), entry.file_type()?)
        };
        if kind.is_dir() && has(&path, text)? {
            return Ok(true);
        }
        if kind.is_file() {
            let bytes = fs::read(&path)?;
            if bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
