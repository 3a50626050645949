//! What came of it all: passed, failed, and what was skipped, by name.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What one step or set of tests came to.
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
        let outcome = step().unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            Outcome {
                failed: vec![format!("{error:#}")],
                ..Outcome::default()
            }
        });
        self.add(name, outcome, begun.elapsed());
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
            for (word, which) in [("skipped", &outcome.skipped), ("FAILED", &outcome.failed)] {
                for one in which {
                    let first = one.lines().next().unwrap_or_default();
                    let _ = writeln!(names, "  {word} {name}: {first}");
                }
            }
        }
        let _ = write!(
            text,
            "{names}{passed} passed, {failed} failed, {skipped} skipped"
        );
        text
    }
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
            failed: vec!["seed".to_owned()],
            skipped: vec!["lifetime: no keycloak\nno Java".to_owned()],
        };
        summary.add("real", real, Duration::from_millis(41_250));
        assert!(summary.failed());
        let expected = "\
== summary
unit       3 passed, 0 failed, 0 skipped            2.0 s
real       1 passed, 1 failed, 1 skipped           41.2 s
  skipped real: lifetime: no keycloak
  FAILED real: seed
4 passed, 1 failed, 1 skipped";
        assert_eq!(summary.text(), expected);
    }
}
