//! For which servers a command can have been run.
//!
//! Without `provideClusterInfo` kubectl does not say. But it runs what some user's `exec` says, for a cluster that
//! some context joins with that user; so the servers of all those contexts are the ones that it can be for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::{Cluster, Exec, User};
use crate::merge::Merged;
use crate::narrow::{Narrow, Reading, is_lossy};
use crate::program::{file_name, runs_kubectl};
use crate::server::{OddAddress, ServerKey};

/// A server and what leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The server.
    pub server: ServerKey,
    /// The names of the contexts that lead to it, sorted; none where flags alone do.
    pub contexts: Vec<String>,
    /// The file that names the server; where a flag does, the one that names the user.
    pub file: Arc<Path>,
}

/// Where a question can have come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From one of these, of which there is at least one: all of them must be trusted.
    Known(Vec<Candidate>),
    /// From nowhere in these files: the asker has read others, or others since.
    NoSuchStanza,
    /// From somewhere that the files don't tell: preferences chose it, or what the asker was told besides.
    Unknown,
}

/// A stanza that runs us, and a server that gets what we print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'merged> {
    /// The stanza's arguments as we get them, from `get-token` on.
    pub arguments: &'merged [String],
    /// Its server, the contexts and the file.
    pub candidate: Candidate,
}

/// The servers that a question of kubectl's can be for, where its arguments were understood: `arguments` are ours
/// without our own name, as it gave them. What its own arguments name is the only one. For whoever else asks it is
/// [`crate::widest`] that knows.
pub fn servers(merged: &Merged, arguments: &[String], narrow: &Narrow) -> Origin {
    // No stanza says what is no text.
    if arguments.iter().any(|word| is_lossy(word)) {
        return Origin::Unknown;
    }
    match narrow.reading {
        Reading::Kubectl if narrow.preferences_choose => Origin::Unknown,
        Reading::Kubectl => {
            let runs_us = |exec: &Exec| shim_arguments(exec) == Some(arguments);
            match of_kubectl(merged, narrow, runs_us).transpose() {
                Ok(candidate) => Origin::of(candidate.into_iter().collect()),
                Err(OddAddress) => Origin::Unknown,
            }
        }
        Reading::NotUnderstood | Reading::AnotherProgram => Origin::Unknown,
    }
}

impl Origin {
    pub(crate) fn of(candidates: Vec<Candidate>) -> Self {
        if candidates.is_empty() {
            Self::NoSuchStanza
        } else {
            Self::Known(candidates)
        }
    }
}

/// Every server that some context joins with a user whose stanza is such a one: what else an account is used for.
pub fn using(merged: &Merged, is_such: impl Fn(&Exec) -> bool) -> Vec<Candidate> {
    let mut found = Gathered::default();
    for (name, exec, cluster) in joined(merged) {
        // What nobody can tell is neither offered nor trusted in bulk.
        if is_such(exec)
            && let Ok(server) = ServerKey::try_from(cluster)
        {
            found.add(server, Some(name), &cluster.file);
        }
    }
    found.candidates()
}

/// Every stanza that runs us, with each of its servers: what is trusted in bulk when there is no answer yet.
pub fn pairs(merged: &Merged) -> Vec<Pair<'_>> {
    let mut found: BTreeMap<&[String], Gathered> = BTreeMap::new();
    for (name, exec, cluster) in joined(merged) {
        if let Some(arguments) = our_arguments(exec)
            && let Ok(server) = ServerKey::try_from(cluster)
        {
            let servers = found.entry(arguments).or_default();
            servers.add(server, Some(name), &cluster.file);
        }
    }
    let pairs_of = |(arguments, servers): (_, Gathered)| {
        let candidates = servers.candidates().into_iter();
        candidates.map(move |candidate| Pair {
            arguments,
            candidate,
        })
    };
    found.into_iter().flat_map(pairs_of).collect()
}

/// Each context's name, with the stanza and the cluster that it joins.
fn joined(merged: &Merged) -> impl Iterator<Item = (&String, &Exec, &Cluster)> {
    merged.contexts.iter().filter_map(|(name, context)| {
        let exec = merged.users.get(&context.user)?.exec.as_ref()?;
        let cluster = merged.clusters.get(&context.cluster)?;
        // Whoever reads such a context refuses it.
        (!cluster.server.is_empty()).then_some((name, exec, cluster))
    })
}

/// What we are called with when a stanza is run, from `get-token` on; none where it runs somebody else.
///
/// `kubectl oidc-login get-token`, `kubectl fob get-token`, and the plugins' own names in any folder. kubectl takes
/// `_` for `-` in a plugin's name (`kubectl/pkg/cmd/plugin.go`).
pub fn shim_arguments(exec: &Exec) -> Option<&[String]> {
    let arguments = exec.args.as_slice();
    let arguments = if runs_kubectl(&exec.command) {
        let (plugin, rest) = arguments.split_first()?;
        matches!(plugin.as_str(), "oidc-login" | "oidc_login" | "fob").then_some(rest)?
    } else {
        matches!(
            file_name(&exec.command).as_str(),
            "kubectl-oidc_login" | "kubelogin" | "kubectl-fob"
        )
        .then_some(arguments)?
    };
    (arguments.first()? == "get-token").then_some(arguments)
}

