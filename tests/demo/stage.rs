//! Where the walk-through happens: a playground, and a person with a home of their own whose
//! kubectl, kubeconfig and Kubefob are nobody else's.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use playground::{Config, Playground};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use world::browser::{self, Settings};
use world::parts::Parts;
use world::person::{Person, Said};
use world::wait;

use crate::desk::Desk;
use crate::teller::Teller;

/// How long tokens live: short, so that what takes an hour elsewhere is seen within a minute.
pub(crate) const TOKEN_SECONDS: i64 = 15;

/// The second context of the kubeconfig.
pub(crate) const PRODUCTION: &str = "production";

/// Everything that runs. [`Stage::clear`] ends it.
pub(crate) struct Stage {
    pub(crate) playground: Playground,
    pub(crate) person: Person,
    /// Who sits at the browser.
    pub(crate) visitor: Visitor,
    pub(crate) desk: Desk,
}

/// Who signs in and answers questions.
pub(crate) enum Visitor {
    /// The person who runs the demo, at their own browser.
    Themselves,
    /// A script; it writes down what it sees.
    Script { log: PathBuf },
}

impl Stage {
    pub(crate) async fn set(own_desktop: bool) -> Result<Self> {
        let parts = Parts::from_environment()?;
        let config = Config {
            // A browser would warn of an authority that nobody knows; for loopback plain HTTP is
            // allowed. The Kubernetes API speaks TLS all the same.
            tls: false,
            token_seconds: TOKEN_SECONDS,
            rotation: playground::Rotation::Strict,
            ..Config::default()
        };
        let playground = Playground::start(config).await?;
        let pictures = std::env::var_os("KUBEFOB_PICTURES").context("no KUBEFOB_PICTURES")?;
        let desk = Desk::set(own_desktop, pictures.into())?;
        let mut person = Person::settled("kubefob-demo-", parts.path("kubectl")?)?;
        // By hand: some kubectls ask the cluster for its version before they do anything at all.
        let another = format!(
            "- context:\n    cluster: kubernetes\n    user: keycloak-user\n  name: {PRODUCTION}\ncurrent-context:"
        );
        let seed = playground.kubeconfig_seed_form(&[]);
        person.kubeconfig(&seed.replacen("current-context:", &another, 1))?;
        desk.seat(&mut person)?;
        let visitor = if own_desktop {
            // Beside the sealed tokens, in the demo's folder: the person's own keyring is left alone.
            person.setting("keep", json!("plain"))?;
            Visitor::Themselves
        } else {
            let log = person.root().join("browser.jsonl");
            let settings = Settings {
                user: "test".to_owned(),
                password: "test".to_owned(),
                log: Some(log.clone()),
                ..Settings::default()
            };
            person.browse(&beside("scripted-browser")?, &settings)?;
            Visitor::Script { log }
        };
        Ok(Self {
            playground,
            person,
            visitor,
            desk,
        })
    }

    /// Starts what is typed and goes on; what it says is nobody's.
    pub(crate) fn start(&self, teller: &Teller, typed: &str) -> Result<Child> {
        let (program, arguments) = split(typed)?;
        teller.typed(typed);
        let child = Command::from(self.person.command(program))
            .args(arguments)
            .spawn()
            .with_context(|| format!("{program} can't be started"))?;
        Ok(child)
    }

