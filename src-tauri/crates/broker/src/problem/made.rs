//! Every code is made somewhere: what nothing makes goes, and its texts with it.

use std::fs;
use std::path::Path;

use super::Code;

/// The crates that make problems.
const CRATES: [&str; 4] = ["broker", "provider", "runtime", "kubefob"];

/// How a variant is named where it is made.
const NAMED: [&str; 2] = ["Problem::", "Self::"];

#[test]
fn every_code_is_made_somewhere() {
    let sources: Vec<String> = CRATES.into_iter().flat_map(sources).collect();
    for code in Code::ALL {
        let variant = format!("{code:?}");
        let made = sources.iter().any(|source| makes(source, &variant));
        assert!(made, "nothing makes {variant}: it goes, and its texts");
    }
}

#[test]
fn what_only_looks_at_a_variant_makes_none() {
    for (source, expected) in [
        ("fail(&Problem::Busy)", true),
        ("|| Problem::Busy", true),
        ("let problem = Self::Busy { path: shown(path) };", true),
        ("None => Problem::Busy {\n path,\n},", true),
        ("return Err(Problem::Busy);", true),
        ("Problem::BusyElsewhere", false),
        ("// Problem::Busy", false),
        ("matches!(why, Problem::Busy { .. })", false),
        ("if problem == Problem::Busy {", false),
        ("problem != Problem::Busy", false),
        ("problem.code() == Code::Busy", false),
        ("Err(Problem::Busy) => {}", false),
        ("Self::Busy { path }\n| Self::Ending => 1,", false),
        ("if let Self::Busy { path } = self {", false),
        ("const LASTS: &[Code] = &[Code::Busy, Code::Ending];", false),
    ] {
        assert_eq!(makes(source, "Busy"), expected, "{source}");
    }
}

/// Whether a source makes a problem of this variant.
fn makes(source: &str, variant: &str) -> bool {
    NAMED.into_iter().any(|by| {
        let name = format!("{by}{variant}");
        source.match_indices(&name).any(|(start, _)| {
            let (before, after) = (&source[..start], &source[start + name.len()..]);
            let line = before.rsplit('\n').next().unwrap_or_default();
            let is_all = !after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            let is_compared = before.ends_with("== ") || before.ends_with("!= ");
            is_all && !line.trim_start().starts_with("//") && !is_compared && !is_pattern(after)
        })
    })
}

/// Whether a variant is a pattern, by what follows its name.
fn is_pattern(after: &str) -> bool {
    let after = after.trim_start();
    let (fields, rest) = match after.strip_prefix('{') {
        Some(inside) => {
            let mut open = 1;
            let end = inside.find(|letter: char| {
                open += match letter {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                open == 0
            });
            inside.split_at(end.unwrap_or(inside.len()))
        }
        None => ("", after),
    };
    let rest = rest.trim_start_matches(['}', ')']).trim_start();
    let looks = ["=>", "|", "= ", "if "]
        .iter()
        .any(|next| rest.starts_with(next));
    fields.trim_end().trim_end_matches(',').ends_with("..") || looks
}

/// What a crate is made of, without its tests.
#[allow(clippy::disallowed_methods, reason = "a test may read the tree")]
fn sources(name: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("..").join(name).join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_product(&path) {
                let source = fs::read_to_string(&path).unwrap();
                let product = source.split("#[cfg(test)]\nmod tests {").next();
                sources.push(product.unwrap_or_default().to_owned());
            }
        }
    }
    sources
}

fn is_product(path: &Path) -> bool {
    let is_rust = path.extension().is_some_and(|end| end == "rs");
    let in_tests = path
        .iter()
        .any(|part| part == "tests" || part == "tests.rs");
    // The table names each, and so does this.
    let is_table = path.ends_with("problem/codes.rs") || path.ends_with("problem/made.rs");
    is_rust && !in_tests && !is_table
}
