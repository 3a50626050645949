//! What needs `unsafe`: the start of the program.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};

/// The C library calls this. SIGPIPE is as the caller left it, which is right for standard output; the socket
/// asks for none.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, allow(dead_code, reason = "the tests have a main of their own"))]
pub(crate) extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    let count = usize::try_from(count).unwrap_or(0);
    let arguments = (0..count).map(|index| {
        // SAFETY: so many texts are there, each with its end, as long as the process is (C11 5.1.2.2.1). std has
        // them from glibc alone, which hands them to `.init_array` too.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        argument.to_bytes().to_vec()
    });
    let code = crate::run(arguments.collect());
    // SAFETY: it takes a number and does not return. Nothing of ours is buffered, and the C library's own
    // farewell would cost more than some of our questions.
    unsafe { _exit(code.into()) }
}

unsafe extern "C" {
    fn _exit(code: c_int) -> !;
}
