//! What the files in a container say about a server. They are somebody else's, perhaps: it words a question, and what
//! was allowed for it is not allowed for what says something else. It is evidence of nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kubeconfig::{Exec, FileSet};

use crate::askers::asker::Found;
use crate::os::environment;
use crate::os::files::inside;

/// How long it is waited for what a container's files say: a file system of its own can take for ever.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many may be looked into at once. One that is stuck keeps its place, so that no more threads than these get stuck.
const AT_ONCE: usize = 2;

static LOOKING: AtomicUsize = AtomicUsize::new(0);

/// A place among those who look.
struct Place;

impl Place {
    fn taken() -> Option<Self> {
        let one_more = |looking| (looking < AT_ONCE).then_some(looking + 1);
        LOOKING
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more)
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        LOOKING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The addresses that whoever sits in a container has in its own files for this very stanza, as far as that can be seen.
pub(super) async fn claims(found: &Found, arguments: &[String]) -> Vec<String> {
    let Some(place) = Place::taken() else {
        return Vec::new();
    };
    let (found, arguments) = (found.clone(), Arc::<[String]>::from(arguments));
    let look = tokio::task::spawn_blocking(move || {
        let claims = said(&found, &arguments);
        drop(place);
        claims
    });
    let seen = tokio::time::timeout(PATIENCE, look).await;
    seen.ok().and_then(Result::ok).flatten().unwrap_or_default()
}

fn said(found: &Found, arguments: &[String]) -> Option<Vec<String>> {
    let pid = found.asker.process?.pid;
    let environment = found.program.environment.as_deref()?;
    let folder = found.folder.clone().unwrap_or_else(|| PathBuf::from("/"));
    let own = found.asker.arguments.as_deref().unwrap_or_default();
    let narrow = kubeconfig::narrow(own, found.kubectl, &folder);
    let set = kubeconfig::paths(
        narrow.kubeconfig.as_deref().map(OsStr::new),
        environment::variable(environment, "KUBECONFIG"),
        environment::variable(environment, "HOME").map(Path::new),
    );
    let paths = match &set {
        FileSet::Explicit(path) => std::slice::from_ref(path),
        FileSet::Optional(paths) => paths.as_slice(),
    };
    let configs = paths.iter().filter_map(|path| {
        let bytes = inside(pid, &folder.join(path), kubeconfig::MAX_BYTES as u64)?;
        kubeconfig::load(path, &bytes).ok()
    });
    let configs: Vec<_> = configs.collect();
    let merged = kubeconfig::merge(&configs, &folder);
    // Every one that joins such a stanza: what narrows it in there is the container's to say as well.
    let is_such = |exec: &Exec| kubeconfig::shim_arguments(exec) == Some(arguments);
    let candidates = kubeconfig::using(&merged, is_such).into_iter();
    let mut urls: Vec<_> = candidates.map(|candidate| candidate.server.url).collect();
    urls.sort();
    urls.dedup();
    Some(urls)
}
