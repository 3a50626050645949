//! Signing out, removing and resetting.

pub(crate) mod removing;
pub(crate) mod resetting;
