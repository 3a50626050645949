//! The files of the resident itself, but for its vault: where they are, and what is in them.

pub mod folders;
pub mod log;
pub mod settings;
pub(crate) mod store;
