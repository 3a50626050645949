//! What came of it all: passed, failed, and what was skipped, by name.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

/// How much of a failure is told again at the end, where it survives a log that is cut off.
const LINES: usize = 6;
const WIDTH: usize = 200;

/// What one step or set of tests came to. What failed or was skipped is a name and why, which may
/// have more lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) passed: u64,
    pub(crate) failed: Vec<String>,
    pub(crate) skipped: Vec<String>,
}

#[derive(Default)]
pub(crate) struct Summary {
    rows: Vec<(String, Outcome, Duration)>,
}

impl Summary {
    /// Does a step; that it could not be done counts as a failure, and the next steps follow.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Result<Outcome>) {
        eprintln!("== {name}");
        let begun = Instant::now();
        let outcome = judged(name, step());
        self.add(name, outcome, begun.elapsed());
    }

    /// The same of what was done beside the others, and how long it took.
    pub(crate) fn done(&mut self, name: &str, outcome: Result<Outcome>, took: Duration) {
        let outcome = judged(name, outcome);
        self.add(name, outcome, took);
    }

    pub(crate) fn add(&mut self, name: &str, outcome: Outcome, took: Duration) {
        self.rows.push((name.to_owned(), outcome, took));
    }

    pub(crate) fn failed(&self) -> bool {
        self.rows
            .iter()
            .any(|(_, outcome, _)| !outcome.failed.is_empty())
    }

    pub(crate) fn text(&self) -> String {
        let mut text = "== summary\n".to_owned();
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        let mut names = String::new();
        for (name, outcome, took) in &self.rows {
            passed += outcome.passed;
            failed += outcome.failed.len();
            skipped += outcome.skipped.len();
            let seconds = took.as_secs_f32();
            let counts = format!(
                "{} passed, {} failed, {} skipped",
                outcome.passed,
                outcome.failed.len(),
                outcome.skipped.len()
            );
            let _ = writeln!(text, "{name:<10} {counts:<36} {seconds:>7.1} s");
            for one in &outcome.skipped {
                let _ = writeln!(names, "  skipped {name}: {}", told(one, 1));
            }
            for one in &outcome.failed {
                let _ = writeln!(names, "  FAILED {name}: {}", told(one, LINES));
            }
        }
        let _ = write!(
            text,
            "{names}{passed} passed, {failed} failed, {skipped} skipped"
        );
        text
    }
}

fn judged(name: &str, outcome: Result<Outcome>) -> Outcome {
    outcome.unwrap_or_else(|error| {
        eprintln!("{name}: {error:#}");
        Outcome {
            failed: vec![format!("{error:#}")],
            ..Outcome::default()
        }
    })
}

/// The first lines of it that say something, the further ones below the first; long ones cut.
fn told(text: &str, lines: usize) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(lines);
    let cut: Vec<String> = lines
        .map(|line| match line.char_indices().nth(WIDTH) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        })
        .collect();
    cut.join("\n      ")
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Summary};
    use std::time::Duration;

    #[test]
    fn the_summary_counts_and_names() {
        let mut summary = Summary::default();
        let unit = Outcome {
            passed: 3,
            ..Outcome::default()
        };
        summary.add("unit", unit, Duration::from_secs(2));
        assert!(!summary.failed());
        let real = Outcome {
            passed: 1,
            failed: vec![format!(
                "seed: 403\n\nand {}\n3\n4\n5\n6\n7",
                "ㅎ".repeat(300)
            )],
            skipped: vec!["lifetime: no keycloak\nno Java".to_owned()],
        };
        summary.add("real", real, Duration::from_millis(41_250));
        assert!(summary.failed());
        let expected = format!(
            "\
== summary
unit       3 passed, 0 failed, 0 skipped            2.0 s
real       1 passed, 1 failed, 1 skipped           41.2 s
  skipped real: lifetime: no keycloak
  FAILED real: seed: 403
      and {}…
      3
      4
      5
      6
4 passed, 1 failed, 1 skipped",
            "ㅎ".repeat(196)
        );
        assert_eq!(summary.text(), expected);
    }
}
