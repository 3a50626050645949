//! Everything said to an OpenID Connect provider: discovery, sign-in, verification, refresh and
//! sign-out.
//!
//! Each is one transaction with one outcome ([`broker::transaction`]); what to make of it is decided
//! by the session. What decides here is pure and can be fuzzed: [`discovery::parse`], [`keys`],
//! [`verify`], [`callback`].
//!
//! State, nonce, PKCE and the request that a browser carries to the provider are openidconnect's. What
//! a provider answers is read here: that library wants of unused fields, too, that they be there and
//! well typed, verifies with one fitting key alone and takes RSA keys of any length, and providers
//! differ in all of it (`tests/it/library.rs` shows each).

pub mod callback;
pub mod discovery;
pub mod keys;
pub mod verify;

mod address;
mod desk;
mod http;
mod json;
mod listener;
mod origins;
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
pub use discovery::announced;
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

/// When a refresh token ends, where the provider says so. Beyond ten years it says that it does not.
fn refresh_end(times: Times, seconds: Option<u64>) -> Option<Wall> {
    const MOST: u64 = 10 * 365 * 24 * 3600;
    let seconds = seconds.filter(|seconds| *seconds <= MOST)?;
    Some(times.sent.after(Duration::from_secs(seconds)))
}

fn bad_token(flaw: &verify::Flaw) -> Problem {
    Problem::BadToken {
        reason: flaw.reason(),
    }
}

/// The fuzzer's way in, to what nobody else calls by itself.
#[doc(hidden)]
pub mod fuzzing {
    use broker::clock::Wall;
    use broker::secret::RefreshToken;

    use crate::Times;
    use crate::http::Reply;
    use crate::token::{self, Refusal};

    /// No time at all.
    const TIMES: Times = Times {
        sent: Wall(0),
        came: Wall(0),
        date: None,
    };

    /// What a token endpoint grants.
    #[derive(Debug)]
    pub struct Granted {
        /// The ID token, not looked at yet.
        pub id_token: Option<String>,
        /// The next refresh token.
        pub refresh: Option<RefreshToken>,
        /// For how many seconds that one is good.
        pub refresh_expires_in: Option<u64>,
    }

    /// Reads the body of a token endpoint's 200.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn token_reply(body: &[u8]) -> Result<Granted, String> {
        let granted = token::granted(body, TIMES)?;
        Ok(Granted {
            id_token: granted.id_token,
            refresh: granted.refresh,
            refresh_expires_in: granted.refresh_expires_in,
        })
    }

    /// The provider's own words in any other reply.
    #[must_use]
    pub fn token_refusal(status: u16, body: &[u8]) -> String {
        let reply = Reply {
            status,
            body: body.to_vec(),
            times: TIMES,
        };
        Refusal::read(&reply).words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_nobody_sees_is_none() {
        let times = Times {
            sent: Wall(0),
            came: Wall(0),
            date: None,
        };
        assert_eq!(refresh_end(times, Some(1800)), Some(Wall(1_800_000)));
        assert_eq!(refresh_end(times, Some(u64::MAX)), None);
        assert_eq!(refresh_end(times, None), None);
    }
}
