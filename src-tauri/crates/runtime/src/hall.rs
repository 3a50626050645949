//! What every room goes through: the one way into the loop, and what is told and counted on the way.

pub(crate) mod blocking;
pub(crate) mod inbox;
pub(crate) mod line;
pub(crate) mod notices;
pub(crate) mod under_way;
