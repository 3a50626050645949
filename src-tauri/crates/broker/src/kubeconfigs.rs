//! What kubeconfigs say: the person's own, and those of askers that were seen.

pub mod contexts;
pub mod found;
pub mod kubeconfig;
mod last_switch;

use std::sync::Arc;

use crate::account::AccountId;
use crate::accounts::naming::{means, several};
use crate::clock::{Deadline, Moment, Now};
use crate::command::Flags;
use crate::problem::Problem;
use crate::texts::clean;
use contexts::{Edit, Switched};
use found::{Files, Stanza};
use kubeconfig::Kubeconfig;
use last_switch::LastSwitch;

/// The kubeconfigs that are looked at by themselves, and the last switch in one.
#[derive(Debug)]
pub(crate) struct Kubeconfigs {
    /// The person's own, cleaned when it came: a view is made at every event.
    own: Option<Arc<Kubeconfig>>,
    /// Its path.
    own_path: Option<String>,
    /// Others, which askers had, cleaned too.
    others: Vec<Arc<Kubeconfig>>,
    /// The paths of those, the newest first.
    paths: Vec<String>,
    /// What any of them offers to sign in to.
    stanzas: Vec<Stanza>,
    last_switch: LastSwitch,
}

impl Kubeconfigs {
    /// Before any was read, those that askers had are known by their paths.
    pub(crate) fn known(paths: Vec<String>) -> Self {
        Self {
            own: None,
            own_path: None,
            others: Vec::new(),
            paths,
            stanzas: Vec::new(),
            last_switch: LastSwitch::default(),
        }
    }

    /// They are others now. Whether other files are known than were written down.
    pub(crate) fn changed(&mut self, files: Files, now: Now) -> bool {
        let Files {
            own,
            others,
            stanzas,
        } = files;
        self.last_switch.written(own.as_ref(), now.moment);
        let shown = |kubeconfig: &Kubeconfig| Arc::new(kubeconfig.cleaned());
        self.own = own.as_ref().map(shown);
        self.own_path = own.map(|own| own.path);
        self.others = others.iter().map(shown).collect();
        self.stanzas = stanzas;
        let paths: Vec<_> = others.into_iter().map(|file| file.path).collect();
        let differ = paths != self.paths;
        self.paths = paths;
        differ
    }

    /// The person's own.
    pub(crate) fn own(&self) -> Option<&Arc<Kubeconfig>> {
        self.own.as_ref()
    }

    /// Others, which askers had.
    pub(crate) fn others(&self) -> &[Arc<Kubeconfig>] {
        &self.others
    }

    /// The paths of those, as they are written down.
    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// What any of them offers to sign in to.
    pub(crate) fn stanzas(&self) -> &[Stanza] {
        &self.stanzas
    }

    /// Whether one of these is not known yet.
    pub(crate) fn is_news(&self, files: &[String]) -> bool {
        let known =
            |file: &String| self.own_path.as_ref() == Some(file) || self.paths.contains(file);
        !files.iter().all(known)
    }

    /// The contexts that name an account.
    pub(crate) fn contexts_of(&self, id: &AccountId) -> Vec<String> {
        let named = self.stanzas.iter().filter(|one| one.flags.id() == id);
        named
            .flat_map(|stanza| stanza.contexts.iter().map(|name| clean(name)))
            .collect()
    }

    /// What makes the account that a person means by its issuer, its host or the beginning of its id; without a name, the
    /// only one that any of them offers.
    ///
    /// # Errors
    /// `WhichAccount`: several fit.
    pub(crate) fn offer(&self, name: Option<&str>) -> Result<Option<Arc<Flags>>, Problem> {
        let fits =
            |flags: &Flags| name.is_none_or(|name| means(flags.key(), flags.id().as_str(), name));
        let mut fitting: Vec<&Arc<Flags>> = Vec::new();
        for Stanza { flags, .. } in &self.stanzas {
            if fits(flags) && fitting.iter().all(|known| known.id() != flags.id()) {
                fitting.push(flags);
            }
        }
        match fitting.as_slice() {
            [] => Ok(None),
            [flags] => Ok(Some(Arc::clone(flags))),
            all => Err(several(
                all.iter().map(|flags| (flags.key().host(), flags.id())),
            )),
        }
    }

    /// What makes the account of this id.
    pub(crate) fn offer_of(&self, id: &AccountId) -> Option<Arc<Flags>> {
        let stanza = self.stanzas.iter().find(|one| one.flags.id() == id)?;
        Some(Arc::clone(&stanza.flags))
    }

    /// A switch was made; `before` is the context that the file had.
    pub(crate) fn switched(&mut self, edit: &Edit, before: Option<String>, now: Now) -> Switched {
        self.last_switch = LastSwitch::made(&edit.file, before.clone(), &edit.context, now.moment);
        Switched {
            context: edit.context.clone(),
            // What was read when it was asked for can be another's by now. A file that had none left it to the next.
            previous: before.or_else(|| edit.previous.clone()),
            file: edit.file.clone(),
        }
    }

    /// That another program undid a switch, as long as that is worth a word.
    pub(crate) fn notice(&self, now: Moment) -> Option<Problem> {
        self.last_switch.notice(now)
    }

    /// When it is no more.
    pub(crate) fn noticed_until(&self, now: Moment) -> Option<Deadline> {
        self.last_switch.said_until(now)
    }
}
