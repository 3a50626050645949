//! A program's environment. Windows knows a name however it is written.

use std::ffi::{OsStr, OsString};

/// The value of a variable that is set to something.
pub(crate) fn variable<'a>(
    environment: &'a [(OsString, OsString)],
    name: &str,
) -> Option<&'a OsStr> {
    let mut all = environment.iter();
    let found = all.find(|(known, _)| wire::os::is_named(known, name));
    found
        .map(|(_, value)| value.as_os_str())
        .filter(|value| !value.is_empty())
}
