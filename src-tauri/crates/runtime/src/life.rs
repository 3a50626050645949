//! The life of the resident: put together, run, and ended or handed on.

mod at_rest;
pub(crate) mod handover;
pub(crate) mod leaving;
mod opening;
pub mod resident;
pub(crate) mod run;
pub mod single;
pub(crate) mod surroundings;
pub mod upgrade;
