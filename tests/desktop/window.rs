//! The window: a client of the resident's, started by it, in a driver's hands.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::json;
use world::desk::Desk;
use world::driver::Driver;
use world::item::Host;
use world::onlooker::Onlooker;
use world::running::free_port;
use world::session::Session;
use world::wait;

use crate::seat::Seat;

/// How long something may take to be seen. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);
/// A command that asks its plugin once.
const ONE_REQUEST: &[&str] = &["get", "--raw", "/api/v1/namespaces"];

/// What stands between all that is to be read of a question and its answers: where nothing else does, 12 pixels.
pub(crate) const GAP: &str = "const at = (what) => document.querySelector(what).getBoundingClientRect(); \
     return at('form footer').top - at('form .end').bottom";

/// Started by hand where nothing runs: sign in, switch, lose the resident, the panel and the window, close it.
pub(crate) fn walk() -> Result<()> {
    let mut session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_millis(500))?;

    let begun = Instant::now();
    let said = world::person::said(person.command("kubefob-window").output()?)?;
    ensure!(said.ok, "{said:?}\n{}", person.log());
    let page = Driver::hold(port)?;
    // What its kubeconfig offers, before any kubectl has asked.
    page.until("1 of your contexts signs in through kubelogin")?;
    println!(
        "by hand, with no resident: the page is there after {} ms",
        begun.elapsed().as_millis()
    );
    ensure!(person.windows().len() == 1, "{:?}", person.windows());
    let again = world::person::said(person.command("kubefob").output()?)?;
    ensure!(again.ok, "{again:?}");
    ensure!(
        person.windows().len() == 1,
        "a second wish starts no second window"
    );
    page.painted()?;
    session.picture("window-signed-out")?;

    page.click("Sign in")?;
    page.until_so("who is signed in", |text| {
        text.contains("renews by itself") && text.contains("test")
    })?;
    let works = person.kubectl(ONE_REQUEST)?;
    ensure!(works.ok, "{works:?}");
    ensure!(seat.playground.counters().sign_ins == 1);
    println!("signed in by a click, and kubectl works");
    page.painted()?;
    session.picture("window-signed-in")?;

    let mut desk = Desk::at(person)?;
    for (language, word) in [(json!("ko"), "계정"), (json!(null), "Accounts")] {
        let choice = json!({ "setting": "language", "language": language });
        let told = desk.ask(&json!({ "do": "choose", "choice": choice }))?;
        ensure!(told["is"] == "done", "{told}");
        page.until(word)?;
    }
    println!("the language was chosen, and the page speaks it");

    page.click_at(fantoccini::Locator::Css("a[href='#contexts']"))?;
    page.until("my_prod")?;
    page.click_at(fantoccini::Locator::XPath("//*[@data-row][.//b='my_prod']"))?;
    until("the switch", || {
        Ok(person.kubectl(&["config", "current-context"])?.out == "my_prod\n")
    })?;
    page.painted()?;
    session.picture("window-contexts")?;
    ensure!(
        person
            .kubectl(&["config", "use-context", &seat.current])?
            .ok
    );
    page.until_so("the switch from outside", |text| {
        text.contains("Current in") && text.contains(&seat.current)
    })?;
    println!("switched in the window, seen by kubectl, and back");

    person.end_resident("KILL")?;
    page.until("Kubefob is not running")?;
    page.painted()?;
    session.picture("window-gone")?;
    ensure!(person.kubectl(ONE_REQUEST)?.ok);
    page.until_so("the resident again", |text| {
        !text.contains("Kubefob is not running")
    })?;
    let host = Host::at(&session.keyring.address)?;
    let in_the_tray = || {
        let tooltip = host.item().and_then(|item| item.tooltip());
        Ok(tooltip.is_ok_and(|tooltip| tooltip.contains("signed in")))
    };
    until("its item", in_the_tray)?;
    println!(
        "the resident was killed: the window said so, and came back with the next, as did the tray's item"
    );

    let resident = person.resident();
    session.kill_panel()?;
    page.until("my_prod")?;
    ensure!(person.kubectl(ONE_REQUEST)?.ok);
    session.start_panel()?;
    until("its item", in_the_tray)?;
    println!("the panel was killed: the window and kubectl went on");

    drop(page);
    for window in person.windows() {
        kill(window)?;
    }
    until("the window's end", || Ok(person.windows().is_empty()))?;
    ensure!(person.kubectl(ONE_REQUEST)?.ok);
    ensure!(person.resident() == resident, "another resident");
    ensure!(in_the_tray()?);
    println!("the window was killed: resident, tray and kubectl went on");

    let said = world::person::said(person.command("kubefob-window").output()?)?;
    ensure!(said.ok, "{said:?}");
    let page = Driver::hold(port)?;
    page.until("renews by itself")?;
    page.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'w', ctrlKey: true, bubbles: true }))")?;
    until("the end of what lingered", || {
        Ok(person.windows().is_empty())
    })?;
    ensure!(person.resident() == resident, "another resident");
    println!("closed, it was gone with all its processes after its linger");
    Ok(())
}

