//! The table of kubectl's commands and flags, by which Kubefob reads what a kubectl was started with, against what every
//! kubectl says of itself: `kubectl options`, and each command's `--help`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use world::parts::Parts;

const TABLE: &str = include_str!("../../src-tauri/crates/kubeconfig/src/flags.txt");
/// Commands that no help lists.
const UNLISTED: [&str; 2] = ["options", "alpha"];
const THREADS: usize = 2;

/// A flag by its name: its letter, and whether it takes the next word.
type Flags = BTreeMap<String, (Option<char>, bool)>;

/// The same of the table; none: some kubectls take the next word, and others don't.
type Known = BTreeMap<String, (Option<char>, Option<bool>)>;

/// What a kubectl says of one of its commands.
#[derive(Default)]
struct Told {
    others: Vec<String>,
    flags: Flags,
    below: Vec<String>,
}

/// Every command and flag of every kubectl is in the table, as it is.
pub(crate) fn flags() -> Result<()> {
    let parts = Parts::from_environment()?;
    let table = table()?;
    let mut wrong = Vec::new();
    for name in parts.kubectls() {
        let kubectl = parts.path(name)?;
        let version = parts.version(name).unwrap_or("?");
        let told = crawl(kubectl)?;
        let count: usize = told.values().map(|told| told.flags.len()).sum();
        println!("kubectl {version}: {} commands, {count} flags", told.len());
        ensure!(
            told.len() > 90 && count > 800,
            "kubectl {version} was not understood"
        );
        for (command, told) in &told {
            for what in differences(command, told, &table) {
                wrong.push(format!("kubectl {version}: {what}"));
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "src-tauri/crates/kubeconfig/src/flags.txt is not what kubectl says:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// What the table lacks, or has otherwise.
fn differences(
    command: &str,
    told: &Told,
    table: &BTreeMap<String, (Vec<String>, Known)>,
) -> Vec<String> {
    let Some((others, flags)) = table.get(command) else {
        return vec![format!("`{command}` is missing")];
    };
    let mut wrong = Vec::new();
    for other in &told.others {
        if !others.contains(other) {
            wrong.push(format!("`{command}` is also called `{other}`"));
        }
    }
    for (name, (letter, takes_value)) in &told.flags {
        match flags.get(name) {
            None => wrong.push(format!("`{command} --{name}` is missing")),
            Some((_, Some(known))) if known != takes_value => {
                let takes = if *takes_value {
                    "takes"
                } else {
                    "does not take"
                };
                wrong.push(format!("`{command} --{name}` {takes} the next word"));
            }
            // An older one can lack a letter: then it does not run with it.
            Some((known, _)) if letter.is_some() && known != letter => {
                wrong.push(format!("`{command} --{name}` has the letter {letter:?}"));
            }
            Some(_) => {}
        }
    }
    wrong
}

fn table() -> Result<BTreeMap<String, (Vec<String>, Known)>> {
    let mut table = BTreeMap::new();
    for line in TABLE.lines() {
        let (names, flags) = line.split_once(':').context("a line has a colon")?;
        let mut names = names.split('|').map(str::to_owned);
        let path = names.next().unwrap_or_default();
        let flag = |flag: &str| {
            let (flag, takes_value) = match (flag.strip_suffix('='), flag.strip_suffix('?')) {
                (Some(flag), _) => (flag, Some(true)),
                (None, Some(flag)) => (flag, None),
                (None, None) => (flag, Some(false)),
            };
            let (letter, name) = match flag.split_once('/') {
                Some((letter, name)) => (letter.chars().next(), name),
                None => (None, flag),
            };
            (name.to_owned(), (letter, takes_value))
        };
        let flags = flags.split_whitespace().map(flag).collect();
        table.insert(path, (names.collect(), flags));
    }
    Ok(table)
}

/// All that a kubectl says of itself.
fn crawl(kubectl: &Path) -> Result<BTreeMap<String, Told>> {
    let mut all = BTreeMap::new();
    let options = run(kubectl, &["options"])?;
    let root = run(kubectl, &["--help"])?;
    let mut flags = flags_of(&options);
    corrected(kubectl, &[], &mut flags)?;
    all.insert(
        "kubectl".to_owned(),
        Told {
            flags,
            ..Told::default()
        },
    );
    let listed = below(&root).into_iter();
    let mut next: Vec<Vec<String>> = listed
        .chain(UNLISTED.map(str::to_owned))
        .map(|name| vec![name])
        .collect();
    while !next.is_empty() {
        let told = each(&next, |path| asked(kubectl, path))?;
        let mut further = Vec::new();
        for (path, told) in next.iter().zip(told) {
            // A version that has none of it.
            let Some(told) = told else { continue };
            let longer = told.below.iter().map(|name| {
                let mut path = path.clone();
                path.push(name.clone());
                path
            });
            further.extend(longer);
            all.insert(format!("kubectl {}", path.join(" ")), told);
        }
        next = further;
    }
    Ok(all)
}

fn asked(kubectl: &Path, path: &[String]) -> Result<Option<Told>> {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let text = run(kubectl, &[words.as_slice(), &["--help"]].concat())?;
    if text.contains("unknown command") {
        return Ok(None);
    }
    let mut flags = flags_of(&text);
    corrected(kubectl, &words, &mut flags)?;
    let name = path.last().map(String::as_str).unwrap_or_default();
    let others = text
        .split_once("Aliases:\n")
        .and_then(|(_, rest)| rest.lines().next())
        .unwrap_or_default();
    let others = others.split(',').map(str::trim);
    Ok(Some(Told {
        others: others
            .filter(|other| !other.is_empty() && *other != name)
            .map(str::to_owned)
            .collect(),
        flags,
        below: below(&text),
    }))
}

/// `    -n, --namespace='':`; a switch has a `true` or `false` there.
fn flags_of(help: &str) -> Flags {
    let flag = |line: &str| {
        let line = line.strip_prefix("    ")?.strip_suffix(':')?;
        let (letter, long) = match line.split_once(", --") {
            Some((letter, long)) => (letter.strip_prefix('-')?.chars().next(), long),
            None => (None, line.strip_prefix("--")?),
        };
        let (name, default) = long.split_once('=')?;
        let takes_value = !["true", "false"].contains(&default);
        Some((name.to_owned(), (letter, takes_value)))
    };
    help.lines().filter_map(flag).collect()
}

/// What help does not tell: a flag with a value can do without (`--dry-run`). kubectl says it when the flag comes last.
/// With `--help` before it, it does no more than that.
fn corrected(kubectl: &Path, path: &[&str], flags: &mut Flags) -> Result<()> {
    for (name, (_, takes_value)) in flags.iter_mut().filter(|(_, (_, takes))| *takes) {
        let flag = format!("--{name}");
        let said = run(kubectl, &[path, &["--help", &flag]].concat())?;
        // The file of preferences is looked for before any flag is read.
        *takes_value = said.contains(&format!("flag needs an argument: {flag}"))
            || said.contains("kuberc file is not found");
    }
    Ok(())
}

/// The commands below one, as its help lists them.
fn below(help: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut listed = false;
    for line in help.lines() {
        if line.ends_with(':') && line.starts_with(char::is_alphabetic) {
            listed = line.contains("Commands") && !line.contains("plugins");
        } else if let Some((name, _)) = line.strip_prefix("  ").and_then(|l| l.split_once("  "))
            && listed
            && name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && !name.contains(' ')
        {
            found.push(name.to_owned());
        }
    }
    found
}

/// What kubectl says on a terminal: the oldest shows no flags elsewhere. It has no files, and no plugins.
fn run(kubectl: &Path, arguments: &[&str]) -> Result<String> {
    let line = format!("exec '{}' {}", kubectl.display(), arguments.join(" "));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("KUBECONFIG", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .context("script can't be started")?;
    Ok(String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}

/// Asks several at once.
fn each<T: Send>(
    paths: &[Vec<String>],
    ask: impl Fn(&[String]) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let answers: Mutex<Vec<(usize, Result<T>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (answers, ask) = (&answers, &ask);
            scope.spawn(move || {
                for (at, path) in paths.iter().enumerate().skip(thread).step_by(THREADS) {
                    let answer = ask(path);
                    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                    answers.push((at, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
