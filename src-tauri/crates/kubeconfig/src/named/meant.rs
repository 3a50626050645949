//! How much a word says of a file that was there when its program started.
//!
//! Where a word leads to no kubeconfig now, it can have led to one then: it was removed, overwritten, moved. But most words
//! are no paths (`get`, `web/app`, `a.b=c`), and many paths lead to what a program writes itself, or to what people edit
//! while it runs. So what was there counts as far as the word is written as a path to what a kubeconfig is called. Whoever
//! wrote the file chose its name, but not the words; and whoever runs a program tells it of a kubeconfig with `--kubeconfig`,
//! by a path, or by a name with one of the endings that such files have.

use std::path::{Component, Path};

/// What a word says of a file that is not there, or is no kubeconfig, any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meant {
    /// Nothing: it need not have been a path.
    #[default]
    Word,
    /// It is a path: where there is nothing any more, a kubeconfig can have been.
    Path,
    /// It is a path to what may be called a kubeconfig: whatever is there, one can have been.
    Kubeconfig,
}

/// What the name says that a word stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// That it is a kubeconfig, or several.
    Kubeconfig,
    /// That it is a program's configuration.
    Configuration,
    /// That the program writes it, or keeps its own things in it.
    Output,
    Anything,
}

impl About {
    /// By the name of a flag or a variable.
    pub(super) fn of(name: &str) -> Self {
        let name = name.trim_start_matches('-').to_ascii_lowercase();
        let writes = |part: &str| {
            let rest = ["output", "out", "logs", "log", "pid", "cache"]
                .iter()
                .find_map(|word| part.strip_prefix(word));
            let is_written = rest.is_some_and(|rest| {
                ["", "s", "file", "files", "dir", "path", "to"].contains(&rest)
            });
            is_written || ["o", "tmp", "temp", "dump", "report"].contains(&part)
        };
        let is_folder = ["dir", "home"].iter().any(|word| name.ends_with(word));
        if is_folder || name.split(['-', '_', '.']).any(writes) {
            Self::Output
        } else if !name.contains("config") || name.contains("configmap") {
            Self::Anything
        } else if ["kube", "k8s"].iter().any(|word| name.contains(word)) {
            Self::Kubeconfig
        } else {
            Self::Configuration
        }
    }

    /// Of a part of the value: a configuration can be written there, as `key:value` or as JSON.
    pub(super) fn of_part(self) -> Self {
        match self {
            Self::Configuration => Self::Anything,
            Self::Kubeconfig | Self::Output | Self::Anything => self,
        }
    }
}

/// What a word says, by where it stands.
pub(super) fn meant(path: &Path, about: About) -> Meant {
    let text = path.to_string_lossy();
    // Of a list and of a setting, each part counts by itself.
    let is_more = text.starts_with('-') || text.contains(|letter| "=:,;\"'|".contains(letter));
    match about {
        About::Output => Meant::Word,
        About::Kubeconfig | About::Configuration | About::Anything if is_more => Meant::Word,
        About::Kubeconfig | About::Configuration => Meant::Kubeconfig,
        About::Anything => by_name(path),
    }
}

fn by_name(path: &Path) -> Meant {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let end = name.rsplit_once('.').map(|(_, end)| end);
    let is_called_so = end.is_some_and(|end| ENDINGS.contains(&end)) || name.contains("kubeconfig");
    // What begins anywhere but in a folder of the program's own choosing is no name of anything else.
    let begins_as_one = path.components().next().is_some_and(|first| match first {
        Component::RootDir | Component::Prefix(_) | Component::ParentDir | Component::CurDir => {
            true
        }
        Component::Normal(first) => first == "~",
    });
    if is_called_so {
        Meant::Kubeconfig
    } else if begins_as_one && end.is_none() {
        Meant::Path
    } else {
        Meant::Word
    }
}

/// How files end that people write kubeconfigs into.
const ENDINGS: &[&str] = &[
    "yaml",
    "yml",
    "json",
    "conf",
    "config",
    "cfg",
    "kubeconfig",
    "kube",
    "k8s",
    "txt",
];

