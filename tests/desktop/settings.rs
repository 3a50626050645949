//! The tray's menu leads to a screen of the window, whether that is there, hidden, or not started yet.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use world::desk::Desk;
use world::driver::Driver;
use world::item::Host;
use world::session::Session;

use crate::seat::Seat;

pub(crate) fn walk() -> Result<()> {
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_secs(60))?;
    ensure!(person.kubectl(&["fob", "status"])?.ok, "{}", person.log());
    let item = Host::at(&session.keyring.address)?.item()?;

    item.activation("leave-of-the-host")?;
    item.click("Settings")?;
    let page = Driver::hold(port)?;
    let windows = person.windows();
    let window = windows.first().context("no window")?;
    let environment = fs::read_to_string(format!("/proc/{window}/environ"))?;
    for name in ["XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"] {
        let given = format!("{name}=leave-of-the-host");
        ensure!(
            environment.split('\0').any(|it| it == given),
            "{name}: {environment:?}"
        );
    }
    println!("started with the host's leave to come to the front");
    let settings = |text: &str| text.contains("Start with the desktop");
    page.until_so("the settings in a window that was started", settings)?;
    page.painted()?;
    session.picture("window-settings")?;

    page.run("location.hash = 'contexts'")?;
    page.until("my_prod")?;
    item.click("Open Kubefob")?;
    item.click("Settings")?;
    page.until_so("the settings in a window that is there", settings)?;

    page.run("location.hash = 'contexts'")?;
    page.until("my_prod")?;
    page.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'w', ctrlKey: true, bubbles: true }))")?;
    hidden(&page, true)?;
    item.click("Settings")?;
    hidden(&page, false)?;
    page.until_so("the settings in a window that was hidden", settings)?;
    ensure!(person.windows().len() == 1, "{:?}", person.windows());
    println!("the settings, from the menu: started, there, and hidden");

    let mut desk = Desk::at(person)?;
    let told = desk.ask(&json!({ "do": "open", "screen": "palette" }))?;
    ensure!(told["problem"]["code"] == "no-such-screen", "{told}");
    let told = desk.ask(&json!({ "do": "open", "screen": "contexts" }))?;
    ensure!(told["is"] == "done", "{told}");
    page.until("my_prod")?;
    println!("a screen that there is not is refused, and the next wish is heard");
    Ok(())
}

fn hidden(page: &Driver, so: bool) -> Result<()> {
    let script = format!("return document.hidden === {so} ? 'yes' : 'no'");
    page.until_run("whether it is seen", &script, &json!("yes"))
}
