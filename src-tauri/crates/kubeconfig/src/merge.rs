//! Which files there are, and several of them as the one view that kubectl has (client-go
//! `tools/clientcmd/loader.go`: `NewDefaultClientConfigLoadingRules`, `Load`, `ResolveLocalPaths`).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use crate::config::{Cluster, Config, Context, User};

/// The files that kubectl would read, in their order, as they are written: a relative one counts from the folder that
/// kubectl runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSet {
    /// `--kubeconfig`: this file alone, and it must be there.
    Explicit(PathBuf),
    /// KUBECONFIG's files, or `~/.kube/config`: the missing ones are skipped.
    Optional(Vec<PathBuf>),
}

/// The files that kubectl reads: `--kubeconfig`, else KUBECONFIG, else `.kube/config` under the home folder. An empty
/// flag or variable is as good as none. Nothing expands a `~`.
pub fn paths(flag: Option<&OsStr>, env: Option<&OsStr>, home: Option<&Path>) -> FileSet {
    if let Some(flag) = flag.filter(|flag| !flag.is_empty()) {
        return FileSet::Explicit(PathBuf::from(flag));
    }
    let Some(env) = env.filter(|env| !env.is_empty()) else {
        return FileSet::Optional(vec![
            home.unwrap_or(Path::new("")).join(".kube").join("config"),
        ]);
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for file in std::env::split_paths(env) {
        // By the exact text: `Path` takes `a//b` for `a/b`, and kubectl reads both.
        let known = files
            .iter()
            .any(|known| known.as_os_str() == file.as_os_str());
        if !known && !file.as_os_str().is_empty() {
            files.push(file);
        }
    }
    FileSet::Optional(files)
}

/// What kubectl sees of all files together. Each entry knows its file; relative paths are resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// The first `current-context` that is not empty.
    pub current_context: Option<String>,
    /// The file that it stands in.
    pub current_context_file: Option<Arc<Path>>,
    /// The clusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// The users by name.
    pub users: BTreeMap<String, User>,
    /// The contexts by name.
    pub contexts: BTreeMap<String, Context>,
    /// [`Config::disputed`], of any of the files.
    pub disputed: bool,
}

/// Merges files in their order: of several entries with one name the first wins, whole. `folder` is where kubectl
/// runs; it counts where a file's own path is relative.
///
/// One malformed file fails everything: so merge only once all have loaded.
pub fn merge<'files>(files: impl IntoIterator<Item = &'files Config>, folder: &Path) -> Merged {
    let mut merged = Merged::default();
    for file in files {
        merged.disputed |= file.disputed;
        if merged.current_context.is_none() && file.current_context.is_some() {
            merged.current_context.clone_from(&file.current_context);
            merged.current_context_file = Some(Arc::clone(&file.file));
        }
        let base = clean(&folder.join(file.file.parent().unwrap_or(Path::new(""))));
        add(&mut merged.clusters, &file.clusters, |cluster| {
            resolve_cluster(cluster, &base)
        });
        add(&mut merged.users, &file.users, |user| {
            resolve_user(user, &base)
        });
        add(&mut merged.contexts, &file.contexts, |_| ());
    }
    merged
}

fn add<T: Clone>(
    all: &mut BTreeMap<String, T>,
    more: &BTreeMap<String, T>,
    resolve: impl Fn(&mut T),
) {
    for (name, entry) in more {
        all.entry(name.clone()).or_insert_with(|| {
            let mut entry = entry.clone();
            resolve(&mut entry);
            entry
        });
    }
}

fn resolve_cluster(cluster: &mut Cluster, base: &Path) {
    resolve(&mut cluster.certificate_authority, base);
}

fn resolve_user(user: &mut User, base: &Path) {
    resolve(&mut user.client_certificate, base);
    resolve(&mut user.client_key, base);
    resolve(&mut user.token_file, base);
    if let Some(exec) = &mut user.exec
        // Without a separator it is looked up in PATH.
        && exec.command.contains(MAIN_SEPARATOR)
        && !Path::new(&exec.command).is_absolute()
        && let Some(command) = clean(&base.join(&exec.command)).to_str()
    {
        exec.command = command.to_owned();
    }
}

fn resolve(path: &mut Option<PathBuf>, base: &Path) {
    if let Some(path) = path
        && !path.is_absolute()
    {
        *path = clean(&base.join(&*path));
    }
}

