//! A person with a home, a kubeconfig, a screen and our programs on PATH; and an instance of
//! Kubefob of their own, which ends with them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::Settings;
use crate::parts;
use crate::running::free_port;
use crate::screen::Screen;
use crate::user::Other;
use crate::wait;

/// How long the resident may take to come and to go. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);

/// Somebody who uses kubectl.
pub struct Person {
    /// Their home.
    pub home: PathBuf,
    /// Their instance (KUBEFOB_HOME).
    pub instance: PathBuf,
    path: PathBuf,
    variables: Vec<(String, String)>,
    whose: Option<Other>,
    trusting: Option<Child>,
    // Last: what runs writes in it.
    folder: TempDir,
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
        let mut person = Self::settled("kubefob-person-", kubectl)?;
        person.browse(scripted, browser)?;
        if let Some(screen) = screen {
            person.variable("DISPLAY", &screen.display);
        }
        Ok(person)
    }

    /// Somebody without a screen, whose browser would be the desktop's. What is theirs lies in a
    /// temporary folder whose name begins with `prefix`.
    pub fn settled(prefix: &str, kubectl: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir()?;
        let root = folder.path().to_owned();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700))?;
        let (home, instance, path) = (root.join("home"), root.join("fob"), root.join("bin"));
        for folder in [&home.join(".kube"), &instance.join("config"), &path] {
            fs::create_dir_all(folder)?;
        }
        fs::set_permissions(&instance, fs::Permissions::from_mode(0o700))?;
        let programs = parts::program("kubefob")?;
        let programs = programs.parent().context("no folder of programs")?;
        let person = Self {
            home,
            instance,
            path,
            variables: Vec::new(),
            whose: None,
            trusting: None,
            folder,
        };
        person.install(programs)?;
        person.install_kubectl(kubectl)?;
        Ok(person)
    }

    /// Puts our programs of this folder on this person's PATH, in the place of those that are there.
    pub fn install(&self, programs: &Path) -> Result<()> {
        for name in ["kubefob", "kubectl-fob", "kubectl-oidc_login"] {
            let (from, made) = (programs.join(name), self.path.join(format!("{name}.new")));
            fs::hard_link(&from, &made)
                .or_else(|_| fs::copy(&from, &made).map(drop))
                .with_context(|| from.display().to_string())?;
            fs::rename(made, self.path.join(name))?;
        }
        Ok(())
    }

    /// Puts a kubectl on this person's PATH, in the place of the one that is there.
    pub fn install_kubectl(&self, kubectl: &Path) -> Result<()> {
        let link = self.path.join("kubectl");
        let made = self.path.join("kubectl.new");
        symlink(kubectl, &made)?;
        Ok(fs::rename(made, link)?)
    }

    /// Puts any program there that other users may not reach where it is; its path.
    pub fn bring(&self, program: &Path) -> Result<PathBuf> {
        let place = self.path.join(program.file_name().context("a name")?);
        let made = place.with_extension("new");
        fs::hard_link(program, &made).or_else(|_| fs::copy(program, &made).map(drop))?;
        fs::rename(made, &place)?;
        Ok(place)
    }

    /// Has them be another user of this machine from now on, who owns all that is theirs and runs their programs. None
    /// of those runs yet.
    pub fn becomes(&mut self, other: Other) -> Result<()> {
        let link = self.path.join("kubectl");
        let kubectl = self.bring(&fs::canonicalize(&link)?)?;
        fs::rename(kubectl, link)?;
        self.whose = Some(other);
        owned_by(self.folder.path(), other)
    }

    /// Has this script sit at their browser from now on; a resident that runs already sees it too
    /// if another one sat there before.
    pub fn browse(&self, scripted: &Path, browser: &Settings) -> Result<()> {
        let launcher = self.folder.path().join("browser");
        browser.launcher(scripted, &launcher)?;
        self.setting("browser", json!([launcher]))
    }

    /// The folder that holds all of it.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of their PATH that has kubectl and our programs in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes one setting in the settings file. A resident that runs sees it soon.
    pub fn setting(&self, name: &str, value: Value) -> Result<()> {
        let path = self.instance.join("config/settings.json");
        let mut settings = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => json!({ "version": 1 }),
        };
        settings[name] = value;
        self.settings(&settings)
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

    /// Gives the kubeconfig another context, of the same cluster and user as its first.
    pub fn add_context(&self, name: &str) -> Result<()> {
        let of = |what: &str| -> Result<String> {
            let path = format!("-o=jsonpath={{.contexts[0].context.{what}}}");
            let said = self.kubectl(&["config", "view", &path])?;
            Ok(format!("--{what}={}", said.out))
        };
        let (user, cluster) = (of("user")?, of("cluster")?);
        let said = self.kubectl(&["config", "set-context", name, &user, &cluster])?;
        ensure!(said.ok, "{said:?}");
        Ok(())
    }

    /// A program as this person's shell would start it.
    pub fn command(&self, program: &str) -> Command {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.path.display());
        let mut command = self.started_where_they_are(&self.path.join(program));
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("KUBEFOB_HOME", &self.instance)
            .env("LANG", "C.UTF-8")
            .env("PATH", path)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A program in the mount namespace that they have.
    fn started_where_they_are(&self, program: &Path) -> Command {
        let program = program.display().to_string();
        let Some(holder) = &self.trusting else {
            return Other::command(self.whose, &program);
        };
        let mut command = Other::command(self.whose, "nsenter");
        command
            .args(["--mount", "--target", &holder.id().to_string(), "--"])
            .arg(program);
        command
    }

    /// What `kubectl …` says.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<Said> {
        said(self.command("kubectl").args(arguments).output()?)
    }

    /// What a command line says that this person types on a terminal of its own, `typed` as soon as it
    /// asks for something. What it says on either stream is what the terminal shows.
    pub fn on_terminal(&self, line: &str, typed: &str) -> Result<Said> {
        self.typed_ahead(line, "", typed)
    }

    /// The same, with something that is typed at once, before anything is asked.
    pub fn typed_ahead(&self, line: &str, ahead: &str, typed: &str) -> Result<Said> {
        let mut child = self.at_terminal(line)?;
        let mut stdin = child.stdin.take().context("no pipe")?;
        stdin.write_all(ahead.as_bytes())?;
        let mut stdin = Some(stdin);
        let mut stdout = child.stdout.take().context("no pipe")?;
        let (mut shown, mut buffer) = (Vec::new(), [0; 1024]);
        loop {
            let count = stdout.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            shown.extend_from_slice(&buffer[..count]);
            // A prompt ends so, and no line does.
            let asks = typed.is_empty() || shown.ends_with(b": ") || shown.ends_with(b"] ");
            if asks && let Some(mut stdin) = stdin.take() {
                stdin.write_all(typed.as_bytes())?;
            }
        }
        let output = child.wait_with_output()?;
        said(Output {
            stdout: shown,
            ..output
        })
    }

    /// Starts a command line on a terminal of its own, and goes on.
    pub fn at_terminal(&self, line: &str) -> Result<Child> {
        let command = self.command("kubectl");
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let child = self
            .started_where_they_are(Path::new("script"))
            .args([
                "--quiet",
                "--return",
                "--flush",
                "--command",
                line,
                "/dev/null",
            ])
            .env_clear()
            .envs(environment)
            .current_dir(&self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(child)
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

    /// Every process that runs this person's `kubefob`.
    pub fn residents(&self) -> Vec<u32> {
        self.processes("kubefob")
    }

    /// Every process that runs this person's window; WebKit's own are its children.
    pub fn windows(&self) -> Vec<u32> {
        self.processes("kubefob-window")
    }

    /// Those that run a program of this person's, by the first argument: their executable can not be asked for.
    pub fn processes(&self, program: &str) -> Vec<u32> {
        let executable = self.path.join(program);
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

    /// Puts the window beside this person's resident, under its own name.
    pub fn install_window(&self, program: &str) -> Result<()> {
        let (window, place) = (parts::window(program)?, self.path.join("kubefob-window"));
        // As the others lie there: it starts what lies beside it.
        fs::hard_link(&window, &place).or_else(|_| fs::copy(&window, &place).map(drop))?;
        Ok(())
    }

    /// Puts the window that a driver may hold there; the port that it lets itself be held at. Closed, it lingers so long.
    pub fn install_held_window(&self, lingers: Duration) -> Result<u16> {
        self.install_window("kubefob-window")?;
        let port = free_port()?;
        let automation = format!("{port} {}", lingers.as_millis());
        fs::write(self.instance.join("automation"), automation)?;
        Ok(port)
    }

    /// Starts the resident with more variables than whoever starts it in the background hands on, and waits
    /// until it listens.
    pub fn start_resident(&self, variables: &[(&str, &str)]) -> Result<()> {
        let mut resident = self
            .command("kubefob")
            .arg(wire::start::BACKGROUND)
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let socket = self.instance.join("socket");
        wait::up_to(LATEST)
            .every(Duration::from_millis(5))
            .until("a socket", || {
                ensure!(resident.try_wait()?.is_none(), "{}", self.log());
                Ok(UnixStream::connect(&socket))
            })?;
        // Whose child it is, is nobody's business but the kernel's.
        std::thread::spawn(move || drop(resident.wait()));
        Ok(())
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
        wait::up_to(LATEST)
            .every(Duration::from_millis(5))
            .until(&format!("the resident's end by SIG{signal}"), || {
                Ok(!alive())
            })
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

/// Gives a folder and what is in it to a user; but no file that has another name too, which is somebody else's.
fn owned_by(path: &Path, Other(id): Other) -> Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_file() && found.nlink() > 1 {
        return Ok(());
    }
    lchown(path, Some(id), Some(id))?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            owned_by(&entry?.path(), Other(id))?;
        }
    }
    Ok(())
}

/// The article's 3-4, its placeholders filled in: `extra` are further arguments, which a provider
/// with a certificate authority of its own needs.
pub fn seed_kubeconfig(
    ca: &[u8],
    server: &str,
    issuer: &str,
    secret: &str,
    extra: &[&str],
) -> String {
    let seed = playground::Seed {
        ca_pem: &String::from_utf8_lossy(ca),
        server,
        issuer,
        client_id: "kubernetes-client",
        client_secret: Some(secret),
    };
    seed.kubeconfig(extra)
}

/// What a command that has ended said.
pub fn said(output: Output) -> Result<Said> {
    Ok(Said {
        ok: output.status.success(),
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
