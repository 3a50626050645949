//! `current-context`, changed in odd kubeconfigs: nothing else changes, and kubectl agrees (KUBEFOB_KUBECTL).
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests read files and start kubectl"
)]

use std::path::Path;
use std::process::Command;

use kubeconfig::{EditError, LoadError, load, set_current_context};

const NAMES: [&str; 8] = [
    "dev",
    "arn:aws:eks:eu-west-1:1:cluster/dev",
    "yes",
    "0777",
    "it's \"so\": # {no}",
    "개발",
    "-",
    "ends:",
];

fn file() -> &'static Path {
    Path::new("/home/u/.kube/config")
}

fn set(text: &str, name: &str) -> Result<String, EditError> {
    set_current_context(file(), text.as_bytes(), name)
        .map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn only_the_value_changes_and_keeps_its_form() {
    for (before, name, after) in [
        (
            "current-context: a # mine\n",
            "b",
            "current-context: b # mine\n",
        ),
        (
            "current-context: 'a'\r\nkind: Config\r\n",
            "it's",
            "current-context: 'it''s'\r\nkind: Config\r\n",
        ),
        ("current-context: \"a\"\n", "b", "current-context: \"b\"\n"),
        ("current-context: a\n", "no", "current-context: \"no\"\n"),
        (
            "current-context: \"\"\nkind: Config",
            "b",
            "current-context: \"b\"\nkind: Config",
        ),
        (
            "current-context:\nkind: Config\n",
            "b",
            "current-context: b\nkind: Config\n",
        ),
        (
            "kind: Config\ncurrent-context:",
            "b",
            "kind: Config\ncurrent-context: b",
        ),
        (
            "{\"current-context\":\"a\"}",
            "b",
            "{\"current-context\":\"b\"}",
        ),
        (
            "{current-context: a, kind: Config}",
            "x:y",
            "{current-context: \"x:y\", kind: Config}",
        ),
        (
            "\u{feff}current-context: a\n",
            "b",
            "\u{feff}current-context: b\n",
        ),
        ("? current-context\n: a\n", "b", "? current-context\n: b\n"),
        ("current-context: a", "a", "current-context: a"),
    ] {
        assert_eq!(set(before, name).as_deref(), Ok(after), "{before}");
    }
}

#[test]
fn a_key_that_is_not_there_comes_where_kubectl_has_it() {
    for (before, after) in [
        ("", "apiVersion: v1\nkind: Config\ncurrent-context: b\n"),
        (
            "# mine",
            "# mine\napiVersion: v1\nkind: Config\ncurrent-context: b\n",
        ),
        (
            "apiVersion: v1\ncontexts: []\nkind: Config\n",
            "apiVersion: v1\ncontexts: []\ncurrent-context: b\nkind: Config\n",
        ),
        (
            "  apiVersion: v1\r\n  clusters: []\r\n",
            "  current-context: b\r\n  apiVersion: v1\r\n  clusters: []\r\n",
        ),
        ("{}", "{\"current-context\": \"b\"}"),
        (
            "{\n  \"contexts\": [],\n  \"kind\": \"Config\"\n}\n",
            "{\n  \"contexts\": [],\n  \"current-context\": \"b\",\n  \"kind\": \"Config\"\n}\n",
        ),
        (
            "{contexts: [], kind: Config}",
            "{contexts: [], \"current-context\": \"b\", kind: Config}",
        ),
        // A word of the file's in a text, or deeper, is no key of the file's.
        (
            "clusters:\n- name: current-context\n  cluster: {server: 'current-context: a'}\n",
            "current-context: b\nclusters:\n- name: current-context\n  cluster: {server: 'current-context: a'}\n",
        ),
    ] {
        assert_eq!(set(before, "b").as_deref(), Ok(after), "{before}");
    }
}

#[test]
fn what_can_not_be_changed_by_itself_is_left_alone() {
    let shared = |line| EditError::Shared { line };
    for (text, error) in [
        (
            "current-context: a\ncurrent-context: c\n",
            EditError::Twice { line: 2 },
        ),
        ("current-context: &a a\nx: *a\n", shared(1)),
        ("x: &a a\ncurrent-context: *a\n", shared(2)),
        ("current-context: !!str a\n", shared(1)),
        ("current-context: |\n  a\n", shared(1)),
        ("x: &x {current-context: a}\n<<: *x\n", EditError::Unsafe),
        ("--- ~\n", EditError::Unsafe),
        ("--- {}\n--- {}\n", EditError::Unsafe),
    ] {
        let found = set(text, "b");
        if text.starts_with("--- {}") {
            assert_eq!(
                found.as_deref(),
                Ok("--- {\"current-context\": \"b\"}\n--- {}\n")
            );
        } else {
            assert_eq!(found, Err(error), "{text}");
        }
    }
    assert!(matches!(
        set("kind: Pod\n", "b"),
        Err(EditError::Load(LoadError::Kind))
    ));
}

/// Each odd file and each odd name: refused, or changed in one place so that kubectl reads the new name and the rest
/// as before.
#[test]
fn odd_files_are_changed_as_kubectl_would_read_them_or_not_at_all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/odd");
    let kubectl = std::env::var_os("KUBEFOB_KUBECTL");
    if kubectl.is_none() {
        println!("skipped: kubectl's view of it, since KUBEFOB_KUBECTL names none");
    }
    let place = tempfile::tempdir().unwrap();
    let (mut changed, mut refused) = (0, Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for (at, path) in files
        .iter()
        .filter(|path| path.extension() == Some("yaml".as_ref()))
        .enumerate()
    {
        let before = std::fs::read(path).unwrap();
        let Ok(config) = load(path, &before) else {
            continue;
        };
        for (number, name) in NAMES.into_iter().enumerate() {
            let after = match set_current_context(path, &before, name) {
                Ok(after) => after,
                Err(error) => {
                    if number == 0 {
                        refused.push(format!("{}: {error}", path.file_name().unwrap().display()));
                    }
                    continue;
                }
            };
            changed += 1;
            let mut expected = config.clone();
            expected.current_context = Some(name.to_owned());
            assert_eq!(load(path, &after).unwrap(), expected, "{}", path.display());
            // One name a file is enough for kubectl: each start costs.
            if let Some(kubectl) = kubectl.as_ref().filter(|_| number == at % NAMES.len()) {
                let view = |bytes: &[u8]| {
                    let file = place.path().join("config");
                    std::fs::write(&file, bytes).unwrap();
                    let out = Command::new(kubectl)
                        .args(["config", "view", "--raw", "-o", "json", "--kubeconfig"])
                        .arg(&file)
                        .output()
                        .unwrap();
                    assert!(
                        out.status.success(),
                        "{}: {}",
                        path.display(),
                        String::from_utf8_lossy(&out.stderr)
                    );
                    serde_json::from_slice::<serde_json::Value>(&out.stdout).unwrap()
                };
                // What we read and kubectl refuses is said in tests/odd.rs.
                if path.ends_with("flow-multi-line-key.yaml") {
                    continue;
                }
                let (mut old, new) = (view(&before), view(&after));
                if let Some(old) = old.as_object_mut() {
                    old.insert("current-context".to_owned(), name.into());
                }
                assert_eq!(new, old, "{}", path.display());
            }
        }
    }
    println!("{changed} changes; left alone:\n  {}", refused.join("\n  "));
    assert!(changed > 400, "{changed}");
    assert!(refused.len() < 10, "{refused:#?}");
}
