//! Who asks, and files as they find them.

pub(crate) mod asker;
pub(crate) mod ground;
pub(crate) mod way;
