//! The token endpoint, revocation and the end of a session.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde_json::{Value, json};

use super::Provider;
use super::clients::Refusal;
use super::sessions::Grant;
use crate::config::Algorithm;
use crate::random::{random_text, sha256};

/// `POST …/token`
pub(super) async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = form(&body);
    let client = match provider.clients.authenticate(&headers, &form) {
        Ok(client) => client,
        Err(refusal) => return refusal.into_response(),
    };
    let grant = match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => provider.sessions.redeem(&client.id, &form),
        Some("refresh_token") => match form.get("refresh_token") {
            Some(token) => provider.sessions.refresh(&client.id, token),
            None => Err(Refusal::request("No refresh token")),
        },
        Some(_) => Err(Refusal::grant_type()),
        None => Err(Refusal::request("Missing form parameter: grant_type")),
    };
    match grant {
        Ok(grant) => tokens(&provider, &grant),
        Err(refusal) => refusal.into_response(),
    }
}

/// `POST …/revoke`
pub(super) async fn revoke(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = form(&body);
    let client = match provider.clients.authenticate(&headers, &form) {
        Ok(client) => client,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(token) = form.get("token") else {
        return Refusal::request("Token not provided").into_response();
    };
    // RFC 7009, 2.2: a token that nobody knows is as good as revoked.
    provider.sessions.revoke(&client.id, token);
    StatusCode::OK.into_response()
}

/// `POST …/logout` with a refresh token: the back channel's sign-out.
pub(super) async fn end_session(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = form(&body);
    let client = match provider.clients.authenticate(&headers, &form) {
        Ok(client) => client,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(token) = form.get("refresh_token") else {
        return Refusal::request("No refresh token").into_response();
    };
    match provider.sessions.sign_out(&client.id, token) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn form(body: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

fn tokens(provider: &Provider, grant: &Grant) -> Response {
    match reply(provider, grant) {
        Ok(reply) => ([(header::CACHE_CONTROL, "no-store")], Json(reply)).into_response(),
        Err(error) => {
            tracing::error!(%error, "no tokens");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn reply(provider: &Provider, grant: &Grant) -> anyhow::Result<Value> {
    let user = provider
        .config
        .users
        .iter()
        .find(|user| user.name == grant.user);
    let user = user.context("no such user")?;
    let now = provider.clock.now();
    let token_seconds = provider.token_seconds.load(Ordering::SeqCst);
    let common = json!({
        "exp": now + token_seconds,
        "iat": now,
        "auth_time": grant.auth_time,
        "jti": random_text(),
        "iss": provider.issuer,
        "sub": subject(&user.name),
        "azp": grant.client,
        "sid": grant.sid,
        "acr": "1",
        "email_verified": false,
        "preferred_username": user.name,
        "groups": provider.groups_of(&user.groups),
    });
    let mut access = common.clone();
    access["typ"] = json!("Bearer");
    access["scope"] = json!(grant.scope);
    let access_token = provider.keys.sign(&access)?;
    let mut reply = json!({
        "access_token": access_token,
        "expires_in": token_seconds,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "session_state": grant.sid,
        "scope": grant.scope,
    });
    if let Some(token) = &grant.refresh_token {
        reply["refresh_token"] = json!(token);
        reply["refresh_expires_in"] = json!(grant.refresh_expires_in);
    }
    if grant.scope.split(' ').any(|scope| scope == "openid") {
        let mut id = common;
        id["typ"] = json!("ID");
        id["aud"] = audience(provider, &grant.client);
        id["at_hash"] = json!(at_hash(provider.config.algorithm, &access_token));
        if let Some(nonce) = &grant.nonce {
            id["nonce"] = json!(nonce);
        }
        reply["id_token"] = json!(provider.keys.sign(&id)?);
    }
    Ok(reply)
}

fn audience(provider: &Provider, client: &str) -> Value {
    let extra = &provider.config.extra_audiences;
    if extra.is_empty() {
        return json!(client);
    }
    json!(
        std::iter::once(client)
            .chain(extra.iter().map(String::as_str))
            .collect::<Vec<_>>()
    )
}

/// A `sub` that is the user's own in every run.
fn subject(user: &str) -> String {
    let hex: String = sha256(user)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..32]
    )
}

/// The ID token's `at_hash`.
pub(crate) fn at_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::RS256 | Algorithm::ES256 => &digest::SHA256,
        Algorithm::EdDSA => &digest::SHA512,
    };
    let hash = digest::digest(hash, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}
