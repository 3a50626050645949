//! What nobody can guess: tickets, cookies, state, nonce, PKCE verifier.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use broker::problem::Problem;
use ring::hmac;
use ring::rand::SystemRandom;

/// Words of 256 bits for one attempt. The seed comes from the operating system; the words are
/// HMAC-SHA256 over a count, so that only the seed can fail to come.
pub(crate) struct Random {
    seed: hmac::Key,
    drawn: AtomicU64,
}

impl Random {
    pub(crate) fn from_system() -> Result<Self, Problem> {
        let seed = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
            Problem::Internal {
                reason: "the operating system gives no random numbers".into(),
            }
        })?;
        Ok(Self {
            seed,
            drawn: AtomicU64::new(0),
        })
    }

    /// A new word: 43 characters of base64url, which is also what PKCE wants of a verifier
    /// (RFC 7636 section 4.1).
    pub(crate) fn word(&self) -> String {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed);
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.seed, &count.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_within_an_attempt_and_between_two() {
        let (one, other) = (
            Random::from_system().unwrap(),
            Random::from_system().unwrap(),
        );
        let words = [one.word(), one.word(), other.word(), other.word()];
        for (index, word) in words.iter().enumerate() {
            assert_eq!(word.len(), 43);
            assert!(!words[..index].contains(word));
        }
    }
}
