//! Accounts that a person adds.
//!
//! An account is made only of a provider that answers as one. Its client secret comes in with the one command that
//! makes it, goes to the vault as a kubeconfig's would, and is in no answer.

use super::naming::{field, not_a_field};
use super::{Accounts, Step};
use crate::account::{AccountId, AccountKey, ClientSettings, Grant, Tls, TokenKind};
use crate::argv::issuer;
use crate::asker::Asker;
use crate::clock::Now;
use crate::command::Add;
use crate::problem::Problem;
use crate::secret::ClientSecret;
use crate::settings::Settings;
use crate::stanza::{KubeconfigUser, stanza};
use crate::transaction::DiscoverRequest;

const MOST_SCOPES: usize = 32;

/// An account that is made as soon as its provider has answered.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) key: AccountKey,
    pub(crate) secret: Option<ClientSecret>,
    label: Option<String>,
    pub(crate) sign_in: bool,
}

impl Accounts {
    /// What a person typed, read: the account that is to be made of it.
    pub(crate) fn draft(&self, add: Add) -> Result<Draft, Problem> {
        let Add {
            issuer: issuer_text,
            client_id,
            client_secret,
            scopes,
            label,
            tls,
            sign_in,
            ask_secret: _,
        } = add;
        let client_id = field("client id", &client_id)?;
        if scopes.len() > MOST_SCOPES {
            return Err(not_a_field("scopes"));
        }
        let scopes = scopes
            .iter()
            .map(|scope| field("scope", scope).map(str::to_owned))
            .collect::<Result<Vec<_>, _>>()?;
        let key = key(
            typed_issuer(&issuer_text)?,
            client_id.to_owned(),
            crate::argv::scopes(&scopes),
            tls,
        );
        Ok(Draft {
            label: label
                .map(|label| self.free_label(&label, Some(&key.id())))
                .transpose()?,
            key,
            secret: client_secret.filter(|secret| !secret.is_empty()),
            sign_in,
        })
    }

    /// Its provider has answered: makes it, unless somebody else made it meanwhile. Whether it was there already.
    pub(crate) fn add(&mut self, draft: Draft, now: Now) -> (bool, Vec<Step>) {
        let Draft {
            key, secret, label, ..
        } = draft;
        let id = key.id();
        let known = self.is_persons(&id);
        let mut steps = self.give_up_unapproved(&id, now);
        let account = self.of_key(key);
        if !known {
            account.added = true;
            account.unapproved = false;
            account.settings.client_secret = secret;
            if let Some(label) = label {
                account.label = label;
            }
            steps.extend(self.keep_first_secret(&id));
            steps.push(Step::WriteDown);
        }
        (known, steps)
    }

    /// How a kubeconfig uses an account.
    pub(crate) fn stanza(&self, id: &AccountId) -> Option<KubeconfigUser> {
        let account = self.get(id)?;
        Some(stanza(&account.key, &account.settings, &account.label))
    }

    /// What is looked at, to see whether a provider is there, and by which ways.
    pub(crate) fn discovery(
        &self,
        key: AccountKey,
        asker: &Asker,
        settings: &Settings,
        now: Now,
    ) -> DiscoverRequest {
        let client = ClientSettings {
            proxies: asker.proxies.clone(),
            ..ClientSettings::default()
        };
        let settings = self.with_ways(client, &key.issuer, settings, now);
        DiscoverRequest { key, settings }
    }
}

/// The key that a look at a provider is made with, by the address that a person typed.
pub(crate) fn key_to_look_at(text: &str) -> Result<AccountKey, Problem> {
    let issuer = typed_issuer(text)?;
    Ok(key(issuer, String::new(), Vec::new(), Tls::default()))
}

fn key(issuer: String, client_id: String, scopes: Vec<String>, tls: Tls) -> AccountKey {
    AccountKey {
        issuer,
        client_id,
        scopes,
        grant: Grant::AuthorizationCode,
        token_kind: TokenKind::Id,
        tls,
        name: None,
    }
}

/// A provider's address that a person typed: they have no kubeconfig to write it in.
fn typed_issuer(text: &str) -> Result<String, Problem> {
    issuer(field("issuer", text)?).map_err(|problem| {
        if let Problem::FlagForm { .. } = problem {
            Problem::IssuerForm
        } else {
            problem
        }
    })
}
