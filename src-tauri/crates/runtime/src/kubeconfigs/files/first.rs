//! What is trusted at a first start.

use std::path::Path;

use broker::event::Found;

use super::Files;
use super::look;
use super::remembered::Ledger;
use crate::askers::ground::Ground;
use crate::kubeconfigs::account::account_of;
use crate::os::files::regular::Unread;

/// What stands in the person's own `~/.kube/config` and uses us. A file that can't be loaded
/// has nothing: nothing is trusted by mistake.
pub(crate) fn first_start(files: &Files) -> Vec<Found> {
    let path = files.own_path();
    let read = || {
        let ground = Ground::ours().map_err(Unread::Io)?;
        let config = files
            .history
            .load(&ground, &path, &path, &Ledger::default())?;
        Ok::<_, Unread>((ground, config))
    };
    let (ground, config) = match read() {
        Ok(read) => read,
        Err(Unread::Missing) => return Vec::new(),
        Err(unread) => {
            tracing::warn!(why = unread.reason(), "no trust from the first start");
            return Vec::new();
        }
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    let merged = kubeconfig::merge([&*config], Path::new("/"));
    let pairs = kubeconfig::pairs(&merged);
    let found = pairs.into_iter().filter_map(|pair| {
        let flags = account_of(pair.arguments, folder, &files.home)?;
        let file = pair.candidate.file.display().to_string();
        // An authority in which others have a say is none to be trusted in bulk.
        let candidate = look::candidate(&ground, pair.candidate, &Ledger::default()).ok()?;
        Some(Found {
            key: flags.key().clone(),
            settings: flags.settings().clone(),
            candidate,
            file,
        })
    });
    found.collect()
}
