//! Who may have tokens, and what is asked about that.

pub(crate) mod manners;
pub(crate) mod questions;
pub mod trust;
