//! The set `attack`: what others try, carried out on the whole program. Each trial is one way in;
//! each attack that is refused becomes a row of the table at the end.
//!
//! What can be tried on one crate alone is tried there (`provider/tests/it/threats.rs`, the vault's
//! and wire's own tests); here kubectl, shim, resident and browser are the real ones.

mod asked;
mod contained;
mod environment;
mod first_starts;
mod floods;
mod held;
mod many;
mod mixup;
mod own_files;
mod places;
mod promises;
mod rest;
mod scene;
mod search;
mod seats;
mod shared;
mod sign_in;
mod since;
mod strangers;
mod table;
mod taken_back;
mod texts;
mod tokens;
mod trust;
mod typed;
mod users;
mod versions;
mod window;

use std::process::ExitCode;

use anyhow::Result;
use world::Set;

use crate::table::Table;

fn main() -> ExitCode {
    let (mut set, table) = (Set::new(), Table::default());
    trust::trials(&mut set, &table);
    trial(&mut set, &table, "trust_spelled", asked::spelled);
    trial(&mut set, &table, "trust_padded", asked::padded);
    trial(&mut set, &table, "trust_unwritten", asked::unwritten);
    trial(&mut set, &table, "environment", environment::cold_start);
    trial(&mut set, &table, "squatter", users::squatter);
    trial(&mut set, &table, "root_in_a_home", users::root_in_a_home);
    trial(&mut set, &table, "onlooker", users::onlooker);
    trial(&mut set, &table, "locks_of_others", shared::locks);
    trial(&mut set, &table, "folders_above", shared::above);
    trial(&mut set, &table, "lock_planted", shared::planted);
    trial(&mut set, &table, "screen_of_another", seats::screen);
    trial(
        &mut set,
        &table,
        "screen_of_another_and_window",
        seats::screen_and_window,
    );
    trial(&mut set, &table, "bus_of_another", seats::bus);
    trial(&mut set, &table, "read_address", sign_in::read_address);
    trial(&mut set, &table, "strangers_mapped", strangers::mapped);
    trial(&mut set, &table, "strangers_gone", strangers::gone);
    trial(&mut set, &table, "strangers_flooded", strangers::flooded);
    trial(
        &mut set,
        &table,
        "finished_as_another",
        sign_in::finished_as_another,
    );
    trial(&mut set, &table, "another_person", sign_in::another_person);
    trial(&mut set, &table, "squatted_ports", sign_in::squatted_ports);
    trial(&mut set, &table, "held_ports", held::ports);
    trial(&mut set, &table, "held_limits", held::limits);
    trial(&mut set, &table, "held_moved_page", held::moved_page);
    trial(
        &mut set,
        &table,
        "foreign_requests",
        sign_in::foreign_requests,
    );
    trial(
        &mut set,
        &table,
        "hostile_discovery",
        sign_in::hostile_discovery,
    );
    trial(&mut set, &table, "replayed", sign_in::replayed);
    trial(&mut set, &table, "mixup_endpoints", mixup::endpoints);
    trial(&mut set, &table, "mixup_passed_on", mixup::passed_on);
    trial(&mut set, &table, "mixup_own_provider", mixup::own_provider);
    trial(&mut set, &table, "names", texts::names);
    trial(&mut set, &table, "claims", texts::claims);
    trial(&mut set, &table, "tokens_at_sign_in", tokens::at_sign_in);
    trial(&mut set, &table, "tokens_at_refresh", tokens::at_refresh);
    trial(&mut set, &table, "tokens_and_keys", tokens::keys);
    trial(&mut set, &table, "tokens_and_clocks", tokens::clocks);
    trial(&mut set, &table, "rest_swapped", rest::swapped);
    trial(&mut set, &table, "rest_flipped", rest::flipped);
    trial(
        &mut set,
        &table,
        "rest_without_the_key",
        rest::without_the_key,
    );
    trial(&mut set, &table, "rest_rolled_back", rest::rolled_back);
    trial(&mut set, &table, "yaml_bomb", floods::yaml_bomb);
    trial(
        &mut set,
        &table,
        "idle_connections",
        floods::idle_connections,
    );
    trial(&mut set, &table, "few_descriptors", floods::few_descriptors);
    trial(&mut set, &table, "many_accounts", many::accounts);
    trial(&mut set, &table, "log", floods::log);
    trial(&mut set, &table, "lost_lists", first_starts::lost_lists);
    trial(
        &mut set,
        &table,
        "killed_at_once",
        first_starts::killed_at_once,
    );
    trial(&mut set, &table, "taken_back", taken_back::untrusted);
    trial(&mut set, &table, "taken_back_control", taken_back::control);
    trial(
        &mut set,
        &table,
        "taken_back_others",
        taken_back::the_others,
    );
    trial(
        &mut set,
        &table,
        "own_files_not_needed",
        own_files::not_needed,
    );
    trial(
        &mut set,
        &table,
        "own_files_asked_for",
        own_files::asked_for,
    );
    trial(&mut set, &table, "own_files_needed", own_files::needed);
    trial(&mut set, &table, "own_files_of_root", own_files::of_root);
    trial(&mut set, &table, "places_one_number", places::one_number);
    trial(
        &mut set,
        &table,
        "places_access_lists",
        places::access_lists,
    );
    trial(&mut set, &table, "places_ways", places::ways);
    trial(
        &mut set,
        &table,
        "trust_switched_since",
        versions::switched_since,
    );
    trial(&mut set, &table, "trust_switched_quiet", versions::control);
    trial(&mut set, &table, "trust_gone_since", since::gone);
    trial(&mut set, &table, "trust_gone_quiet", since::gone_quiet);
    trial(&mut set, &table, "trust_authority_since", since::authority);
    trial(
        &mut set,
        &table,
        "trust_linked_folder",
        since::linked_folder,
    );
    trial(&mut set, &table, "window_approval", window::own_approval);
    trial(&mut set, &table, "window_commands", window::commands);
    trial(&mut set, &table, "contained_answers", contained::answers);
    trial(
        &mut set,
        &table,
        "contained_answers_as_a_user",
        contained::answers_as_a_user,
    );
    trial(&mut set, &table, "contained_verbs", contained::verbs);
    trial(&mut set, &table, "exec_env_scripts", contained::scripts);
    trial(&mut set, &table, "exec_env_untold", contained::untold);
    trial(&mut set, &table, "typed_secret", typed::secret);
    trial(&mut set, &table, "search", search::search);
    trial(&mut set, &table, "search_window", search::window::window);
    let names = set.names();
    set.trial("security_names_its_attacks", move || {
        promises::named(&names)
    });
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
