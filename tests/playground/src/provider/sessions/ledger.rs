//! What is remembered of sessions, under one lock; time comes in as an argument.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Asked, Grant, SignedIn};
use crate::config::{Config, RefreshTokens, Rotation};
use crate::fault::Endpoint;
use crate::journal::{Ended, Journal, What};
use crate::provider::clients::Refusal;
use crate::random::{fingerprint, random_text, sha256};

pub(super) struct Ledger {
    code_seconds: i64,
    pub(super) idle: i64,
    pub(super) max: i64,
    pub(super) rotation: Rotation,
    refresh_tokens: RefreshTokens,
    one_session_per_user: bool,
    pub(super) journal: Arc<Journal>,
    pub(super) signed_in: BTreeMap<String, SignedIn>,
    chains: Vec<Chain>,
    codes: HashMap<String, Code>,
    tokens: HashMap<String, RefreshToken>,
}

/// A client's share of a session: what one sign-in gave it.
#[derive(Clone, Debug)]
struct Chain {
    sid: String,
    user: String,
    client: String,
    scope: String,
    auth_time: i64,
    last_used: i64,
    ended: bool,
}

#[derive(Debug)]
struct Code {
    asked: Asked,
    signed_in: SignedIn,
    issued: i64,
    /// The chain that it was exchanged for.
    used: Option<usize>,
}

#[derive(Debug)]
struct RefreshToken {
    chain: usize,
    presented: u32,
    exchanged: Option<i64>,
}

impl Ledger {
    pub(super) fn new(config: &Config, journal: Arc<Journal>) -> Self {
        Self {
            code_seconds: config.code_seconds,
            idle: config.session_idle_seconds,
            max: config.session_max_seconds,
            rotation: config.rotation,
            refresh_tokens: config.refresh_tokens,
            one_session_per_user: config.one_session_per_user,
            journal,
            signed_in: BTreeMap::new(),
            chains: Vec::new(),
            codes: HashMap::new(),
            tokens: HashMap::new(),
        }
    }

    pub(super) fn new_code(&mut self, now: i64, asked: Asked, signed_in: SignedIn) -> String {
        let code = random_text();
        self.codes.insert(
            code.clone(),
            Code {
                asked,
                signed_in,
                issued: now,
                used: None,
            },
        );
        code
    }

    pub(super) fn redeem(
        &mut self,
        now: i64,
        client: &str,
        code: &str,
        form: &HashMap<String, String>,
    ) -> Result<Grant, Refusal> {
        let next = self.chains.len();
        let Some(known) = self
            .codes
            .get_mut(code)
            .filter(|known| known.asked.client == client)
        else {
            return Err(Refusal::grant("Code not valid"));
        };
        if let Some(chain) = known.used {
            self.end_chain(chain, Ended::CodeReuse);
            return Err(Refusal::grant("Code not valid"));
        }
        known.used = Some(next);
        let (asked, signed_in, issued) =
            (known.asked.clone(), known.signed_in.clone(), known.issued);
        // A refused code is spent, too; its chain is made dead below.
        let refusal = if now - issued >= self.code_seconds {
            Some("Code is expired")
        } else if !self.signed_in.contains_key(&signed_in.sid) {
            Some("Code not valid")
        } else if form.get("redirect_uri") != Some(&asked.redirect_uri) {
            Some("Incorrect redirect_uri")
        } else {
            wrong_verifier(asked.challenge.as_deref(), form.get("code_verifier"))
        };
        if refusal.is_none() && self.one_session_per_user {
            self.replace(&signed_in.user, client);
        }
        self.chains.push(Chain {
            sid: signed_in.sid,
            user: signed_in.user,
            client: client.to_owned(),
            scope: asked.scope,
            auth_time: signed_in.auth_time,
            last_used: now,
            ended: refusal.is_some(),
        });
        if let Some(refusal) = refusal {
            return Err(Refusal::grant(refusal));
        }
        let refresh_token = self.wants_refresh_token(next).then(|| self.new_token(next));
        Ok(self.grant(now, next, Endpoint::Token, refresh_token, asked.nonce))
    }

    pub(super) fn issued(&self) -> Vec<String> {
        self.tokens.keys().cloned().collect()
    }

