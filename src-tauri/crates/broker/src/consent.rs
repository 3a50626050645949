//! Who may have tokens, and what is asked about that.

pub mod manner;
pub(crate) mod questions;
pub mod trust;
