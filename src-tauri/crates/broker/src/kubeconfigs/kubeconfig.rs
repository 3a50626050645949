//! A kubeconfig that is looked at by itself, as far as it is shown.

use serde::{Deserialize, Serialize};

use crate::texts::clean;

/// A kubeconfig, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "KubeconfigView"))]
pub struct Kubeconfig {
    /// Its path as people write it, `~` for the home folder.
    pub file: String,
    /// Its path.
    pub path: String,
    /// The current context.
    pub current: Option<String>,
    /// The contexts, by name.
    pub contexts: Vec<ContextEntry>,
}

/// A context, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "ContextView"))]
pub struct ContextEntry {
    /// Its name.
    pub name: String,
    /// The API server's address, where the cluster exists.
    pub server: Option<String>,
    /// The name of its user.
    pub user: String,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
    /// The id of the account that its user's `exec` makes, where it runs us.
    pub account: Option<String>,
    /// Whether it calls us by kubelogin's name.
    pub kubelogin: bool,
}

impl Kubeconfig {
    /// The same with every name inert, wherever it is shown.
    #[must_use]
    pub(crate) fn cleaned(&self) -> Self {
        Self {
            file: clean(&self.file),
            path: clean(&self.path),
            current: self.current.as_deref().map(clean),
            contexts: self.contexts.iter().map(ContextEntry::cleaned).collect(),
        }
    }
}

impl ContextEntry {
    fn cleaned(&self) -> Self {
        Self {
            name: clean(&self.name),
            server: self.server.as_deref().map(clean),
            user: clean(&self.user),
            namespace: self.namespace.as_deref().map(clean),
            account: self.account.clone(),
            kubelogin: self.kubelogin,
        }
    }
}
