//! The door that everybody comes by.

/// Whether connections are taken. Whoever comes to a shut door waits before it, unanswered and not turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// They are.
    Open,
    /// Not just now.
    Shut,
    /// Never again.
    Gone,
}
