//! Who asks: found out from the peer's process number, never from what the client says.
//!
//! What a process can't change but by becoming another program is read once, and kept while the
//! kernel says that it is the same process with the same program ([`Held`]): k9s asks again every few
//! seconds. Its folder, namespace and terminal are looked at each time.

mod language;
mod place;
mod program;
mod programs;

use std::path::PathBuf;
use std::sync::Arc;

use broker::asker::{Asker, ProcessId};

use crate::askers::ground::Ground;
use crate::os::files::regular::Unread;
use crate::os::processes;
use crate::os::tree::is_passing;

pub(crate) use language::spoken;
#[cfg(test)]
pub(crate) use place::place;
pub(crate) use place::{is_with_us, started_in};
pub(crate) use program::Program;
pub(crate) use programs::Programs;

/// An asker, and what of its surroundings tells which kubeconfigs it uses.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// What the broker needs.
    pub(crate) asker: Asker,
    /// Where its words come from.
    pub(crate) program: Arc<Program>,
    /// Whether it is kubectl, by its executable.
    pub(crate) kubectl: bool,
    /// Whether the server that KUBERNETES_EXEC_INFO names is the one that it asks for. Some client libraries set none,
    /// and there a kubeconfig's `exec.env` may.
    pub(crate) names_servers: bool,
    /// The folder that it stands in.
    pub(crate) folder: Option<PathBuf>,
    /// Whose environment, folder and root count.
    person: Option<ProcessId>,
}

impl Found {
    /// Where it stands; none where the system does not show that.
    ///
    /// # Errors
    /// Just now the system can't tell.
    pub(crate) fn ground(&self) -> Result<Option<Ground>, Unread> {
        let (Some(person), Some(folder)) = (self.person, &self.folder) else {
            return Ok(None);
        };
        let ground = match Ground::of(person.pid, folder.clone()) {
            Ok(ground) => ground,
            Err(error) if is_passing(&error) => return Err(Unread::Io(error)),
            Err(_) => return Ok(None),
        };
        // It is of the process that was looked at, and not of a later one with its number.
        let now = processes::process(person.pid);
        Ok(now
            .is_some_and(|now| now.started == person.started)
            .then_some(ground))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
