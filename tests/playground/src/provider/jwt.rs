//! JSON Web Tokens, made and read by hand: a library would refuse to make the bad ones.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A token taken apart, its signature unchecked.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    /// What is signed.
    pub(crate) message: &'a str,
    pub(crate) signature: Vec<u8>,
}

/// Takes a token apart.
pub(crate) fn parts(token: &str) -> anyhow::Result<Parts<'_>> {
    let (message, signature) = token.rsplit_once('.').context("no token")?;
    let (header, claims) = message.split_once('.').context("no token")?;
    Ok(Parts {
        header: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?,
        claims: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?,
        message,
        signature: URL_SAFE_NO_PAD.decode(signature)?,
    })
}

/// Puts a token together; `sign` is given what is to be signed.
pub(crate) fn join(
    header: &Value,
    claims: &Value,
    sign: impl FnOnce(&[u8]) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<String> {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_and_taken_apart() {
        let (header, claims) = (serde_json::json!({"alg": "x"}), serde_json::json!({"a": 1}));
        let token = join(&header, &claims, |_| Ok(b"signature".to_vec())).unwrap();
        let parts = parts(&token).unwrap();
        assert_eq!((parts.header, parts.claims), (header, claims));
        assert_eq!(parts.signature, b"signature");
    }

    #[test]
    fn what_is_no_token() {
        for bad in ["", "a", "a.b", "a.b.c", "..", "e30.e30.?"] {
            assert!(parts(bad).is_err(), "{bad}");
        }
    }
}
