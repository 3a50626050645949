//! kubectl's preferences: they can set any flag that the command line does not, those that choose a server too
//! (kubectl `pkg/kuberc/kuberc.go`; tried, 1.36: `defaults` with `context` and with `server`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::tree;

/// The flags by which kubectl comes to another server than its files say.
const CHOOSING: [&str; 9] = [
    "kubeconfig",
    "context",
    "cluster",
    "user",
    "server",
    "s",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "tls-server-name",
];

/// The file of preferences that kubectl reads, if it is there: `--kuberc`, else KUBERC, else `.kube/kuberc` under the
/// home folder. `KUBERC=off` is none.
pub fn kuberc(flag: Option<&OsStr>, env: Option<&OsStr>, home: Option<&Path>) -> Option<PathBuf> {
    if env.is_some_and(|env| env == "off") {
        return None;
    }
    let given = flag
        .filter(|flag| !flag.is_empty())
        .or(env.filter(|env| !env.is_empty()));
    Some(given.map_or_else(
        || home.unwrap_or(Path::new("")).join(".kube").join("kuberc"),
        PathBuf::from,
    ))
}

/// Whether a file of preferences says anything of a flag that chooses a server. In doubt it does.
pub fn kuberc_chooses_server(bytes: &[u8]) -> bool {
    let chooses = |text: &str| {
        let name = match text.strip_prefix("--") {
            Some(long) => long.split('=').next().unwrap_or_default(),
            // Letters can stand in groups: `-As URL`.
            None if text.starts_with('-') && text.contains('s') => "s",
            None => text,
        };
        CHOOSING.contains(&name.trim().replace('_', "-").as_str())
    };
    tree::any_text(bytes, chooses).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_that_choose_a_server_are_found() {
        let defaults = |name: &str| {
            format!(
                "kind: Preference\ndefaults:\n- command: get\n  options:\n  - {{name: {name}, default: x}}\n"
            )
        };
        let table = [
            (String::new(), false),
            ("kind: Preference\n".to_owned(), false),
            (defaults("interactive"), false),
            (defaults("server-side"), false),
            (defaults("context"), true),
            (defaults("'server'"), true),
            (defaults("\"\\x63ontext\""), true),
            (defaults("certificate_authority"), true),
            (defaults("&a user"), true),
            (
                "aliases:\n- {name: g, command: get, prependArgs: [pods, --context=x]}\n"
                    .to_owned(),
                true,
            ),
            (
                "aliases:\n- {name: g, command: get, appendArgs: ['-shttps://x']}\n".to_owned(),
                true,
            ),
            (
                "aliases:\n- {name: g, command: get, appendArgs: [-As, 'https://x']}\n".to_owned(),
                true,
            ),
            (
                "aliases:\n- {name: g, command: get, appendArgs: [-A, -o, wide]}\n".to_owned(),
                false,
            ),
            (
                format!("kind: Preference\n---\n{}", defaults("context")),
                true,
            ),
            (format!("# \u{2028}{}", defaults("context")), true),
            ("a: [\n".to_owned(), true),
        ];
        for (text, expected) in table {
            assert_eq!(kuberc_chooses_server(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn the_file_of_preferences_comes_from_flag_then_variable_then_home() {
        let table = [
            ("a", "b", Some("a")),
            ("", "b", Some("b")),
            ("", "", Some("/home/u/.kube/kuberc")),
            ("", "off", None),
        ];
        for (flag, env, expected) in table {
            let found = kuberc(
                Some(flag.as_ref()),
                Some(env.as_ref()),
                Some(Path::new("/home/u")),
            );
            assert_eq!(found.as_deref(), expected.map(Path::new));
        }
    }
}
