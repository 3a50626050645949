//! Every decision of Kubefob: sessions, schedule, trust, commands.
//!
//! Pure: it reads no file, no clock and no environment (its `clippy.toml` forbids them). What
//! happened comes in as an event with `Now`; what the world must do goes out as effects.

pub mod account;
mod accounts;
pub mod argv;
pub mod asker;
pub mod broker;
mod callers;
pub mod clock;
pub mod command;
mod consent;
pub mod credential;
mod early;
mod ending;
pub mod event;
mod kubeconfigs;
pub mod manner;
pub mod pair;
pub mod problem;
pub mod question;
mod requests;
pub mod secret;
pub mod settings;
mod shell;
pub mod short;
mod show;
pub mod stanza;
mod surroundings;
pub mod texts;
pub mod tokens;
pub mod transaction;

pub use accounts::{schedule, session, waiters};
pub use consent::trust;
pub use kubeconfigs::{contexts, found, kubeconfig};
pub use show::told::{VERSION, address_text};
pub use show::{menu, notes, view};
pub use surroundings::{RestingPlaces, plugin, reach};
