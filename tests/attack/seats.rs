//! Threat 9, where a person sat: their screen and their session bus have ended, and another user serves what has that name
//! now.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use world::bus::Bus;
use world::keyring::Keyring;
use world::onlooker::Onlooker;
use world::person::{Said, said};
use world::screen::Screen;
use world::user::Other;
use world::wait;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::shared::public;
use crate::table::Table;

/// Their X server takes the place of the person's, in less time than the resident takes to look: it does nothing
/// meanwhile.
pub(crate) async fn screen(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut scene = Scene::set(Seat::default()).await?;
    let display = Screen::free()?;
    let own = Screen::start_again(&display, None)?;
    scene.person.variable("DISPLAY", &display);
    scene.works("at their own screen")?;
    asked(&scene).await?;
    table.row(
        9,
        "control: a question at the person's own X server",
        "shown",
    );

    let resident = scene.person.resident();
    let theirs = exchanged(&scene, own, other)?;
    let before = opened(&scene)?;
    let attacker = AttackerApi::start().await?;
    let said = scene.run(&hostile(&scene, &attacker)?)?;
    ensure!(!said.ok && said.err.contains("[not-trusted]"), "{said:?}");
    ensure!(scene.person.kubectl(&["fob", "logout"])?.ok, "signed in");
    let said = signs_in(&scene)?;
    ensure!(!said.ok && said.err.contains("[signed-out]"), "{said:?}");
    ensure!(opened(&scene)? == before, "{:?}", scene.pages()?);
    ensure!(scene.person.resident() == resident, "another resident");
    table.row(
        9,
        "the person's X server ends, and another user's has its place: a question, and a sign-in",
        "neither is shown there: nobody sits at a desktop",
    );

    theirs.end()?;
    let own = Screen::start_again(&display, None)?;
    let said = signs_in(&scene)?;
    ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    asked(&scene).await?;
    table.row(
        9,
        "control: the person's own X server is there again",
        "sign-in and question are shown",
    );
    own.end()
}

/// The same where the window asks.
pub(crate) async fn screen_and_window(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut scene = Scene::set(Seat::default()).await?;
    scene.person.install_window("kubefob-window")?;
    let display = Screen::free()?;
    let own = Screen::start_again(&display, None)?;
    scene.person.variable("DISPLAY", &display);
    scene.works("at their own screen")?;
    let attacker = AttackerApi::start().await?;
    let file = hostile(&scene, &attacker)?;
    let mut waiting = scene
        .person
        .start(&[&["--kubeconfig", &file], ONE_REQUEST].concat())?;
    Onlooker::at(&display)?.until_window("Kubefob")?;
    waiting.kill()?;
    waiting.wait()?;
    table.row(
        9,
        "control: a question at the person's own X server, where there is a window",
        "the window shows there",
    );

    let theirs = exchanged(&scene, own, other)?;
    // Where it is shown, it waits for an answer.
    let mut asks = scene.person.command("/usr/bin/timeout");
    asks.args(["60", "kubectl", "--kubeconfig", &file])
        .args(ONE_REQUEST);
    let said = said(asks.output()?)?;
    ensure!(!said.ok && said.err.contains("[not-trusted]"), "{said:?}");
    let log = scene.person.log();
    let started = log.matches("the window was started").count();
    ensure!(started == 1, "{started} windows: {log}");
    ensure!(opened(&scene)? == 1, "{:?}", scene.pages()?);
    table.row(
        9,
        "the person's X server ends, and another user's has its place: a question, where there is a window",
        "no window and no page is shown there",
    );
    theirs.end()
}

/// The person's screen ends, and this user's has its name, while the resident does nothing.
fn exchanged(scene: &Scene, own: Screen, other: Other) -> Result<Screen> {
    let resident = scene.person.resident().context("no resident")?;
    let display = own.display.clone();
    signal(resident, "STOP")?;
    own.end()?;
    let theirs = Screen::start_again(&display, Some(other))?;
    signal(resident, "CONT")?;
    Ok(theirs)
}

fn hostile(scene: &Scene, attacker: &AttackerApi) -> Result<String> {
    let servers = [("prod", attackers(attacker))];
    scene.hostile(
        "hostile",
        &scene.kubeconfig(&servers, scene.exec("kubectl", &[])),
    )
}

/// The person is asked about a new server, on a page, and says no.
async fn asked(scene: &Scene) -> Result<()> {
    let before = scene.questions()?.len();
    let said = scene.run(&hostile(scene, &AttackerApi::start().await?)?)?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{said:?}\n{}",
        scene.person.log()
    );
    ensure!(scene.questions()?.len() == before + 1, "not asked once");
    Ok(())
}

