//! Every decision of Kubefob: sessions, schedule, trust, commands.
//!
//! Pure: it reads no file, no clock and no environment (its `clippy.toml` forbids them). What
//! happened comes in as an event with `Now`; what the world must do goes out as effects.

pub mod account;
mod adding;
pub mod argv;
pub mod asker;
mod asking;
pub mod broker;
mod claims;
pub mod clock;
pub mod command;
pub mod commands;
pub mod contexts;
#[cfg(test)]
mod contract;
pub mod credential;
pub mod event;
pub mod found;
pub mod manner;
pub mod menu;
pub mod notes;
pub mod outcome;
pub mod plugin;
pub mod problem;
mod proxies;
mod questions;
pub mod reach;
mod removing;
mod report;
mod resetting;
pub mod schedule;
pub mod secret;
pub mod session;
pub mod settings;
pub mod short;
pub mod stanza;
pub mod texts;
pub mod tokens;
pub mod trust;
mod unapproved;
mod undone;
pub mod view;
pub mod waiters;
