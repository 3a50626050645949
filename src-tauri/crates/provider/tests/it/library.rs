//! What openidconnect can't read and people's providers send: why discovery, token replies, keys and
//! claims are read by code of our own. Where a line here fails after an upgrade of it, our code for
//! that line can go.

use openidconnect::core::{
    CoreIdToken, CoreJsonWebKeySet, CoreProviderMetadata, CoreTokenResponse,
};
use serde_json::{Value, json};

fn reads<T: serde::de::DeserializeOwned>(document: &Value) -> bool {
    serde_json::from_value::<T>(document.clone()).is_ok()
}

fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut document = base.clone();
    document[name] = value;
    document
}

fn without(base: &Value, name: &str) -> Value {
    let mut document = base.clone();
    document.as_object_mut().unwrap().remove(name);
    document
}

#[test]
fn discovery_needs_fields_that_nobody_uses() {
    let whole = json!({
        "issuer": "https://a", "authorization_endpoint": "https://a/auth",
        "token_endpoint": "https://a/token", "jwks_uri": "https://a/certs",
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    assert!(reads::<CoreProviderMetadata>(&whole));
    for unused in [
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        let document = without(&whole, unused);
        assert!(!reads::<CoreProviderMetadata>(&document), "{unused}");
        let document = serde_json::to_vec(&document).unwrap();
        assert!(provider::discovery::parse(&document, "https://a").is_ok());
    }
}

#[test]
fn token_replies_need_an_access_token_and_numbers_that_are_none() {
    let whole = json!({"access_token": "a", "token_type": "Bearer", "refresh_token": "r"});
    assert!(reads::<CoreTokenResponse>(&whole));
    for odd in [
        with(&whole, "expires_in", json!("300")),
        with(&whole, "expires_in", json!(300.0)),
        without(&whole, "token_type"),
    ] {
        // The refresh token in it would be lost, and with it the session.
        assert!(!reads::<CoreTokenResponse>(&odd), "{odd}");
        assert!(provider::fuzzing::token_reply(odd.to_string().as_bytes()).is_ok());
    }
}

#[test]
fn id_tokens_need_claims_that_nobody_uses_to_be_well_typed() {
    use base64::Engine as _;
    let token = |claims: &Value| {
        let part = |value: &Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        let header = json!({"alg": "RS256"});
        Value::String(format!("{}.{}.AAAA", part(&header), part(claims)))
    };
    let whole = json!({"iss": "https://a", "sub": "s", "aud": "c", "iat": 1, "exp": 2});
    assert!(reads::<CoreIdToken>(&token(&whole)));
    // The tokens in `verify/tests.rs` with these claims hold.
    for odd in [
        with(&whole, "email_verified", json!("true")),
        with(&whole, "updated_at", json!("2026-11-24T00:00:00Z")),
        with(&whole, "address", json!("Seoul")),
    ] {
        assert!(!reads::<CoreIdToken>(&token(&odd)), "{odd}");
    }
}

#[test]
fn keys_below_2048_bits_are_taken() {
    let weak = json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]});
    let keys: CoreJsonWebKeySet = serde_json::from_value(weak).unwrap();
    assert_eq!(keys.keys().len(), 1, "ring refuses them");
}
