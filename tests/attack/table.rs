//! The table that the set ends with: which row of the threat list, what was tried, what came of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Every attack that was carried out and refused, in the order of the threats.
#[derive(Clone, Default)]
pub(crate) struct Table(Arc<Mutex<Vec<Row>>>);

/// For what stands in no row of the list, but in what the list is for.
pub(crate) const NO_ROW: u8 = 0;

struct Row {
    threat: u8,
    attack: String,
    outcome: String,
}

impl Table {
    /// Notes an attack that failed, as it should. What did not fail ends its trial instead.
    pub(crate) fn row(&self, threat: u8, attack: impl Into<String>, outcome: impl Into<String>) {
        let row = Row {
            threat,
            attack: attack.into(),
            outcome: outcome.into(),
        };
        println!("{row}");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(row);
    }

    /// Prints all of them.
    pub(crate) fn print(&self) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.is_empty() {
            return;
        }
        rows.sort_by_key(|row| row.threat);
        println!("\n{:>6} | attack -> outcome", "threat");
        for row in rows.iter() {
            println!("{row}");
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threat = match self.threat {
            NO_ROW => "-".to_owned(),
            number => number.to_string(),
        };
        write!(to, "{threat:>6} | {} -> {}", self.attack, self.outcome)
    }
}
