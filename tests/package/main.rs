//! The set `package`: the .deb is installed on this machine as anybody would, used, upgraded and removed; what is in
//! the .rpm is looked at. It runs where that is allowed alone: `cargo xtask test package --install`, and in CI.

mod colleague;
mod contents;
mod packages;
mod walk;

use std::process::ExitCode;

use world::Set;

fn main() -> ExitCode {
    let mut set = Set::new();
    set.trial("rpm", contents::rpm);
    set.trial("walk", walk::walk);
    set.run()
}
