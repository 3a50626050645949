//! A browser and a client in one: what a person and a login helper do at the provider.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, TokenData, Validation};
use playground::{Config, Playground};
use reqwest::{Client, Response, StatusCode, header};
use ring::digest;
use serde_json::Value;
use url::Url;

const VERIFIER: &str = "a-verifier-that-is-long-enough-to-be-one-by-the-standard";
pub(crate) const REDIRECT_URI: &str = "http://localhost:8000";
pub(crate) const CLIENT: &str = "kubernetes-client";
pub(crate) const SECRET: &str = "kubefob-playground-client-secret";

pub(crate) struct Visitor {
    pub(crate) http: Client,
    pub(crate) issuer: String,
    cookies: HashMap<String, String>,
}

/// A playground and somebody at its door.
pub(crate) async fn start(config: Config) -> (Playground, Visitor) {
    let playground = Playground::start(config).await.unwrap();
    let visitor = Visitor::new(&playground);
    (playground, visitor)
}

pub(crate) fn http(ca_pem: &str) -> Client {
    let ca = reqwest::Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([ca])
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

impl Visitor {
    pub(crate) fn new(playground: &Playground) -> Self {
        let (http, issuer) = (http(playground.ca_pem()), playground.issuer().to_owned());
        Self {
            http,
            issuer,
            cookies: HashMap::new(),
        }
    }

    pub(crate) async fn discovery(&self) -> Value {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub(crate) fn endpoint(&self, name: &str) -> String {
        format!("{}/protocol/openid-connect/{name}", self.issuer)
    }

    pub(crate) async fn get(&mut self, url: &str) -> Response {
        let request = self.http.get(url).header(header::COOKIE, self.cookie());
        self.keep(request.send().await.unwrap())
    }

    pub(crate) async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(url).header(header::COOKIE, self.cookie());
        self.keep(request.form(form).send().await.unwrap())
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&mut self, response: Response) -> Response {
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    /// The authorization URL, `changes` made to its parameters; an empty value takes one away.
    pub(crate) fn authorization_url(&self, changes: &[(&str, &str)]) -> String {
        let challenge = digest::digest(&digest::SHA256, VERIFIER.as_bytes());
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let mut parameters = vec![
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid"),
            ("access_type", "offline"),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        parameters.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        parameters.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        Url::parse_with_params(&self.endpoint("auth"), parameters)
            .unwrap()
            .into()
    }

    pub(crate) async fn authorize(&mut self, changes: &[(&str, &str)]) -> Response {
        let url = self.authorization_url(changes);
        self.get(&url).await
    }

    pub(crate) async fn log_in(&mut self, user: &str, password: &str) -> Response {
        let url = format!("{}/login-actions/authenticate", self.issuer);
        self.post(&url, &[("username", user), ("password", password)])
            .await
    }

    /// What the browser is sent back with, after a login page where there is one.
    pub(crate) async fn callback(&mut self, changes: &[(&str, &str)]) -> HashMap<String, String> {
        let mut response = self.authorize(changes).await;
        if response.status() == StatusCode::OK {
            response = self.log_in("test", "test").await;
        }
        location(&response)
    }

    pub(crate) async fn exchange(&mut self, code: &str, changes: &[(&str, &str)]) -> Response {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
            ("code_verifier", VERIFIER),
        ];
        form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        form.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let url = self.endpoint("token");
        self.post(&url, &form).await
    }

    /// A whole sign-in; the token reply.
    pub(crate) async fn sign_in(&mut self) -> Value {
        let code = self.callback(&[]).await["code"].clone();
        let response = self.exchange(&code, &[]).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub(crate) async fn refresh(&mut self, token: &str) -> Response {
        let url = self.endpoint("token");
        self.post(
            &url,
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("client_id", CLIENT),
                ("client_secret", SECRET),
            ],
        )
        .await
    }

    /// The ID token's claims, if jsonwebtoken finds nothing to object to.
    pub(crate) async fn verify(&self, tokens: &Value) -> Result<Value, String> {
        let jwks: JwkSet = {
            let response = self.http.get(self.endpoint("certs")).send().await.unwrap();
            response.json().await.unwrap()
        };
        let token = text(&tokens["id_token"]);
        let header = jsonwebtoken::decode_header(&token).map_err(|error| error.to_string())?;
        let jwk = jwks
            .find(header.kid.as_deref().unwrap_or_default())
            .ok_or("no such kid")?;
        let key = DecodingKey::from_jwk(jwk).unwrap();
        let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.set_audience(&[CLIENT]);
        validation.set_issuer(&[&self.issuer]);
        let read: TokenData<Value> = jsonwebtoken::decode(&token, &key, &validation)
            .map_err(|error| format!("{:?}", error.kind()))?;
        Ok(read.claims)
    }
}

/// The parameters of a redirect back to the client.
pub(crate) fn location(response: &Response) -> HashMap<String, String> {
    assert_eq!(response.status(), StatusCode::FOUND);
    let url = response.headers()[header::LOCATION].to_str().unwrap();
    assert!(url.starts_with(REDIRECT_URI), "{url}");
    Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// A part of a token, unverified.
pub(crate) fn part(token: &Value, index: usize) -> Value {
    let token = text(token);
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Status, `error` and `error_description` of an OAuth refusal.
pub(crate) async fn refusal(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let json: Value = response.json().await.unwrap();
    (
        status,
        text(&json["error"]),
        text(&json["error_description"]),
    )
}
