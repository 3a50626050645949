//! What is left without a tray, and without a desktop: all of it works, and it is said how.

use anyhow::{Result, ensure};
use serde_json::Value;
use world::desk::Desk;
use world::item::Host;
use world::keyring::Keyring;
use world::onlooker::Onlooker;
use world::person::said;
use world::session::{Session, folder};

use crate::seat::Seat;

/// GNOME as it comes: no host shows tray items. It is told once, in this life and the next, until one comes.
pub(crate) fn without_host() -> Result<()> {
    let mut session = Session::start()?;
    session.kill_panel()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    person.install_window("kubefob-window")?;
    ensure!(
        person.kubectl(&["get", "namespaces"])?.ok,
        "{}",
        person.log()
    );
    let mut desk = Desk::at(person)?;
    desk.until("no tray", is("missing"))?;
    // The last line of it that has the words.
    let notified = session.notified("<b>Kubefob runs, and this desktop shows no icon")?;
    println!("notified: {notified}");
    let status = person.kubectl(&["fob", "status"])?;
    ensure!(status.out.contains("shows no tray icons"), "{status:?}");

    person.end_resident("TERM")?;
    ensure!(person.kubectl(&["get", "namespaces"])?.ok);
    let mut desk = Desk::at(person)?;
    desk.until("no tray", is("missing"))?;
    session.was_quiet("shows no icon")?;

    // As it was told: started once more.
    let again = said(person.command("kubefob").output()?)?;
    ensure!(again.ok, "{again:?}");
    Onlooker::at(&session.screen.display)?.until_window("Kubefob")?;
    println!("started once more, it shows its window");

    session.start_panel()?;
    Host::at(&session.keyring.address)?.item()?;
    // The window took the other's place.
    let mut desk = Desk::at(person)?;
    desk.until("a tray", is("there"))?;
    let status = person.kubectl(&["fob", "status"])?;
    ensure!(!status.out.contains("shows no tray icons"), "{status:?}");
    println!("a host came late, and has the item");
    Ok(())
}

/// A server: a terminal is all that there is.
pub(crate) fn without_display() -> Result<()> {
    let folder = folder()?;
    let keyring = Keyring::start(folder.path())?;
    let seat = Seat::without_desktop(&keyring)?;
    let person = &seat.person;
    let status = person.kubectl(&["fob", "status"])?;
    ensure!(status.out.contains("There is no desktop"), "{status:?}");
    seat.sign_in_at_terminal("kubectl get namespaces")?;
    ensure!(person.kubectl(&["get", "namespaces"])?.ok);
    let told = Desk::at(person)?.ask(&serde_json::json!({ "do": "open" }))?;
    ensure!(told["problem"]["code"] == "no-desktop", "{told}");
    println!("without a display: {}", told["problem"]["hint"]);
    Ok(())
}

fn is(tray: &'static str) -> impl Fn(&Value) -> bool {
    move |view| view["tray"] == tray
}
