//! What kubeconfigs offer before anybody has asked by them: users whose `exec` runs us, each of which makes an account
//! as soon as a person signs in to it.
//!
//! It is the person's own kubeconfig, and the files of askers that were seen. Signing in trusts no server: what a
//! server may have is asked when its first question comes.

use std::sync::Arc;

use crate::account::AccountId;
use crate::asker::Asker;
use crate::broker::Broker;
use crate::clock::Now;
use crate::command::Flags;
use crate::event::Effect;
use crate::problem::{Code, Problem};
use crate::texts::clean;
use crate::view::{FoundView, KubeconfigView};

/// The most that is shown of what was found.
const MOST: usize = 64;

/// What the kubeconfigs say that are looked at by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The person's own, `~/.kube/config`; none: it can't be read.
    pub own: Option<KubeconfigView>,
    /// Others, which askers had.
    pub others: Vec<KubeconfigView>,
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

impl Broker {
    /// What makes an account that does not exist yet, each once.
    pub(crate) fn found_views(&self) -> Vec<FoundView> {
        let mut views: Vec<FoundView> = Vec::new();
        let new = |stanza: &&Stanza| !self.is_persons(stanza.flags.id());
        for stanza in self.stanzas.iter().filter(new) {
            let id = stanza.flags.id().as_str();
            let contexts = stanza.contexts.iter().map(|name| clean(name));
            let file = clean(&stanza.file);
            if let Some(view) = views.iter_mut().find(|view| view.id == id) {
                view.contexts.extend(contexts);
                view.kubelogin |= stanza.kubelogin;
                if !view.files.contains(&file) {
                    view.files.push(file);
                }
            } else if views.len() < MOST {
                let key = stanza.flags.key();
                views.push(FoundView {
                    id: id.to_owned(),
                    issuer: clean(&key.issuer),
                    client_id: clean(&key.client_id),
                    contexts: contexts.collect(),
                    files: vec![file],
                    kubelogin: stanza.kubelogin,
                });
            }
        }
        views
    }

    /// The account that a person means to sign in to: one that exists, or else one that a kubeconfig names, which is
    /// made of it as its first question would.
    pub(crate) fn account_to_sign_in(
        &mut self,
        name: Option<&str>,
        asker: &Asker,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<AccountId, Problem> {
        let problem = match self.account_named(name) {
            Ok(id) => return Ok(id),
            Err(problem) => problem,
        };
        if problem.code() != Code::NoSuchAccount {
            return Err(problem);
        }
        let fits = |flags: &Flags| {
            let (id, key) = (flags.id().as_str(), flags.key());
            name.is_none_or(|name| {
                key.issuer == name
                    || key.host() == name
                    || (name.len() >= 4 && id.starts_with(name))
            })
        };
        let mut fitting: Vec<&Arc<Flags>> = Vec::new();
        for Stanza { flags, .. } in &self.stanzas {
            if fits(flags) && fitting.iter().all(|known| known.id() != flags.id()) {
                fitting.push(flags);
            }
        }
        match fitting.as_slice() {
            [] => Err(problem),
            [flags] => {
                let flags = Arc::clone(flags);
                Ok(self.account_of_flags(&flags, asker, now, effects))
            }
            several => {
                let names = several.iter().map(|flags| {
                    let id = flags.id().as_str();
                    format!(
                        "{} ({})",
                        flags.key().host(),
                        id.get(..8).unwrap_or_default()
                    )
                });
                let names: Vec<_> = names.collect();
                Err(Problem::new(
                    Code::WhichAccount,
                    vec![("names", names.join(", "))],
                ))
            }
        }
    }
}
