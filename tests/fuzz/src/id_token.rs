//! ID tokens and the keys that sign them (`provider::verify`, `provider::keys`): nothing is taken
//! that our key did not sign, nor for anybody but us.
//!
//! Input: a byte that chooses, and
//! - `k`: a key set;
//! - `s`: a header and claims, each JSON, with a line end between them: they are signed here, since
//!   no fuzzer can;
//! - anything else: a token as it comes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use broker::clock::Wall;
use provider::Times;
use provider::keys::Keys;
use provider::verify::{Expected, id_token};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::{Decoded, whole};

const ISSUER: &str = "https://sso.example.com/realms/r";
const CLIENT: &str = "kubernetes-client";
const NONCE: &str = "n1";
/// When the tokens of the corpus were made.
const SENT: Wall = Wall(1_790_000_000_000);

pub(crate) fn run(input: &[u8]) -> Decoded {
    let Some((&kind, rest)) = input.split_first() else {
        return Decoded::Refused;
    };
    match kind {
        b'k' => key_set(rest),
        b's' => match signed(rest) {
            Some(token) => token_as_it_comes(&token),
            None => Decoded::Refused,
        },
        _ => match std::str::from_utf8(rest) {
            Ok(token) => token_as_it_comes(token),
            Err(_) => Decoded::Refused,
        },
    }
}

/// A key set of somebody else's makes no signature good that is none.
fn key_set(document: &[u8]) -> Decoded {
    let Ok(keys) = Keys::parse(document) else {
        return Decoded::Refused;
    };
    let token = format!("{}.{}.AAAA", encoded(br#"{"alg":"EdDSA"}"#), encoded(b"{}"));
    assert!(check(&token, &keys).is_none());
    Decoded::Taken
}

fn token_as_it_comes(token: &str) -> Decoded {
    let keys = our_keys();
    let Some(checked) = check(token, &keys) else {
        return Decoded::Refused;
    };
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let signature = decoded(signature).expect("base64");
    UnparsedPublicKey::new(&ED25519, pair().public_key().as_ref())
        .verify(message.as_bytes(), &signature)
        .expect("signed by our key");
    let (header, claims) = message.split_once('.').expect("a header");
    if let Some(header) = whole(&decoded(header).expect("base64")) {
        assert_eq!(header["alg"], "EdDSA");
        assert!(header["crit"].is_null());
    }
    if let Some(claims) = whole(&decoded(claims).expect("base64")) {
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["nonce"], NONCE);
        assert_eq!(claims["sub"], checked.identity.subject.as_str());
        let aud = &claims["aud"];
        let is_among = |all: &Vec<serde_json::Value>| all.iter().any(|one| one == CLIENT);
        assert!(aud == CLIENT || aud.as_array().is_some_and(is_among));
    }
    assert!(!checked.identity.subject.is_empty() && !checked.identity.name.is_empty());
    assert!(checked.expires > SENT, "it had run out");
    Decoded::Taken
}

fn check(token: &str, keys: &Keys) -> Option<provider::verify::Checked> {
    let expected = Expected {
        issuer: ISSUER,
        client_id: CLIENT,
        nonce: Some(NONCE),
        subject: None,
    };
    let times = Times {
        sent: SENT,
        came: Wall(SENT.0 + 40),
        date: Some(SENT.seconds()),
    };
    id_token(token, keys, &expected, times).ok()
}

fn signed(input: &[u8]) -> Option<String> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (header, claims) = input.split_at(end);
    let message = format!("{}.{}", encoded(header), encoded(&claims[1..]));
    let signature = pair().sign(message.as_bytes());
    Some(format!("{message}.{}", encoded(signature.as_ref())))
}

/// A key that everybody may know.
fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes")
}

fn our_keys() -> Keys {
    let point = encoded(pair().public_key().as_ref());
    let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"{point}"}}]}}"#);
    Keys::parse(set.as_bytes()).expect("a key set")
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
