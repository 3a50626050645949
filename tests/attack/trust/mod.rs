//! Who may have tokens, and what a refusal leaves behind: threats 1, 2, 13, 28 and 29.

mod answers;
mod consent;
mod first_start;
mod flags;
mod odd;
mod pairs;
mod programs;
mod questions;
mod readings;
mod settings;
mod unread;
mod ways;

use world::Set;

use crate::table::Table;
use crate::trial;

pub(crate) fn trials(set: &mut Set, table: &Table) {
    trial(set, table, "trust_hostile_server", pairs::hostile_server);
    trial(
        set,
        table,
        "trust_planted_instance",
        pairs::planted_instance,
    );
    trial(set, table, "trust_file_sets", pairs::file_sets);
    trial(set, table, "trust_programs", programs::others);
    trial(set, table, "trust_programs_quiet", programs::quiet_others);
    trial(set, table, "trust_arguments", programs::arguments);
    trial(set, table, "trust_readings_yaml", readings::yaml);
    trial(set, table, "trust_readings_bytes", readings::bytes);
    trial(set, table, "trust_readings_others", readings::others);
    trial(set, table, "trust_readings_unread", odd::unread);
    trial(set, table, "trust_odd_addresses", odd::addresses);
    trial(set, table, "trust_same_address", pairs::same_address);
    trial(set, table, "trust_page_alone", pairs::page_alone);
    trial(set, table, "trust_verbs_as_plugin", pairs::verbs_as_plugin);
    trial(set, table, "trust_answers_on_page", answers::on_page);
    trial(
        set,
        table,
        "trust_opened_twice",
        answers::on_page_opened_twice,
    );
    trial(
        set,
        table,
        "trust_window_descriptor",
        answers::window_descriptor,
    );
    trial(set, table, "trust_typed_ahead", unread::typed_ahead);
    trial(set, table, "trust_too_long", unread::too_long);
    trial(set, table, "trust_too_many", unread::too_many);
    trial(set, table, "trust_large", unread::large);
    trial(set, table, "trust_first_start", first_start::bulk);
    trial(set, table, "trust_cold_start", first_start::cold_start);
    trial(set, table, "trust_consent", consent::consent);
    trial(set, table, "trust_flags", flags::weaker);
    trial(
        set,
        table,
        "trust_man_in_the_middle",
        flags::man_in_the_middle,
    );
    trial(set, table, "trust_files", flags::files);
    trial(set, table, "trust_magic_links", ways::magic_links);
    trial(set, table, "trust_exchanged", ways::exchanged);
    trial(set, table, "trust_settings", settings::refused);
    trial(
        set,
        table,
        "trust_settings_pair",
        settings::on_a_trusted_pair,
    );
    trial(set, table, "trust_removed", settings::removed);
    trial(set, table, "trust_unapproved", settings::unapproved);
    trial(set, table, "trust_identities", settings::identities);
    trial(set, table, "trust_unseen", questions::unseen);
    trial(
        set,
        table,
        "trust_named_in_a_container",
        questions::named_in_a_container,
    );
    trial(set, table, "trust_names", questions::names_that_stay);
    trial(set, table, "trust_this_command", questions::this_command);
    trial(set, table, "trust_look_alikes", questions::look_alikes);
    trial(
        set,
        table,
        "trust_pages_and_ports",
        questions::pages_and_ports,
    );
    trial(set, table, "trust_settled", questions::settled);
    trial(set, table, "trust_asker_gone", questions::asker_gone);
    trial(set, table, "trust_ten_thousand", questions::ten_thousand);
}
