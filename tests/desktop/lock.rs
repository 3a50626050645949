//! A locked screen: neither page nor window under it, a terminal all the same, and a word when somebody is back.

use anyhow::{Result, ensure};
use playground::Fault;
use serde_json::{Value, json};
use world::bus::Bus;
use world::desk::Desk;
use zbus::blocking::connection::Builder;

use crate::login::{Logind, Saver, say_active};
use crate::seat::Seat;
use world::session::Session;

/// Locked by the screen saver, by the locker's word to logind, and by another login at the same computer.
pub(crate) fn walk() -> Result<()> {
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let system = Bus::start(&person.root().join("system_bus_socket"))?;
    let logind = Logind::start(&system.address)?;
    person.start_resident(&[("DBUS_SYSTEM_BUS_ADDRESS", &system.address)])?;
    ensure!(
        person.kubectl(&["get", "namespaces"])?.ok,
        "{}",
        person.log()
    );
    let mut desk = Desk::at(person)?;
    desk.until("a desktop", is("unlocked"))?;

    // It comes while the resident runs, as a desktop's does.
    let saver = Saver::start(&session.keyring.address)?;
    let forger = Builder::address(session.keyring.address.as_str())?.build()?;
    say_active(&forger, "org.gnome.ScreenSaver", true)?;
    saver.set(true)?;
    desk.until("the screen saver", is("locked"))?;
    let told = desk.ask(&json!({ "do": "open" }))?;
    ensure!(told["problem"]["code"] == "screen-locked", "{told}");
    seat.runtime
        .block_on(seat.playground.fault(Fault::RevokedSessions { user: None }))?;
    desk.until("the end of the session", |view| {
        view["accounts"][0]["state"] == "needs-you"
    })?;
    let pages = seat.pages()?;
    let nobody = person.kubectl(&["get", "namespaces"])?;
    ensure!(
        !nobody.ok && nobody.err.contains("[session-ended]"),
        "{nobody:?}"
    );
    ensure!(seat.pages()? == pages, "a page under a locked screen");
    session.was_quiet("needs you")?;
    println!("under a screen saver: {}", nobody.err.trim());

    saver.set(false)?;
    desk.until("somebody who is back", is("unlocked"))?;
    println!("unlocked: {}", session.notified("needs you")?);
    drop(saver);
    say_active(&forger, "org.gnome.ScreenSaver", true)?;

    logind.lock(true)?;
    desk.until("the locker", is("locked"))?;
    seat.sign_in_at_terminal("kubectl get namespaces")?;
    ensure!(seat.pages()? == pages + 1, "a page under a locked screen");

    logind.lock(false)?;
    desk.until("somebody who is back", is("unlocked"))?;
    logind.activate(false)?;
    desk.until("another login at this computer", is("locked"))?;
    logind.activate(true)?;
    desk.until("this one's turn", is("unlocked"))?;
    logind.lock(true)?;
    desk.until("the locker", is("locked"))?;
    drop(logind);
    desk.until("no logind that says so", is("unlocked"))?;
    println!("locked by logind's session, inactive, active, and unlocked without logind");
    Ok(())
}

fn is(desktop: &'static str) -> impl Fn(&Value) -> bool {
    move |view| view["desktop"] == desktop
}
