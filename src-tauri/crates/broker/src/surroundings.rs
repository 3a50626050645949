//! What is around the resident.

pub mod plugin;
pub mod reach;
