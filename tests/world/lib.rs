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
pub mod bus;
pub mod desk;
pub mod disk;
pub mod driver;
pub mod item;
pub mod keycloak;
mod keycloak_realm;
pub mod keyring;
pub mod onlooker;
pub mod parts;
pub mod person;
pub mod pki;
pub mod play;
pub mod real;
pub mod running;
pub mod scenario;
pub mod screen;
pub mod session;
pub mod set;
pub mod statistics;
pub mod terminal;
pub mod user;
pub mod versions;
pub mod wait;

pub use play::PlayWorld;
pub use real::{Real, RealWorld};
pub use set::Set;
