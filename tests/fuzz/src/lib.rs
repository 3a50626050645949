//! A fuzz target for each decoder: a plain function that takes bytes, and panics where what the
//! decoder promises does not hold. `cargo test` gives it its corpus, `cargo xtask fuzz` whatever
//! libFuzzer thinks of (`main.rs`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a surprise is a finding"
)]

mod callback;
mod command;
mod credential;
mod discovery;
mod frame;
mod id_token;
mod kubeconfig;
mod token;
mod vault;

use broker::problem::Problem;
use broker::texts::Language;

/// What a decoder made of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// They mean something.
    Taken,
    /// They are refused.
    Refused,
}

/// A decoder and what is promised of it.
#[derive(Clone, Copy)]
pub struct Target {
    /// As `cargo xtask fuzz` and the folder of its corpus call it.
    pub name: &'static str,
    /// Panics where a promise is broken.
    pub run: fn(&[u8]) -> Decoded,
}

/// Every decoder that takes bytes from somebody else.
pub const TARGETS: [Target; 9] = [
    target("callback", callback::run),
    target("command", command::run),
    target("credential", credential::run),
    target("discovery", discovery::run),
    target("frame", frame::run),
    target("id-token", id_token::run),
    target("kubeconfig", kubeconfig::run),
    target("token", token::run),
    target("vault", vault::run),
];

const fn target(name: &'static str, run: fn(&[u8]) -> Decoded) -> Target {
    Target { name, run }
}

/// A person can be told of a refusal: in each language one line, and nothing in it that a
/// terminal obeys.
fn can_be_told(problem: &Problem) {
    for language in [Language::En, Language::Ko] {
        let line = problem.line(language);
        assert!(
            !line.is_empty() && !line.contains(char::is_control),
            "{line:?}"
        );
    }
}

/// The whole of a JSON text, to hold a decoder's word against. None where a field that the decoder
/// passes over has what only the whole is refused for: half a surrogate, a number beyond all.
fn whole(json: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(json).ok()
}

impl From<bool> for Decoded {
    fn from(taken: bool) -> Self {
        if taken { Self::Taken } else { Self::Refused }
    }
}