/// Go's `filepath.Join`: by the letters alone, symlinks are not followed.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => {
                    cleaned.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                Some(Component::ParentDir | Component::CurDir) | None => cleaned.push(part),
            },
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => cleaned.push(part),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::load;

    fn file_set(flag: &str, env: &str) -> FileSet {
        paths(
            Some(OsStr::new(flag)),
            Some(OsStr::new(env)),
            Some(Path::new("/home/u")),
        )
    }

    #[cfg(unix)]
    #[test]
    fn the_file_set_comes_from_flag_then_variable_then_home() {
        let optional =
            |files: &[&str]| FileSet::Optional(files.iter().map(PathBuf::from).collect());
        let table = [
            ("x", "a:b", FileSet::Explicit("x".into())),
            ("~/x", "", FileSet::Explicit("~/x".into())),
            ("", "a:b", optional(&["a", "b"])),
            ("", "a::b:", optional(&["a", "b"])),
            (
                "",
                "a:./a:a//b:a/b:a",
                optional(&["a", "./a", "a//b", "a/b"]),
            ),
            ("", ":", optional(&[])),
            ("", "~/x", optional(&["~/x"])),
            ("", "", optional(&["/home/u/.kube/config"])),
        ];
        for (flag, env, expected) in table {
            let found = file_set(flag, env);
            assert_eq!(
                format!("{found:?}"),
                format!("{expected:?}"),
                "{flag} {env}"
            );
        }
        assert_eq!(paths(None, None, None), optional(&[".kube/config"]));
    }

    #[test]
    fn the_first_file_wins_per_whole_entry() {
        let load = |file: &str, text: &str| load(Path::new(file), text.as_bytes()).unwrap();
        let first = load(
            "/a/config",
            "current-context: ''\nclusters: [{name: c, cluster: {server: 'https://a'}}]\nusers: [{name: u, user: {}}]",
        );
        let second = load(
            "/b/config",
            "current-context: two\nclusters: [{name: c, cluster: {server: 'https://b', proxy-url: 'http://p'}}, \
             {name: d, cluster: {server: 'https://d'}}]\nusers: [{name: u, user: {token: t}}]",
        );
        let third = load("/c/config", "current-context: three");
        let merged = merge([&first, &second, &third], Path::new("/"));
        assert_eq!(merged.current_context.as_deref(), Some("two"));
        assert_eq!(
            merged.current_context_file.as_deref(),
            Some(Path::new("/b/config"))
        );
        let c = &merged.clusters["c"];
        assert_eq!(
            (c.server.as_str(), c.proxy_url.as_deref(), &*c.file),
            ("https://a", None, Path::new("/a/config"))
        );
        assert_eq!(merged.clusters["d"].server, "https://d");
        assert!(!merged.users["u"].has_token);
    }

    #[cfg(unix)]
    #[test]
    fn relative_paths_count_from_the_folder_of_their_file() {
        let table = [
            ("/k/config", "ca.crt", "/k/ca.crt"),
            ("/k/config", "./ca.crt", "/k/ca.crt"),
            ("/k/config", "../pki//ca.crt", "/pki/ca.crt"),
            ("/k/config", "../../../ca.crt", "/ca.crt"),
            ("/k/config", "/etc/../ca.crt", "/etc/../ca.crt"),
            ("config", "ca.crt", "/here/ca.crt"),
            ("../sub/config", "a/ca.crt", "/sub/a/ca.crt"),
            ("/k/config", "~/ca.crt", "/k/~/ca.crt"),
        ];
        for (file, written, expected) in table {
            let text = format!(
                "clusters: [{{name: c, cluster: {{certificate-authority: '{written}'}}}}]\n\
                 users: [{{name: u, user: {{tokenFile: '{written}', exec: {{command: '{written}'}}}}}}]"
            );
            let config = load(Path::new(file), text.as_bytes()).unwrap();
            let merged = merge([&config], Path::new("/here"));
            assert_eq!(
                merged.clusters["c"].certificate_authority.as_deref(),
                Some(Path::new(expected)),
                "{file} {written}"
            );
            assert_eq!(
                merged.users["u"].token_file.as_deref(),
                Some(Path::new(expected))
            );
            let command = if written.contains('/') {
                expected
            } else {
                written
            };
            assert_eq!(merged.users["u"].exec.as_ref().unwrap().command, command);
        }
    }
}
