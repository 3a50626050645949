//! The loop around the broker: effects performed, the socket served, tokens kept.

pub mod clock;
mod os;
pub mod settings;
pub mod vault;
