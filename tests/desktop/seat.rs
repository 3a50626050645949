//! Somebody who sits at the desktop, with a provider and a cluster: those in memory, or the real ones.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use playground::{AttackerApi, Config, Playground};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use world::RealWorld;
use world::browser::{Browser, Settings};
use world::keyring::Keyring;
use world::parts::Parts;
use world::person::Person;
use world::scenario::World;
use world::session::Session;
use world::terminal::Terminal;

/// The program that sits at their browser.
const SCRIPTED: &str = env!("CARGO_BIN_EXE_scripted-browser");
/// Their second context, under a name that dbusmenu would take a letter out of.
pub(crate) const OTHER: &str = "my_prod";

/// A person at the playground, and what is theirs.
pub(crate) struct Seat {
    /// The playground's alone: what is looked at from outside is looked at one thing after the other.
    pub(crate) runtime: Runtime,
    pub(crate) playground: Playground,
    pub(crate) person: Person,
    /// Their kubeconfig.
    pub(crate) file: PathBuf,
    /// Its current context; the other is [`OTHER`].
    pub(crate) current: String,
    /// Who sits at their browser.
    pub(crate) browser: Settings,
}

impl Seat {
    /// Nobody has signed in yet, and nothing of Kubefob runs.
    pub(crate) fn at(session: &Session) -> Result<Self> {
        let mut seat = Self::without_desktop(&session.keyring)?;
        seat.person.variable("DISPLAY", &session.screen.display);
        Ok(seat)
    }

    /// Their kubeconfig, but for the server, which is this one.
    pub(crate) fn pointed_at(&self, other: &AttackerApi) -> Result<String> {
        let data = |ca: &str| BASE64_STANDARD.encode(ca);
        let own = fs::read_to_string(&self.file)?;
        Ok(own
            .replace(self.playground.kube_url(), other.url())
            .replace(&data(self.playground.ca_pem()), &data(other.ca_pem())))
    }

    /// The same where a bus is all that there is.
    pub(crate) fn without_desktop(keyring: &Keyring) -> Result<Self> {
        Self::with(keyring, json!({ "token_seconds": 20 }), ("test", "test"))
    }

    /// The same with another playground; this user signs in, by this password.
    pub(crate) fn with(
        keyring: &Keyring,
        config: Value,
        (user, password): (&str, &str),
    ) -> Result<Self> {
        let parts = Parts::from_environment()?;
        let runtime = Runtime::new()?;
        let config: Config = serde_json::from_value(config)?;
        let playground = runtime.block_on(Playground::start(config))?;
        let mut person = Person::settled("kubefob-desk-", parts.path("kubectl")?)?;
        let ca = person.home.join("ca.pem");
        fs::write(&ca, playground.ca_pem())?;
        let browser = Settings {
            ca: Some(ca.clone()),
            user: user.to_owned(),
            password: password.to_owned(),
            log: Some(person.home.join("browser.jsonl")),
            ..Settings::default()
        };
        sit_down(&mut person, keyring, &browser)?;
        let extra = format!("--certificate-authority={}", ca.display());
        let seed = playground.kubeconfig_seed_form(&[&extra]);
        let current = current_of(&seed)?;
        let file = person.kubeconfig(&seed)?;
        let set = [
            "config",
            "set-context",
            OTHER,
            "--user=none",
            "--cluster=none",
        ];
        ensure!(person.kubectl(&set)?.ok);
        Ok(Self {
            runtime,
            playground,
            person,
            file,
            current,
            browser,
        })
    }

    /// Runs a command on a terminal, follows the address that it is told there, and sees it work.
    pub(crate) fn sign_in_at_terminal(&self, line: &str) -> Result<()> {
        let mut terminal = Terminal::start(&self.person, line)?;
        let link = terminal.address()?;
        println!("told on the terminal: {link}");
        let mut browser = Browser::new(self.browser.clone())?;
        self.runtime.block_on(browser.open(&link))?;
        let ended = terminal.end()?;
        ensure!(ended.ok, "{ended:?}");
        Ok(())
    }

    /// How many pages were opened so far.
    pub(crate) fn pages(&self) -> Result<usize> {
        let Some(log) = &self.browser.log else {
            return Ok(0);
        };
        let steps = world::browser::read_log(log)?;
        let opened = steps.iter().filter(|step| step.url.contains("/start/"));
        Ok(opened.count())
    }
}

