//! The authorization endpoint and the login form behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::sessions::{Asked, SignedIn};
use super::{LOGIN, Provider, clients, login_page};
use crate::config::{IssParameter, Pkce};
use crate::journal::What;
use crate::random::random_text;

/// The provider's session; whoever has it needs no password.
const IDENTITY: &str = "PLAYGROUND_IDENTITY";
/// Binds a login form to the browser that was shown it.
const FLOW: &str = "PLAYGROUND_FLOW";

/// Login forms that were shown, by the secret in the browser's cookie.
#[derive(Default)]
pub(super) struct Flows(Mutex<HashMap<String, Asked>>);

impl Flows {
    fn begin(&self, asked: Asked) -> String {
        let flow = random_text();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(flow.clone(), asked);
        flow
    }

    fn get(&self, flow: &str) -> Option<Asked> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(flow)
            .cloned()
    }

    fn end(&self, flow: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(flow);
    }
}

/// `GET …/auth`
pub(super) async fn begin(
    State(provider): State<Arc<Provider>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let Some(client) = query
        .get("client_id")
        .and_then(|id| provider.clients.find(id))
    else {
        return login_page::refusal("Client not found.");
    };
    let Some(redirect_uri) = query
        .get("redirect_uri")
        .filter(|uri| clients::redirects(&client, uri))
    else {
        return login_page::refusal("Invalid parameter: redirect_uri");
    };
    let value = |name: &str| query.get(name).cloned();
    let asked = Asked {
        client: client.id.clone(),
        redirect_uri: redirect_uri.clone(),
        scope: value("scope").unwrap_or_default(),
        state: value("state"),
        nonce: value("nonce"),
        challenge: value("code_challenge"),
    };
    if let Some((error, description)) = objection(&query, client.pkce) {
        return back(
            &provider,
            &asked,
            &[("error", error), ("error_description", description)],
        );
    }
    let prompt = query.get("prompt").map_or("", String::as_str);
    let known = cookie(&headers, IDENTITY).and_then(|identity| provider.sessions.known(&identity));
    match known {
        Some(known) if prompt != "login" => finish(&provider, &asked, &known, true),
        Some(_) | None if prompt == "none" => {
            back(&provider, &asked, &[("error", "login_required")])
        }
        Some(_) | None => {
            provider.journal.write(What::LoginShown {
                client: client.id.clone(),
            });
            let flow = provider.flows.begin(asked);
            let form = login_page::form(&provider.url(LOGIN), &client.id, "", None);
            with_cookie(&provider, form, FLOW, &flow)
        }
    }
}

/// Why a request is sent back, as OAuth's error and a text.
fn objection(query: &HashMap<String, String>, pkce: Pkce) -> Option<(&'static str, &'static str)> {
    match query.get("response_type").map(String::as_str) {
        Some("code") => {}
        Some(_) => return Some(("unsupported_response_type", "")),
        None => return Some(("invalid_request", "Missing parameter: response_type")),
    }
    let method = query.get("code_challenge_method").map(String::as_str);
    match (pkce, query.get("code_challenge"), method) {
        (Pkce::Refused, None, None) | (Pkce::Optional, None, _) => None,
        (Pkce::Refused, _, _) => Some((
            "invalid_request",
            "Invalid parameter: code_challenge is not supported",
        )),
        (Pkce::Required, None, _) => Some((
            "invalid_request",
            "Missing parameter: code_challenge_method",
        )),
        (Pkce::Optional | Pkce::Required, Some(challenge), Some("S256")) => (challenge.len() != 43)
            .then_some(("invalid_request", "Invalid parameter: code_challenge")),
        (Pkce::Optional | Pkce::Required, Some(_), _) => Some((
            "invalid_request",
            "Invalid parameter: code_challenge_method",
        )),
    }
}

/// `POST …/login-actions/authenticate`
pub(super) async fn log_in(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let flow = cookie(&headers, FLOW);
    let Some((flow, asked)) =
        flow.and_then(|flow| Some((flow.clone(), provider.flows.get(&flow)?)))
    else {
        return login_page::refusal("Cookie not found. Please make sure cookies are enabled.");
    };
    if form.contains_key("cancel") {
        provider.flows.end(&flow);
        return back(&provider, &asked, &[("error", "access_denied")]);
    }
    let typed = |name: &str| form.get(name).map_or("", String::as_str);
    let (name, password) = (typed("username"), typed("password"));
    let users = &provider.config.users;
    if !users
        .iter()
        .any(|user| user.name == name && user.password == password)
    {
        provider.journal.write(What::LoginFailed {
            user: name.to_owned(),
        });
        let error = Some("Invalid username or password.");
        return login_page::form(&provider.url(LOGIN), &asked.client, name, error);
    }
    provider.flows.end(&flow);
    let (identity, signed_in) = provider.sessions.sign_in(name);
    let reply = finish(&provider, &asked, &signed_in, false);
    with_cookie(&provider, reply, IDENTITY, &identity)
}

fn finish(provider: &Provider, asked: &Asked, signed_in: &SignedIn, silent: bool) -> Response {
    let code = provider.sessions.code(asked, signed_in, silent);
    back(
        provider,
        asked,
        &[("session_state", &signed_in.sid), ("code", &code)],
    )
}

/// Sends the browser back to the client.
fn back(provider: &Provider, asked: &Asked, parameters: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(&asked.redirect_uri) else {
        return login_page::refusal("Invalid parameter: redirect_uri");
    };
    {
        let mut pairs = url.query_pairs_mut();
        if let Some(state) = &asked.state {
            pairs.append_pair("state", state);
        }
        pairs.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
        match provider.config.iss_parameter {
            IssParameter::Announced | IssParameter::Unannounced => {
                pairs.append_pair("iss", &provider.issuer);
            }
            IssParameter::Absent => {}
        }
    }
    (StatusCode::FOUND, [(header::LOCATION, url.to_string())]).into_response()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(its, _)| *its == name)
        .map(|(_, value)| value.to_owned())
}

fn with_cookie(provider: &Provider, mut reply: Response, name: &str, value: &str) -> Response {
    let secure = if provider.config.tls { "; Secure" } else { "" };
    let cookie = format!(
        "{name}={value}; Path={}/; HttpOnly; SameSite=Lax{secure}",
        provider.base()
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        reply.headers_mut().append(header::SET_COOKIE, cookie);
    }
    reply
}
