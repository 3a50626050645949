//! Everything said to an OpenID Connect provider: discovery, sign-in, verification, refresh and
//! sign-out.
//!
//! Each is one transaction with one outcome ([`broker::outcome`]); what to make of it is decided
//! by the session. What decides here is pure and can be fuzzed: [`discovery::parse`], [`keys`],
//! [`verify`], [`callback`].

pub mod callback;
pub mod discovery;
pub mod keys;
pub mod verify;

mod address;
mod desk;
mod http;
mod listener;
mod os;
mod pages;
mod random;
mod refresh;
mod sign_in;
mod sign_out;
mod tickets;
mod token;

use std::time::Duration;

use broker::clock::Wall;
use broker::problem::{Code, Problem};

pub use desk::Tickets;
pub use http::{Times, Trusted};
pub use refresh::refresh;
pub use sign_in::{Listening, listen, outcome};
pub use sign_out::sign_out;

/// Where the time of day is read.
pub type Clock = dyn Fn() -> Wall + Send + Sync;

/// Whether a problem is one that passes by itself: the network's, or the provider's own.
fn is_passing(code: Code) -> bool {
    [
        Code::Unreachable,
        Code::TlsFailed,
        Code::TlsFailedOwnCa,
        Code::ProviderFault,
        Code::LostReply,
    ]
    .contains(&code)
}

/// When a refresh token ends, where the provider says so.
fn refresh_end(times: Times, seconds: Option<u64>) -> Option<Wall> {
    Some(times.sent.after(Duration::from_secs(seconds?)))
}

fn bad_token(flaw: &verify::Flaw) -> Problem {
    Problem::new(Code::BadToken, vec![("reason", flaw.reason().to_owned())])
}

/// Reads a token endpoint's reply and says whether it could: the fuzzer's way in.
#[doc(hidden)]
#[must_use]
pub fn reads_token_reply(body: &[u8]) -> bool {
    token::granted(
        body,
        Times {
            sent: Wall(0),
            came: Wall(0),
            date: None,
        },
    )
    .is_ok()
}
