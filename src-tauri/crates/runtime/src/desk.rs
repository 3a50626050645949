//! Where a person sits: their screen and its browser, and what starts with it.

pub(crate) mod autostart;
pub(crate) mod browser;
pub(crate) mod desktop;
