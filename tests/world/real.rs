//! The real world: Keycloak, etcd, kube-apiserver and kubectl, started once for a whole set.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::apiserver::ApiServer;
use crate::keycloak::Keycloak;
use crate::parts::{Missing, Parts};
use crate::pki::Pki;
use crate::running::logs;
use crate::scenario::{Bound, World};
use crate::set::Set;
use crate::wait;

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

    /// Waits until the authorizer, which reads from a cache of its own, has seen a binding.
    async fn bound(&self, to: Bound) -> Result<()> {
        let may = |user: &str, group: &str| -> Result<bool> {
            let (user, group) = (format!("--as={user}"), format!("--as-group={group}"));
            let asked = ["auth", "can-i", "get", "namespaces", &user, &group];
            let answer = self.kubectl_as(ApiServer::ADMIN_TOKEN, &asked, "")?;
            Ok(answer.stdout.starts_with(b"yes"))
        };
        let wanted = (to == Bound::User, to == Bound::Group);
        wait::up_to(Duration::from_secs(60))
            .every(Duration::from_millis(100))
            .until_async(&format!("the binding to {to:?} in force"), async || {
                let may = (may(Keycloak::USER, "nobody")?, may("nobody", GROUP)?);
                Ok(wait::is(may == wanted, format!("{may:?}")))
            })
            .await?;
        Ok(())
    }

    /// The administrator's kubectl; an error with what it said when it fails.
    pub fn administer(&self, arguments: &[&str], input: &str) -> Result<()> {
        let output = self.kubectl_as(ApiServer::ADMIN_TOKEN, arguments, input)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {arguments:?}: {said}");
        Ok(())
    }
}

impl World for RealWorld {
    const PROVIDER: &str = "Keycloak";
    const SHORT: u32 = 60;

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn kubectl(&self) -> Result<PathBuf> {
        Ok(self.parts.path("kubectl")?.to_owned())
    }

    fn authority(&self) -> &Path {
        &self.pki.ca
    }

    fn password(&self) -> &str {
        &self.keycloak.password
    }

    fn kubeconfig(&self, extra: &[&str]) -> Result<String> {
        let seed = playground::Seed {
            ca_pem: &fs::read_to_string(&self.pki.ca)?,
            server: &self.apiserver.url,
            issuer: &self.keycloak.issuer(),
            client_id: Keycloak::CLIENT_ID,
            client_secret: Some(&self.keycloak.client_secret),
        };
        Ok(seed.kubeconfig(extra))
    }

    async fn bind(&self, to: Bound) -> Result<()> {
        let subject = match to {
            Bound::Nobody => None,
            Bound::User => Some(("User", Keycloak::USER)),
            Bound::Group => Some(("Group", GROUP)),
        };
        self.administer(&["apply", "-f", "-"], ROLE)?;
        // What a binding refers to can't be changed, but its subjects can: an empty list is one.
        let subjects = subject.map_or("subjects: []".to_owned(), |(kind, name)| {
            format!(
                "subjects:\n- apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {name}"
            )
        });
        self.administer(&["apply", "-f", "-"], &format!("{BINDING}{subjects}\n"))?;
        self.bound(to).await
    }

    async fn tokens(&self, seconds: u32, rotate: bool) -> Result<()> {
        self.keycloak.set_rotation(rotate).await?;
        self.keycloak.set_token_lifespan(seconds).await
    }

    async fn stop_provider(&self) -> Result<()> {
        self.keycloak.stop().await
    }

    async fn start_provider(&self) -> Result<()> {
        self.keycloak.start_again().await
    }

    async fn admit(&self, member: bool) -> Result<()> {
        self.keycloak.admit(member).await
    }

    async fn end_sessions(&self) -> Result<()> {
        self.keycloak.end_sessions().await
    }

    async fn sessions(&self) -> Result<usize> {
        Ok(self.keycloak.sessions().await?.len())
    }
}

/// The user's group, as the realm's mapper puts it into tokens.
const GROUP: &str = "kubernetes:admin";

/// The article's 2-3.
const ROLE: &str = r#"
kind: ClusterRole
apiVersion: rbac.authorization.k8s.io/v1
metadata:
  name: keycloak-role
rules:
- apiGroups: [""]
  resources: ["namespaces", "pods"]
  verbs: ["get", "list", "watch"]
"#;

/// Its binding, but for the subjects.
const BINDING: &str = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: keycloak-crb-test
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: keycloak-role
";

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
    /// Runs a set whose trials, or some of them, take place in the real world, and ends that world with it.
    pub fn run(add: impl FnOnce(&mut Set, &Arc<Self>)) -> ExitCode {
        let real = match Self::new() {
            Ok(real) => Arc::new(real),
            Err(error) => {
                eprintln!("no runtime: {error}");
                return ExitCode::FAILURE;
            }
        };
        let mut set = Set::new();
        add(&mut set, &real);
        let code = set.run();
        real.end();
        code
    }

    /// Starts nothing yet.
    fn new() -> Result<Self> {
        Ok(Self {
            world: Mutex::new(None),
            runtime: Runtime::new()?,
        })
    }

    /// Does a trial in the world. Where the trial fails, the ends of all logs are printed and the
    /// run's folder stays.
    pub fn with(&self, trial: impl AsyncFnOnce(&RealWorld) -> Result<()>) -> Result<()> {
        self.look_on(|world, runtime| runtime.block_on(trial(world)))
    }

    /// The same for a trial that looks on from outside, at one thing after the other. What it tells
    /// the world to do, it does in the runtime.
    pub fn look_on(&self, trial: impl FnOnce(&RealWorld, &Runtime) -> Result<()>) -> Result<()> {
        let mut slot = self
            .world
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let world = match slot.get_or_insert_with(|| self.start()) {
            Ok(world) => world,
            Err(Failure::Missing(missing)) => return Err(missing.clone().into()),
            Err(Failure::Broken(why)) => {
                let error = anyhow!("the real world: {why}");
                // The first trial tells it at length.
                why.truncate(why.find('\n').unwrap_or(why.len()));
                return Err(error);
            }
        };
        // Whether it ends by an error or by a panic.
        let mut report = OnFailure {
            world,
            passed: false,
        };
        let result = trial(world, &self.runtime);
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
    fn end(&self) {
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
