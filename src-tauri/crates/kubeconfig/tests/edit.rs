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

const KINDS: [&str; 8] = [
    "comments",
    "CRLF",
    "a byte order mark",
    "flow style",
    "JSON",
    "anchors and aliases",
    "a second document",
    "fields that kubectl drops",
];

/// What is odd about a file.
fn kinds_of(bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let is_json = serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    let has = [
        text.contains("# "),
        text.contains("\r\n"),
        text.starts_with('\u{feff}'),
        !is_json && text.contains(": {") && text.contains('}'),
        is_json,
        text.contains('&') && text.contains(['*', '<']),
        text.contains("\n---"),
        text.contains("colour"),
    ];
    let kinds = KINDS.into_iter().zip(has);
    kinds
        .filter_map(|(kind, has)| has.then_some(kind))
        .collect()
}

/// What stands before the first byte that differs and after the last is as it was, so that nothing but a value was
/// taken away and nothing but a value, or its key with it, was put there.
fn only_the_value(
    path: &Path,
    before: &[u8],
    after: &[u8],
    config: &kubeconfig::Config,
    name: &str,
) {
    let same = |(one, other): &(&u8, &u8)| one == other;
    let head = before.iter().zip(after).take_while(same).count();
    let tail = (before[head..].iter().rev())
        .zip(after[head..].iter().rev())
        .take_while(same)
        .count();
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(&bytes[head..bytes.len() - tail]).into_owned();
    let (taken, put) = (text(before), text(after));
    let old = config.current_context.as_deref().unwrap_or_default();
    // A value may go over several lines; and quotes, and what a name is escaped by.
    let folded = taken.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        folded.len() <= 2 + 2 * old.len(),
        "{}: {taken:?} is gone",
        path.display()
    );
    let most = if config.current_context.is_some() {
        3 + 2 * name.len()
    } else {
        "\napiVersion: v1\nkind: Config\ncurrent-context: \"\",\n".len() + 2 * name.len() + 16
    };
    assert!(
        put.len() <= most,
        "{}: {put:?} was put there",
        path.display()
    );
}

/// Each odd file, of `tests/odd` for reading them and `tests/edited` for this, and each odd name: refused, or changed in one place so that kubectl reads the new name and the rest
/// as before.
#[test]
fn odd_files_are_changed_as_kubectl_would_read_them_or_not_at_all() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let kubectl = std::env::var_os("KUBEFOB_KUBECTL");
    if kubectl.is_none() {
        println!("skipped: kubectl's view of it, since KUBEFOB_KUBECTL names none");
    }
    let place = tempfile::tempdir().unwrap();
    let (mut changed, mut refused, mut kinds) = (0, Vec::new(), Vec::new());
    let mut files: Vec<_> = ["odd", "edited"]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(tests.join(folder)).unwrap())
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
            only_the_value(path, &before, &after, &config, name);
            if number == 0 {
                kinds.extend(kinds_of(&before));
            }
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
    let files = changed / NAMES.len();
    println!(
        "{changed} changes in {files} files; left alone:\n  {}",
        refused.join("\n  ")
    );
    for kind in KINDS {
        let of_it = kinds.iter().filter(|found| **found == kind).count();
        println!("  {of_it} files with {kind}");
        assert!(of_it > 0, "no odd file has {kind}");
    }
    assert!(changed > 400, "{changed}");
    assert!(refused.len() < 10, "{refused:#?}");
}
