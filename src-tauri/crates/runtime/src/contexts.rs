//! What a person's own kubeconfigs say of contexts, for `kubectl fob contexts` and `use`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use broker::contexts::{Context, Kubeconfigs};
use broker::problem::Problem;
use broker::view::{ContextView, KubeconfigView};
use kubeconfig::{FileSet, Merged};

use crate::blocking::blocking;
use crate::files::{Files, account_of};

impl Files {
    /// The file set of a command that stands in `folder`: `flag` is its `--kubeconfig`, `variable` its KUBECONFIG.
    ///
    /// # Errors
    /// `BadKubeconfig`, for a file set that kubectl could not load either.
    pub(crate) async fn contexts(
        &self,
        flag: Option<String>,
        variable: Option<PathBuf>,
        folder: PathBuf,
    ) -> Result<Kubeconfigs, Problem> {
        let files = self.clone();
        blocking(move || {
            let set = kubeconfig::paths(
                flag.as_deref().map(OsStr::new),
                variable.as_deref().map(Path::as_os_str),
                Some(files.home()),
            );
            let merged = files.load_set(&set, &folder)?;
            Ok(Kubeconfigs {
                contexts: contexts(&merged, &folder, files.home()),
                file: folder.join(written_to(&set, &folder)),
                current: merged.current_context,
            })
        })
        .await?
    }
}

impl Files {
    /// The person's own kubeconfig, as it is shown; none where kubectl could not load it either.
    pub(crate) fn own(&self) -> Option<KubeconfigView> {
        let path = self.home().join(".kube").join("config");
        let set = FileSet::Optional(vec![path.clone()]);
        let merged = self.load_set(&set, Path::new("/")).ok()?;
        Some(KubeconfigView {
            file: "~/.kube/config".to_owned(),
            path: path.display().to_string(),
            contexts: contexts(&merged, Path::new("/"), self.home())
                .into_iter()
                .map(shown)
                .collect(),
            current: merged.current_context,
        })
    }
}

fn shown(context: Context) -> ContextView {
    ContextView {
        name: context.name,
        server: context.server,
        user: context.user,
        namespace: context.namespace,
        account: context.account.map(|id| id.to_string()),
    }
}

/// The file that gets a new current context: the first of the set that exists, else the last (client-go
/// `tools/clientcmd/client_config.go`: `GetDefaultFilename`).
fn written_to<'set>(set: &'set FileSet, folder: &Path) -> &'set Path {
    match set {
        FileSet::Explicit(path) => path,
        FileSet::Optional(paths) => paths
            .iter()
            .find(|path| folder.join(path).exists())
            .or(paths.last())
            .map_or(Path::new(""), PathBuf::as_path),
    }
}

fn contexts(merged: &Merged, folder: &Path, home: &Path) -> Vec<Context> {
    merged
        .contexts
        .iter()
        .map(|(name, context)| {
            let exec = merged
                .users
                .get(&context.user)
                .and_then(|user| user.exec.as_ref());
            let account = exec
                .and_then(kubeconfig::shim_arguments)
                .and_then(|arguments| account_of(arguments, folder, home))
                .map(|(key, _)| key.id());
            Context {
                name: name.clone(),
                server: merged
                    .clusters
                    .get(&context.cluster)
                    .map(|cluster| cluster.server.clone()),
                user: context.user.clone(),
                namespace: context.namespace.clone(),
                file: context.file.display().to_string(),
                account,
            }
        })
        .collect()
}
