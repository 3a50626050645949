//! Whether a file that a program was told of is a kubeconfig.

use std::path::Path;

use crate::config::Config;
use crate::load::load;
use crate::scalar::Scalar;
use crate::tree::{self, Tree, Value};

/// What a file that a program's words name is to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// No kubeconfig.
    Nothing,
    /// One.
    Kubeconfig(Config),
    /// What some program could take for one, and we can't read: it may say anything.
    Unclear,
}

/// What a file is, by its bytes; of one that has more than [`tree::MAX_BYTES`], the first of them do.
pub fn told(file: &Path, bytes: &[u8], is_whole: bool) -> Told {
    if !is_whole || bytes.len() > tree::MAX_BYTES {
        return if is_utf16(bytes) || !is_binary(bytes) {
            Told::Unclear
        } else {
            Told::Nothing
        };
    }
    match load(file, bytes) {
        Ok(config) => {
            let is_empty =
                config.clusters.is_empty() && config.users.is_empty() && config.contexts.is_empty();
            if !is_empty {
                Told::Kubeconfig(config)
            } else if config.disputed && later_has_lists(bytes) {
                Told::Unclear
            } else {
                Told::Nothing
            }
        }
        Err(_) => match tree::parse(bytes) {
            Ok(tree) if !(has_lists(&tree) || tree.has_more() && later_has_lists(bytes)) => {
                Told::Nothing
            }
            Err(_) if !looks_like_one(bytes) => Told::Nothing,
            Ok(_) | Err(_) => Told::Unclear,
        },
    }
}

/// What a file is that nothing but a path leads to, as it stands in any environment: a history, a log, a program. Only what
/// is built as a kubeconfig is none of these. The beginning of a long one does.
pub fn told_in_passing(file: &Path, bytes: &[u8]) -> Told {
    if let Ok(config) = load(file, bytes)
        && !(config.clusters.is_empty() && config.users.is_empty() && config.contexts.is_empty())
    {
        return Told::Kubeconfig(config);
    }
    let is_built_so = match tree::documents(bytes) {
        Ok(documents) => documents
            .iter()
            .any(|tree| has(tree, &["clusters", "contexts"])),
        Err(_) => has_lines_of_one(bytes),
    };
    if is_built_so {
        Told::Unclear
    } else {
        Told::Nothing
    }
}

/// Whether a line begins with a key of a kubeconfig's.
fn has_lines_of_one(bytes: &[u8]) -> bool {
    if is_utf16(bytes) {
        return true;
    }
    if is_binary(bytes) {
        return false;
    }
    unescaped(&String::from_utf8_lossy(bytes))
        .lines()
        .any(|line| {
            let line = line.trim_start_matches(|letter: char| {
                letter.is_whitespace() || "{,?\"'".contains(letter)
            });
            let rest = ["clusters", "contexts"]
                .iter()
                .find_map(|word| line.strip_prefix(word));
            rest.is_some_and(|rest| {
                let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
                rest.is_empty() || rest.starts_with(':')
            })
        })
}

/// Whether there is one in any document: some programs read them all.
fn later_has_lists(bytes: &[u8]) -> bool {
    match tree::documents(bytes) {
        Ok(documents) => documents.iter().any(has_lists),
        Err(_) => looks_like_one(bytes),
    }
}

/// Whether there is any list of what a kubeconfig lists.
fn has_lists(tree: &Tree) -> bool {
    has(tree, &["clusters", "contexts", "users"])
}

fn has(tree: &Tree, lists: &[&str]) -> bool {
    let text = |id| match tree.value(id) {
        Value::Scalar {
            value: Scalar::Text(text),
            ..
        } => text.to_ascii_lowercase(),
        Value::Scalar { .. } | Value::List(_) | Value::Map(_) => String::new(),
    };
    let Some(Value::Map(entries)) = tree.root().map(|root| tree.value(root)) else {
        return false;
    };
    entries.iter().any(|(key, value)| {
        // A merge brings others' entries.
        let merges = matches!(tree.value(key.id), Value::Scalar { merge: true, .. });
        let listed = lists.contains(&text(key.id).as_str());
        merges || (listed && matches!(tree.value(value.id), Value::List(_)))
    })
}

/// A program or an archive: no YAML and no JSON has such a byte.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(64 * 1024).any(|byte| *byte == 0)
}

fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

/// Whether keys stand in a text that make a kubeconfig of it, in whichever way YAML lets them be written. A script that
/// speaks of clusters has the words, and not as keys.
fn looks_like_one(bytes: &[u8]) -> bool {
    let Ok(text) = tree::text(bytes) else {
        // In UTF-16 and broken, or no text at all.
        return is_utf16(bytes);
    };
    let text = unescaped(&text).to_ascii_lowercase();
    let starts = |rest: &str, sign: char| rest.trim_start().starts_with(sign);
    let marked = |sign: char| {
        let mut after = text.split(sign).skip(1);
        after.any(|rest| rest.starts_with(char::is_whitespace))
    };
    // `? key`, and `*alias : value`.
    let alias = text.split('*').skip(1).any(|rest| {
        let end = rest.find(|letter: char| letter.is_whitespace() || ",[]{}".contains(letter));
        end.and_then(|end| rest.get(end..))
            .is_some_and(|rest| starts(rest, ':'))
    });
    let anywhere = marked('?') || alias;
    let key = |word: &str| {
        let mut after = text.split(word).skip(1);
        after.any(|rest| anywhere || starts(rest.strip_prefix(['"', '\'']).unwrap_or(rest), ':'))
    };
    (key("clusters") && key("server")) || key("contexts") || (key("users") && key("exec"))
}

