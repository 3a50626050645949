//! macOS: the security session that this process was started in.
#![allow(unsafe_code)] // SessionGetInfo

const CALLER: u32 = u32::MAX;
const HAS_GRAPHIC_ACCESS: u32 = 0x10;

#[link(name = "Security", kind = "framework")]
unsafe extern "C" {
    /// `Security/AuthSession.h`
    fn SessionGetInfo(session: u32, id: *mut u32, attributes: *mut u32) -> i32;
}

/// Whether that has a screen.
pub(super) fn has_screen() -> bool {
    let (mut id, mut attributes) = (0, 0);
    // SAFETY: both live through the call.
    let result = unsafe { SessionGetInfo(CALLER, &raw mut id, &raw mut attributes) };
    result == 0 && attributes & HAS_GRAPHIC_ACCESS != 0
}
