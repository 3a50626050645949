//! Whose a file is, and what else than its bytes belongs to it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    copy_attributes, is_ours_or_roots, is_ours_to_write, keep_owner, ours_alone,
};
#[cfg(windows)]
pub(crate) use windows::{
    copy_attributes, is_ours, is_ours_or_roots, is_ours_to_write, keep_owner, others_replace,
    others_write, ours_alone,
};
