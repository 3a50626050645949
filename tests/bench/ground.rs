//! What is measured on: somebody signed in at a playground, with the release's programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::{Config, Playground};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use world::browser::Settings;
use world::keyring::Keyring;
use world::parts::Parts;
use world::person::{Person, Said, said, seed_kubeconfig};
use world::screen::Screen;
use world::session::Session;
use world::wait;

const SECRET: &str = "kubefob-playground-client-secret";

/// The variable that says which part of the bench a process is.
pub(crate) const PART: &str = "KUBEFOB_BENCH_PART";

/// A person at a screen, a keyring, a provider and an API server.
pub(crate) struct Ground {
    pub(crate) person: Person,
    pub(crate) playground: Playground,
    /// For what is written beside the person.
    pub(crate) folder: PathBuf,
    /// Where the tokens rest, for `how`.
    pub(crate) vault: &'static str,
    parts: Parts,
    browser: Settings,
    around: Around,
    _kept: TempDir,
    _runtime: Runtime,
}

/// What the person sits in front of.
enum Around {
    /// A screen and perhaps a keyring: nobody looks.
    Bare(Screen, Option<Keyring>),
    /// A session with a panel.
    Desktop(Session),
}

impl Around {
    fn bare(folder: &Path) -> Result<Self> {
        Ok(Self::Bare(Screen::start()?, Keyring::start(folder).ok()))
    }

    fn screen(&self) -> &Screen {
        match self {
            Self::Bare(screen, _) => screen,
            Self::Desktop(session) => &session.screen,
        }
    }

    fn keyring(&self) -> Option<&Keyring> {
        match self {
            Self::Bare(_, keyring) => keyring.as_ref(),
            Self::Desktop(session) => Some(&session.keyring),
        }
    }
}

impl Ground {
    /// With the seed's kubeconfig as `~/.kube/config`, and nobody signed in yet.
    pub(crate) fn new(config: Value) -> Result<Self> {
        Self::around(config, Around::bare)
    }

    fn around(config: Value, around: impl FnOnce(&Path) -> Result<Around>) -> Result<Self> {
        let runtime = Runtime::new()?;
        let config: Config = serde_json::from_value(config)?;
        let playground = runtime.block_on(Playground::start(config))?;
        let parts = Parts::from_environment()?;
        let kept = tempfile::Builder::new()
            .prefix("kubefob-bench-")
            .tempdir()?;
        let folder = kept.path().to_owned();
        let around = around(&folder)?;
        let ca = folder.join("ca.pem");
        fs::write(&ca, playground.ca_pem())?;
        let browser = Settings {
            ca: Some(ca),
            user: "test".into(),
            password: "test".into(),
            ..Settings::default()
        };
        let kubectl = parts.path("kubectl")?;
        let mut person = Person::new(kubectl, scripted(), &browser, Some(around.screen()))?;
        let vault = match around.keyring() {
            Some(keyring) => {
                person.variable("DBUS_SESSION_BUS_ADDRESS", &keyring.address);
                "the key in a real gnome-keyring"
            }
            None => {
                keep_plain(&person)?;
                "no keyring here: the key in a file"
            }
        };
        let ground = Self {
            person,
            playground,
            folder,
            vault,
            parts,
            browser,
            around,
            _kept: kept,
            _runtime: runtime,
        };
        ground.person.kubeconfig(&ground.seed())?;
        Ok(ground)
    }

    /// The same person with other programs of ours, which they are signed in by as well.
    pub(crate) fn with_programs(&self, programs: &Path) -> Result<Person> {
        let (kubectl, screen) = (self.parts.path("kubectl")?, self.around.screen());
        let mut person = Person::new(kubectl, scripted(), &self.browser, Some(screen))?;
        person.install(programs)?;
        match self.around.keyring() {
            Some(keyring) => person.variable("DBUS_SESSION_BUS_ADDRESS", &keyring.address),
            None => keep_plain(&person)?,
        }
        person.kubeconfig(&self.seed())?;
        let said = person.kubectl(&["get", "ns"])?;
        ensure!(said.ok, "{said:?}\n{}", person.log());
        Ok(person)
    }

    /// And somebody is: tokens that outlive the bench, so that no refresh is due in it.
    pub(crate) fn signed_in() -> Result<Self> {
        Self::around(outliving(), Around::bare)?.with_somebody()
    }

    /// The same in front of a panel.
    pub(crate) fn at_a_desktop() -> Result<Self> {
        let desktop = |_: &Path| Session::start().map(Around::Desktop);
        Self::around(outliving(), desktop)?.with_somebody()
    }

    fn with_somebody(self) -> Result<Self> {
        let said = self.get_namespaces(&[])?;
        ensure!(said.ok, "{said:?}\n{}", self.person.log());
        Ok(self)
    }