/// The client secret of the client `added`.
pub(crate) const SECRET: &str = "a-secret-that-somebody-typed";

impl Seat {
    /// Somebody with a cluster and no account: their kubeconfig names no user.
    pub(crate) fn without_account(session: &Session) -> Result<Self> {
        let parts = Parts::from_environment()?;
        let runtime = Runtime::new()?;
        let client = json!({ "id": "added", "secret": SECRET });
        let config = json!({ "tls": false, "clients": [client] });
        let config: Config = serde_json::from_value(config)?;
        let playground = runtime.block_on(Playground::start(config))?;
        let mut person = Person::settled("kubefob-desk-", parts.path("kubectl")?)?;
        let browser = Settings {
            user: "test".to_owned(),
            password: "test".to_owned(),
            ..Settings::default()
        };
        sit_down(&mut person, &session.keyring, &browser)?;
        person.variable("DISPLAY", &session.screen.display);
        let ca = person.home.join("ca.pem");
        fs::write(&ca, playground.ca_pem())?;
        let server = format!("--server={}", playground.kube_url());
        let authority = format!("--certificate-authority={}", ca.display());
        let set = ["set-cluster", "lab", &server, &authority, "--embed-certs"];
        let said = person.kubectl(&[&["config"][..], &set].concat())?;
        ensure!(said.ok, "{said:?}");
        let file = person.home.join(".kube/config");
        Ok(Self {
            runtime,
            playground,
            person,
            file,
            current: "lab".to_owned(),
            browser,
        })
    }
}

/// A person at the real parts, and what is theirs. Their two contexts are of one cluster and one user.
pub(crate) struct RealSeat {
    pub(crate) person: Person,
    /// What their browser saw.
    pub(crate) log: PathBuf,
}

impl RealSeat {
    /// Nobody has signed in yet, and nothing of Kubefob runs.
    pub(crate) fn at(session: &Session, world: &RealWorld) -> Result<Self> {
        let Self { person, log } = Self::without_kubeconfig(session, world)?;
        let flag = format!("--certificate-authority={}", world.authority().display());
        let seed = world.kubeconfig(&[&flag])?;
        person.kubeconfig(&seed)?;
        person.add_context(OTHER)?;
        Ok(Self { person, log })
    }

    /// Somebody with a cluster, whose computer knows the provider's authority, and who has no account: their
    /// kubeconfig names no user. None: no computer can be made to know it here.
    pub(crate) fn with_nothing(session: &Session, world: &RealWorld) -> Result<Option<Self>> {
        let Self { mut person, log } = Self::without_kubeconfig(session, world)?;
        if !person.trust(world.authority())? {
            return Ok(None);
        }
        let server = format!("--server={}", world.apiserver.url);
        let authority = format!("--certificate-authority={}", world.authority().display());
        let cluster = [
            "config",
            "set-cluster",
            "lab",
            &server,
            &authority,
            "--embed-certs",
        ];
        let done = person.kubectl(&cluster)?;
        ensure!(done.ok, "{done:?}");
        Ok(Some(Self { person, log }))
    }

    fn without_kubeconfig(session: &Session, world: &RealWorld) -> Result<Self> {
        let mut person = Person::settled("kubefob-desk-", world.parts.path("kubectl")?)?;
        let log = person.root().join("browser.jsonl");
        let browser = Settings {
            ca: Some(world.authority().to_owned()),
            user: "test".to_owned(),
            password: world.password().to_owned(),
            log: Some(log.clone()),
            ..Settings::default()
        };
        sit_down(&mut person, &session.keyring, &browser)?;
        person.variable("DISPLAY", &session.screen.display);
        Ok(Self { person, log })
    }
}

fn sit_down(person: &mut Person, keyring: &Keyring, browser: &Settings) -> Result<()> {
    // The window's pictures have the fonts that those of the set `ui` have.
    let fonts = person.home.join(".config/fontconfig");
    fs::create_dir_all(&fonts)?;
    let same = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/tests/fonts.conf");
    fs::copy(same, fonts.join("fonts.conf"))?;
    person.browse(Path::new(SCRIPTED), browser)?;
    person.variable("DBUS_SESSION_BUS_ADDRESS", &keyring.address);
    Ok(())
}

fn current_of(kubeconfig: &str) -> Result<String> {
    let line = |line: &str| Some(line.strip_prefix("current-context:")?.trim().to_owned());
    kubeconfig.lines().find_map(line).context("no context")
}
