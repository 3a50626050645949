//! macOS: the security session that this process was started in. It never gains a screen: a resident that was started
//! over ssh stays without. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // SessionGetInfo

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

const CALLER: u32 = u32::MAX;
const HAS_GRAPHIC_ACCESS: u32 = 0x10;

#[link(name = "Security", kind = "framework")]
unsafe extern "C" {
    /// `Security/AuthSession.h`
    fn SessionGetInfo(session: u32, id: *mut u32, attributes: *mut u32) -> i32;
}

/// A session with a screen.
pub(crate) struct Seat(());

impl Seat {
    pub(crate) fn named(_: &[(OsString, OsString)]) -> Option<Self> {
        let (mut id, mut attributes) = (0, 0);
        // SAFETY: both live through the call.
        let result = unsafe { SessionGetInfo(CALLER, &raw mut id, &raw mut attributes) };
        (result == 0 && attributes & HAS_GRAPHIC_ACCESS != 0).then_some(Self(()))
    }

    /// Whoever logs out ends this process too.
    #[allow(clippy::unused_self, reason = "other systems' can go")]
    pub(crate) fn is_there(&self) -> bool {
        true
    }

    #[allow(clippy::unused_self, reason = "other systems' have one")]
    pub(crate) fn folder(&self) -> Option<&Path> {
        None
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this login's")
    }
}
