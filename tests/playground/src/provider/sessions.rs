//! Sessions, codes and refresh tokens: who is signed in, and for how long.

mod ledger;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clients::Refusal;
use crate::clock::Clock;
use crate::config::{Config, Rotation};
use crate::journal::{Ended, Journal, What};
use crate::random::random_text;
use ledger::Ledger;

/// What a client asked the authorization endpoint for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
}

/// The provider's own session with a browser.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub(super) sid: String,
    user: String,
    identity: String,
    auth_time: i64,
    last_used: i64,
}

/// What tokens are made from.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) user: String,
    pub(super) client: String,
    pub(super) sid: String,
    pub(super) scope: String,
    pub(super) auth_time: i64,
    pub(super) nonce: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) refresh_expires_in: i64,
}

/// All of them.
pub(super) struct Sessions {
    clock: Arc<Clock>,
    ledger: Mutex<Ledger>,
}

impl Sessions {
    pub(super) fn new(config: &Config, clock: Arc<Clock>, journal: Arc<Journal>) -> Self {
        Self {
            clock,
            ledger: Mutex::new(Ledger::new(config, journal)),
        }
    }

    /// A password was right: a new session, and the cookie's value that stands for it.
    pub(super) fn sign_in(&self, user: &str) -> (String, SignedIn) {
        let now = self.clock.now();
        let identity = random_text();
        let signed_in = SignedIn {
            sid: random_text(),
            user: user.to_owned(),
            identity: identity.clone(),
            auth_time: now,
            last_used: now,
        };
        self.lock()
            .signed_in
            .insert(signed_in.sid.clone(), signed_in.clone());
        (identity, signed_in)
    }

    /// Whose cookie this is, if the session still lives.
    pub(super) fn known(&self, identity: &str) -> Option<SignedIn> {
        let now = self.clock.now();
        let mut ledger = self.lock();
        let (idle, max) = (ledger.idle, ledger.max);
        let known = ledger
            .signed_in
            .values_mut()
            .find(|known| known.identity == identity)?;
        if now - known.last_used >= idle || now - known.auth_time >= max {
            return None;
        }
        known.last_used = now;
        Some(known.clone())
    }

    /// A code for what was asked.
    pub(super) fn code(&self, asked: &Asked, signed_in: &SignedIn, silent: bool) -> String {
        let mut ledger = self.lock();
        ledger.journal.write(What::CodeIssued {
            client: asked.client.clone(),
            user: signed_in.user.clone(),
            silent,
        });
        ledger.new_code(self.clock.now(), asked.clone(), signed_in.clone())
    }

    /// The grant `authorization_code`.
    pub(super) fn redeem(
        &self,
        client: &str,
        form: &HashMap<String, String>,
    ) -> Result<Grant, Refusal> {
        let code = form
            .get("code")
            .ok_or(Refusal::request("Missing parameter: code"))?;
        self.lock().redeem(self.clock.now(), client, code, form)
    }

    /// The grant `refresh_token`.
    pub(super) fn refresh(&self, client: &str, token: &str) -> Result<Grant, Refusal> {
        self.lock().refresh(self.clock.now(), client, token)
    }

    /// Ends what one sign-in gave the client; the browser stays signed in.
    pub(super) fn revoke(&self, client: &str, token: &str) {
        let mut ledger = self.lock();
        if let Some(chain) = ledger.chain_of(client, token) {
            ledger.end_chain(chain, Ended::Revoked);
        }
    }

    /// Ends the whole session that a refresh token belongs to.
    pub(super) fn sign_out(&self, client: &str, token: &str) -> Result<(), Refusal> {
        let mut ledger = self.lock();
        let chain = ledger.chain_of(client, token);
        let chain = chain.ok_or(Refusal::grant("Invalid refresh token"))?;
        ledger.end_session(chain, Ended::SignedOut);
        Ok(())
    }

    /// Every refresh token that was ever handed out.
    pub(crate) fn refresh_tokens(&self) -> Vec<String> {
        self.lock().issued()
    }

    /// Ends the sessions of one user, or of all.
    pub(super) fn end_by_administrator(&self, user: Option<&str>) {
        let mut ledger = self.lock();
        ledger.end_by_administrator(user);
    }

    /// What refreshes do from now on.
    pub(super) fn set_rotation(&self, rotation: Rotation) {
        self.lock().rotation = rotation;
    }

    /// How many browsers are signed in.
    pub(super) fn count(&self) -> usize {
        self.lock().signed_in.len()
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
