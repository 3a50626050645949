//! Kubeconfigs: read for a question, looked for, watched, and changed.

mod account;
pub(crate) mod contexts;
pub(crate) mod edit;
pub(crate) mod files;
pub(crate) mod seen;
pub(crate) mod settled;
pub(crate) mod survey;
