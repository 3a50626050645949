//! What is shown: made of all the rest, and nobody's state.

mod contexts;
#[cfg(test)]
mod contract;
pub(crate) mod made;
pub mod menu;
pub mod notes;
mod prompt;
pub(crate) mod reply;
mod report;
pub(crate) mod told;
pub mod view;
