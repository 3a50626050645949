//! The whole way against the playground: a real provider in memory, which can misbehave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(dead_code, unused_imports, reason = "more tests follow")]

mod browser;
mod setting;
mod sign_in;