/// A text in which letters that were written as escapes, or in the next line, stand where they are meant.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = match part.chars().next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some('\n' | '\r') => {
                plain.push_str(part.trim_start());
                continue;
            }
            Some(_) | None => 0,
        };
        let letter = part
            .get(1..=digits)
            .filter(|_| digits > 0)
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        match letter {
            Some(letter) => {
                plain.push(letter);
                plain.push_str(part.get(digits + 1..).unwrap_or_default());
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8]) -> &'static str {
        match told(Path::new("/f"), text, true) {
            Told::Nothing => "nothing",
            Told::Kubeconfig(_) => "kubeconfig",
            Told::Unclear => "unclear",
        }
    }

    #[test]
    fn a_file_is_a_kubeconfig_if_it_says_anything_that_one_does() {
        let table = [
            (
                "clusters: [{name: c, cluster: {server: 'https://c'}}]",
                "kubeconfig",
            ),
            ("contexts: [{name: c, context: {cluster: c}}]", "kubeconfig"),
            ("users: [{name: u}]", "kubeconfig"),
            (
                "{\"kind\": \"Config\", \"users\": [{\"name\": \"u\"}]}",
                "kubeconfig",
            ),
            ("", "nothing"),
            ("kind: Config", "nothing"),
            ("replicas: 2\nimage: x\n", "nothing"),
            ("#!/bin/sh\nexec kubectl \"$@\"\n", "nothing"),
            ("just words", "nothing"),
            ("clusters: {c: {server: 'https://c'}}\nusers: 1", "nothing"),
            (
                "import yaml\nfor c in load()[\"clusters\"]:\n\tprint(c['server'], \\\n\t  'users')\n",
                "nothing",
            ),
            (
                "kind: Deployment\n---\nkind: ConfigMap\ndata: {x: \"clusters: []\"}\n",
                "nothing",
            ),
            ("\u{7f}ELF", "nothing"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_might_be_one_to_somebody_else_is_unclear() {
        for text in [
            "clusters: [{name: c, cluster: {server: 'https://c'}}]\n: [",
            "clusters: [{name: c, cluster: {server: 1}}]",
            "<<: {clusters: [{name: c, cluster: {server: 'https://c'}}]}\nusers: 1",
            "\"\\x63lusters\": [{name: c, cluster: {\"serv\\\n  er\" : 'https://c'}}]\n\t: [",
            "? clusters\n: [{name: c, cluster: {server: 'https://c'}}]\n\t: [",
            "a: &c clusters\n*c : [{name: c, cluster: {server: 'https://c'}}]\n\t: [",
            "contexts: {}\n\t: [",
            "users: [{name: u, user: {exec: {}}}]\n\t: [",
            "kind: Config\n---\nclusters: [{name: c, cluster: {server: 'https://c'}}]\n",
            "kind: Deployment\n---\ncontexts: []\n",
        ] {
            assert_eq!(shown(text.as_bytes()), "unclear", "{text}");
        }
        assert_eq!(shown(b"\xff\xfe\x00"), "unclear");
    }

    #[test]
    fn in_passing_only_what_is_built_as_one_counts() {
        let shown = |text: &str| match told_in_passing(Path::new("/f"), text.as_bytes()) {
            Told::Nothing => "nothing",
            Told::Kubeconfig(_) => "kubeconfig",
            Told::Unclear => "unclear",
        };
        let long = "# ".repeat(tree::MAX_BYTES);
        let table = [
            (
                "clusters: [{name: c, cluster: {server: 'https://c'}}]",
                "kubeconfig",
            ),
            ("clusters: [{name: c, cluster: {server: 1}}]", "unclear"),
            (
                "clusters:\n- cluster: {server: 'https://c'}\n\t: [",
                "unclear",
            ),
            ("{\n  \"contexts\" : [1}", "unclear"),
            ("# \u{2028}\nclusters: []\n", "unclear"),
            ("kind: Config\n---\ncontexts: []\n", "unclear"),
            (&format!("{long}\nclusters:\n"), "unclear"),
            (&format!("{long}\nclusters\n"), "unclear"),
            (&long, "nothing"),
            ("users: [a, b]\n", "nothing"),
            (
                "ls ? *x : y\nkubectl config get-contexts\nvi clusters: [\n",
                "nothing",
            ),
            ("-----BEGIN CERTIFICATE-----\nMIIB==\n", "nothing"),
            ("\u{7f}ELF\0clusters:", "nothing"),
            ("", "nothing"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{:.80}", text);
        }
    }

    #[test]
    fn of_a_long_file_only_a_program_or_an_archive_is_sure_to_be_none() {
        let long = vec![b'#'; tree::MAX_BYTES + 1];
        assert_eq!(told(Path::new("/f"), &long, true), Told::Unclear);
        assert_eq!(told(Path::new("/f"), b"# a", false), Told::Unclear);
        assert_eq!(told(Path::new("/f"), b"\x7fELF\0\0", false), Told::Nothing);
        assert_eq!(told(Path::new("/f"), b"\xff\xfe#\0", false), Told::Unclear);
    }
}
