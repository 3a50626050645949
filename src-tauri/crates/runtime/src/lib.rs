//! The loop around the broker: effects performed, the socket served, tokens kept.

mod asker;
pub mod clock;
mod desktop;
mod files;
pub mod folders;
mod os;
mod perform;
pub mod resident;
mod run;
mod server;
pub mod settings;
pub mod single;
mod store;
#[cfg(unix)]
pub mod upgrade;
pub mod vault;
