//! What kubeconfigs say.

pub mod contexts;
pub mod found;
pub(crate) mod undone;
