//! The playground seen from outside: through its sockets, as a client and a browser see it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

mod binary;
mod delivery_faults;
mod forged_faults;
mod kubernetes;
mod sessions;
mod sign_in;
mod visitor;
