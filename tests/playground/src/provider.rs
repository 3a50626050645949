//! The OpenID Provider: what it remembers, and its paths. It is honest; see `misbehave`.

mod authorize;
mod clients;
mod discovery;
pub(crate) mod jwt;
mod keys;
mod login_page;
mod sessions;
mod token;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::Method;
use axum::routing::{get, post};

use crate::clock::Clock;
use crate::config::{Config, Rotation};
use crate::fault::{Endpoint, Fault, Faults};
use crate::journal::Journal;
use authorize::Flows;
use clients::Clients;
pub(crate) use keys::Keys;
use sessions::Sessions;
pub(crate) use token::at_hash;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const JWKS: &str = "/protocol/openid-connect/certs";
const AUTHORIZE: &str = "/protocol/openid-connect/auth";
const LOGIN: &str = "/login-actions/authenticate";
const TOKEN: &str = "/protocol/openid-connect/token";
const REVOKE: &str = "/protocol/openid-connect/revoke";
const END_SESSION: &str = "/protocol/openid-connect/logout";

/// The provider.
pub(crate) struct Provider {
    pub(crate) config: Config,
    pub(crate) issuer: String,
    pub(crate) clock: Arc<Clock>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) faults: Faults,
    pub(crate) keys: Keys,
    token_seconds: AtomicI64,
    /// Everybody's groups; none: as each is configured.
    groups: Mutex<Option<Vec<String>>>,
    clients: Clients,
    sessions: Sessions,
    flows: Flows,
}

impl Provider {
    pub(crate) fn new(config: Config, port: u16) -> anyhow::Result<Self> {
        let scheme = if config.tls { "https" } else { "http" };
        let clock = Arc::new(Clock::default());
        let journal = Arc::new(Journal::new(Arc::clone(&clock)));
        Ok(Self {
            issuer: format!("{scheme}://localhost:{port}{}", config.issuer_path),
            keys: Keys::new(&config)?,
            token_seconds: AtomicI64::new(config.token_seconds),
            groups: Mutex::default(),
            clients: Clients::new(config.clients.clone()),
            sessions: Sessions::new(&config, Arc::clone(&clock), Arc::clone(&journal)),
            flows: Flows::default(),
            faults: Faults::default(),
            config,
            clock,
            journal,
        })
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        let at = |path: &str| format!("{}{path}", self.base());
        Router::new()
            .route(&at(DISCOVERY), get(discovery::document))
            .route(&at(JWKS), get(discovery::jwks))
            .route(&at(AUTHORIZE), get(authorize::begin))
            .route(&at(LOGIN), post(authorize::log_in))
            .route(&at(TOKEN), post(token::token))
            .route(&at(REVOKE), post(token::revoke))
            .route(&at(END_SESSION), post(token::end_session))
            .with_state(self)
    }

    /// Which endpoint a request is for. `body` tells a code from a refresh token.
    pub(crate) fn endpoint(&self, method: &Method, path: &str, body: &[u8]) -> Option<Endpoint> {
        let endpoint = match path.strip_prefix(self.base())? {
            DISCOVERY => Endpoint::Discovery,
            JWKS => Endpoint::Jwks,
            AUTHORIZE => Endpoint::Authorize,
            LOGIN => Endpoint::Login,
            TOKEN if refreshes(body) => Endpoint::Refresh,
            TOKEN => Endpoint::Token,
            REVOKE => Endpoint::Revoke,
            END_SESSION => Endpoint::EndSession,
            _ => return None,
        };
        (*method != Method::OPTIONS).then_some(endpoint)
    }

    /// Lets something happen that `fault` describes; faults of other kinds change nothing here.
    pub(crate) fn happen(&self, fault: &Fault) -> anyhow::Result<()> {
        if *fault == Fault::RotatedKeys {
            self.keys.rotate()?;
        }
        if let Fault::RevokedSessions { user } = fault {
            self.sessions.end_by_administrator(user.as_deref());
        }
        if let Fault::ChangedClientSecret { client, secret } = fault {
            self.clients.change_secret(client, secret)?;
        }
        Ok(())
    }

    /// How long the next ID and access tokens live.
    pub(crate) fn set_token_seconds(&self, seconds: i64) {
        self.token_seconds.store(seconds, Ordering::SeqCst);
    }

    /// The groups that everybody is in from now on.
    pub(crate) fn set_groups(&self, groups: Vec<String>) {
        let mut all = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        *all = Some(groups);
    }

    /// The groups of somebody who is configured to be in these.
    fn groups_of(&self, configured: &[String]) -> Vec<String> {
        let all = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone().unwrap_or_else(|| configured.to_vec())
    }

    /// What the next refresh does to its refresh token.
    pub(crate) fn set_rotation(&self, rotation: Rotation) {
        self.sessions.set_rotation(rotation);
    }

    /// Every refresh token that was ever handed out.
    pub(crate) fn refresh_tokens(&self) -> Vec<String> {
        self.sessions.refresh_tokens()
    }

    /// How many sessions an administrator would see.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.count()
    }

    /// The issuer's path without a slash at its end.
    fn base(&self) -> &str {
        self.config.issuer_path.trim_end_matches('/')
    }

    /// The URL of one of the paths above.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }
}

fn refreshes(body: &[u8]) -> bool {
    url::form_urlencoded::parse(body)
        .any(|(name, value)| name == "grant_type" && value == "refresh_token")
}
