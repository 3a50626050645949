//! The playground as a world: the same scenarios, in seconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use playground::{Config, Fault, FaultId, Kube, Playground, Rotation, Rule, Subject};
use tempfile::TempDir;

use crate::parts::Parts;
use crate::scenario::{Bound, World};

/// A playground of one trial's own.
pub struct PlayWorld {
    /// The playground itself.
    pub playground: Playground,
    parts: Parts,
    authority: PathBuf,
    password: String,
    stopped: Mutex<Option<FaultId>>,
    folder: TempDir,
}

impl PlayWorld {
    /// Starts it; nobody may do anything yet.
    pub async fn start() -> Result<Self> {
        let config = Config {
            kube: Kube {
                rules: Vec::new(),
                ..Kube::default()
            },
            ..Config::default()
        };
        let user = config.users.first().context("no user")?;
        let password = user.password.clone();
        let playground = Playground::start(config).await?;
        let folder = tempfile::Builder::new().prefix("kubefob-play-").tempdir()?;
        let authority = folder.path().join("ca.pem");
        fs::write(&authority, playground.ca_pem())?;
        Ok(Self {
            playground,
            parts: Parts::from_environment()?,
            authority,
            password,
            stopped: Mutex::new(None),
            folder,
        })
    }

    fn stopped(&self) -> Option<FaultId> {
        self.stopped.lock().unwrap().take()
    }
}

impl PlayWorld {
    /// The provider signs with other keys from now on, and the Kubernetes API knows the old ones no more.
    pub async fn change_keys(&self) -> Result<()> {
        self.playground.fault(Fault::RotatedKeys).await?;
        Ok(())
    }
}

impl World for PlayWorld {
    const PROVIDER: &str = "the playground";
    const SHORT: u32 = 6;

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn kubectl(&self) -> Result<PathBuf> {
        Ok(self.parts.path("kubectl")?.to_owned())
    }

    fn authority(&self) -> &Path {
        &self.authority
    }

    fn password(&self) -> &str {
        &self.password
    }

    fn kubeconfig(&self, extra: &[&str]) -> Result<String> {
        Ok(self.playground.kubeconfig_seed_form(extra))
    }

    async fn bind(&self, to: Bound) -> Result<()> {
        let subject = match to {
            Bound::Nobody => None,
            Bound::User => Some(Subject::User("test".to_owned())),
            Bound::Group => Some(Subject::Group("kubernetes:admin".to_owned())),
        };
        let rules = subject.into_iter().map(Rule::article).collect();
        self.playground.set_rules(rules);
        Ok(())
    }

    async fn tokens(&self, seconds: u32, rotate: bool) -> Result<()> {
        self.playground.set_token_seconds(seconds.into());
        self.playground.set_rotation(if rotate {
            Rotation::Strict
        } else {
            Rotation::None
        });
        Ok(())
    }

    async fn stop_provider(&self) -> Result<()> {
        let fault = self.playground.fault(Fault::Offline).await?;
        let before = self.stopped.lock().unwrap().replace(fault);
        ensure!(before.is_none(), "the playground is stopped already");
        Ok(())
    }

    async fn start_provider(&self) -> Result<()> {
        let fault = self.stopped().context("the playground runs already")?;
        self.playground.lift(fault).await
    }

    async fn admit(&self, member: bool) -> Result<()> {
        let group = "kubernetes:admin".to_owned();
        self.playground
            .set_groups(if member { vec![group] } else { Vec::new() });
        Ok(())
    }

    async fn end_sessions(&self) -> Result<()> {
        let everybody = Fault::RevokedSessions { user: None };
        self.playground.fault(everybody).await?;
        Ok(())
    }

    async fn sessions(&self) -> Result<usize> {
        Ok(self.playground.sessions())
    }
}
