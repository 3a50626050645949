//! Windows: the window station that this process was started on. It never gains a screen: a resident that was started
//! over ssh stays without. Type-checked only: nobody has run it yet.
#![allow(unsafe_code)] // calls of the Windows API

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::System::StationsAndDesktops::{
    GetProcessWindowStation, GetUserObjectInformationW, UOI_FLAGS, USEROBJECTFLAGS,
};

/// `WSF_VISIBLE` of `winuser.h`: it has a screen.
const VISIBLE: u32 = 1;

/// A window station with a screen.
pub(crate) struct Seat(());

impl Seat {
    pub(crate) fn named(_: &[(OsString, OsString)]) -> Option<Self> {
        let mut flags = USEROBJECTFLAGS::default();
        let length = u32::try_from(size_of_val(&flags)).unwrap_or(0);
        // SAFETY: the station is this process's and needs no closing; `length` is how long `flags` is.
        let known = unsafe {
            let into = (&raw mut flags).cast();
            let station = GetProcessWindowStation();
            GetUserObjectInformationW(station, UOI_FLAGS, into, length, null_mut())
        };
        (known != 0 && flags.dwFlags & VISIBLE != 0).then_some(Self(()))
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
