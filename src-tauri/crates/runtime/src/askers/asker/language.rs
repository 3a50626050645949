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

/// The asker's language: its own, where that can be seen. What a plugin says of it is a kubeconfig's word.
pub(super) fn language(own: Option<Language>, run: &Run) -> Language {
    let said = || said(run).filter(|_| !run.asks_for_a_token());
    own.or_else(said).unwrap_or_default()
}

/// The language that the client says.
fn said(run: &Run) -> Option<Language> {
    LANGUAGES.iter().find_map(|name| {
        let value = run.variable(name).filter(|value| !value.is_empty())?;
        std::str::from_utf8(value).ok().map(Language::of)
    })
}
