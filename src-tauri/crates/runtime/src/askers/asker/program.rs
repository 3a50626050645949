//! What a process has as long as it runs one program.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use broker::account::Proxies;
use broker::texts::Language;
use wire::frame::Run;

use super::language::spoken;
use super::place::descends_from_sshd;
use crate::os::environment::variable;
use crate::os::processes;

/// What a process has as long as it runs one program.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// Its arguments, its own name first; none where they can't be seen.
    pub(crate) arguments: Option<Arc<[String]>>,
    /// Its environment; none where the system does not show it.
    pub(crate) environment: Option<Vec<(OsString, OsString)>>,
    /// The file that it runs; none where the system does not show it.
    pub(crate) executable: Option<PathBuf>,
    pub(super) kubectl: bool,
    /// Whether it says by itself what KUBERNETES_EXEC_INFO is, whatever `exec.env` says.
    pub(super) names_servers: bool,
    /// Whether it descends from an sshd, or did when it was first seen.
    pub(super) ssh: bool,
    pub(super) proxies: Proxies,
    pub(super) own_ca: bool,
    pub(super) language: Option<Language>,
}

/// What a client tells its plugin with.
pub(super) const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// Where a program stands that is above the shim, as seen from the shim's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// It is no plugin's: it is the one that asks.
    Above,
    /// It passes on what it was asked.
    Between,
    /// It is a plugin's, and may ask by itself.
    InDoubt,
}

impl Program {
    pub(super) fn of(pid: u32) -> Self {
        let (arguments, executable) = (processes::arguments(pid), processes::executable(pid));
        let kubectl = executable.as_deref().is_some_and(kubeconfig::is_kubectl);
        Self {
            arguments: arguments.map(Arc::from),
            executable,
            kubectl,
            names_servers: kubectl || processes::names_servers(pid),
            ssh: descends_from_sshd(pid),
            ..Self::with(processes::environment(pid))
        }
    }

    pub(super) fn stands_in(&self, run: &Run) -> Stands {
        let environment = self.environment.as_deref().unwrap_or_default();
        let mut all = environment.iter();
        let Some((_, told)) = all.find(|(name, _)| wire::os::is_named(name, EXEC_INFO)) else {
            return Stands::Above;
        };
        let same = run.exec_info.as_deref() == Some(told.as_encoded_bytes());
        // kubectl becomes its plugin and does not wait for it: one that is there asks. A shell asks for nothing itself.
        let is_shell = self
            .executable
            .as_deref()
            .is_some_and(wire::start::is_shell);
        let is_told_all = || self.arguments.as_deref().is_some_and(|own| ends(own, run));
        if same && !self.kubectl && (is_shell || is_told_all()) {
            Stands::Between
        } else {
            Stands::InDoubt
        }
    }

    pub(super) fn with(environment: Option<Vec<(OsString, OsString)>>) -> Self {
        let all = environment.as_deref().unwrap_or_default();
        Self {
            proxies: proxies(all),
            own_ca: ["SSL_CERT_FILE", "SSL_CERT_DIR"]
                .iter()
                .any(|name| variable(all, name).is_some()),
            language: spoken(all),
            environment,
            ..Self::default()
        }
    }
}

/// Whether a program was called with the shim's arguments, whatever stands before them.
fn ends(own: &[String], run: &Run) -> bool {
    let asked = run.args.iter().map(|word| String::from_utf8_lossy(word));
    !run.args.is_empty()
        && own.len() > run.args.len()
        && own
            .iter()
            .rev()
            .zip(asked.rev())
            .all(|(own, asked)| *own == asked)
}

fn proxies(environment: &[(OsString, OsString)]) -> Proxies {
    let either = |upper: &str| {
        let lower = upper.to_ascii_lowercase();
        // curl reads the lower-case name first, and so does Go.
        variable(environment, upper)
            .or_else(|| variable(environment, &lower))
            .and_then(OsStr::to_str)
            .map(str::to_owned)
    };
    Proxies {
        https: either("HTTPS_PROXY"),
        http: either("HTTP_PROXY"),
        all: either("ALL_PROXY"),
        no: either("NO_PROXY"),
    }
}