    pub(super) fn refresh(
        &mut self,
        now: i64,
        client: &str,
        token: &str,
    ) -> Result<Grant, Refusal> {
        let Some(known) = self.tokens.get_mut(token) else {
            return Err(Refusal::grant("Invalid refresh token"));
        };
        known.presented += 1;
        let (chain, exchanged) = (known.chain, known.exchanged);
        self.journal.write(What::RefreshPresented {
            refresh_token: fingerprint(token),
            times: known.presented,
        });
        if self.chains[chain].client != client {
            let text = "Invalid refresh token. Token client and authorized client don't match";
            return Err(Refusal::grant(text));
        }
        if self.chains[chain].ended || now - self.chains[chain].auth_time >= self.max {
            return Err(Refusal::grant("Session not active"));
        }
        if now - self.chains[chain].last_used >= self.idle {
            return Err(Refusal::grant("Token is not active"));
        }
        let reused = match (self.rotation, exchanged) {
            (Rotation::None, _) | (_, None) => false,
            (Rotation::Strict, Some(_)) => true,
            (Rotation::Grace { seconds }, Some(exchanged)) => now - exchanged >= seconds,
        };
        if reused {
            self.end_session(chain, Ended::TokenReuse);
            return Err(Refusal::grant(
                "Maximum allowed refresh token reuse exceeded",
            ));
        }
        self.chains[chain].last_used = now;
        if let Some(signed_in) = self.signed_in.get_mut(&self.chains[chain].sid) {
            signed_in.last_used = now;
        }
        let refresh_token = match self.rotation {
            Rotation::None => token.to_owned(),
            Rotation::Strict | Rotation::Grace { .. } => {
                if let Some(known) = self.tokens.get_mut(token) {
                    known.exchanged.get_or_insert(now);
                }
                self.new_token(chain)
            }
        };
        Ok(self.grant(now, chain, Endpoint::Refresh, Some(refresh_token), None))
    }

    fn grant(
        &self,
        now: i64,
        chain: usize,
        endpoint: Endpoint,
        refresh_token: Option<String>,
        nonce: Option<String>,
    ) -> Grant {
        let chain = &self.chains[chain];
        self.journal.write(What::TokensIssued {
            client: chain.client.clone(),
            user: chain.user.clone(),
            grant: endpoint,
            refresh_token: refresh_token.as_deref().map(fingerprint),
        });
        Grant {
            user: chain.user.clone(),
            client: chain.client.clone(),
            sid: chain.sid.clone(),
            scope: chain.scope.clone(),
            auth_time: chain.auth_time,
            nonce,
            refresh_token,
            refresh_expires_in: self.idle.min(chain.auth_time + self.max - now),
        }
    }

    fn wants_refresh_token(&self, chain: usize) -> bool {
        match self.refresh_tokens {
            RefreshTokens::Always => true,
            RefreshTokens::OnOfflineAccess => self.chains[chain]
                .scope
                .split(' ')
                .any(|scope| scope == "offline_access"),
            RefreshTokens::Never => false,
        }
    }

    fn new_token(&mut self, chain: usize) -> String {
        // The prefix lets a test search memory and files for any refresh token of ours.
        let token = format!("fobrt.{}", random_text());
        let fresh = RefreshToken {
            chain,
            presented: 0,
            exchanged: None,
        };
        self.tokens.insert(token.clone(), fresh);
        token
    }

    pub(super) fn chain_of(&self, client: &str, token: &str) -> Option<usize> {
        let chain = self.tokens.get(token)?.chain;
        (self.chains[chain].client == client).then_some(chain)
    }

    fn replace(&mut self, user: &str, client: &str) {
        for chain in 0..self.chains.len() {
            if self.chains[chain].user == user && self.chains[chain].client == client {
                self.end_chain(chain, Ended::Replaced);
            }
        }
    }

    pub(super) fn end_by_administrator(&mut self, user: Option<&str>) {
        let hit = |its: &str| user.is_none_or(|user| user == its);
        self.signed_in.retain(|_, signed_in| !hit(&signed_in.user));
        for chain in 0..self.chains.len() {
            if hit(&self.chains[chain].user) {
                self.end_chain(chain, Ended::Administrator);
            }
        }
    }

    pub(super) fn end_session(&mut self, chain: usize, why: Ended) {
        let sid = self.chains[chain].sid.clone();
        self.signed_in.remove(&sid);
        for chain in 0..self.chains.len() {
            if self.chains[chain].sid == sid {
                self.end_chain(chain, why);
            }
        }
    }

    pub(super) fn end_chain(&mut self, chain: usize, why: Ended) {
        let Some(chain) = self.chains.get_mut(chain).filter(|chain| !chain.ended) else {
            return;
        };
        chain.ended = true;
        self.journal.write(What::SessionEnded {
            user: chain.user.clone(),
            client: chain.client.clone(),
            why,
        });
    }
}

fn wrong_verifier(challenge: Option<&str>, verifier: Option<&String>) -> Option<&'static str> {
    match (challenge, verifier) {
        (None, None) => None,
        (None, Some(_)) => Some("PKCE code verifier not expected"),
        (Some(_), None) => Some("PKCE code verifier not specified"),
        (Some(challenge), Some(verifier)) => (URL_SAFE_NO_PAD.encode(sha256(verifier))
            != challenge)
            .then_some("PKCE verification failed: Code mismatch"),
    }
}
