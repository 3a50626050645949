//! The life of the resident: put together, run, and ended or handed on.

pub(crate) mod handover;
pub mod resident;
pub(crate) mod run;
pub mod single;
pub(crate) mod surroundings;
pub mod upgrade;