    /// What its DISPLAY says.
    pub(crate) fn display(&self) -> &str {
        &self.around.screen().display
    }

    /// Where its bus is; one at a desktop has one.
    pub(crate) fn bus(&self) -> Result<&str> {
        let keyring = self.around.keyring().context("no bus")?;
        Ok(&keyring.address)
    }

    /// What is after `get-token` in every kubeconfig here.
    pub(crate) fn flags(&self) -> Vec<String> {
        vec![
            format!("--oidc-issuer-url={}", self.playground.issuer()),
            "--oidc-client-id=kubernetes-client".to_owned(),
            format!("--oidc-client-secret={SECRET}"),
            self.ca_flag(),
        ]
    }

    fn ca_flag(&self) -> String {
        let ca = self.folder.join("ca.pem");
        format!("--certificate-authority={}", ca.display())
    }

    fn seed(&self) -> String {
        seed_kubeconfig(
            self.playground.ca_pem().as_bytes(),
            self.playground.kube_url(),
            self.playground.issuer(),
            SECRET,
            &[&self.ca_flag()],
        )
    }

    /// A kubeconfig that runs the shim by its own name and lets it be told the server.
    pub(crate) fn with_cluster_info(&self) -> Result<PathBuf> {
        let seed = self.seed();
        let text = seed
            .replace(
                "      command: kubectl\n",
                "      command: kubectl-oidc_login\n      provideClusterInfo: true\n",
            )
            .replace("      - oidc-login\n", "");
        ensure!(text != seed, "the seed's form has changed:\n{seed}");
        self.write("cluster-info", &text)
    }

    /// One with the token of whoever is signed in.
    pub(crate) fn with_token(&self) -> Result<PathBuf> {
        let token = said(self.person.command("kubectl-fob").arg("token").output()?)?;
        ensure!(token.ok, "{token:?}");
        let text = self.playground.kubeconfig_with_token(token.out.trim());
        self.write("static-token", &text)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// `kubectl get ns -o name`.
    pub(crate) fn get_namespaces(&self, more: &[&str]) -> Result<Said> {
        let arguments = [&["get", "ns", "-o", "name"], more].concat();
        self.person.kubectl(&arguments)
    }

    /// This binary in another of its parts, as the person's shell would start kubectl: it is called so, since of another
    /// program nobody knows what its words name. Its part is said by a variable, its task by standard input.
    pub(crate) fn part(&self, name: &str, task: &Value) -> Result<Command> {
        let folder = self.folder.join("part");
        fs::create_dir_all(&folder)?;
        let kubectl = folder.join("kubectl");
        if !kubectl.exists() {
            let here = std::env::current_exe()?;
            fs::hard_link(&here, &kubectl).or_else(|_| fs::copy(&here, &kubectl).map(drop))?;
        }
        let kubectl = kubectl.to_str().context("a path that is no text")?;
        let mut command = self.person.command(kubectl);
        let task = self.write(&format!("{name}.task"), &task.to_string())?;
        command
            .args(["get", "ns"])
            .env(PART, name)
            .stdin(fs::File::open(task)?);
        Ok(command)
    }

    /// A folder to be put on PATH, in which kubectl's `oidc-login` is another program.
    pub(crate) fn folder_with(&self, name: &str, oidc_login: &Path) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)?;
        std::os::unix::fs::symlink(self.parts.path("kubectl")?, folder.join("kubectl"))?;
        std::os::unix::fs::symlink(oidc_login, folder.join("kubectl-oidc_login"))?;
        Ok(folder)
    }

    /// A program that opens a page as the person's browser does.
    pub(crate) fn launcher(&self) -> Result<PathBuf> {
        let path = self.folder.join("browser");
        self.browser.launcher(scripted(), &path)?;
        Ok(path)
    }

    /// The resident, which must be running.
    pub(crate) fn resident(&self) -> Result<u32> {
        resident_of(&self.person)
    }
}

fn outliving() -> Value {
    let hours = 10 * 3600;
    json!({ "token_seconds": hours, "session_idle_seconds": hours })
}

fn scripted() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_scripted-browser"))
}

fn keep_plain(person: &Person) -> Result<()> {
    let path = person.instance.join("config/settings.json");
    let mut settings: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    settings["keep"] = "plain".into();
    person.settings(&settings)
}

/// Somebody's resident, which must be running.
pub(crate) fn resident_of(person: &Person) -> Result<u32> {
    person.resident().context("no resident runs")
}

/// The socket of somebody's instance.
pub(crate) fn socket_of(person: &Person) -> PathBuf {
    person.instance.join("socket")
}

/// Waits for something that another process does; the deadline only serves to fail.
pub(crate) fn wait_for(what: &str, is: impl Fn() -> Result<bool>) -> Result<()> {
    wait::up_to(Duration::from_secs(180)).until(what, is)
}
