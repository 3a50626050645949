//! The real world: Keycloak, etcd, kube-apiserver and kubectl, started once for a whole set.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::apiserver::ApiServer;
use crate::keycloak::Keycloak;
use crate::parts::{Missing, Parts};
use crate::pki::Pki;
use crate::running::logs;

/// Everything that runs, and where it writes.
pub struct RealWorld {
    /// Where each part is, the other kubectls too.
    pub parts: Parts,
    /// The run's certificate authority.
    pub pki: Pki,
    /// The provider.
    pub keycloak: Keycloak,
    /// The cluster.
    pub apiserver: ApiServer,
    /// Of the run's own, with a short path: logs, data, and whatever a trial writes.
    pub folder: PathBuf,
    // Last: what runs writes in it.
    kept: Mutex<Option<TempDir>>,
}

impl RealWorld {
    async fn start(parts: Parts, folder: TempDir) -> Result<Self> {
        // Asked for before anything starts, so that what is missing is known at once.
        for part in ["kubectl", "kube-apiserver", "etcd", "keycloak", "java"] {
            parts.path(part)?;
        }
        let path = folder.path().to_owned();
        let pki = Pki::make(&path)?;
        let started = async {
            let keycloak = Keycloak::start(&parts, &path, &pki).await?;
            // After the provider: it would look for it again only ten seconds later.
            let (issuer, client) = (keycloak.issuer(), Keycloak::CLIENT_ID);
            let apiserver = ApiServer::start(&parts, &path, &pki, &issuer, client).await?;
            anyhow::Ok((keycloak, apiserver))
        };
        let (keycloak, apiserver) = started
            .await
            .inspect_err(|error| eprintln!("{}\n{error:#}", logs(&path)))?;
        fs::create_dir(path.join("home"))?;
        let kept = Mutex::new(Some(folder));
        Ok(Self {
            parts,
            pki,
            keycloak,
            apiserver,
            folder: path,
            kept,
        })
    }

    /// The built kubectl, told of this cluster and nothing else: no kubeconfig, a home of its own.
    pub fn kubectl(&self) -> Result<Command> {
        let mut kubectl = Command::new(self.parts.path("kubectl")?);
        kubectl
            .env("HOME", self.folder.join("home"))
            .env("KUBECONFIG", self.folder.join("no-kubeconfig"))
            .arg(format!("--server={}", self.apiserver.url))
            .arg(format!("--certificate-authority={}", self.pki.ca.display()));
        Ok(kubectl)
    }

    /// What kubectl says with a token, given some of this world's objects on its standard input.
    pub fn kubectl_as(&self, token: &str, arguments: &[&str], input: &str) -> Result<Output> {
        let mut kubectl = self.kubectl()?;
        kubectl.arg("--token").arg(token).args(arguments);
        let mut child = kubectl
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("kubectl can't be started")?;
        let mut stdin = child.stdin.take().context("no pipe")?;
        stdin.write_all(input.as_bytes())?;
        drop(stdin);
        Ok(child.wait_with_output()?)
    }

    /// The administrator's kubectl; an error with what it said when it fails.
    pub fn administer(&self, arguments: &[&str], input: &str) -> Result<()> {
        let output = self.kubectl_as(ApiServer::ADMIN_TOKEN, arguments, input)?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "kubectl {arguments:?}: {said}");
        Ok(())
    }
}

/// The world that the trials of a set share: started for the first that asks, gone at the end.
pub struct Real {
    // Before the runtime, which what runs may need to end.
    world: Mutex<Option<Result<RealWorld, Failure>>>,
    runtime: Runtime,
}

/// Why there is no world, for each trial that would have used it.
#[derive(Clone)]
enum Failure {
    Missing(Missing),
    Broken(String),
}

impl Real {
    /// Starts nothing yet.
    pub fn new() -> Result<Self> {
        Ok(Self {
            world: Mutex::new(None),
            runtime: Runtime::new()?,
        })
    }

    /// Does a trial in the world. Where the trial fails, the ends of all logs are printed and the
    /// run's folder stays.
    pub fn with(&self, trial: impl AsyncFnOnce(&RealWorld) -> Result<()>) -> Result<()> {
        let mut slot = self
            .world
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let world = match slot.get_or_insert_with(|| self.start()) {
            Ok(world) => world,
            Err(Failure::Missing(missing)) => return Err(missing.clone().into()),
            Err(Failure::Broken(why)) => return Err(anyhow!("the real world: {why}")),
        };
        // Whether it ends by an error or by a panic.
        let mut report = OnFailure {
            world,
            passed: false,
        };
        let result = self.runtime.block_on(trial(world));
        report.passed = result
            .as_ref()
            .map_or_else(|error| error.is::<Missing>(), |()| true);
        let failed = !report.passed;
        drop(report);
        if let Err(error) = &result
            && failed
        {
            // Here too, after the logs: what cuts a long output off leaves its end.
            eprintln!("{error:#}");
        }
        result
    }

    /// Ends everything that was started.
    pub fn end(&self) {
        let _in_runtime = self.runtime.enter();
        self.world
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
    }

    fn start(&self) -> Result<RealWorld, Failure> {
        let started = (|| {
            let parts = Parts::from_environment()?;
            let folder = tempfile::Builder::new().prefix("kubefob-real-").tempdir()?;
            self.runtime.block_on(RealWorld::start(parts, folder))
        })();
        started.map_err(|error| match error.downcast_ref::<Missing>() {
            Some(missing) => Failure::Missing(missing.clone()),
            None => Failure::Broken(format!("{error:#}")),
        })
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.end();
    }
}

struct OnFailure<'world> {
    world: &'world RealWorld,
    passed: bool,
}

impl Drop for OnFailure<'_> {
    fn drop(&mut self) {
        if self.passed {
            return;
        }
        eprintln!("{}", logs(&self.world.folder));
        let kept = self.world.kept.lock().ok().and_then(|mut kept| kept.take());
        if let Some(folder) = kept {
            eprintln!("kept: {}", folder.keep().display());
        }
    }
}
