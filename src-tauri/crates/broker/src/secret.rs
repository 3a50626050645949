//! What must never be printed. Each type prints `****`; the content of the first two comes out
//! through [`secrecy::ExposeSecret`] alone, which `clippy.toml` forbids everywhere but in
//! `provider` and `runtime/vault`.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Takes a secret in.
            #[must_use]
            pub fn new(content: String) -> Self {
                Self(content.into())
            }

            /// A digest by which two of them can be told apart and which gives nothing away
            /// (SHA-256, hexadecimal).
            #[must_use]
            #[allow(clippy::disallowed_methods, reason = "a digest is all that leaves")]
            pub fn fingerprint(&self) -> String {
                hex(ring::digest::digest(&ring::digest::SHA256, self.0.expose_secret().as_bytes()).as_ref())
            }
        }

        impl ExposeSecret<str> for $name {
            #[allow(clippy::disallowed_methods, reason = "the one door, itself forbidden by name")]
            fn expose_secret(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("****")
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.fingerprint() == other.fingerprint()
            }
        }

        impl Eq for $name {}
    };
}

secret! {
    /// An OAuth refresh token (RFC 6749 section 1.5).
    RefreshToken
}
secret! {
    /// An OAuth client secret (RFC 6749 section 2.3.1).
    ClientSecret
}

impl ClientSecret {
    /// Whether there is nothing in it.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "that it is empty is no secret")]
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }
}

/// What a person typed, in the one command that carries it.
impl<'de> Deserialize<'de> for ClientSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

/// It leaves by no JSON.
impl Serialize for ClientSecret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("****")
    }
}

/// The bearer token that kubectl is given: an ID token (OIDC Core section 2). It is made to leave
/// the resident, in one reply to one asker of a trusted pair, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(String);

impl BearerToken {
    /// Takes a token in.
    #[must_use]
    pub fn new(content: String) -> Self {
        Self(content)
    }

    /// A digest by which two of them can be told apart and which gives nothing away (SHA-256, hexadecimal).
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(ring::digest::digest(&ring::digest::SHA256, self.0.as_bytes()).as_ref())
    }

    /// The token itself, for the one reply that carries it and for the vault.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl Drop for BearerToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        let printed = format!(
            "{:?} {:?} {:?}",
            RefreshToken::new("hunter2".into()),
            ClientSecret::new("hunter2".into()),
            BearerToken::new("hunter2".into()),
        );
        assert_eq!(printed, "**** **** ****");
        let typed: ClientSecret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(typed, ClientSecret::new("hunter2".into()));
        assert_eq!(serde_json::to_string(&typed).unwrap(), "\"****\"");
    }
}
