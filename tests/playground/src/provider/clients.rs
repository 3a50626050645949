//! Registered clients: who they are, how they prove it, where they may send a browser.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::Url;

use crate::config::{Basic, Client};

/// OAuth's error reply, in Keycloak's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(StatusCode, &'static str, &'static str);

impl Refusal {
    /// An unknown client, or one that was switched off.
    pub(crate) const INVALID_CLIENT: Self = Self(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "Invalid client or Invalid client credentials",
    );
    /// A known client with a wrong secret.
    pub(crate) const UNAUTHORIZED_CLIENT: Self = Self(
        StatusCode::UNAUTHORIZED,
        "unauthorized_client",
        "Invalid client or Invalid client credentials",
    );

    /// `invalid_grant`, 400.
    pub(crate) const fn grant(description: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, "invalid_grant", description)
    }

    /// `invalid_request`, 400.
    pub(crate) const fn request(description: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// `unsupported_grant_type`, 400.
    pub(crate) const fn grant_type() -> Self {
        Self(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "Unsupported grant_type",
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.1, "error_description": self.2 });
        (self.0, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

/// All clients.
pub(super) struct Clients {
    all: Mutex<Vec<Client>>,
}

impl Clients {
    pub(super) fn new(all: Vec<Client>) -> Self {
        Self {
            all: Mutex::new(all),
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<Client> {
        self.lock().iter().find(|client| client.id == id).cloned()
    }

    pub(super) fn change_secret(&self, id: &str, secret: &str) -> anyhow::Result<()> {
        let mut all = self.lock();
        let client = all
            .iter_mut()
            .find(|client| client.id == id)
            .context("no client of this id")?;
        client.secret = Some(secret.to_owned());
        Ok(())
    }

    /// Who sends this form: by HTTP Basic, by a secret in the form, or as a public client.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        form: &HashMap<String, String>,
    ) -> Result<Client, Refusal> {
        let basic = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| basic(value.to_str().ok()?));
        let Some((id, secret)) = basic else {
            let id = form.get("client_id").ok_or(Refusal::INVALID_CLIENT)?;
            let client = self.find(id).ok_or(Refusal::INVALID_CLIENT)?;
            // A public client's secret is ignored, as Keycloak does.
            let known =
                client.secret.is_none() || client.secret.as_ref() == form.get("client_secret");
            return if known {
                Ok(client)
            } else {
                Err(Refusal::UNAUTHORIZED_CLIENT)
            };
        };
        let decoded = decoded(&id).ok_or(Refusal::INVALID_CLIENT)?;
        let client = self
            .find(&id)
            .filter(|client| client.basic == Basic::Raw)
            .or_else(|| self.find(&decoded))
            .ok_or(Refusal::INVALID_CLIENT)?;
        let known = client.secret.as_ref();
        match client.basic {
            Basic::Raw if known == Some(&secret) => Ok(client),
            // Who compares so, or is told of one way alone, is of those that keep to the RFC's word.
            Basic::Raw | Basic::Refused => Err(Refusal::INVALID_CLIENT),
            Basic::Decoded if known.is_none() || known == self::decoded(&secret).as_ref() => {
                Ok(client)
            }
            Basic::Decoded => Err(Refusal::UNAUTHORIZED_CLIENT),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Client>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Id and secret of a Basic header, as they come.
fn basic(value: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Either half is form-encoded (RFC 6749, 2.3.1).
fn decoded(text: &str) -> Option<String> {
    let pair = format!("x={text}");
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
}

/// Whether a redirect URI is registered.
pub(super) fn redirects(client: &Client, uri: &str) -> bool {
    client
        .redirect_uris
        .iter()
        .any(|registered| matches(registered, uri))
}

fn matches(registered: &str, uri: &str) -> bool {
    if registered == uri {
        return true;
    }
    if let Some(start) = registered.strip_suffix('*') {
        return uri.starts_with(start) || start.strip_suffix([':', '/']) == Some(uri);
    }
    // RFC 8252, 7.3: any port where a loopback URI is registered without one.
    let (Ok(known), Ok(mut asked)) = (Url::parse(registered), Url::parse(uri)) else {
        return false;
    };
    let loopback = matches!(known.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let slash = registered.ends_with('/') == uri.ends_with('/');
    loopback
        && known.scheme() == "http"
        && known.port().is_none()
        && asked.set_port(None).is_ok()
        && slash
        && known == asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_are_compared_as_keycloak_does() {
        for (registered, uri, expected) in [
            ("http://localhost:8000", "http://localhost:8000", true),
            ("http://localhost:8000", "http://localhost:8000/", false),
            ("http://localhost:8000", "http://localhost:18000", false),
            ("http://localhost:8000", "http://127.0.0.1:8000", false),
            ("http://localhost", "http://localhost:41234", true),
            ("http://localhost", "http://localhost:41234/x", false),
            ("http://localhost", "http://127.0.0.1:41234", false),
            ("http://localhost:*", "http://localhost:41234", true),
            ("http://localhost:*", "http://localhost", true),
            (
                "http://localhost/callback",
                "http://localhost:5/callback",
                true,
            ),
            ("https://example.com/*", "https://example.com/a", true),
            ("https://example.com", "https://example.com:444", false),
        ] {
            assert_eq!(matches(registered, uri), expected, "{registered} {uri}");
        }
    }

    #[test]
    fn three_ways_to_prove_it() {
        let public = Client {
            id: "public".to_owned(),
            secret: None,
            ..Client::default()
        };
        let private = Client {
            id: "a b".to_owned(),
            secret: Some("ü:%".to_owned()),
            ..Client::default()
        };
        let raw = Client {
            id: "raw".to_owned(),
            secret: Some("a+/=".to_owned()),
            basic: Basic::Raw,
            ..Client::default()
        };
        let post = Client {
            id: "post".to_owned(),
            secret: Some("a".to_owned()),
            basic: Basic::Refused,
            ..Client::default()
        };
        let clients = Clients::new(vec![public, private, raw, post]);
        let who = |header: Option<&str>, form: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                let value = format!("Basic {}", STANDARD.encode(header));
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            let form = form
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            clients
                .authenticate(&headers, &form.collect())
                .map(|client| client.id)
        };
        assert_eq!(who(Some("a+b:%C3%BC%3A%25"), &[]), Ok("a b".to_owned()));
        assert_eq!(
            who(None, &[("client_id", "a b"), ("client_secret", "ü:%")]),
            Ok("a b".to_owned())
        );
        assert_eq!(
            who(None, &[("client_id", "public")]),
            Ok("public".to_owned())
        );
        assert_eq!(
            who(None, &[("client_id", "a b")]),
            Err(Refusal::UNAUTHORIZED_CLIENT)
        );
        assert_eq!(who(Some("a+b:x"), &[]), Err(Refusal::UNAUTHORIZED_CLIENT));
        assert_eq!(who(Some("x:x"), &[]), Err(Refusal::INVALID_CLIENT));
        assert_eq!(who(None, &[]), Err(Refusal::INVALID_CLIENT));
        let refused = Err(Refusal::INVALID_CLIENT);
        assert_eq!(who(Some("raw:a+/="), &[]), Ok("raw".to_owned()));
        assert_eq!(who(Some("raw:a%2B%2F%3D"), &[]), refused);
        let form = [("client_id", "raw"), ("client_secret", "a+/=")];
        assert_eq!(who(None, &form), Ok("raw".to_owned()));
        assert_eq!(who(Some("post:a"), &[]), refused);
        let form = [("client_id", "post"), ("client_secret", "a")];
        assert_eq!(who(None, &form), Ok("post".to_owned()));
    }
}
