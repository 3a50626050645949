//! What needs `unsafe`: the start of the program.
#![allow(unsafe_code)]

/// The C library calls this; std's arguments and environment are there already (glibc hands them to
/// `.init_array`). SIGPIPE is as the caller left it, which is right for standard output; the socket asks for
/// none.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, allow(dead_code, reason = "the tests have a main of their own"))]
pub(crate) extern "C" fn main(
    _count: std::ffi::c_int,
    _arguments: *const *const std::ffi::c_char,
) -> std::ffi::c_int {
    let code = crate::run();
    // SAFETY: it takes a number and does not return. Nothing of ours is buffered, and the C library's own
    // farewell would cost more than some of our questions.
    unsafe { _exit(code.into()) }
}

unsafe extern "C" {
    fn _exit(code: std::ffi::c_int) -> !;
}
