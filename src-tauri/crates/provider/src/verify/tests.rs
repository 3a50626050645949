//! Tables of tokens, good and bad.

use ring::rand::SystemRandom;
use ring::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
const RSA: &[u8] = include_bytes!("../../../../../tests/playground/keys/rsa-1.der");

/// A provider's key of our own.
enum Key {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

fn ed25519() -> Key {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Key::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
}

fn p256() -> Key {
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    Key::P256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
}

fn rsa() -> Key {
    let pair = RsaKeyPair::from_der(RSA).or_else(|_| RsaKeyPair::from_pkcs8(RSA));
    Key::Rsa(pair.unwrap())
}

impl Key {
    fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)})
            }
            Self::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "use": "sig",
                       "n": text(&public.n), "e": text(&public.e)})
            }
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    other => panic!("{other}"),
                };
                let mut mark = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut mark).unwrap();
                mark
            }
        }
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let algorithm = header["alg"].as_str().unwrap();
        let mark = URL_SAFE_NO_PAD.encode(self.sign(algorithm, message.as_bytes()));
        format!("{message}.{mark}")
    }
}

fn keys(keys: &[Value]) -> Keys {
    Keys::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn claims(change: Value) -> Value {
    let mut claims = json!({"iss": "https://a", "sub": "s", "aud": "c", "nonce": "n",
        "iat": NOW, "exp": NOW + 300, "preferred_username": "test", "groups": ["g"]});
    for (name, value) in change.as_object().unwrap() {
        let claims = claims.as_object_mut().unwrap();
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims
}

const EXPECTED: Expected<'_> = Expected {
    issuer: "https://a",
    client_id: "c",
    nonce: Some("n"),
    subject: None,
};

/// Sent and answered within a second; our clock is ahead of the provider's by so much.
fn times(ahead: i64) -> Times {
    let sent = Wall::from_seconds(NOW + ahead);
    Times {
        sent,
        came: sent.shifted(1000),
        date: Some(NOW),
    }
}

fn check_claims(change: Value, expected: &Expected<'_>) -> Result<Checked, Flaw> {
    let key = ed25519();
    let token = key.token(&json!({"alg": "EdDSA"}), &claims(change));
    id_token(&token, &keys(&[key.jwk()]), expected, times(0))
}

#[test]
fn what_a_token_must_say() {
    for (change, flaw) in [
        (json!({}), None),
        (json!({"aud": ["c", "other"], "azp": "c"}), None),
        (json!({"aud": ["other", "c"]}), None),
        (
            json!({"email_verified": "maybe", "updated_at": {}, "address": 1}),
            None,
        ),
        (json!({"iat": null}), Some("iat")),
        (json!({"exp": NOW as f64 + 300.5}), None),
        (json!({"iat": NOW + 30}), None),
        (json!({"iss": "https://a/"}), Some("issuer")),
        (json!({"iss": null}), Some("issuer")),
        (json!({"aud": "other"}), Some("aud")),
        (json!({"aud": []}), Some("aud")),
        (json!({"aud": null}), Some("aud")),
        (json!({"aud": ["c", "other"], "azp": "other"}), Some("azp")),
        (json!({"nonce": "m"}), Some("nonce")),
        (json!({"nonce": null}), Some("nonce")),
        (json!({"sub": ""}), Some("sub")),
        (json!({"sub": null}), Some("sub")),
        (json!({"sub": 7}), Some("claims")),
        (json!({"exp": null}), Some("exp")),
        (json!({"exp": "soon"}), Some("exp")),
        (json!({"exp": NOW}), Some("exp")),
        (json!({"exp": -1}), Some("exp")),
        (json!({"exp": 1e300}), Some("exp")),
        (json!({"exp": NOW + 400 * 86_400}), Some("exp")),
        (json!({"iat": NOW + 100, "exp": NOW + 60}), Some("exp")),
        (json!({"iat": NOW + 3600, "exp": NOW + 7200}), Some("iat")),
        (json!({"nbf": NOW + 3600}), Some("nbf")),
    ] {
        let found = check_claims(change.clone(), &EXPECTED);
        match (flaw, &found) {
            (None, Ok(_)) => {}
            (Some(word), Err(flaw)) => {
                assert!(flaw.reason().contains(word), "{change}: {flaw:?}");
            }
            (_, found) => panic!("{change}: {found:?}"),
        }
    }
}

#[test]
fn a_refreshed_token_is_the_same_person_s_and_for_us() {
    let refresh = Expected {
        nonce: None,
        subject: Some("s"),
        ..EXPECTED
    };
    for (change, good) in [
        (json!({}), true),
        (json!({"nonce": null}), true),
        (json!({"aud": ["c"]}), true),
        (json!({"sub": "other"}), false),
        // An audience that was added at the provider since.
        (json!({"aud": ["c", "other"]}), true),
        (json!({"aud": ["c", "other"], "azp": "c"}), true),
        (json!({"aud": ["c", "other"], "azp": "other"}), false),
        (json!({"aud": ["other"]}), false),
    ] {
        assert_eq!(
            check_claims(change.clone(), &refresh).is_ok(),
            good,
            "{change}"
        );
    }
}

#[test]
fn who_it_is() {
    for (change, name, groups) in [
        (json!({}), "test", vec!["g"]),
        (
            json!({"preferred_username": null, "email": "e", "name": "n"}),
            "e",
            vec!["g"],
        ),
        (
            json!({"preferred_username": " ", "name": "n", "groups": "one"}),
            "n",
            vec!["one"],
        ),
        (
            json!({"preferred_username": 7, "groups": {"a": 1}}),
            "s",
            vec![],
        ),
        (
            json!({"groups": ["a", 1, null, "b"]}),
            "test",
            vec!["a", "b"],
        ),
    ] {
        let identity = check_claims(change.clone(), &EXPECTED).unwrap().identity;
        assert_eq!(
            (identity.name.as_str(), identity.groups),
            (name, groups.iter().map(ToString::to_string).collect()),
            "{change}"
        );
    }
}

#[test]
fn a_clock_that_is_off_does_no_harm() {
    for ahead in [-31_536_000, -86_400, -600, 0, 600, 86_400, 31_536_000] {
        let key = ed25519();
        let token = key.token(&json!({"alg": "EdDSA"}), &claims(json!({})));
        let keys = keys(&[key.jwk()]);
        let checked = id_token(&token, &keys, &EXPECTED, times(ahead)).unwrap();
        assert_eq!(checked.expires, Wall::from_seconds(NOW + ahead + 300));
        assert_eq!(checked.skew_ms, -ahead * 1000);
        let silent = Times {
            date: None,
            ..times(ahead)
        };
        let checked = id_token(&token, &keys, &EXPECTED, silent).unwrap();
        assert_eq!(checked.skew_ms, -ahead * 1000, "from iat");
    }
}

#[test]
fn a_token_of_another_time_says_by_how_much() {
    const YEAR: i64 = 365 * 86_400;
    for (change, reason) in [
        (
            json!({"iat": NOW + YEAR, "exp": NOW + YEAR + 300}),
            "it was issued in the future (iat), by 364 days: a clock is off",
        ),
        (
            json!({"nbf": NOW + 2 * 3600}),
            "it is not valid yet (nbf), by 105 minutes: a clock is off",
        ),
        (
            json!({"iat": NOW - YEAR, "exp": NOW - YEAR + 300}),
            "it has run out (exp), by 364 days: a clock is off",
        ),
        (
            json!({"exp": NOW}),
            "it has run out (exp), by 1 s: a clock is off",
        ),
    ] {
        let flaw = check_claims(change.clone(), &EXPECTED).unwrap_err();
        assert_eq!(flaw.reason(), reason, "{change}");
    }
}

#[test]
fn a_name_that_keys_have_is_tried_with_no_other() {
    let (mine, other) = (p256(), p256());
    let named = |key: &Key, name: &str| {
        let mut jwk = key.jwk();
        jwk["kid"] = json!(name);
        jwk
    };
    let token = mine.token(&json!({"alg": "ES256", "kid": "k"}), &claims(json!({})));
    for (set, good) in [
        (vec![named(&other, "k"), named(&mine, "k")], true),
        (vec![named(&other, "k"), named(&mine, "l")], false),
        (vec![named(&other, "k"), mine.jwk()], false),
        (vec![named(&other, "l"), mine.jwk()], true),
    ] {
        let checked = id_token(&token, &keys(&set), &EXPECTED, times(0));
        assert_eq!(checked.is_ok(), good, "{set:?}");
    }
    // Not even a provider's own are all tried.
    let many: Vec<_> = std::iter::repeat_with(|| named(&other, "k"))
        .take(64)
        .collect();
    let set = [many, vec![named(&mine, "k")]].concat();
    let checked = id_token(&token, &keys(&set), &EXPECTED, times(0));
    assert_eq!(checked, Err(Flaw::Signature));
}

#[test]
fn a_token_that_was_made_earlier_has_less_left() {
    let made = check_claims(json!({"iat": NOW - 200, "exp": NOW + 100}), &EXPECTED).unwrap();
    assert_eq!(made.expires, Wall::from_seconds(NOW + 100));
}

#[test]
fn signatures_of_each_kind_hold() {
    for (key, algorithm) in [
        (ed25519(), "EdDSA"),
        (p256(), "ES256"),
        (rsa(), "RS256"),
        (rsa(), "RS384"),
        (rsa(), "RS512"),
        (rsa(), "PS256"),
    ] {
        let mut named = key.jwk();
        named["kid"] = json!("k");
        let header = json!({"alg": algorithm, "kid": "k"});
        let bare = json!({"alg": algorithm});
        let sets = [
            (vec![named.clone()], &header),
            (vec![key.jwk()], &header),
            (vec![named.clone()], &bare),
            (vec![ed25519().jwk(), p256().jwk(), key.jwk()], &bare),
            (
                vec![
                    json!({"kty": "oct"}),
                    json!(7),
                    json!({"kty": "RSA"}),
                    named,
                ],
                &header,
            ),
        ];
        for (set, header) in sets {
            let token = key.token(header, &claims(json!({})));
            let checked = id_token(&token, &keys(&set), &EXPECTED, times(0));
            assert!(checked.is_ok(), "{algorithm} {header} {checked:?}");
        }
    }
}

#[test]
fn signatures_that_do_not_hold() {
    let key = rsa();
    let mut named = key.jwk();
    named["kid"] = json!("k");
    let good = key.token(&json!({"alg": "RS256", "kid": "k"}), &claims(json!({})));
    let (message, mark) = good.rsplit_once('.').unwrap();
    let header = |header: Value| URL_SAFE_NO_PAD.encode(header.to_string());
    let payload = good.split('.').nth(1).unwrap();
    let with = |change: &str, value: &str| {
        let mut key = named.clone();
        key[change] = json!(value);
        vec![key]
    };
    let set = vec![named.clone()];
    let none = Flaw::Content("its signature algorithm is not accepted");
    for (what, token, set, flaw) in [
        (
            "another key",
            good.clone(),
            vec![ed25519().jwk()],
            Flaw::Signature,
        ),
        ("no keys", good.clone(), vec![], Flaw::Signature),
        (
            "another key's name",
            good.clone(),
            with("kid", "other"),
            Flaw::Signature,
        ),
        (
            "a key to encrypt",
            good.clone(),
            with("use", "enc"),
            Flaw::Signature,
        ),
        (
            "another algorithm's key",
            good.clone(),
            with("alg", "PS256"),
            Flaw::Signature,
        ),
        (
            "none",
            format!("{}.{payload}.", header(json!({"alg": "none"}))),
            set.clone(),
            none.clone(),
        ),
        (
            "None",
            format!("{}.{payload}.", header(json!({"alg": "None"}))),
            set.clone(),
            none.clone(),
        ),
        (
            "HS256",
            format!("{}.{payload}.{mark}", header(json!({"alg": "HS256"}))),
            set.clone(),
            none.clone(),
        ),
        (
            "ES512",
            format!("{}.{payload}.{mark}", header(json!({"alg": "ES512"}))),
            set.clone(),
            none,
        ),
        (
            "no mark",
            format!("{message}."),
            set.clone(),
            Flaw::Signature,
        ),
        (
            "its own key",
            key.token(
                &json!({"alg": "RS256", "jwk": named, "jku": "https://evil"}),
                &claims(json!({})),
            ),
            vec![],
            Flaw::Signature,
        ),
        (
            "crit",
            key.token(
                &json!({"alg": "RS256", "crit": ["b64"], "b64": false}),
                &claims(json!({})),
            ),
            set.clone(),
            Flaw::Content("it has rules of its own (crit)"),
        ),
        (
            "words",
            "a.b.c".into(),
            set.clone(),
            Flaw::Content("it is no signed token"),
        ),
        (
            "nothing",
            String::new(),
            set.clone(),
            Flaw::Content("it is no signed token"),
        ),
        (
            "five parts",
            format!("{good}.x.y"),
            set.clone(),
            Flaw::Content("it is no signed token"),
        ),
        (
            "too long",
            format!("{good}{}", "A".repeat(65_536)),
            set,
            Flaw::Content("it is longer than 64 KB"),
        ),
    ] {
        let found = id_token(&token, &keys(&set), &EXPECTED, times(0));
        match found {
            Err(found) if found == flaw => {}
            // More parts make the header, the payload or the mark unreadable, one of them.
            Err(Flaw::Content(_) | Flaw::Signature) if what == "five parts" => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}