/// The same of a value of a variable whose name says nothing of Kubernetes: of those there are many in any environment, and
/// to what changes all the time (each folder of PATH, be it there or not).
pub(super) fn meant_in_passing(path: &Path, name: &str) -> Meant {
    let about = About::of(name);
    let name = name.to_ascii_lowercase();
    let names_a_file = name.contains("path") || name.contains("file");
    let end = path.extension().unwrap_or_default();
    let is_called_so = ["yaml", "yml", "kubeconfig"]
        .iter()
        .any(|known| end.eq_ignore_ascii_case(known));
    match about {
        About::Output => Meant::Word,
        About::Kubeconfig | About::Configuration if names_a_file => Meant::Kubeconfig,
        About::Kubeconfig | About::Configuration | About::Anything if is_called_so => {
            Meant::Kubeconfig
        }
        About::Kubeconfig | About::Configuration | About::Anything => Meant::Word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_as_a_path_to_a_kubeconfig_may_have_been_one() {
        for (name, word, expected) in [
            ("--kubeconfig", "k", Meant::Kubeconfig),
            ("--config", "sync/prod", Meant::Kubeconfig),
            ("KUBE_CONFIG_PATH", "/k", Meant::Kubeconfig),
            ("", "k.yaml", Meant::Kubeconfig),
            ("-f", "sub/K.YML", Meant::Kubeconfig),
            ("", "my-kubeconfig-2", Meant::Kubeconfig),
            ("", "/home/u/prod", Meant::Path),
            ("", "../prod", Meant::Path),
            ("", "./prod", Meant::Path),
            ("", "~/prod", Meant::Path),
            // Words.
            ("", "get", Meant::Word),
            ("-n", "kube-system", Meant::Word),
            ("--kube-context", "prod", Meant::Word),
            ("", "deployment/web", Meant::Word),
            ("", "bitnami/nginx", Meant::Word),
            ("", "1.2.3", Meant::Word),
            ("", "app.main", Meant::Word),
            ("", "com.example.Main", Meant::Word),
            ("--set", "a.b=c", Meant::Word),
            ("--kubeconfig", "--kubeconfig=k", Meant::Word),
            ("--shared-files", "v8_context_snapshot_data", Meant::Word),
            ("KUBECONFIG", "/home/u/a:/home/u/b", Meant::Word),
            ("--from-configmap", "web", Meant::Word),
            // What people edit, and what programs keep.
            ("", "server.js", Meant::Word),
            ("", "/home/u/app.py", Meant::Word),
            ("--db", "/home/u/x.db", Meant::Word),
            ("--socket", "/run/x.sock", Meant::Word),
            // What programs write.
            ("-o", "out.yaml", Meant::Word),
            ("--output", "json", Meant::Word),
            ("--output-dir", "./out", Meant::Word),
            ("-out", "/home/u/tfplan", Meant::Word),
            ("--out-kubeconfig", "k.yaml", Meant::Word),
            ("--log-file", "/home/u/x.json", Meant::Word),
            ("--logFile", "/home/u/log", Meant::Word),
            ("HELM_CONFIG_HOME", "/home/u/.config/helm", Meant::Word),
            ("--cache-dir", "/home/u/cache", Meant::Word),
        ] {
            assert_eq!(
                meant(Path::new(word), About::of(name)),
                expected,
                "{name} {word}"
            );
        }
    }

    #[test]
    fn of_other_variables_few_lead_to_what_may_have_been_one() {
        for (name, value, expected) in [
            ("TF_VAR_config_path", "/k", Meant::Kubeconfig),
            ("TF_VAR_any", "/home/u/k.yaml", Meant::Kubeconfig),
            ("TF_VAR_any", "/home/u/k", Meant::Word),
            ("HISTFILE", "/home/u/.bash_history", Meant::Word),
            ("npm_config_userconfig", "/home/u/.npmrc", Meant::Word),
            ("npm_package_json", "/home/u/package.json", Meant::Word),
            ("SSH_AUTH_SOCK", "/run/ssh", Meant::Word),
        ] {
            assert_eq!(meant_in_passing(Path::new(value), name), expected, "{name}");
        }
    }
}
