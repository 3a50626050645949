//! What a person's own kubeconfigs say of contexts, for `kubectl fob contexts` and `use`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use broker::contexts::{Context, ContextList};
use broker::problem::Problem;
use kubeconfig::{FileSet, Merged};

use crate::hall::blocking::blocking;
use crate::kubeconfigs::account::account_of;
use crate::kubeconfigs::files::Files;

/// The file set of a command that stands in `folder`: `flag` is its `--kubeconfig`, `variable` its KUBECONFIG.
///
/// # Errors
/// `BadKubeconfig`, for a file set that kubectl could not load either.
pub(crate) async fn of_a_command(
    files: &Files,
    flag: Option<String>,
    variable: Option<PathBuf>,
    folder: PathBuf,
) -> Result<ContextList, Problem> {
    let files = files.clone();
    blocking(move || {
        let set = kubeconfig::paths(
            flag.as_deref().map(OsStr::new),
            variable.as_deref().map(Path::as_os_str),
            Some(files.home()),
        );
        let merged = files.load_set(&set, &folder)?;
        Ok(ContextList {
            contexts: contexts(&merged, &folder, files.home()),
            file: folder.join(written_to(&set, &folder)),
            current: merged.current_context,
        })
    })
    .await?
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

pub(crate) fn contexts(merged: &Merged, folder: &Path, home: &Path) -> Vec<Context> {
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
                .map(|flags| flags.id().clone());
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
                kubelogin: exec.is_some_and(kubeconfig::by_kubelogins_name),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::kubeconfigs::edit::set_current_context;
    use crate::kubeconfigs::survey::survey;

    /// A home with a kubeconfig of forty contexts, and the kubeconfig's path and text.
    fn home() -> (tempfile::TempDir, PathBuf, String) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".kube").join("config");
        fs::create_dir(home.path().join(".kube")).unwrap();
        let mut text = String::from("current-context: c39\ncontexts:\n");
        for context in 0..40 {
            text.push_str(&format!(
                "- {{name: c{context}, context: {{cluster: a, user: b}}}}\n"
            ));
        }
        fs::write(&file, &text).unwrap();
        (home, file, text)
    }

    /// As kubectl writes, with and without its lock: what is there in between is a kubeconfig too, with none of its
    /// contexts or with some.
    #[test]
    fn half_a_file_is_never_read() {
        for locks in [true, false] {
            let (home, file, text) = home();
            let files = Files::new(home.path().to_owned());
            let lock = file.with_extension("lock");
            let writer = std::thread::spawn(move || {
                let half = text.find("- {name: c20,").unwrap();
                for _ in 0..30 {
                    let held = locks.then(|| File::create_new(&lock).unwrap());
                    let mut file = File::create(&file).unwrap();
                    let (first, second) = text.as_bytes().split_at(half);
                    for part in [first, second] {
                        // A writer that the system gives no time just now.
                        std::thread::sleep(Duration::from_millis(3));
                        file.write_all(part).unwrap();
                    }
                    drop(file);
                    if held.is_some() {
                        fs::remove_file(&lock).unwrap();
                    }
                }
            });
            let mut readings = 0;
            while readings == 0 || !writer.is_finished() {
                let view = survey(&files).own.unwrap();
                assert_eq!(view.contexts.len(), 40);
                assert_eq!(view.current.as_deref(), Some("c39"));
                readings += 1;
            }
            writer.join().unwrap();
        }
    }

    #[test]
    fn a_lock_that_was_left_behind_hides_no_file() {
        let (home, file, _) = home();
        let lock = File::create_new(file.with_extension("lock")).unwrap();
        lock.set_modified(SystemTime::now() - Duration::from_secs(60))
            .unwrap();
        let files = Files::new(home.path().to_owned());
        assert_eq!(survey(&files).own.unwrap().contexts.len(), 40);
        let problem = set_current_context(files.ours(), &file, "c0").unwrap_err();
        assert_eq!(problem.code(), broker::problem::Code::KubeconfigLocked);
    }
}
