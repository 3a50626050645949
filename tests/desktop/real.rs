//! A day at the desktop, on the real parts: Keycloak, kube-apiserver, gnome-keyring, a panel, a notification server.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::runtime::Runtime;
use world::RealWorld;
use world::browser::read_log;
use world::driver::Driver;
use world::item::{Host, Item};
use world::scenario::{Bound, World};
use world::session::Session;
use world::wait;

use crate::seat::{OTHER, RealSeat};
use crate::tray::marked;

/// How long something may take to be seen. It only serves to fail; a real token lives a minute.
const LATEST: Duration = Duration::from_secs(150);

/// Everything that is looked at: what a person sees, and who stands behind it.
struct Day<'a> {
    session: Session,
    seat: RealSeat,
    item: Item,
    page: Driver,
    world: &'a RealWorld,
    runtime: &'a Runtime,
}

/// Signs in from the tray and from the window; the context is switched, the keyring locked, the provider down, the
/// session revoked; and signs out.
pub(crate) fn day(world: &RealWorld, runtime: &Runtime) -> Result<()> {
    runtime.block_on(async {
        world.tokens(RealWorld::SHORT, true).await?;
        world.bind(Bound::User).await
    })?;
    let session = Session::start()?;
    let seat = RealSeat::at(&session, world)?;
    let port = seat.person.install_held_window(Duration::from_secs(60))?;
    ensure!(seat.person.kubectl(&["fob", "status"])?.ok);
    let item = Host::at(&session.keyring.address)?.item()?;
    println!("nobody is signed in: {:?}", item.tooltip()?);

    item.click("Sign in")?;
    until_signed_in(&item)?;
    works(&seat, "signed in from the tray")?;
    item.click("Sign out")?;
    until_says(&item, "signed out")?;

    item.click("Open Kubefob")?;
    let page = Driver::hold(port)?;
    let mut day = Day {
        session,
        seat,
        item,
        page,
        world,
        runtime,
    };
    day.sign_in_in_the_window()?;
    day.switch()?;
    day.lock_the_keyring()?;
    day.provider_goes()?;
    day.session_is_revoked()?;
    day.sign_out()?;
    runtime.block_on(async {
        world.tokens(300, false).await?;
        world.bind(Bound::Nobody).await
    })
}

impl Day<'_> {
    fn sign_in_in_the_window(&self) -> Result<()> {
        self.page.click("Sign in")?;
        self.page.until("renews by itself")?;
        self.page.until("test")?;
        until_signed_in(&self.item)?;
        works(&self.seat, "signed in from the window")?;
        self.picture("real-signed-in")
    }

    /// In the tray, seen by kubectl and in the window.
    fn switch(&self) -> Result<()> {
        self.item.click(OTHER)?;
        self.item
            .until("the switch", |item| Ok(marked(item)? == [OTHER]))?;
        let current = self.seat.person.kubectl(&["config", "current-context"])?;
        ensure!(current.out.trim() == OTHER, "{current:?}");
        self.page.until_so("the switch", |text| {
            text.contains("Current in") && text.contains(OTHER)
        })?;
        works(&self.seat, "in the other context")
    }

    /// A resident that comes up behind a locked keyring says so, and has the session back as soon as that is unlocked.
    fn lock_the_keyring(&mut self) -> Result<()> {
        let (person, keyring) = (&self.seat.person, &self.session.keyring);
        let pages = self.pages()?;
        keyring.lock()?;
        works(
            &self.seat,
            "the keyring locked, and a resident that has its key",
        )?;
        person.end_resident("KILL")?;
        until("the keyring's lock", || {
            Ok(person.fob(&["status"])?["keep"] == "memory-locked")
        })?;
        self.item = Host::at(&keyring.address)?.item()?;
        until_says(&self.item, "signed out")?;
        self.page.until("the keyring is locked")?;
        self.picture("real-keyring-locked")?;
        println!("{}", person.kubectl(&["fob", "status"])?.out);
        keyring.unlock()?;
        until_signed_in(&self.item)?;
        self.page.until("renews by itself")?;
        ensure!(person.fob(&["status"])?["keep"] == "sealed");
        works(&self.seat, "the keyring unlocked")?;
        ensure!(self.pages()? == pages, "a locked keyring costs no sign-in");
        Ok(())
    }

    /// It heals by itself, and nobody is told.
    fn provider_goes(&self) -> Result<()> {
        let pages = self.pages()?;
        self.runtime.block_on(self.world.stop_provider())?;
        until_says(&self.item, "can't reach the provider")?;
        self.page.until("tries again")?;
        self.picture("real-cannot-reach")?;
        println!("Keycloak is stopped: {:?}", self.item.tooltip()?);
        self.runtime.block_on(self.world.start_provider())?;
        until_signed_in(&self.item)?;
        self.page.until("renews by itself")?;
        works(&self.seat, "Keycloak is back")?;
        ensure!(
            self.pages()? == pages,
            "a provider that was away costs no sign-in"
        );
        Ok(())
    }

    /// One notification, and none before it: what healed itself was not told.
    fn session_is_revoked(&self) -> Result<()> {
        self.session.was_quiet("summary:")?;
        self.runtime.block_on(self.world.end_sessions())?;
        until_says(&self.item, "needs you")?;
        ensure!(self.item.status()? == "NeedsAttention");
        self.page.until("The provider ended this session")?;
        println!("notified: {}", self.session.notified("needs you")?);
        self.picture("real-needs-you")?;
        self.item.click("Sign in")?;
        until_signed_in(&self.item)?;
        works(&self.seat, "signed in once more")
    }

    fn sign_out(&self) -> Result<()> {
        self.item.click("Sign out")?;
        until_says(&self.item, "signed out")?;
        self.page.until("Sign in")?;
        let said = self.seat.person.kubectl(&["get", "namespaces"])?;
        ensure!(!said.ok && said.err.contains("[signed-out]"), "{said:?}");
        println!("signed out: {}", said.err.trim());
        self.session.was_quiet("summary:")
    }

    fn picture(&self, name: &str) -> Result<()> {
        self.page.painted()?;
        self.session.picture(name)
    }

    /// How many pages were opened so far.
    fn pages(&self) -> Result<usize> {
        let steps = read_log(&self.seat.log)?;
        let opened = steps.iter().filter(|step| step.url.contains("/start/"));
        Ok(opened.count())
    }
}

fn works(seat: &RealSeat, when: &str) -> Result<()> {
    let get = ["get", "namespace", "default", "-o=name"];
    let said = seat.person.kubectl(&get)?;
    ensure!(
        said.ok && said.out == "namespace/default\n",
        "{when}: {said:?}\n{}",
        seat.person.log()
    );
    println!("{when}: kubectl works");
    Ok(())
}

fn until_signed_in(item: &Item) -> Result<()> {
    until_says(item, "test · signed in")
}

/// Waits for the tooltip.
fn until_says(item: &Item, words: &str) -> Result<()> {
    until(words, || Ok(item.tooltip()?.contains(words)))
}

fn until(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    wait::up_to(LATEST)
        .every(Duration::from_millis(50))
        .until(what, is_so)
}
