//! Whether a file that a program was told of is a kubeconfig.

use std::path::Path;

use crate::config::Config;
use crate::load::load;
use crate::scalar::Scalar;
use crate::tree::{self, Tree, Value};
use crate::unread::{self, folded};

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
        return if unread::is_binary(bytes) {
            Told::Nothing
        } else {
            Told::Unclear
        };
    }
    match load(file, bytes) {
        Ok(config) if !is_empty(&config) => Told::Kubeconfig(config),
        // Some programs read every document, and some leave the case of keys out of account.
        Ok(_) | Err(_) => of_lists(bytes, &unread::LISTS),
    }
}

/// What a file is that nothing but a path leads to, as it stands in any environment: a history, a log, a program. Only what
/// is built as a kubeconfig, or could be, is none of these. The beginning of a long one does.
pub fn told_in_passing(file: &Path, bytes: &[u8]) -> Told {
    match load(file, bytes) {
        Ok(config) if !is_empty(&config) => Told::Kubeconfig(config),
        Ok(_) | Err(_) => of_lists(bytes, &["clusters", "contexts"]),
    }
}

fn is_empty(config: &Config) -> bool {
    config.clusters.is_empty() && config.users.is_empty() && config.contexts.is_empty()
}

/// Whether any of these lists can be in a file that kubectl finds none in, or can't load. What everybody reads alike has
/// them or has not. What is not so read, can.
fn of_lists(bytes: &[u8], lists: &[&str]) -> Told {
    let can_be = match tree::documents(bytes) {
        Ok(documents) => {
            // In YAML such a comment is a text.
            let is_json = unread::is_commented_json(bytes) && unread::could_be_one(bytes, lists);
            is_json || documents.iter().any(|tree| has(tree, lists))
        }
        Err(_) => unread::could_be_one(bytes, lists),
    };
    if can_be { Told::Unclear } else { Told::Nothing }
}

/// Whether there is any such list.
fn has(tree: &Tree, lists: &[&str]) -> bool {
    let text = |id| match tree.value(id) {
        Value::Scalar {
            value: Scalar::Text(text),
            ..
        } => folded(text),
        Value::Scalar { .. } | Value::List(_) | Value::Map(_) => String::new(),
    };
    let Some(Value::Map(entries)) = tree.root().map(|root| tree.value(root)) else {
        return false;
    };
    entries.iter().any(|(key, value)| {
        // A merge brings others' entries.
        let merges = matches!(tree.value(key.id), Value::Scalar { merge: true, .. });
        let key = text(key.id);
        let listed = lists.contains(&key.as_str());
        let in_comment = tree::is_comment(&key) && lists.iter().any(|list| key.contains(list));
        merges || in_comment || (listed && matches!(tree.value(value.id), Value::List(_)))
    })
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
    fn what_nobody_here_can_read_and_somebody_can_is_unclear() {
        let lists = "[{\"name\":\"c\",\"cluster\":{\"server\":\"https://c\"}}]";
        let json = format!("{{\"clusters\":{lists}}}");
        let texts = [
            format!("# made by\u{2028}# us\nclusters: {lists}\n"),
            format!("# made by\u{85}# us\nclusters: {lists}\n"),
            format!("# \u{2028}\n{json}"),
            format!("# \u{7f}\nclusters: {lists}\n"),
            format!("{{kind: Config\n,?\"clusters\"\n# c\n : {lists}\n}}\n"),
            format!("z: &a.b 1\n!!binary \"Y2x1c3RlcnM=\" : {lists}\n"),
            format!("%TAG !e! tag:yaml.org,2002:\n---\n!e!bin%61ry Y2x1c3RlcnM= : {lists}\n"),
            format!("// a beginning\n{json}"),
            format!("/* one */ // two\n{json}"),
            format!("{{\n// a comment to some\n{}", &json[1..]),
            json.replace("\"clusters", "\"\\u0063lu\\\nsters") + "]",
            json.replace("clusters", "CLU\u{17f}TER\u{17f}") + "]",
            json.replace("https:", "https:\\/") + "\u{1}",
            format!("Clusters: {lists}\n"),
            format!("u\u{17f}er\u{17f}: {lists}\n"),
            format!("import yaml\n---\nclusters: {lists}\n: ["),
            format!("kind: Config\n---\n{{a: &b.c d, clusters: {lists}}}\n"),
            format!("a: b\nclusters: {lists}\n\t: ["),
            format!("a: {{\nb\n: 1}}\nclusters: {lists}\n\t: ["),
            format!("clusters: {lists}\n\0"),
            format!("# \0\n{json}"),
        ];
        for text in texts {
            assert_eq!(shown(text.as_bytes()), "unclear", "{text}");
        }
        let latin = [b"# caf\xe9\n", json.as_bytes()].concat();
        assert_eq!(shown(&latin), "unclear");
        let twos: Vec<u8> = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(shown(&twos), "unclear");
        let fours: Vec<u8> = json
            .chars()
            .flat_map(|one| u32::from(one).to_be_bytes())
            .collect();
        assert_eq!(shown(&fours), "unclear");
    }

    #[test]
    fn what_people_have_beside_it_is_nothing() {
        let texts = [
            "#!/usr/bin/env python3\n\"\"\"Lists clusters: all.\"\"\"\nimport yaml\nx = {\"clusters\": [], 'users': 1}\n",
            "// Copyright: us\n\npackage main\n\nvar x = map[string]any{\"clusters\": nil, \"server\": 1}\n",
            "'use strict';\nmodule.exports = { clusters: [], contexts: [] };\n",
            "resource \"x\" \"clusters\" {\n  users = { exec : 1 }\n}\n",
            "clusters = {\n  a = \"b\"\n\n}\nusers: x\n",
            "# Title\n\nSome prose on clusters.\n\n```yaml\nclusters: [\n```\n\n| users | x |\n",
            "Note: see `clusters`\n\nand so on\n\ncontexts: {x\n",
            "<html>\n<p>users: {</p>\n</html>\n",
            "[default]\nusers = a\nclusters: {\n",
            "\"$schema\" = 'x'\n[[kubernetes.contexts]]\ncontexts: [\n",
            ": 1700000000:0;kubectl config get-contexts\n: 1700000001:0;curl -H \"Accept: x\"\n: 1:0;x \\\n y: users\n: 2:0;z\n",
            "2024-01-01 level: info\nE0101 users: none: a {\n",
            "- hosts: clusters\n  vars: {{ users }}\n",
            "int main() { return users; }\n",
            "echo one # x: {\nclusters() {\n",
            "-----BEGIN X-----\nusers\n-----END X-----\nkey: x\n",
            "users: {a: b}\ncontexts: x\n",
            "users:\n  a: {b: c}\nclusters:\n  eu: {server: x}\n",
        ];
        for text in texts {
            assert_eq!(shown(text.as_bytes()), "nothing", "{text}");
            let passed = told_in_passing(Path::new("/f"), text.as_bytes());
            assert_eq!(passed, Told::Nothing, "{text}");
        }
        for bytes in [
            &b"\x7fELF\x02\x01\x01\0\0 clusters: users:\n---\ncontexts: []\n"[..],
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR users",
            b"#!/usr/bin/python3\nPK\x03\x04\x14\0\0\0users/clusters.py",
            b"MZ\x90\0\x03\0c\0l\0u\0s\0t\0e\0r\0s\0",
            b"\x1f\x8b\x08\0\0contexts",
        ] {
            assert_eq!(shown(bytes), "nothing", "{bytes:?}");
        }
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
