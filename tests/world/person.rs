//! A person with a home, a kubeconfig, a screen and our programs on PATH; and an instance of
//! Kubefob of their own, which ends with them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::Settings;
use crate::parts;
use crate::screen::Screen;

/// Somebody who uses kubectl.
pub struct Person {
    /// Their home.
    pub home: PathBuf,
    /// Their instance (KUBEFOB_HOME).
    pub instance: PathBuf,
    path: PathBuf,
    display: Option<String>,
    variables: Vec<(String, String)>,
    trusting: Option<Child>,
    _folder: TempDir,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended well.
    pub ok: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Person {
    /// Somebody whose kubectl this is. `browser` is who sits there; the screen is theirs.
    ///
    /// `scripted` is the scripted browser's program.
    pub fn new(
        kubectl: &Path,
        scripted: &Path,
        browser: &Settings,
        screen: Option<&Screen>,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("kubefob-person-")
            .tempdir()?;
        let root = folder.path().to_owned();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700))?;
        let (home, instance, path) = (root.join("home"), root.join("fob"), root.join("bin"));
        for folder in [&home.join(".kube"), &instance.join("config"), &path] {
            fs::create_dir_all(folder)?;
        }
        fs::set_permissions(&instance, fs::Permissions::from_mode(0o700))?;
        let programs = parts::program("kubefob")?;
        let programs = programs.parent().context("no folder of programs")?;
        for name in ["kubefob", "kubectl-fob", "kubectl-oidc_login"] {
            fs::hard_link(programs.join(name), path.join(name))
                .or_else(|_| fs::copy(programs.join(name), path.join(name)).map(drop))?;
        }
        let launcher = root.join("browser");
        browser.launcher(scripted, &launcher)?;
        let person = Self {
            home,
            instance,
            path,
            display: screen.map(|screen| screen.display.clone()),
            variables: Vec::new(),
            trusting: None,
            _folder: folder,
        };
        person.install_kubectl(kubectl)?;
        person.settings(&json!({ "version": 1, "browser": [launcher] }))?;
        Ok(person)
    }

    /// Puts a kubectl on this person's PATH, in the place of the one that is there.
    pub fn install_kubectl(&self, kubectl: &Path) -> Result<()> {
        let link = self.path.join("kubectl");
        let made = self.path.join("kubectl.new");
        symlink(kubectl, &made)?;
        Ok(fs::rename(made, link)?)
    }

    /// Writes the settings file.
    pub fn settings(&self, settings: &Value) -> Result<()> {
        let path = self.instance.join("config/settings.json");
        Ok(fs::write(path, serde_json::to_vec_pretty(settings)?)?)
    }

    /// Sets a variable of this person's shell.
    pub fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Makes this person's computer trust a certificate authority, as an administrator would by
    /// installing it: in a mount namespace of the person's own, so that the real one never does.
    /// False where that is not allowed here.
    pub fn trust(&mut self, authority: &Path) -> Result<bool> {
        const STORE: &str = "/etc/ssl/certs/ca-certificates.crt";
        let bundle = self.home.join("authorities.crt");
        let mut all = fs::read(STORE).unwrap_or_default();
        all.extend(fs::read(authority)?);
        fs::write(&bundle, all)?;
        let script = "mount --make-rprivate / && mount --bind \"$1\" \"$2\" && echo ready && exec sleep infinity";
        let holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(&bundle)
            .arg(STORE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut holder) = holder else {
            return Ok(false);
        };
        let mut line = String::new();
        let output = holder.stdout.take().context("no pipe")?;
        BufReader::new(output).read_line(&mut line)?;
        if line.trim() != "ready" {
            holder.wait()?;
            return Ok(false);
        }
        self.trusting = Some(holder);
        Ok(true)
    }

    /// Writes `~/.kube/config`.
    pub fn kubeconfig(&self, text: &str) -> Result<PathBuf> {
        let path = self.home.join(".kube/config");
        fs::write(&path, text)?;
        Ok(path)
    }

    /// A program as this person's shell would start it.
    pub fn command(&self, program: &str) -> Command {
        let program = self.path.join(program);
        let mut command = match &self.trusting {
            Some(holder) => {
                let mut command = Command::new("nsenter");
                command
                    .args(["--mount", "--target", &holder.id().to_string(), "--"])
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("KUBEFOB_HOME", &self.instance)
            .env("LANG", "C.UTF-8")
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", self.path.display()),
            )
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(display) = &self.display {
            command.env("DISPLAY", display);
        }
        command
    }

    /// What `kubectl …` says.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<Said> {
        said(self.command("kubectl").args(arguments).output()?)
    }

    /// What `kubectl fob … --json` says, read.
    pub fn fob(&self, arguments: &[&str]) -> Result<Value> {
        let arguments: Vec<&str> = ["fob"]
            .into_iter()
            .chain(arguments.iter().copied())
            .chain(["--json"])
            .collect();
        let said = self.kubectl(&arguments)?;
        ensure!(said.ok, "kubectl {arguments:?}: {}", said.err);
        serde_json::from_str(&said.out).with_context(|| said.out.clone())
    }

    /// Starts `kubectl …` and goes on.
    pub fn start(&self, arguments: &[&str]) -> Result<Child> {
        Ok(self.command("kubectl").args(arguments).spawn()?)
    }

    /// This person's resident.
    pub fn resident(&self) -> Option<u32> {
        self.residents().first().copied()
    }

    /// Every process that runs this person's `kubefob`, by its first argument: its executable can
    /// not be asked for.
    pub fn residents(&self) -> Vec<u32> {
        let executable = self.path.join("kubefob");
        let Ok(processes) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let runs = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).next() == Some(executable.as_os_str().as_encoded_bytes())
        };
        let pids = processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(runs).collect()
    }

    /// Sends the resident a signal, by name, and waits until it is gone.
    pub fn end_resident(&self, signal: &str) -> Result<()> {
        let Some(pid) = self.resident() else {
            return Ok(());
        };
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &pid.to_string()])
            .status()?;
        ensure!(status.success(), "kill said {status}");
        // A zombie that nobody reaps counts as gone once its last thread is: until then its
        // sockets take connections.
        let process = PathBuf::from(format!("/proc/{pid}"));
        let alive = || {
            fs::read_to_string(process.join("stat")).is_ok_and(|stat| {
                let threads = fs::read_dir(process.join("task")).map_or(0, Iterator::count);
                !stat.contains(") Z ") || threads > 1
            })
        };
        while alive() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Ok(())
    }

    /// The resident's log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.instance.join("log/kubefob.log")).unwrap_or_default()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "{}", self.log());
        }
        let _ = self.end_resident("KILL");
        if let Some(holder) = &mut self.trusting {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

/// What a command that has ended said.
pub fn said(output: Output) -> Result<Said> {
    Ok(Said {
        ok: output.status.success(),
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The article's 3-4, its placeholders filled in, and nothing else changed: `extra` are further
/// arguments, which a provider with a certificate authority of its own needs.
pub fn seed_kubeconfig(
    ca: &[u8],
    server: &str,
    issuer: &str,
    secret: &str,
    extra: &[&str],
) -> String {
    let extra: String = extra
        .iter()
        .map(|argument| format!("\n      - {argument}"))
        .collect();
    format!(
        "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {}
    server: {server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: keycloak-user
    namespace: default
  name: kubernetes
current-context: kubernetes
kind: Config
preferences: {{}}
users:
- name: keycloak-user
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubectl
      args:
      - oidc-login
      - get-token
      - --oidc-issuer-url={issuer}
      - --oidc-client-id=kubernetes-client
      - --oidc-client-secret={secret}{extra}
",
        base64::engine::general_purpose::STANDARD.encode(ca)
    )
}
