//! The tray's pictures on dark and on light panels.

use std::time::Duration;

use anyhow::{Result, ensure};
use playground::Fault;
use world::item::Host;
use world::onlooker::Onlooker;
use world::session::Session;
use world::wait;
use zbus::blocking::connection::Builder;
use zbus::zvariant::Value;

use crate::login::Portal;
use crate::seat::Seat;

/// How long something may take to be seen. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);
/// Where the panel is empty, and where its items are.
const EMPTY: (i16, i16) = (500, 12);
const ITEMS: (i16, i16) = (840, 918);

pub(crate) fn walk() -> Result<()> {
    let mut session = Session::start()?;
    let seat = Seat::at(&session)?;
    ensure!(seat.person.kubectl(&["get", "namespaces"])?.ok);
    let host = Host::at(&session.keyring.address)?;
    let item = host.item()?;
    ensure!(item.ink()? == 255, "white where nothing is said");
    let eye = Onlooker::at(&session.screen.display)?;
    seen(&eye, "white on dark", |ink, ground| {
        ink > 200 && ground < 100
    })?;
    session.picture("tray-dark-signed-in")?;

    let portal = Portal::start(&session.keyring.address, 2)?;
    item.until("dark ink", |item| Ok(item.ink()? < 60))?;
    portal.prefer(1)?;
    item.until("white ink", |item| Ok(item.ink()? == 255))?;
    portal.prefer(2)?;
    item.until("dark ink", |item| Ok(item.ink()? < 60))?;
    println!("the portal's word, and each change of it");

    // As a person does in the panel's own settings.
    let bus = Builder::address(session.keyring.address.as_str())?.build()?;
    let dark_mode = ("xfce4-panel", "/panels/dark-mode", Value::from(false));
    let (xfconf, path) = ("org.xfce.Xfconf", "/org/xfce/Xfconf");
    bus.call_method(Some(xfconf), path, Some(xfconf), "SetProperty", &dark_mode)?;
    session.kill_panel()?;
    session.start_panel()?;
    let item = host.item()?;
    seen(&eye, "dark on light", |ink, ground| {
        ink < 80 && ground > 180
    })?;
    session.picture("tray-light-signed-in")?;
    seat.runtime
        .block_on(seat.playground.fault(Fault::RevokedSessions { user: None }))?;
    item.until("attention", |item| Ok(item.status()? == "NeedsAttention"))?;
    session.picture("tray-light-needs-you")?;

    drop(portal);
    item.until("white ink", |item| Ok(item.ink()? == 255))?;
    seen(&eye, "an edge on light", |ink, ground| ink + 60 < ground)?;
    session.picture("tray-light-without-portal")?;
    println!("a wrong guess has an edge");
    Ok(())
}

/// Waits until the panel is so.
pub(crate) fn panel_is(eye: &Onlooker, dark: bool) -> Result<()> {
    let what = if dark {
        "a dark panel"
    } else {
        "a light panel"
    };
    wait::up_to(LATEST).until(what, || {
        let ground = eye.colour(EMPTY.0, EMPTY.1)?[1];
        let so = if dark { ground < 100 } else { ground > 180 };
        Ok(wait::is(so, ground))
    })?;
    Ok(())
}

/// Waits until the item's strongest colour and the panel's own are so.
fn seen(eye: &Onlooker, what: &str, is_so: impl Fn(u32, u32) -> bool) -> Result<()> {
    let brightness = |x, y| -> Result<u32> { Ok(u32::from(eye.colour(x, y)?[1])) };
    let at_once = wait::up_to(LATEST).every(Duration::ZERO);
    at_once.until(what, || {
        let ground = brightness(EMPTY.0, EMPTY.1)?;
        let mut ink = ground;
        for y in 2..24 {
            for x in ITEMS.0..ITEMS.1 {
                let here = brightness(x, y)?;
                if here.abs_diff(ground) > ink.abs_diff(ground) {
                    ink = here;
                }
            }
        }
        Ok(wait::is(is_so(ink, ground), format!("{ink} on {ground}")))
    })?;
    Ok(())
}
