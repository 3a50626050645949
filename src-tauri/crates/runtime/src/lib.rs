//! The loop around the broker: effects performed, the socket served, tokens kept.

pub mod clock;
pub mod folders;
mod os;
pub mod settings;
pub mod single;
#[cfg(unix)]
pub mod upgrade;
pub mod vault;
