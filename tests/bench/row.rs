//! A figure, its goal, and how it was got; and the table of all of them.

use std::fmt::Write as _;

use serde::Serialize;

/// What is hoped for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
    /// Nothing: the figure is stated.
    None,
}

/// One row. `target/bench.json` is an array of these.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    name: &'static str,
    /// The figure; none where it was skipped.
    value: Option<f64>,
    /// Its unit; a ratio's is `×`.
    unit: &'static str,
    /// In words: `≤ 0.8`; none for a figure that is only stated.
    goal: Option<String>,
    /// Whether the figure meets it; none without a goal, or without a figure.
    met: Option<bool>,
    /// How it was measured, or `skipped: ` and why.
    how: String,
}

impl Row {
    pub(crate) fn new(
        name: &'static str,
        (value, unit): (f64, &'static str),
        goal: Goal,
        how: impl Into<String>,
    ) -> Self {
        Self {
            name,
            value: Some(value),
            unit,
            goal: goal.words(),
            met: goal.met(value),
            how: how.into(),
        }
    }

    pub(crate) fn skipped(name: &'static str, goal: Goal, why: &str) -> Self {
        Self {
            name,
            value: None,
            unit: "",
            goal: goal.words(),
            met: None,
            how: format!("skipped: {why}"),
        }
    }

    /// The row for people: the figures in one line, how they were got below it.
    pub(crate) fn text(&self) -> String {
        let value = match self.value {
            Some(value) if self.unit == "×" => format!("{value:.3} ×"),
            Some(value) if value.fract() == 0.0 => format!("{value:.0} {}", self.unit),
            Some(value) => format!("{value:.2} {}", self.unit),
            None => "skipped".to_owned(),
        };
        let verdict = match (self.met, &self.goal, self.value) {
            (Some(true), _, _) => "met",
            (Some(false), _, _) => "NOT MET",
            (None, None, Some(_)) => "stated",
            (None, _, _) => "",
        };
        let goal = self.goal.as_ref();
        let goal = goal.map_or_else(String::new, |goal| format!("goal {goal}"));
        let mut text = format!("{:<52} {value:>14}   {goal:<12} {verdict}", self.name);
        text.truncate(text.trim_end().len());
        for line in wrapped(&self.how, 92) {
            let _ = write!(text, "\n    {line}");
        }
        text
    }
}

impl Goal {
    fn words(self) -> Option<String> {
        match self {
            Self::Most(most) => Some(format!("≤ {most}")),
            Self::Least(least) => Some(format!("≥ {least}")),
            Self::None => None,
        }
    }

    fn met(self, value: f64) -> Option<bool> {
        match self {
            Self::Most(most) => Some(value <= most),
            Self::Least(least) => Some(value >= least),
            Self::None => None,
        }
    }
}

/// How many are met, not met, and skipped.
pub(crate) fn summary(rows: &[Row]) -> String {
    let count = |is: &dyn Fn(&&Row) -> bool| rows.iter().filter(is).count();
    format!(
        "{} met, {} not met, {} stated, {} skipped",
        count(&|row| row.met == Some(true)),
        count(&|row| row.met == Some(false)),
        count(&|row| row.goal.is_none() && row.value.is_some()),
        count(&|row| row.value.is_none()),
    )
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                line.push_str(word);
            } else if line.chars().count() + 1 + word.chars().count() <= width {
                line.push(' ');
                line.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
    }
    lines
}
