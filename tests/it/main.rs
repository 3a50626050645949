//! The set `it`: what holds of the house itself, and of its demo.

use std::process::ExitCode;

use world::Set;

mod boundaries;
mod contexts;
mod demo;

fn main() -> ExitCode {
    let mut set = Set::new();
    set.trial("boundaries", boundaries::hold);
    set.trial("contexts_walk", contexts::walk);
    set.trial("contexts_crowd", contexts::crowd);
    set.trial("demo", demo::told);
    set.trial("demo_fails", demo::fails);
    set.trial("demo_interrupted", demo::interrupted);
    set.run()
}
