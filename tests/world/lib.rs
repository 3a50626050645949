//! What holds across processes: the worlds that scenarios run in, and the sets that they stand in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a surprise is a failed test"
)]

pub mod apiserver;
pub mod browser;
mod browser_cookies;
mod browser_page;
pub mod keycloak;
mod keycloak_realm;
pub mod keyring;
pub mod lib_real;
pub mod lib_set;
pub mod parts;
pub mod parts_running;
pub mod person;
pub mod pki;
pub mod screen;

pub use lib_real::{Real, RealWorld};
pub use lib_set::Set;
