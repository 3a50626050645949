//! Windows and macOS: the screen of the login that this process was started in, or none. It never gains one: a resident
//! that was started over ssh stays without. Type-checked only: nobody has run it yet.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use super::has_screen;

/// The screen of this login.
pub(crate) struct Seat(());

impl Seat {
    pub(crate) fn named(_: &[(OsString, OsString)]) -> Option<Self> {
        has_screen().then_some(Self(()))
    }

    /// Whoever logs out ends this process too.
    #[allow(clippy::unused_self, reason = "Linux's can go")]
    pub(crate) fn is_there(&self) -> bool {
        true
    }

    #[allow(clippy::unused_self, reason = "Linux's has one")]
    pub(crate) fn folder(&self) -> Option<&Path> {
        None
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this login's")
    }
}
