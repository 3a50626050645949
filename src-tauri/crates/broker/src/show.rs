//! What is shown: made of all the rest, and nobody's state.

#[cfg(test)]
mod contract;
pub mod menu;
pub mod notes;
pub(crate) mod report;
pub mod view;