/// Whether a stanza that runs us does so by kubelogin's own name: whichever `kubectl-oidc_login` comes first answers it.
pub fn by_kubelogins_name(exec: &Exec) -> bool {
    let plugin = if runs_kubectl(&exec.command) {
        exec.args.first().cloned().unwrap_or_default()
    } else {
        file_name(&exec.command)
    };
    matches!(
        plugin.as_str(),
        "oidc-login" | "oidc_login" | "kubectl-oidc_login"
    ) && !Path::new(&exec.command).is_absolute()
}

/// What we are called with, and not Azure's kubelogin, which has our name and our verb: its flags tell it.
fn our_arguments(exec: &Exec) -> Option<&[String]> {
    let is_azures = |argument: &String| {
        let name = argument.split('=').next().unwrap_or_default();
        matches!(name, "--server-id" | "--login" | "-l")
    };
    shim_arguments(exec).filter(|arguments| !arguments.iter().any(is_azures))
}

/// What kubectl speaks to (client-go `tools/clientcmd/client_config.go`: `getContext`, `getAuthInfo`, `getCluster`).
fn of_kubectl(
    merged: &Merged,
    narrow: &Narrow,
    runs_us: impl Fn(&Exec) -> bool,
) -> Option<Result<Candidate, OddAddress>> {
    let name = narrow.context.as_ref().or(merged.current_context.as_ref());
    let context = name.and_then(|name| merged.contexts.get(name));
    // kubectl refuses to run.
    if narrow.context.is_some() && context.is_none() {
        return None;
    }
    let user = narrow
        .user
        .as_ref()
        .or(context.map(|context| &context.user))?;
    let user = merged.users.get(user)?;
    if !user.exec.as_ref().is_some_and(runs_us) {
        return None;
    }
    let cluster = narrow
        .cluster
        .as_ref()
        .or(context.map(|context| &context.cluster));
    let cluster = cluster.and_then(|cluster| merged.clusters.get(cluster));
    if narrow.cluster.is_some() && cluster.is_none() {
        return None;
    }
    let (server, file) = overridden(cluster, user, narrow)?;
    let contexts = context.and(name).into_iter().cloned().collect();
    Some(server.map(|server| Candidate {
        server,
        contexts,
        file,
    }))
}

/// A cluster with kubectl's flags on top (`getCluster`); none without an address.
fn overridden(
    cluster: Option<&Cluster>,
    user: &User,
    narrow: &Narrow,
) -> Option<(Result<ServerKey, OddAddress>, Arc<Path>)> {
    let mut key = match cluster {
        Some(cluster) => cluster.clone(),
        None => nameless(user),
    };
    let mut file = Arc::clone(&key.file);
    if key.server.is_empty()
        && let Some(server) = &narrow.default_server
    {
        key.server.clone_from(server);
    }
    if let Some(server) = &narrow.server {
        key.server.clone_from(server);
        key.tls_server_name = None;
        file = Arc::clone(&user.file);
    }
    if narrow.tls_server_name.is_some() {
        key.tls_server_name.clone_from(&narrow.tls_server_name);
    }
    if narrow.insecure_skip_tls_verify || narrow.certificate_authority.is_some() {
        key.insecure_skip_tls_verify = narrow.insecure_skip_tls_verify;
        key.certificate_authority = narrow.certificate_authority.clone();
        key.certificate_authority_data = None;
    }
    (!key.server.is_empty()).then(|| (ServerKey::try_from(&key), file))
}

/// What kubectl has where no cluster is named.
fn nameless(user: &User) -> Cluster {
    Cluster {
        file: Arc::clone(&user.file),
        server: String::new(),
        tls_server_name: None,
        insecure_skip_tls_verify: false,
        certificate_authority: None,
        certificate_authority_data: None,
        proxy_url: None,
        disable_compression: false,
    }
}

/// Candidates, each server once.
#[derive(Default)]
pub(crate) struct Gathered(BTreeMap<ServerKey, (Vec<String>, Arc<Path>)>);

impl Gathered {
    pub(crate) fn add(&mut self, server: ServerKey, context: Option<&String>, file: &Arc<Path>) {
        let (contexts, _) = self
            .0
            .entry(server)
            .or_insert_with(|| (Vec::new(), Arc::clone(file)));
        if let Some(context) = context.filter(|name| !contexts.contains(name)) {
            contexts.push(context.clone());
        }
    }

    pub(crate) fn candidates(self) -> Vec<Candidate> {
        let candidate = |(server, (contexts, file))| Candidate {
            server,
            contexts,
            file,
        };
        self.0.into_iter().map(candidate).collect()
    }
}

#[cfg(test)]
mod tests;
