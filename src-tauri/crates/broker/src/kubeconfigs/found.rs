//! What kubeconfigs offer before anybody has asked by them: users whose `exec` runs us, each of which makes an account
//! as soon as a person signs in to it.
//!
//! It is the person's own kubeconfig, and the files of askers that were seen. Signing in trusts no server: what a
//! server may have is asked when its first question comes.

use std::sync::Arc;

use super::kubeconfig::Kubeconfig;
use crate::command::Flags;

/// What the kubeconfigs say that are looked at by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The person's own, `~/.kube/config`; none: it can't be read.
    pub own: Option<Kubeconfig>,
    /// Others, which askers had.
    pub others: Vec<Kubeconfig>,
    /// Their users that run us.
    pub stanzas: Vec<Stanza>,
}

/// The users of one file whose `exec` makes one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    /// What it is called with.
    pub flags: Arc<Flags>,
    /// The contexts that use it.
    pub contexts: Vec<String>,
    /// Its file, as people write it.
    pub file: String,
    /// Whether it calls us by kubelogin's name.
    pub kubelogin: bool,
}
