//! The set `it`: what holds of the house itself, and the scenarios in the playground.

use std::process::ExitCode;

use world::Set;

mod bad_input;
mod boundaries;
mod contexts;
mod map;
mod modules;
mod scenarios;
mod switches;

fn main() -> ExitCode {
    let mut set = Set::new();
    set.trial("boundaries", boundaries::hold);
    set.trial("boundaries_of_modules", modules::hold);
    set.trial("boundaries_find_circles", modules::cases::hold);
    set.trial("map", map::hold);
    set.trial("contexts_walk", contexts::walk);
    set.trial("contexts_ours_alone", switches::ours_alone);
    set.trial("contexts_beside_kubectl", switches::beside_kubectl);
    set.trial("contexts_undone", switches::undone);
    set.trial("seed", scenarios::the_seed);
    set.trial("changed_keys", scenarios::changed_keys);
    set.trial("terminal", scenarios::a_terminal);
    set.trial("lifetime", scenarios::a_lifetime);
    let bad_input = bad_input::trials(&mut set);
    let code = set.run();
    bad_input.print();
    code
}
