//! Which language an asker reads.

use std::ffi::OsString;

use broker::texts::Language;
use wire::frame::Run;

use crate::os::environment::variable;

const LANGUAGES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// The language of an environment.
pub(crate) fn spoken(environment: &[(OsString, OsString)]) -> Option<Language> {
    LANGUAGES
        .iter()
        .find_map(|name| variable(environment, name)?.to_str().map(Language::of))
}

/// The language that the client says, where the asker's own can't be seen.
pub(super) fn said(run: &Run) -> Option<Language> {
    LANGUAGES.iter().find_map(|name| {
        let value = run.variable(name).filter(|value| !value.is_empty())?;
        std::str::from_utf8(value).ok().map(Language::of)
    })
}
