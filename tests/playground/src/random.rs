//! Random texts, and names for secrets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

/// 32 random bytes as text.
pub(crate) fn random_text() -> String {
    let mut bytes = [0; 32];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        tracing::error!("the system gives no random bytes");
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A short name of a secret: the first half of its SHA-256 in hexadecimal.
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    sha256(secret)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The SHA-256 of a text.
pub(crate) fn sha256(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .to_vec()
}
