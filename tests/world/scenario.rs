//! Scenarios: written once, run in the playground (set `it`, fast) and on the real parts (set
//! `real`). What differs between the two is behind [`World`].

pub mod lifetime;
pub mod seed;
pub mod terminal;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::browser::{self, Settings};
use crate::person::Person;
use crate::screen::Screen;

/// A provider and a cluster as the article sets them up: the client `kubernetes-client`, and the
/// user `test` in the group `kubernetes:admin`.
pub trait World {
    /// How the provider is called when something is told of it.
    const PROVIDER: &str;
    /// How long, in seconds, tokens live where a scenario waits for their end: as short as the
    /// provider can, and as a loaded machine bears.
    const SHORT: u32;

    /// A folder for what a scenario writes, gone with the world.
    fn folder(&self) -> &Path;
    /// The kubectl to use; an error that skips the trial if there is none.
    fn kubectl(&self) -> Result<PathBuf>;
    /// The provider's certificate authority, as a PEM file.
    fn authority(&self) -> &Path;
    /// The password of the user `test`.
    fn password(&self) -> &str;
    /// The article's kubeconfig, its placeholders filled in. `extra` arguments follow its own.
    fn kubeconfig(&self, extra: &[&str]) -> Result<String>;

    /// Binds the article's role to somebody, and to nobody else; it holds when this returns.
    fn bind(&self, to: Bound) -> impl Future<Output = Result<()>>;
    /// How long tokens live from now on, and whether each refresh token is good for once.
    fn tokens(&self, seconds: u32, rotate: bool) -> impl Future<Output = Result<()>>;
    /// The provider is gone until [`World::start_provider`].
    fn stop_provider(&self) -> impl Future<Output = Result<()>>;
    /// It is back, with all that it knew.
    fn start_provider(&self) -> impl Future<Output = Result<()>>;
    /// An administrator takes the user `test` into the group `kubernetes:admin`, or out of it.
    fn admit(&self, member: bool) -> impl Future<Output = Result<()>>;
    /// An administrator ends every session.
    fn end_sessions(&self) -> impl Future<Output = Result<()>>;
    /// How many sessions an administrator sees.
    fn sessions(&self) -> impl Future<Output = Result<usize>>;
}

/// Whom the article's role is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nobody.
    Nobody,
    /// The user `test`, as in the article's 2-3.
    User,
    /// The group `kubernetes:admin`.
    Group,
}

/// Somebody at a desktop in front of the provider's login page, with the article's kubeconfig.
pub struct Seated {
    /// Who.
    pub person: Person,
    /// Their browser, which notes what it saw.
    pub browser: Settings,
    /// Where it notes that.
    pub log: PathBuf,
    _screen: Screen,
}

impl Seated {
    /// Makes the person; `name` is the scenario's, `scripted` the scripted browser's program. Where
    /// this machine does not let a test install an authority, the flag that names it is added,
    /// and that is said.
    pub fn new(world: &impl World, name: &str, scripted: &Path) -> Result<Self> {
        let screen = Screen::start()?;
        let log = world.folder().join(format!("{name}.jsonl"));
        let browser = Settings {
            ca: Some(world.authority().to_owned()),
            user: "test".to_owned(),
            password: world.password().to_owned(),
            log: Some(log.clone()),
            ..Settings::default()
        };
        let mut person = Person::new(&world.kubectl()?, scripted, &browser, Some(&screen))?;
        let flag = format!("--certificate-authority={}", world.authority().display());
        let extra: &[&str] = if person.trust(world.authority())? {
            &[]
        } else {
            println!("not allowed to install an authority here: --certificate-authority is added");
            &[&flag]
        };
        person.kubeconfig(&world.kubeconfig(extra)?)?;
        Ok(Self {
            person,
            browser,
            log,
            _screen: screen,
        })
    }

    /// How many pages were opened so far.
    pub fn pages(&self) -> Result<usize> {
        let steps = browser::read_log(&self.log)?;
        let opened = steps.iter().filter(|step| step.url.contains("/start/"));
        Ok(opened.count())
    }

    /// That kubectl gives what the article promises.
    pub fn works(&self, when: &str) -> Result<()> {
        let get = ["get", "namespace", "default", "-o=name"];
        let said = self.person.kubectl(&get)?;
        ensure!(
            said.ok && said.out == "namespace/default\n",
            "{when}: {said:?}\n{}",
            self.person.log()
        );
        println!("{when}: kubectl works");
        Ok(())
    }
}
