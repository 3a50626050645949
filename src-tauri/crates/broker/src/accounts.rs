//! Accounts and their sessions.

pub(crate) mod adding;
pub(crate) mod proxies;
pub mod schedule;
pub mod session;
pub(crate) mod unapproved;
pub mod waiters;
