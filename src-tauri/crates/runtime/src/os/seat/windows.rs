//! Windows: the window station that this process was started on.
#![allow(unsafe_code)] // calls of the Windows API

use std::ptr::null_mut;

use windows_sys::Win32::System::StationsAndDesktops::{
    GetProcessWindowStation, GetUserObjectInformationW, UOI_FLAGS, USEROBJECTFLAGS,
};

/// `WSF_VISIBLE` of `winuser.h`: it has a screen.
const VISIBLE: u32 = 1;

/// Whether that has a screen.
pub(super) fn has_screen() -> bool {
    let mut flags = USEROBJECTFLAGS::default();
    let length = u32::try_from(size_of_val(&flags)).unwrap_or(0);
    // SAFETY: the station is this process's and needs no closing; `length` is how long `flags` is.
    let known = unsafe {
        let into = (&raw mut flags).cast();
        let station = GetProcessWindowStation();
        GetUserObjectInformationW(station, UOI_FLAGS, into, length, null_mut())
    };
    known != 0 && flags.dwFlags & VISIBLE != 0
}
