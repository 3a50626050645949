//! Started with the desktop: off until a person wants it, and never over another's file.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use world::desk::Desk;
use world::keyring::Keyring;
use world::session::folder;

use crate::seat::Seat;

pub(crate) fn walk() -> Result<()> {
    let folder = folder()?;
    let keyring = Keyring::start(folder.path())?;
    let seat = Seat::without_desktop(&keyring)?;
    let person = &seat.person;
    let entries = person.home.join(".config/autostart");
    let set = |on: &str| person.kubectl(&["fob", "set", "autostart", on]);
    ensure!(person.kubectl(&["fob", "status"])?.ok);
    ensure!(!entries.exists(), "off until it is wanted");

    let mut desk = Desk::at(person)?;
    ensure!(set("on")?.ok);
    desk.until("on", is(true))?;
    let entry = fs::read_dir(&entries)?.next().context("no entry")??.path();
    let text = fs::read_to_string(&entry)?;
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec="));
    let exec = exec.context("no Exec")?;
    println!("{}: {exec}", entry.display());

    // As a desktop does at a login, with a home and little else.
    person.end_resident("TERM")?;
    let started = Command::new("sh")
        .args(["-c", &format!("{exec} &")])
        .env_clear()
        .env("HOME", &person.home)
        .env("PATH", "/usr/bin:/bin")
        .status()?;
    ensure!(started.success());
    while std::os::unix::net::UnixStream::connect(person.instance.join("socket")).is_err() {
        std::thread::yield_now();
    }
    let mut desk = Desk::at(person)?;
    desk.until("on", is(true))?;
    fs::write(&entry, format!("{text}Hidden=true\n"))?;
    desk.until("switched off by the desktop's own list", is(false))?;
    ensure!(set("on")?.ok && fs::read_to_string(&entry)? == text);
    ensure!(set("off")?.ok && !entry.exists());
    desk.until("off", is(false))?;

    fs::write(&entry, "[Desktop Entry]\nExec=other\n")?;
    let refused = set("on")?;
    ensure!(refused.err.contains("[autostart-failed]"), "{refused:?}");
    ensure!(fs::read_to_string(&entry)?.contains("Exec=other"));
    println!("another's file: {}", refused.err.trim());
    Ok(())
}

fn is(on: bool) -> impl Fn(&Value) -> bool {
    move |view| view["autostart"] == on
}
