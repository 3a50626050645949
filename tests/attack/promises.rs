//! SECURITY.md says which attacks show what it promises: they are there, by those names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// How a promise names its attacks.
const ATTACKED: &str = "*Attacked by*";

/// Every trial that SECURITY.md names is one of these, and every promise names some.
pub(crate) fn named(trials: &[String]) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../SECURITY.md");
    let text = fs::read_to_string(file)?;
    let (_, promised) = text
        .split_once("## What is promised")
        .context("nothing is promised")?;
    let (promised, _) = promised
        .split_once("## What is not promised")
        .context("nothing is not promised")?;
    let (promises, how) = promised.split_once("###").context("no how")?;
    let count = promises.lines().filter(|line| is_promise(line)).count();
    let lists: Vec<&str> = promises.split(ATTACKED).skip(1).collect();
    ensure!(
        count > 0 && count == lists.len(),
        "{count} promises, and {} name their attacks",
        lists.len()
    );
    let attacks = lists
        .iter()
        .flat_map(|list| words(list.split(".\n").next().unwrap_or_default()))
        .filter(|word| is_name(word));
    // Elsewhere a word without a blank in it may be a command's.
    let others = words(how).filter(|word| is_name(word) && word.contains('_'));
    for name in attacks.chain(others) {
        let is_one =
            |trial: &String| trial == name || (name.ends_with('_') && trial.starts_with(name));
        ensure!(
            trials.iter().any(is_one) || NO_TRIALS.contains(&name),
            "SECURITY.md names an attack that is not there: {name}"
        );
    }
    Ok(())
}

/// Words with an underscore that are something else.
const NO_TRIALS: [&str; 1] = ["provider_origins"];

/// `1. **What.**`
fn is_promise(line: &str) -> bool {
    line.split_once(". **")
        .is_some_and(|(number, _)| number.parse::<u8>().is_ok())
}

/// What stands between backticks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_name(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
