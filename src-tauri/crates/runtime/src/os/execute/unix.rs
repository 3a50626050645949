//! Becoming another program.
#![allow(unsafe_code)] // execve

use std::ffi::{CString, OsStr, OsString, c_char, c_int};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

unsafe extern "C" {
    fn execve(
        path: *const c_char,
        arguments: *const *const c_char,
        environment: *const *const c_char,
    ) -> c_int;
}

/// Becomes the program at `path`. Returns only if that fails.
///
/// std's `exec` is libc's `execvp`, which gives a file that is no program (one that was cut off) to the shell,
/// as a script: we would end as that.
pub(crate) fn execute(
    path: &Path,
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> io::Result<()> {
    let environment = environment.into_iter().map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        name
    });
    let texts = (text(path.as_os_str()), texts(arguments), texts(environment));
    let (Ok(path), Ok(arguments), Ok(environment)) = texts else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let (arguments, environment) = (pointers(&arguments), pointers(&environment));
    // SAFETY: each text ends with zero and each list with null, and all live through the call.
    unsafe { execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    Err(io::Error::last_os_error())
}

fn texts(texts: impl IntoIterator<Item = OsString>) -> io::Result<Vec<CString>> {
    texts.into_iter().map(|one| text(&one)).collect()
}

fn text(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}

fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    let texts = texts.iter().map(|text| text.as_ptr());
    texts.chain([std::ptr::null()]).collect()
}
