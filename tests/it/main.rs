//! The set `it`: what holds of the house itself.

use std::process::ExitCode;

use world::Set;

mod boundaries;

fn main() -> ExitCode {
    let mut set = Set::new();
    set.trial("boundaries", boundaries::hold);
    set.run()
}
