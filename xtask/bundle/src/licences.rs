//! Whose work is in the programs, and under which licence: the crates, the npm packages of the window's pages,
//! and what is linked in beside both.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::tree::PROGRAMS;

/// What the packages say of licences.
pub(crate) struct Licences {
    /// One SPDX expression over everything.
    pub(crate) expression: String,
    /// Kubefob's own.
    pub(crate) own: String,
    /// Everybody else's: who, and the text.
    pub(crate) others: String,
}

/// Someone's work.
struct Part {
    /// `serde 1.0.229`
    name: String,
    /// As SPDX has it: `MIT OR Apache-2.0`.
    expression: String,
    texts: Vec<String>,
}

/// Kubefob's own licence.
const OWN: &str = "Apache-2.0";

/// What a folder may have that is a licence, or belongs to one.
const NAMES: [&str; 5] = ["licen", "copying", "notice", "unlicense", "copyright"];

const MUSL: &str = "\
Copyright © 2005-2020 Rich Felker, et al., and the contributors that its COPYRIGHT file names.";
const RUST: &str = "Copyright The Rust Project contributors.";

/// Of all that the programs are made of.
///
/// # Errors
/// A part without a licence, or one whose text nobody has: it can't be shipped.
pub(crate) fn all() -> Result<Licences> {
    let mut parts = crates()?;
    parts.extend(npm()?);
    parts.push(linked_in("Rust's standard library", "MIT", RUST)?);
    parts.push(linked_in("musl, in kubectl-fob", "MIT", MUSL)?);
    let mut expressions: BTreeSet<&str> = parts.iter().map(|part| &*part.expression).collect();
    expressions.remove(OWN);
    let each = expressions.iter().map(|each| {
        if each.contains(" OR ") {
            format!("({each})")
        } else {
            (*each).to_owned()
        }
    });
    Ok(Licences {
        expression: [OWN.to_owned()]
            .into_iter()
            .chain(each)
            .collect::<Vec<_>>()
            .join(" AND "),
        own: fs::read_to_string(crate::root().join("LICENSE"))?,
        others: told(&parts),
    })
}

/// One text after the other, each with all that it holds for.
fn told(parts: &[Part]) -> String {
    let mut by_text: BTreeMap<&str, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        for text in &part.texts {
            by_text.entry(text).or_default().push(part);
        }
    }
    let mut told =
        "Kubefob's programs contain the work of others, each under the licence that is named and \
                    shown here.\n\n"
            .to_owned();
    for part in parts {
        let _ = writeln!(told, "{}: {}", part.name, part.expression);
    }
    let mut texts: Vec<_> = by_text.into_iter().collect();
    texts.sort_by_key(|(_, parts)| parts.first().map(|part| part.name.as_str()));
    for (text, parts) in texts {
        let _ = writeln!(told, "\n{}", "=".repeat(78));
        for part in parts {
            let _ = writeln!(told, "{}", part.name);
        }
        let _ = writeln!(told, "{}\n\n{text}", "-".repeat(78));
    }
    told
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<String>,
    manifest_path: std::path::PathBuf,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Dependency {
    /// Not for tests or build scripts alone.
    fn is_built_in(&self) -> bool {
        self.dep_kinds.iter().any(|each| each.kind.is_none())
    }
}

/// The crates that the programs are built from on this machine's system.
fn crates() -> Result<Vec<Part>> {
    let told = crate::output(
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["metadata", "--format-version=1", "--locked", "--offline"])
            .arg(format!("--filter-platform={}", triple()?))
            .current_dir(crate::root()),
    )?;
    let metadata: Metadata = serde_json::from_str(&told).context("what `cargo metadata` says")?;
    let packages: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&*package.id, package))
        .collect();
    let nodes: BTreeMap<_, _> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (&*node.id, node))
        .collect();
    let mut wanted: Vec<&str> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_none() && PROGRAMS.contains(&&*package.name))
        .map(|package| &*package.id)
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = wanted.pop() {
        if seen.insert(id) {
            let node = nodes.get(id).context("a package without dependencies")?;
            let built_in = node.deps.iter().filter(|each| each.is_built_in());
            wanted.extend(built_in.map(|each| &*each.pkg));
        }
    }
    let mut bought: Vec<_> = seen
        .into_iter()
        .filter_map(|id| packages.get(id))
        .filter(|package| package.source.is_some())
        .collect();
    bought.sort_by_key(|package| (&package.name, &package.version));
    bought.into_iter().map(|package| package.part()).collect()
}