/// A new server on a live session: asked in a window of its own, with kubectl waiting.
pub(crate) fn consent() -> Result<()> {
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let port = person.install_held_window(Duration::from_millis(200))?;
    ensure!(person.kubectl(ONE_REQUEST)?.ok, "{}", person.log());
    ensure!(person.windows().is_empty(), "a trusted server asks nobody");

    let eye = Onlooker::at(&session.screen.display)?;
    // Neither of these answers it: the one who asked is told so, or has ended, and the next command asks anew.
    for ends in [false, true] {
        let other = seat.runtime.block_on(AttackerApi::start())?;
        let unanswered = person.home.join("unanswered.yaml");
        fs::write(&unanswered, seat.pointed_at(&other)?)?;
        let file = unanswered.display().to_string();
        for _ in 0..2 {
            let mut waiting = person.start(&[&["--kubeconfig", &file], ONE_REQUEST].concat())?;
            eye.until_window("Kubefob")?;
            let page = Driver::hold(port)?;
            page.until(&file)?;
            if ends {
                waiting.kill()?;
                page.until("The program that asked has ended")?;
            } else {
                page.run("dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))")?;
            }
            let said = world::person::said(waiting.wait_with_output()?)?;
            ensure!(
                ends || said.err.contains("You closed the question"),
                "{said:?}"
            );
            drop(page);
            for window in person.windows().into_iter().filter(|_| ends) {
                kill(window)?;
            }
            until("the window's end", || Ok(person.windows().is_empty()))?;
            ensure!(!other.saw_authorization(), "nobody allowed it");
            println!("asked, and not answered; its asker ended: {ends}");
        }
    }
    for (answer, works) in [("Don’t allow", false), ("Always", true)] {
        let other = seat.runtime.block_on(AttackerApi::start())?;
        let hostile = person.home.join("other.yaml");
        fs::write(&hostile, seat.pointed_at(&other)?)?;
        let file = hostile.display().to_string();
        let waiting = person.start(&[&["--kubeconfig", &file], ONE_REQUEST].concat())?;
        let seen = eye.until_window("Kubefob")?.area;
        let page = Driver::hold(port)?;
        ensure!(
            page.address()?.ends_with("consent.html"),
            "{:?}",
            page.address()
        );
        page.until("kubectl")?;
        ensure!(page.text()?.contains(&file), "{:?}", page.text());
        page.until("Let test sign in to a new server?")?;
        page.until_run("a window as high as its content", GAP, &json!(12))?;
        let off = "return Math.abs(screenY + innerHeight / 2 - screen.height / 2) < 40";
        page.until_run("the middle of the screen", off, &json!(true))?;
        page.painted()?;
        // The second one is in a window that is there. A font may come later, and take a pixel.
        let stands = eye.until_window("Kubefob")?.area;
        let grew = stands.height.abs_diff(seen.height);
        ensure!(works || grew <= 2, "{seen:?} and then {stands:?}");
        session.picture(if works {
            "consent-always"
        } else {
            "consent-no"
        })?;
        ensure!(!other.saw_authorization(), "before a yes");
        page.click(answer)?;
        let said = world::person::said(waiting.wait_with_output()?)?;
        drop(page);
        ensure!(other.saw_authorization() == works, "{said:?}");
        ensure!(works || said.err.contains("[trust-refused"), "{said:?}");
        until("the window's end", || Ok(person.windows().is_empty()))?;
        println!("{answer:?} in the window: {}", said.err.trim());
    }
    Ok(())
}

/// Threat 16: a released window opens no inspector and lets no driver in, whatever it is started with.
pub(crate) fn inspector() -> Result<()> {
    let session = Session::start()?;
    let mut seat = Seat::at(&session)?;
    seat.person.install_window("kubefob-window-released")?;
    let port = free_port()?;
    let address = format!("127.0.0.1:{port}");
    for name in ["WEBKIT_INSPECTOR_SERVER", "WEBKIT_INSPECTOR_HTTP_SERVER"] {
        seat.person.variable(name, &address);
    }
    seat.person.variable("TAURI_WEBVIEW_AUTOMATION", "true");
    let person = &seat.person;
    fs::write(person.instance.join("automation"), format!("{port} 500"))?;
    let said = world::person::said(person.command("kubefob-window").output()?)?;
    ensure!(said.ok, "{said:?}");
    until("the page's own process", || {
        Ok(person.windows().iter().any(|pid| has_page(*pid)))
    })?;
    ensure!(
        TcpStream::connect(&address).is_err(),
        "somebody listens at {address}"
    );
    for window in person.windows() {
        let environment = fs::read(format!("/proc/{window}/environ"))?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        ensure!(!environment.contains("INSPECTOR"), "{environment}");
    }
    println!("with both variables set, nothing listens at {address}");
    Ok(())
}

fn has_page(window: u32) -> bool {
    processes().any(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        stat.contains("(WebKitWebProces") && parent == Some(window)
    })
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

pub(crate) fn kill(pid: u32) -> Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = Pid::from_raw(pid.cast_signed()).context("no number")?;
    Ok(kill_process(pid, Signal::KILL)?)
}

pub(crate) fn until(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    wait::up_to(LATEST).until(what, is_so)
}
