//! The tray from the first start to the last click.

use std::fs;

use anyhow::{Result, ensure};
use playground::{Endpoint, Fault};
use world::desk::Desk;
use world::item::{Host, Item};
use world::session::Session;

use crate::seat::Seat;

/// Sign in from the tray, switch the context there, lose the panel and the session, quit.
pub(crate) fn walk() -> Result<()> {
    let mut session = Session::start()?;
    let Seat {
        runtime,
        playground,
        person,
        file,
        current,
        browser: _,
    } = Seat::at(&session)?;
    let before = fs::read_to_string(&file)?;

    ensure!(person.kubectl(&["fob", "status"])?.ok);
    let host = Host::at(&session.keyring.address)?;
    let item = host.item()?;
    println!("in the tray: {:?}", item.tooltip()?);
    session.picture("tray-signed-out")?;

    item.click("Sign in")?;
    item.until("signed in", |item| {
        Ok(item.tooltip()?.contains("test · signed in"))
    })?;
    let namespaces = person.kubectl(&["get", "namespaces"])?;
    ensure!(namespaces.ok, "{namespaces:?}");
    ensure!(session.keyring.search()?.contains("kubefob"));
    println!("signed in by a click: {:?}", item.tooltip()?);
    session.picture("tray-signed-in")?;
    session.picture_of_menu("tray-menu")?;

    ensure!(marked(&item)? == [current.clone()], "{:?}", item.menu()?);
    item.click("my_prod")?;
    item.until("the switch", |item| Ok(marked(item)? == ["my_prod"]))?;
    ensure!(person.kubectl(&["config", "current-context"])?.out == "my_prod\n");
    let after = fs::read_to_string(&file)?;
    let expected = before.replace(
        &format!("current-context: {current}"),
        "current-context: my_prod",
    );
    ensure!(after == expected, "{after}");
    ensure!(person.kubectl(&["config", "use-context", &current])?.ok);
    item.until("a switch from outside", |item| {
        Ok(marked(item)? == [current.clone()])
    })?;
    println!("switched by a click, and back by kubectl: {current}");

    let resident = person.resident();
    session.kill_panel()?;
    ensure!(person.kubectl(&["get", "namespaces"])?.ok);
    session.start_panel()?;
    let item = host.item()?;
    ensure!(item.tooltip()?.contains("test · signed in"));
    ensure!(person.resident() == resident, "another resident");
    println!("the panel was killed and came back, and so did the item");

    runtime.block_on(playground.fault(Fault::RevokedSessions { user: None }))?;
    item.until("attention", |item| Ok(item.status()? == "NeedsAttention"))?;
    let notified = session.notified("needs you")?;
    println!("notified: {notified}");
    session.picture("tray-needs-you")?;

    let quit = item
        .menu()?
        .into_iter()
        .find(|entry| entry.label.starts_with("Quit"));
    item.click(&quit.map(|entry| entry.label).unwrap_or_default())?;
    while person.resident().is_some() {
        std::thread::yield_now();
    }
    ensure!(person.kubectl(&["fob", "status"])?.ok);
    println!("quit by a click, and started again by the next kubectl");
    Ok(())
}

/// A session that nothing renews ends at a time, told by the clock of whoever sits there.
pub(crate) fn fixed_end() -> Result<()> {
    const AHEAD: i64 = 9 * 3_600;
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    seat.playground.set_token_seconds(3_600);
    let armed = Fault::NoRefreshToken.at(Endpoint::Token);
    seat.runtime.block_on(seat.playground.fault(armed))?;
    seat.person.start_resident(&[("TZ", "KST-9")])?;
    let works = seat.person.kubectl(&["get", "namespaces"])?;
    ensure!(works.ok, "{works:?}");
    let view = Desk::at(&seat.person)?.until("an end", |view| {
        view["accounts"][0]["expires"].is_i64() && view["accounts"][0]["renews"] == false
    })?;
    let expires = view["accounts"][0]["expires"].as_i64().unwrap_or_default();
    let minutes = (expires.div_euclid(1_000) + AHEAD).rem_euclid(86_400) / 60;
    let clock = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let item = Host::at(&session.keyring.address)?.item()?;
    item.until("the end in the tooltip", |item| {
        let tooltip = item.tooltip()?;
        Ok(tooltip.starts_with("test · signed in until ") && tooltip.ends_with(&clock))
    })?;
    let told = item
        .menu()?
        .into_iter()
        .any(|entry| entry.label.starts_with("Signed in until ") && entry.label.ends_with(&clock));
    ensure!(told, "{:?}", item.menu());
    println!("in Korea: {:?}", item.tooltip()?);
    Ok(())
}

/// The contexts that bear the mark.
pub(crate) fn marked(item: &Item) -> Result<Vec<String>> {
    let entries = item.menu()?.into_iter();
    Ok(entries
        .filter(|entry| entry.marked)
        .map(|entry| entry.label)
        .collect())
}
