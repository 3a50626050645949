//! What goes to a caller, piece by piece.

use super::view::Told;
use crate::clock::Wall;
use crate::credential::{ExecVersion, TokenFacts};
use crate::problem::Refusal;
use crate::secret::BearerToken;

/// What a caller is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// For standard output.
    Out(String),
    /// A credential, for standard output.
    Credential(ExecVersion, BearerToken, Wall),
    /// The token for a person, for standard output: alone, or with what there is to say of it.
    Token(BearerToken, Option<TokenFacts>),
    /// What was asked for: data for tray and window, for standard output in words.
    Outcome(Box<Told>, String),
    /// What happens meanwhile, for standard error.
    Say(String),
    /// What is wrong.
    Refused(Box<Refusal>),
    /// A question to be answered with one line.
    Prompt(String),
    /// The same, and what is typed is not shown.
    Secret(String),
    /// The end, with an exit code.
    Done(u8),
}
