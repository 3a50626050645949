//! The whole way against the playground: a real provider in memory, which can misbehave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod browser;
mod faults;
mod library;
mod mixup;
mod setting;
mod sign_in;
mod threats;
mod ways;
