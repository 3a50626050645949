//! What holds of the crate's rooms, beside that their arrows go one way (`cargo xtask test it boundaries`): one file
//! knows all machines, and no machine knows what is shown or what the world does.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read the tree"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the machines.
const MACHINES: [&str; 6] = [
    "accounts",
    "callers",
    "consent",
    "ending",
    "kubeconfigs",
    "surroundings",
];

/// Each source with its path below `src`, its tests left out.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).unwrap();
        let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&src).unwrap().display().to_string();
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                sources.push((name, code.to_owned()));
            }
        }
    }
    sources
}

fn is_machines(name: &str) -> bool {
    MACHINES.iter().any(|room| {
        let rest = name.strip_prefix(room);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    })
}

/// The files, and the lines, in which any of these words stand.
fn naming(words: &[&str], such: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (name, code) in sources().into_iter().filter(|(name, _)| such(name)) {
        let lines = code.lines().zip(1..);
        let code = lines.filter(|(line, _)| !line.trim_start().starts_with("//"));
        let named = code.filter(|(line, _)| words.iter().any(|word| line.contains(word)));
        found.extend(named.map(|(line, number)| format!("{name}:{number}: {}", line.trim())));
    }
    found
}

#[test]
fn one_file_knows_all_machines() {
    let elsewhere = naming(&["impl Broker"], |name| name != "broker.rs");
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    assert_eq!(naming(&["impl Broker"], |_| true).len(), 1);
}

#[test]
fn nothing_carries_the_outbox_about() {
    let carried = naming(&["&mut Vec<Effect>"], |_| true);
    assert!(carried.is_empty(), "{carried:#?}");
}

/// A machine gives back steps of its own: it names no effect, no event, and nothing that is made to be shown.
#[test]
fn a_machine_knows_neither_the_world_nor_what_is_shown() {
    let words = ["crate::event", "crate::show", "crate::broker", "View "];
    let known = naming(&words, is_machines);
    assert!(known.is_empty(), "{known:#?}");
}
