//! Accounts that a person adds, calls otherwise, or removes.
//!
//! An account is made only of a provider that answers as one. Its client secret comes in with the one command that
//! makes it, goes to the vault as a kubeconfig's would, and is in no answer.

use crate::account::{AccountId, AccountKey, ClientSettings, Grant, Tls, TokenKind};
use crate::argv::issuer;
use crate::asker::Asker;
use crate::asking::{Wish, refuse};
use crate::broker::{Account, Broker, Caller};
use crate::clock::Now;
use crate::command::Add;
use crate::event::{Effect, Reply};
use crate::outcome::{Announced, DiscoverRequest};
use crate::problem::{Code, Problem};
use crate::report;
use crate::secret::ClientSecret;
use crate::stanza::stanza;
use crate::texts::text;
use crate::view::Told;
use crate::waiters::CallerId;

/// The longest value of any field, in bytes.
const LONGEST: usize = 2048;
/// The longest label, in characters: it stands in menus and on cards.
const LONGEST_LABEL: usize = 64;
const MOST_SCOPES: usize = 32;

/// An account that is made as soon as its provider has answered.
#[derive(Debug)]
pub(crate) struct Draft {
    key: AccountKey,
    secret: Option<ClientSecret>,
    label: Option<String>,
    sign_in: bool,
    json: bool,
}

impl Broker {
    /// Looks whether a provider is there, and says what it announces.
    pub(crate) fn discover(
        &mut self,
        caller: CallerId,
        asker: Asker,
        text: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        match typed_issuer(text) {
            Ok(issuer) => {
                let key = key(issuer, String::new(), Vec::new(), Tls::default());
                effects.push(self.discovery(caller, key, &asker, now));
                let wants = Wish::Discovery { draft: None };
                self.callers.insert(caller, Caller { asker, wants });
            }
            Err(problem) => refuse(caller, &problem, effects),
        }
    }

    /// Makes an account, if its provider answers; or says that it is there already.
    pub(crate) fn add(
        &mut self,
        caller: CallerId,
        asker: Asker,
        add: Add,
        json: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if add.ask_secret {
            if !asker.terminal {
                let parameters = vec![("field", "client secret".to_owned())];
                return refuse(caller, &Problem::new(Code::BadField, parameters), effects);
            }
            let question = text(asker.language, "terminal.client-secret", &[]);
            let add = Box::new(add);
            let wants = Wish::Secret { add, json };
            self.callers.insert(caller, Caller { asker, wants });
            return effects.push(Effect::Reply(caller, Reply::Secret(question)));
        }
        let draft = match self.draft(add, json) {
            Ok(draft) => draft,
            Err(problem) => return refuse(caller, &problem, effects),
        };
        let id = draft.key.id();
        if self.is_persons(&id) {
            self.try_secret(&id, draft.secret, now, effects);
            return self.told_added(caller, &asker, &id, true, json);
        }
        effects.push(self.discovery(caller, draft.key.clone(), &asker, now));
        let draft = Some(Box::new(draft));
        let wants = Wish::Discovery { draft };
        self.callers.insert(caller, Caller { asker, wants });
    }

    /// A client secret was typed. False: the line was for something else.
    pub(crate) fn typed(
        &mut self,
        caller: CallerId,
        line: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let is_secret = |caller: &Caller| matches!(caller.wants, Wish::Secret { .. });
        if !self.callers.get(&caller).is_some_and(is_secret) {
            return false;
        }
        if let Some(Caller {
            asker,
            wants: Wish::Secret { mut add, json },
        }) = self.callers.remove(&caller)
        {
            add.client_secret = Some(ClientSecret::new(line.to_owned()));
            add.ask_secret = false;
            self.add(caller, asker, *add, json, now, effects);
        }
        true
    }