fn triple() -> Result<String> {
    let said = crate::output(Command::new("rustc").arg("-vV"))?;
    let triple = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("`rustc -vV` names no host")?.to_owned())
}

impl Package {
    fn part(&self) -> Result<Part> {
        let name = format!("{} {}", self.name, self.version);
        let folder = self.manifest_path.parent().context("no folder")?;
        let mut texts = texts(folder)?;
        if let Some(named) = &self.license_file {
            texts.insert(fs::read_to_string(folder.join(named))?.trim().to_owned());
        }
        // An old way to say OR.
        let expression = self
            .license
            .as_deref()
            .map(|said| said.replace('/', " OR "));
        Part::new(name, expression, texts)
    }
}

impl Part {
    /// Where nobody put a text into the part's folder, the licence's own text stands for it.
    fn new(name: String, expression: Option<String>, mut texts: BTreeSet<String>) -> Result<Self> {
        let expression = expression.with_context(|| format!("{name} names no licence"))?;
        let read = spdx::Expression::parse(&expression)
            .with_context(|| format!("the licence of {name}"))?;
        if texts.is_empty() {
            for requirement in read.requirements() {
                let id = requirement.req.license.id();
                let id = id.with_context(|| format!("{name}: an unknown licence"))?;
                texts.insert(id.text().trim().to_owned());
            }
        }
        ensure!(!texts.is_empty(), "nobody has the text of {name}'s licence");
        Ok(Self {
            name,
            expression,
            texts: texts.into_iter().collect(),
        })
    }
}

fn texts(folder: &Path) -> Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if entry.file_type()?.is_file() && NAMES.iter().any(|known| name.starts_with(known)) {
            let text = fs::read(entry.path())?;
            texts.insert(String::from_utf8_lossy(&text).trim().to_owned());
        }
    }
    Ok(texts)
}

/// A package of npm, as Vite tells of it (`build.license` in `ui/vite.config.ts`): those that are in the pages.
#[derive(Deserialize)]
struct Npm {
    name: String,
    version: String,
    identifier: Option<String>,
    text: Option<String>,
}

fn npm() -> Result<Vec<Part>> {
    let file = crate::root().join("ui/dist/.vite/licences.json");
    let told = fs::read(&file).with_context(|| format!("{} is not there", file.display()))?;
    let packages: Vec<Npm> = serde_json::from_slice(&told)?;
    ensure!(!packages.is_empty(), "{} names nobody", file.display());
    packages
        .into_iter()
        .map(|package| {
            let name = format!("{} {} (npm)", package.name, package.version);
            Part::new(name, package.identifier, package.text.into_iter().collect())
        })
        .collect()
}

fn linked_in(name: &str, licence: &str, whose: &str) -> Result<Part> {
    let mut part = Part::new(name.to_owned(), Some(licence.to_owned()), BTreeSet::new())?;
    for text in &mut part.texts {
        *text = format!("{whose}\n\n{text}");
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::{Part, told};

    #[test]
    fn a_text_that_two_have_is_told_once() {
        let part = |name: &str| Part {
            name: name.to_owned(),
            expression: "MIT".to_owned(),
            texts: vec!["Permission is granted".to_owned()],
        };
        let told = told(&[part("a 1"), part("b 2")]);
        assert_eq!(told.matches("Permission").count(), 1);
        assert_eq!(told.matches("b 2").count(), 2, "{told}");
    }

    #[test]
    fn what_has_no_text_gets_the_licence_s_own_and_what_has_no_licence_is_refused() {
        let part = Part::new("a 1".into(), Some("MIT OR Zlib".into()), [].into()).unwrap();
        assert_eq!(part.texts.len(), 2);
        assert!(part.texts[0].contains("Permission"));
        assert!(Part::new("a 1".into(), None, ["text".into()].into()).is_err());
        assert!(Part::new("a 1".into(), Some("My own".into()), [].into()).is_err());
    }
}
