//! Somebody who sits at the desktop, with a provider and a cluster in memory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use playground::{Config, Playground};
use serde_json::json;
use tokio::runtime::Runtime;
use world::browser::Settings;
use world::parts::{self, Parts};
use world::person::Person;

use crate::session::Session;

/// A person, and what is theirs.
pub(crate) struct Seat {
    /// The playground's alone: what is looked at from outside is looked at one thing after the other.
    pub(crate) runtime: Runtime,
    pub(crate) playground: Playground,
    pub(crate) person: Person,
    /// Their kubeconfig.
    pub(crate) file: PathBuf,
    /// Its current context; the other is `my_prod`.
    pub(crate) current: String,
}

impl Seat {
    /// Nobody has signed in yet, and nothing of Kubefob runs.
    pub(crate) fn at(session: &Session) -> Result<Self> {
        let parts = Parts::from_environment()?;
        let runtime = Runtime::new()?;
        let config: Config = serde_json::from_value(json!({ "token_seconds": 20 }))?;
        let playground = runtime.block_on(Playground::start(config))?;
        let mut person = Person::settled("kubefob-desk-", parts.path("kubectl")?)?;
        let ca = person.home.join("ca.pem");
        fs::write(&ca, playground.ca_pem())?;
        // The window's pictures have the fonts that those of the set `ui` have.
        let fonts = person.home.join(".config/fontconfig");
        fs::create_dir_all(&fonts)?;
        let same = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/tests/fonts.conf");
        fs::copy(same, fonts.join("fonts.conf"))?;
        let browser = Settings {
            ca: Some(ca.clone()),
            user: "test".to_owned(),
            password: "test".to_owned(),
            ..Settings::default()
        };
        person.browse(Path::new(env!("CARGO_BIN_EXE_scripted-browser")), &browser)?;
        person.variable("DISPLAY", &session.screen.display);
        person.variable("DBUS_SESSION_BUS_ADDRESS", &session.keyring.address);
        let extra = format!("--certificate-authority={}", ca.display());
        let seed = playground.kubeconfig_seed_form(&[&extra]);
        let current = seed
            .lines()
            .find_map(|line| line.strip_prefix("current-context:"))
            .map(|name| name.trim().to_owned())
            .unwrap_or_default();
        let file = person.kubeconfig(&seed)?;
        // A second context, under a name that dbusmenu would take a letter out of.
        let set = [
            "config",
            "set-context",
            "my_prod",
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
        })
    }

    /// Puts the window beside this person's resident.
    pub(crate) fn install_window(&self, program: &str) -> Result<()> {
        let (window, place) = (parts::window(program)?, self.person.path());
        let place = place.join("kubefob-window");
        // As the others lie there: it starts what lies beside it.
        fs::hard_link(&window, &place).or_else(|_| fs::copy(&window, &place).map(drop))?;
        Ok(())
    }
}