    /// A provider was looked at.
    pub(crate) fn discovered(
        &mut self,
        caller: CallerId,
        outcome: Result<Announced, Problem>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Caller { asker, wants }) = self.callers.remove(&caller) else {
            return;
        };
        let Wish::Discovery { draft } = wants else {
            self.callers.insert(caller, Caller { asker, wants });
            return;
        };
        let announced = match outcome {
            Ok(announced) => announced,
            Err(problem) => return refuse(caller, &problem, effects),
        };
        let Some(draft) = draft else {
            let told = Told::Provider {
                pkce: announced.pkce,
                revocation: announced.revocation,
                end_session: announced.end_session,
            };
            effects.push(Effect::Reply(
                caller,
                Reply::Outcome(Box::new(told), String::new()),
            ));
            effects.push(Effect::Reply(caller, Reply::Done(0)));
            return;
        };
        let Draft {
            key,
            secret,
            label,
            sign_in,
            json,
        } = *draft;
        let id = key.id();
        // Somebody else made it meanwhile.
        let known = self.is_persons(&id);
        self.give_up_unapproved(&id, now, effects);
        let account = self
            .accounts
            .entry(id.clone())
            .or_insert_with(|| Account::new(key));
        if !known {
            account.added = true;
            account.unapproved = false;
            account.settings.client_secret = secret;
            if let Some(label) = label {
                account.label = label;
            }
            self.keep_first_secret(&id, effects);
            self.keep_down(effects);
        }
        if !sign_in || known {
            return self.told_added(caller, &asker, &id, known, json);
        }
        let added = self.added(&asker, &id, known, json);
        effects.push(Effect::Reply(caller, added));
        let wants = Wish::SignIn {
            account: id,
            open_browser: true,
            json,
        };
        self.callers.insert(caller, Caller { asker, wants });
        self.pursue(caller, now, effects);
    }

    /// Gives an account another label. Its key's name, if it has one, stays.
    pub(crate) fn rename(
        &mut self,
        id: &AccountId,
        label: &str,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Problem> {
        let label = self.free_label(label, Some(id))?;
        if let Some(account) = self.accounts.get_mut(id) {
            account.label = label;
        }
        self.keep_down(effects);
        Ok(())
    }

    /// Says how a kubeconfig uses an account.
    pub(crate) fn told_stanza(
        &self,
        caller: CallerId,
        id: &AccountId,
        json: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(account) = self.accounts.get(id) else {
            return;
        };
        let stanza = stanza(&account.key, &account.settings, &account.label);
        let text = if json {
            report::pretty(&stanza)
        } else {
            stanza.yaml.clone()
        };
        let told = Box::new(Told::Stanza { stanza });
        effects.push(Effect::Reply(caller, Reply::Outcome(told, text)));
        effects.push(Effect::Reply(caller, Reply::Done(0)));
    }

    fn told_added(
        &mut self,
        caller: CallerId,
        asker: &Asker,
        id: &AccountId,
        known: bool,
        json: bool,
    ) {
        // How a kubeconfig uses it is of use either way.
        let told = || self.added(asker, id, known, json);
        let (done, otherwise) = (told(), told());
        self.claim(caller, done, Some(otherwise));
    }

    fn added(&self, asker: &Asker, id: &AccountId, known: bool, json: bool) -> Reply {
        let (label, stanza) = self
            .accounts
            .get(id)
            .map_or_else(Default::default, |account| {
                let stanza = stanza(&account.key, &account.settings, &account.label);
                (account.label.clone(), stanza)
            });
        let text = report::added(&label, id, known, &stanza, json, asker.language);
        let told = Told::Added {
            account: id.to_string(),
            known,
            stanza,
        };
        Reply::Outcome(Box::new(told), text)
    }

    /// A client secret that was typed for an account that is there: worth a try, like one of newer flags.
    fn try_secret(
        &mut self,
        id: &AccountId,
        secret: Option<ClientSecret>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(account) = self.accounts.get_mut(id).filter(|_| secret.is_some()) else {
            return;
        };
        account.settings.client_secret = secret;
        self.keep_first_secret(id, effects);
        self.with_session(id, now, effects, |session, cx| session.other_secret(cx));
    }

    fn draft(&self, add: Add, json: bool) -> Result<Draft, Problem> {
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
            json,
        })
    }

    /// A label that no other account has.
    fn free_label(&self, label: &str, but: Option<&AccountId>) -> Result<String, Problem> {
        let label = field("name", label)?;
        if label.chars().count() > LONGEST_LABEL {
            return Err(not_a_field("name"));
        }
        let mut others = self.persons_accounts().filter(|(id, _)| Some(*id) != but);
        if others.any(|(_, account)| account.label == label) {
            let parameters = vec![("name", label.to_owned())];
            return Err(Problem::new(Code::LabelTaken, parameters));
        }
        Ok(label.to_owned())
    }

    fn discovery(&self, caller: CallerId, key: AccountKey, asker: &Asker, now: Now) -> Effect {
        let settings = ClientSettings {
            proxies: asker.proxies.clone(),
            known_proxies: self.proxies.beside(&asker.proxies, now.moment),
            provider_origins: self.settings.origins_of(&key.issuer),
            ..ClientSettings::default()
        };
        Effect::Discover(caller, Box::new(DiscoverRequest { key, settings }))
    }
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
        if problem.code() == Code::FlagForm {
            Problem::plain(Code::IssuerForm)
        } else {
            problem
        }
    })
}

/// What a person typed, without the blanks that come with pasting.
fn field<'text>(name: &'static str, text: &'text str) -> Result<&'text str, Problem> {
    let text = text.trim();
    let harmful = |char: char| {
        char.is_control() || crate::texts::clean(&char.to_string()).starts_with('\u{fffd}')
    };
    if text.is_empty() || text.len() > LONGEST || text.chars().any(harmful) {
        return Err(not_a_field(name));
    }
    Ok(text)
}

fn not_a_field(name: &'static str) -> Problem {
    Problem::new(Code::BadField, vec![("field", name.to_owned())])
}
