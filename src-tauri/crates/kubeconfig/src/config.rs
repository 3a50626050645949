//! A kubeconfig as types. Secrets are not kept: only whether they are there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file, as it is written: its relative paths are not resolved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it was read from.
    pub file: Arc<Path>,
    /// `current-context`, where there is one.
    pub current_context: Option<String>,
    /// The clusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// The users by name.
    pub users: BTreeMap<String, User>,
    /// The contexts by name.
    pub contexts: BTreeMap<String, Context>,
    /// All of this is what kubectl reads, and other programs can read something else: a key stands there twice, a merge
    /// meets a key of the same name, a key is a comment, or a known one in another case, to some, or there is a second document.
    pub disputed: bool,
}

/// An API server and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The file that it stands in.
    pub file: Arc<Path>,
    /// `server`; empty where it is absent.
    pub server: String,
    /// `tls-server-name`.
    pub tls_server_name: Option<String>,
    /// `insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `certificate-authority`, a path.
    pub certificate_authority: Option<PathBuf>,
    /// `certificate-authority-data`, decoded. It comes before the path.
    pub certificate_authority_data: Option<Vec<u8>>,
    /// `proxy-url`.
    pub proxy_url: Option<String>,
    /// `disable-compression`.
    pub disable_compression: bool,
}

/// How somebody shows a cluster who he is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The file that it stands in.
    pub file: Arc<Path>,
    /// `exec`: a command that prints a credential.
    pub exec: Option<Exec>,
    /// The name of an `auth-provider`, the ancestor of `exec`.
    pub auth_provider: Option<String>,
    /// There is a `token`. It disables `exec`.
    pub has_token: bool,
    /// `tokenFile`, a path. It disables `exec`.
    pub token_file: Option<PathBuf>,
    /// There is a `username` or a `password`. It disables `exec`.
    pub has_basic: bool,
    /// `client-certificate`, a path.
    pub client_certificate: Option<PathBuf>,
    /// There is `client-certificate-data`. It disables `exec`.
    pub has_client_certificate_data: bool,
    /// `client-key`, a path.
    pub client_key: Option<PathBuf>,
    /// There is `client-key-data`.
    pub has_client_key_data: bool,
    /// There is one of `as`, `as-uid`, `as-groups` and `as-user-extra`.
    pub impersonates: bool,
}

/// A command that prints a credential. Its arguments may hold secrets (kubelogin's flags do), so `Debug` shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct Exec {
    /// The version of ExecCredential to talk in; empty where it is absent.
    pub api_version: String,
    /// What is run.
    pub command: String,
    /// What it is run with.
    pub args: Vec<String>,
    /// What is added to its environment.
    pub env: Vec<EnvVar>,
    /// The command is told which cluster it is for.
    pub provide_cluster_info: bool,
    /// Whether the command may use standard input, with the default that its version has; empty where v1 lacks it.
    pub interactive_mode: String,
}

/// A variable that a stanza adds to its command's environment.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A cluster, a user and a namespace under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The file that it stands in.
    pub file: Arc<Path>,
    /// The cluster's name; empty where it is absent.
    pub cluster: String,
    /// The user's name; empty where it is absent.
    pub user: String,
    /// The namespace that is used where none is given.
    pub namespace: Option<String>,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec")
            .field("api_version", &self.api_version)
            .field("command", &self.command)
            .field("args", &format_args!("[{} not shown]", self.args.len()))
            .field("env", &self.env)
            .field("provide_cluster_info", &self.provide_cluster_info)
            .field("interactive_mode", &self.interactive_mode)
            .finish()
    }
}

impl fmt::Debug for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvVar")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
