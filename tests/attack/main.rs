//! The set `attack`: what others try, carried out on the whole program. Each trial is one way in;
//! each attack that is refused becomes a row of the table at the end.
//!
//! What can be tried on one crate alone is tried there (`provider/tests/it/threats.rs`, the vault's
//! and wire's own tests); here kubectl, shim, resident and browser are the real ones.

mod scene;
mod table;
mod trust;

use std::process::ExitCode;

use anyhow::Result;
use world::Set;

use crate::table::Table;

fn main() -> ExitCode {
    let (mut set, table) = (Set::new(), Table::default());
    trust::trials(&mut set, &table);
    let code = set.run();
    table.print();
    code
}

/// A trial with a runtime of its own, and with it everything that it starts.
fn trial(
    set: &mut Set,
    table: &Table,
    name: &'static str,
    body: impl AsyncFnOnce(&Table) -> Result<()> + Send + 'static,
) {
    let table = table.clone();
    set.trial(name, move || {
        tokio::runtime::Runtime::new()?.block_on(body(&table))
    });
}
