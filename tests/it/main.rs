//! The set `it`: no trial yet.

use std::process::ExitCode;

use world::Set;

fn main() -> ExitCode {
    Set::new().run()
}