/// At how many addresses of ours a browser was opened, for a sign-in or a question. It comes to one of a question once
/// more with the answer, after kubectl has heard that.
fn opened(scene: &Scene) -> Result<usize> {
    let pages = scene.pages()?;
    let urls = pages.iter().map(|step| step.url.as_str());
    let opened: BTreeSet<&str> = urls.filter(|url| url.contains("/start/")).collect();
    Ok(opened.len())
}

/// From a shell that has the name of their screen: what a person's command comes from says where they sit.
fn signs_in(scene: &Scene) -> Result<Said> {
    let mut shell = scene.person.command("/bin/sh");
    said(shell.args(["-c", "kubectl fob login; exit $?"]).output()?)
}

fn signal(pid: u32, name: &str) -> Result<()> {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status()?;
    ensure!(status.success(), "kill said {status}");
    Ok(())
}

/// Their bus has the address of the person's, with a keyring of theirs on it, and they write down what is said there.
pub(crate) async fn bus(table: &Table) -> Result<()> {
    let other = Other::somebody_known()?;
    let mut scene = Scene::set(Seat::default()).await?;
    let public = public()?;
    let socket = public.path().join("bus");
    let address = format!("unix:path={}", socket.display());
    scene.person.variable("DBUS_SESSION_BUS_ADDRESS", &address);
    let folder = |name: &str| -> Result<PathBuf> {
        let folder = public.path().join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    };
    let own_folder = folder("own")?;

    let own = Keyring::start_at(Bus::start(&socket)?, &own_folder, None)?;
    scene.works("with their own keyring")?;
    keeps(&scene, "sealed")?;
    ensure!(own.search()?.contains("kubefob"), "the key is elsewhere");
    table.row(
        9,
        "control: the person's own session bus, with a keyring",
        "the key of what rests is in it",
    );

    drop(own);
    fs::remove_file(&socket)?;
    let bus = Bus::open_for(&socket, Some(other))?;
    let monitor = Monitor::of(&bus, other, public.path().join("heard")).await?;
    let theirs = Keyring::start_at(bus, &folder("theirs")?, Some(other))?;
    // The resident that runs, and one that starts only now and looks for its key.
    scene.works("while another user has the bus")?;
    scene.person.end_resident("TERM")?;
    scene.works("signed in once more")?;
    let found = theirs.search()?;
    ensure!(!found.contains("kubefob"), "the key is theirs: {found}");
    keeps(&scene, "memory-no-keyring")?;
    // Their own search is the only one; whoever is another user's says hello to the bus, and no more.
    let heard = monitor.heard("member=SearchItems").await?;
    let calls: BTreeSet<&str> = heard
        .lines()
        .filter(|line| line.starts_with("method call "))
        .filter(|line| !line.contains(" destination=org.freedesktop.DBus "))
        .filter_map(|line| line.split(" sender=").nth(1)?.split(' ').next())
        .collect();
    ensure!(calls.len() == 1, "{calls:?} spoke: {heard}");
    table.row(
        9,
        "another user's bus, with a keyring, has the address of the person's that has ended",
        "not spoken with: no key goes there, and what was signed in rests in memory",
    );
    Ok(())
}

fn keeps(scene: &Scene, how: &str) -> Result<()> {
    let status = scene.person.fob(&["status"])?;
    ensure!(status["keep"] == how, "{status:#}\n{}", scene.person.log());
    Ok(())
}

/// What is said on a bus, written down by its owner.
struct Monitor {
    process: Child,
    file: PathBuf,
}

impl Monitor {
    async fn of(bus: &Bus, whose: Other, file: PathBuf) -> Result<Self> {
        let process = Other::command(Some(whose), "dbus-monitor")
            .args(["--address", &bus.address])
            .stdin(Stdio::null())
            .stdout(File::create(&file)?)
            .stderr(Stdio::null())
            .spawn()?;
        let monitor = Self { process, file };
        // So it becomes one: it has no name any more.
        monitor.heard("member=NameLost").await?;
        Ok(monitor)
    }

    /// All of it, as soon as it has this in it.
    async fn heard(&self, last: &str) -> Result<String> {
        wait::up_to(Duration::from_secs(60))
            .every(Duration::from_millis(10))
            .until_async(last, async || {
                let heard = fs::read_to_string(&self.file)?;
                Ok(wait::is(heard.contains(last), heard))
            })
            .await
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
