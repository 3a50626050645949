//! One account with its session, and what of it is written down.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::session::{self, Loss, Session};
use crate::account::{AccountId, AccountKey, ClientSettings, ListenAddress};
use crate::asker::ProcessId;
use crate::clock::{Now, Wall};
use crate::manner::{Manner, Rest};
use crate::problem::Problem;
use crate::secret::ClientSecret;
use crate::tokens::Tokens;

/// How long it stands that somebody was seen to use an account, before another is looked at.
const USED_AGAIN: Duration = Duration::from_secs(600);

/// An account with its session.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) key: AccountKey,
    pub(crate) label: String,
    /// What the newest ask said that was approved, its client secret among it.
    pub(crate) settings: ClientSettings,
    pub(crate) session: Session,
    /// The client secret that is kept: the one that worked last, or the first that came while none had.
    pub(crate) known_secret: Option<ClientSecret>,
    /// Whether a kubeconfig uses it: others are quiet.
    pub(crate) named: bool,
    /// Nobody has approved anything of it: it lives with its question, and is nobody's yet.
    pub(crate) unapproved: bool,
    /// Whether a person added it: its client secret is then theirs to forget.
    pub(crate) added: bool,
    /// Who was signed in last (`sub`). A session's end changes nothing about whose account it is:
    /// whoever signs in next must be the same, until a person has signed out.
    pub(crate) subject: Option<String>,
    /// Where they did: the origin of the provider's own page. A provider that moves it is another place to type a
    /// password.
    pub(crate) signed_in_at: Option<String>,
    /// What they are called.
    pub(crate) name: Option<String>,
    /// The last process that counted as a person's new command here.
    pub(crate) last_asking: Option<ProcessId>,
    /// Who was seen to be given a token of it.
    pub(crate) used: Option<LastUse>,
    /// Since when it is as its problem says.
    pub(crate) since: Option<Wall>,
}

/// Somebody who was given a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LastUse {
    /// When.
    pub at: Wall,
    /// The program.
    pub by: String,
}

/// An account as it is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptAccount {
    /// What it is.
    pub key: AccountKey,
    /// What people call it.
    pub label: String,
    /// Where it listens.
    pub listen: Vec<ListenAddress>,
    /// Its fixed redirect URI.
    pub redirect_url: Option<String>,
    /// How else it signs in; none: an earlier version wrote this.
    #[serde(default)]
    pub rest: Option<Rest>,
    /// Whether a person signed it out.
    pub signed_out: bool,
    /// Whether a kubeconfig uses it.
    pub named: bool,
    /// Whether a person added it.
    #[serde(default)]
    pub added: bool,
    /// Who was seen to be given a token of it, and when; of many one is noted now and then.
    #[serde(default)]
    pub asked: Option<LastUse>,
    /// Who was signed in last (`sub`), until a person signs out. No secret.
    #[serde(default)]
    pub subject: Option<String>,
    /// The origin where they signed in last.
    #[serde(default)]
    pub signed_in_at: Option<String>,
    /// What they are called.
    #[serde(default)]
    pub name: Option<String>,
}

/// What the vault had of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Whose.
    pub key: AccountKey,
    /// What.
    pub at_rest: AtRest,
}

/// What rests of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtRest {
    /// Tokens, and whether a refresh was noted and not followed by a reply.
    Tokens(Tokens, Loss),
    /// The client secret alone: nobody is signed in.
    Secret(ClientSecret),
}

impl KeptAccount {
    /// How it signs in.
    pub(crate) fn manner(&self) -> Manner {
        Manner {
            listen: self.listen.clone(),
            redirect_url: self.redirect_url.clone(),
            rest: self.rest,
        }
    }
}

impl Account {
    /// One that nobody has signed in to.
    pub(crate) fn new(key: AccountKey) -> Self {
        let name = key.name.clone().unwrap_or_else(|| key.host());
        Self {
            label: name.clone(),
            settings: ClientSettings::default(),
            session: Session::empty(Problem::NotSignedIn),
            known_secret: None,
            named: false,
            unapproved: false,
            added: false,
            subject: None,
            signed_in_at: None,
            name: None,
            last_asking: None,
            used: None,
            since: None,
            key,
        }
    }

    /// Its id.
    pub(crate) fn id(&self) -> AccountId {
        self.key.id()
    }

    /// Whether nobody has added it, signed in or out, or called it otherwise.
    pub(super) fn is_untouched(&self) -> bool {
        let label = self.key.name.clone().unwrap_or_else(|| self.key.host());
        !self.added && self.subject.is_none() && !self.session.signed_out() && self.label == label
    }

    /// Whether there is something of its session to end.
    pub(crate) fn has_session(&self) -> bool {
        self.session.tokens().is_some() || self.session.attempt().is_some()
    }

    /// Tokens came by this client secret, or without one: it is the one to keep. And they are this person's.
    pub(super) fn learn(&mut self) {
        if let Some(tokens) = self.session.tokens() {
            self.known_secret.clone_from(&tokens.client_secret);
            self.unapproved = false;
            self.learn_who();
        }
    }

    pub(super) fn learn_who(&mut self) {
        if let Some(tokens) = self.session.tokens() {
            self.subject = Some(tokens.identity.subject.clone());
            self.name = Some(tokens.identity.name.clone());
        }
    }

    /// Its token goes to somebody. That is news when nobody was seen before, and now and then: not every token is worth a
    /// write, nor a view.
    pub(super) fn used(&mut self, by: &str, now: Now) -> bool {
        let is_news = self
            .used
            .as_ref()
            .is_none_or(|known| now.wall.since(known.at) >= USED_AGAIN || now.wall < known.at);
        if is_news {
            let by = by.to_owned();
            self.used = Some(LastUse { at: now.wall, by });
        }
        is_news
    }

    /// Lets its session decide, and notes since when it has the problem that it has.
    pub(super) fn act<T>(
        &mut self,
        cx: session::Context<'_>,
        act: impl FnOnce(&mut Session, session::Context<'_>) -> T,
    ) -> T {
        let now = cx.now;
        let code = |session: &Session| session::problem(session, now).map(|problem| problem.code());
        let before = code(&self.session);
        let steps = act(&mut self.session, cx);
        let after = code(&self.session);
        if before != after {
            self.since = after.map(|_| now.wall);
        }
        steps
    }

    /// Its tokens, where the bearer token may be handed out.
    pub(crate) fn good(&self, now: Now) -> Option<&Tokens> {
        self.session.good(now)
    }

    /// As it was written down.
    pub(super) fn restored(kept: KeptAccount) -> Self {
        let manner = kept.manner();
        let mut account = Self::new(kept.key);
        account.label = kept.label;
        manner.apply(&mut account.settings);
        account.named = kept.named;
        account.added = kept.added;
        account.subject = kept.subject;
        account.signed_in_at = kept.signed_in_at;
        account.name = kept.name;
        account.used = kept.asked;
        if kept.signed_out {
            account.session = Session::empty(Problem::SignedOut);
        }
        account
    }

    /// As it is written down.
    pub(crate) fn kept(&self) -> KeptAccount {
        let Manner {
            listen,
            redirect_url,
            rest,
        } = Manner::of(&self.settings);
        KeptAccount {
            key: self.key.clone(),
            label: self.label.clone(),
            listen,
            redirect_url,
            rest,
            signed_out: self.session.signed_out(),
            named: self.named,
            added: self.added,
            subject: self.subject.clone(),
            signed_in_at: self.signed_in_at.clone(),
            name: self.name.clone(),
            asked: self.used.clone(),
        }
    }
}