    /// Does what is typed: `kubectl …`, in the person's home. It is told as it comes.
    pub(crate) async fn run(&self, teller: &Teller, typed: &str) -> Result<Said> {
        let (program, arguments) = split(typed)?;
        teller.typed(typed);
        let begun = Instant::now();
        let mut child = Command::from(self.person.command(program))
            .args(arguments)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program} can't be started"))?;
        let out = child.stdout.take().context("no pipe")?;
        let err = child.stderr.take().context("no pipe")?;
        let (out, err, status) = tokio::join!(told(teller, out), told(teller, err), child.wait());
        teller.said(&format!("({:.2} s)", begun.elapsed().as_secs_f64()));
        Ok(Said {
            ok: status?.success(),
            out: out?,
            err: err?,
        })
    }

    /// The same for `count` at one instant; how many of them went well, and the error of one that
    /// did not.
    pub(crate) async fn crowd(&self, typed: &str, count: usize) -> Result<(usize, Option<String>)> {
        let (program, arguments) = split(typed)?;
        let mut children = Vec::new();
        for _ in 0..count {
            let child = Command::from(self.person.command(program))
                .args(arguments.clone())
                .stdout(Stdio::null())
                .kill_on_drop(true)
                .spawn()?;
            children.push(child);
        }
        let (mut well, mut wrong) = (0, None);
        for child in children {
            let output = child.wait_with_output().await?;
            if output.status.success() {
                well += 1;
            } else {
                wrong = Some(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
        Ok((well, wrong))
    }

    /// What `kubectl fob status --json` says of the account, without telling.
    pub(crate) async fn account(&self) -> Result<Value> {
        let output = Command::from(self.person.command("kubectl"))
            .args(["fob", "status", "--json"])
            .kill_on_drop(true)
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stdout);
        let status: Value = serde_json::from_str(&said).with_context(|| said.to_string())?;
        Ok(status["accounts"][0].clone())
    }

    /// Looks at the account until it is so; a minute at most, and ten where somebody signs in themselves.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value> {
        let patience = match self.visitor {
            Visitor::Themselves => Duration::from_secs(600),
            Visitor::Script { .. } => Duration::from_secs(60),
        };
        wait::up_to(patience)
            .every(Duration::from_millis(250))
            .until_async(what, async || {
                let account = self.account().await?;
                Ok(wait::is(holds(&account), account))
            })
            .await
    }

    /// Tells which pages the script saw since it last did; what it read on the last one.
    pub(crate) fn pages(&self, teller: &Teller) -> Result<()> {
        let Visitor::Script { log } = &self.visitor else {
            return Ok(());
        };
        for step in browser::read_log(log)? {
            let address = step.url.split('?').next().unwrap_or_default();
            // What follows is a ticket, good for once.
            let address = match address.split_once("/start/") {
                Some((before, _)) => format!("{before}/start/..."),
                None => address.to_owned(),
            };
            let title = match step.title.as_str() {
                "" => "(sent on)",
                title => title,
            };
            teller.said(&format!("browser: {:<4} {address}  {title}", step.method));
            if let Some(text) = step.text {
                teller.said(&format!("browser: the page says: {text}"));
            }
        }
        // The next ones are told next time.
        match fs::remove_file(log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Ends Kubefob as a logout would, then all the rest.
    pub(crate) fn clear(self) -> Result<()> {
        let root = self.person.root().to_owned();
        self.desk.let_go();
        for window in self.person.windows() {
            end(window)?;
        }
        let ended = self.person.end_resident("TERM");
        tokio::task::block_in_place(|| drop(self));
        ended?;
        ensure!(!root.exists(), "{} could not be removed", root.display());
        Ok(())
    }
}

fn end(process: u32) -> Result<()> {
    let pid = Pid::from_raw(process.cast_signed()).context("no number")?;
    match kill_process(pid, Signal::TERM) {
        // It was gone already.
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Each line as it comes; all of them at the end.
async fn told(teller: &Teller, from: impl AsyncRead + Unpin) -> Result<String> {
    let mut lines = BufReader::new(from).lines();
    let mut all = String::new();
    while let Some(line) = lines.next_line().await? {
        teller.said(&line);
        all.push_str(&line);
        all.push('\n');
    }
    Ok(all)
}

/// No argument of the story holds a space.
fn split(typed: &str) -> Result<(&str, std::str::SplitWhitespace<'_>)> {
    let mut words = typed.split_whitespace();
    let program = words.next().context("nothing was typed")?;
    Ok((program, words))
}

/// A program that was built beside this one.
fn beside(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.is_file(), "{} is not there", path.display());
    Ok(path)
}
