//! `src-tauri/ARCHITECTURE.md` leads to files that are there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

/// What the map names before it is there.
const TO_COME: [&str; 1] = ["sign_in/browser.rs"];

/// Every path of a source file that the map names, by the rule that its first lines give, or anywhere in these
/// folders where it names the end of one.
pub(crate) fn hold() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let map = std::fs::read_to_string(root.join("src-tauri/ARCHITECTURE.md"))?;
    let mut files = Vec::new();
    for folder in ["src-tauri", "tests", "xtask", "ui/src", "ui/tests"] {
        walk(&root.join(folder), &mut files)?;
    }
    let named: BTreeSet<&str> = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(is_source)
        .collect();
    ensure!(named.len() > 100, "the map names {} files", named.len());
    let lost: Vec<&&str> = named
        .iter()
        .filter(|path| !TO_COME.contains(*path) && !leads_to_one(path, &root, &files))
        .collect();
    ensure!(lost.is_empty(), "the map names what is not there: {lost:?}");
    let none = "broker/no_such_file.rs";
    ensure!(!leads_to_one(none, &root, &files), "{none} is there");
    Ok(())
}

fn is_source(text: &&str) -> bool {
    let is_path = |char: char| char.is_ascii_alphanumeric() || "_./-".contains(char);
    let ends = [".rs", ".svelte", ".ts"];
    ends.iter().any(|end| text.ends_with(end)) && text.chars().all(is_path)
}

fn leads_to_one(path: &str, root: &Path, files: &[PathBuf]) -> bool {
    let (first, rest) = path.split_once('/').unwrap_or(("", path));
    let by_rule = if first == "window" {
        root.join("src-tauri/src").join(rest)
    } else {
        root.join("src-tauri/crates")
            .join(first)
            .join("src")
            .join(rest)
    };
    root.join(path).is_file() || by_rule.is_file() || files.iter().any(|file| file.ends_with(path))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
