//! Somebody with a login on this machine and a desktop, who knows nothing but what is installed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::Playground;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use world::browser::Settings;
use world::keyring::Keyring;
use world::onlooker::Onlooker;
use world::parts::{self, Parts};
use world::person::{Said, said};
use world::screen::Screen;
use world::user::Other;
use world::wait;

use crate::packages::output;

const NAME: &str = "kubefob-trial";
/// How long something may take to be seen. It only serves to fail.
const LATEST: Duration = Duration::from_secs(120);

/// The user and their session. Dropped, both are gone with all that runs.
pub(crate) struct Colleague {
    id: u32,
    pub(crate) home: PathBuf,
    runtime: PathBuf,
    pub(crate) screen: Screen,
    pub(crate) keyring: Keyring,
    _user: User,
}

/// A user whom we made.
struct User;

impl Colleague {
    /// Makes one: kubectl on PATH, a kubeconfig as it was written for kubelogin, and a script in front of the browser.
    pub(crate) fn new(playground: &Playground) -> Result<Self> {
        parts::system("gnome-keyring-daemon")?;
        let screen = Screen::start()?;
        // Of a run that was cut off.
        drop(User);
        output(Command::new("useradd").args(["--create-home", "--shell=/bin/sh", NAME]))?;
        let user = User;
        let id = output(Command::new("id").args(["--user", NAME]))?;
        let id = id.trim().parse()?;
        let home = PathBuf::from("/home").join(NAME);
        // What logind makes.
        let runtime = PathBuf::from(format!("/run/user/{id}"));
        fs::create_dir_all(&runtime)?;
        fs::set_permissions(&runtime, Permissions::from_mode(0o700))?;
        chown(&runtime, Some(id), Some(id))?;
        let keyring = Keyring::start_for(&runtime, Some(Other(id)))?;
        let colleague = Self {
            id,
            home,
            runtime,
            screen,
            keyring,
            _user: user,
        };
        colleague.settle(playground)?;
        Ok(colleague)
    }

    fn settle(&self, playground: &Playground) -> Result<()> {
        let parts = Parts::from_environment()?;
        self.put("bin/kubectl", &fs::read(parts.path("kubectl")?)?)?;
        let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
        self.put("bin/scripted-browser", &fs::read(scripted)?)?;
        self.put("ca.pem", playground.ca_pem().as_bytes())?;
        let browser = Settings {
            ca: Some(self.home.join("ca.pem")),
            user: "test".to_owned(),
            password: "test".to_owned(),
            ..Settings::default()
        };
        let launcher = self.home.join("bin/browser");
        browser.launcher(&self.home.join("bin/scripted-browser"), &launcher)?;
        let settings = json!({ "version": 1, "browser": [launcher] });
        self.put(
            ".config/kubefob/settings.json",
            &serde_json::to_vec(&settings)?,
        )?;
        let ca = format!(
            "--certificate-authority={}",
            self.home.join("ca.pem").display()
        );
        let kubeconfig = playground.kubeconfig_seed_form(&[&ca]);
        self.put(".kube/config", kubeconfig.as_bytes())?;
        let whole = format!("{NAME}:{NAME}");
        output(Command::new("chown").args(["-R", &whole]).arg(&self.home))?;
        Ok(())
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.home.join(name);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(&path, content)?;
        Ok(fs::set_permissions(path, Permissions::from_mode(0o755))?)
    }

    /// A program as their desktop or shell would start it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            self.home.join("bin").display()
        );
        command
            .uid(self.id)
            .gid(self.id)
            .env_clear()
            .envs([
                ("USER", NAME),
                ("LOGNAME", NAME),
                ("LANG", "C.UTF-8"),
                ("PATH", &path),
            ])
            .envs([("HOME", &self.home), ("XDG_RUNTIME_DIR", &self.runtime)])
            .env("DISPLAY", &self.screen.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.keyring.address)
            .envs([
                ("XDG_CURRENT_DESKTOP", "XFCE"),
                ("GDK_BACKEND", "x11"),
                ("NO_AT_BRIDGE", "1"),
            ])
            .current_dir(&self.home);
        command
    }

    /// What `kubectl …` says.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<Said> {
        said(self.command("kubectl").args(arguments).output()?)
    }

    /// What `kubectl fob … --json` says, read.
    pub(crate) fn fob(&self, verb: &str) -> Result<Value> {
        let said = self.kubectl(&["fob", verb, "--json"])?;
        ensure!(said.ok, "{said:?}\n{}", self.log());
        Ok(serde_json::from_str(&said.out)?)
    }

    /// Their processes of one of our programs.
    pub(crate) fn running(&self, program: &str) -> Vec<u32> {
        let path = format!("/usr/bin/{program}");
        let theirs = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let first = line.split(|byte| *byte == 0).next();
            let name =
                first.is_some_and(|first| first == path.as_bytes() || first == program.as_bytes());
            name && self.owns(*pid)
        };
        processes().filter(theirs).collect()
    }

    /// Whether the window has its page: a process of WebKit's.
    pub(crate) fn sees_page(&self) -> bool {
        processes().any(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            name.starts_with("WebKitWebProces") && self.owns(pid)
        })
    }

    fn owns(&self, pid: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        let uid = uid.and_then(|uids| uids.split_whitespace().next());
        uid == Some(&self.id.to_string())
    }

    /// Waits until it is so.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) -> Result<()> {
        wait::up_to(LATEST)
            .until(what, || Ok(is_so(self)))
            .with_context(|| self.log())
    }

    /// Waits until the window shows something to read: more colours than an empty page has.
    pub(crate) fn reads(&self) -> Result<()> {
        let onlooker = Onlooker::at(&self.screen.display)?;
        let window = onlooker.until_window("Kubefob")?;
        wait::up_to(LATEST).until("a window with something in it", || {
            let colours = onlooker.picture(window.area)?.colours();
            Ok(wait::is(colours >= 16, format!("{colours} colours")))
        })?;
        Ok(())
    }

    /// A picture of their screen, where pictures are wanted.
    pub(crate) fn picture(&self, name: &str) -> Result<()> {
        let Some(folder) = std::env::var_os("KUBEFOB_PICTURES") else {
            return Ok(());
        };
        let onlooker = Onlooker::at(&self.screen.display)?;
        let file = Path::new(&folder).join(name).with_extension("png");
        onlooker.picture(onlooker.screen()?)?.save(&file)
    }

    /// The resident's log.
    pub(crate) fn log(&self) -> String {
        let log = self.home.join(".local/share/kubefob/log/kubefob.log");
        fs::read_to_string(log).unwrap_or_default()
    }
}

impl Drop for Colleague {
    fn drop(&mut self) {
        for program in ["kubefob", "kubefob-window"] {
            for pid in self.running(program) {
                if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
        }
        drop(fs::remove_dir_all(&self.runtime));
    }
}

impl Drop for User {
    fn drop(&mut self) {
        drop(
            Command::new("userdel")
                .args(["--force", "--remove", NAME])
                .output(),
        );
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
