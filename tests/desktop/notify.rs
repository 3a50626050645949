//! Notifications at a real server: told once, with a button that helps, and gone when they are over.

use anyhow::{Context, Result, ensure};
use playground::Fault;
use serde_json::json;
use world::desk::Desk;
use world::item::Host;
use world::session::Session;
use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, Proxy};
use zbus::proxy::CacheProperties;
use zbus::zvariant::ObjectPath;

use crate::seat::Seat;

const SERVER: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// A name with all that markup and menus could take for their own (threat 17).
const HOSTILE: &str = "<b>my_dev</b> & <a href=\"x\">prod</a>";

pub(crate) fn walk() -> Result<()> {
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let bus = Builder::address(session.keyring.address.as_str())?.build()?;
    // It does not say when they change.
    let dunst: Proxy<'_> = zbus::blocking::proxy::Builder::new(&bus)
        .destination(SERVER)?
        .path(PATH)?
        .interface("org.dunstproject.cmd0")?
        .cache_properties(CacheProperties::No)
        .build()?;
    let on_screen = || -> Result<u32> { Ok(dunst.get_property("displayedLength")?) };
    ensure!(
        person.kubectl(&["get", "namespaces"])?.ok,
        "{}",
        person.log()
    );
    let mut desk = Desk::at(person)?;
    let view = desk.until("an account", |view| view["accounts"][0]["id"].is_string())?;
    let account = view["accounts"][0]["id"]
        .as_str()
        .context("no id")?
        .to_owned();
    let renamed = desk.ask(&json!({ "do": "rename", "account": account, "label": HOSTILE }))?;
    ensure!(renamed["is"] != "refused", "{renamed}");

    let everybody = || Fault::RevokedSessions { user: None };
    seat.runtime.block_on(seat.playground.fault(everybody()))?;
    let told = session.notified("needs you")?;
    ensure!(told.contains("test needs you"), "{told}");
    // The account's label comes after whose it is, and is text to a server that understands markup.
    let escaped = HOSTILE.replace('&', "&amp;");
    let escaped = escaped.replace('<', "&lt;").replace('>', "&gt;");
    let text = session.notified("my_dev")?;
    ensure!(text.contains(&escaped) || text.contains(HOSTILE), "{text}");
    ensure!(on_screen()? == 1);
    let item = Host::at(&session.keyring.address)?.item()?;
    let labels: Vec<String> = item.menu()?.into_iter().map(|entry| entry.label).collect();
    ensure!(
        labels.iter().any(|label| label.contains(HOSTILE)),
        "{labels:?}"
    );
    session.picture("notification")?;
    println!("told: {told}");

    // Anybody can say that it was clicked; the server alone is believed.
    let pages = seat.pages()?;
    for id in 0..10 {
        forge(&bus, id)?;
    }
    ensure!(person.kubectl(&["fob", "status"])?.ok);
    ensure!(seat.pages()? == pages, "a forged click opened a page");

    desk.until("what it is about", |view| {
        view["accounts"][0]["state"] == "needs-you"
    })?;
    dunst.call::<_, _, ()>("NotificationAction", &0_u32)?;
    desk.until("signed in by the notification's button", |view| {
        view["accounts"][0]["state"] == "signed-in"
    })?;
    ensure!(seat.pages()? == pages + 1);
    item.until("its end", |_| Ok(on_screen()? == 0))?;
    println!("signed in by a click on it, and it is gone");

    seat.runtime.block_on(seat.playground.fault(everybody()))?;
    session.notified("needs you")?;
    ensure!(person.kubectl(&["get", "namespaces"])?.ok, "by a page");
    item.until("its end", |_| Ok(on_screen()? == 0))?;
    println!("told again, signed in otherwise, and it is gone too");
    Ok(())
}

fn forge(bus: &Connection, id: u32) -> Result<()> {
    let path = ObjectPath::try_from(PATH)?;
    let nobody = None::<&str>;
    Ok(bus.emit_signal(nobody, path, SERVER, "ActionInvoked", &(id, "default"))?)
}
