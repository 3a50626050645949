//! Accounts and their sessions: which there are, how one is found, and what their sessions do.

pub(crate) mod account;
pub(crate) mod adding;
pub(crate) mod held;
pub(crate) mod naming;
pub(crate) mod proxies;
pub mod schedule;
pub mod session;
mod unapproved;
pub mod waiters;

use std::collections::BTreeMap;

use crate::account::{AccountId, AccountKey, ClientSettings, Proxies};
use crate::asker::ProcessId;
use crate::clock::{Deadline, Now};
use crate::secret::ClientSecret;
use crate::settings::Settings;
use crate::transaction::{AttemptId, Forget};
use account::{Account, AtRest, KeptAccount, Restored};
use held::HeldTokens;
use proxies::KnownProxies;
use schedule::Jitter;
use session::{Context, Session};
use waiters::CallerId;

/// Every account.
#[derive(Debug)]
pub(crate) struct Accounts {
    all: BTreeMap<AccountId, Account>,
    /// Which token a client-go process holds.
    pub(crate) held: HeldTokens,
    /// The ways to providers that askers came with.
    proxies: KnownProxies,
    jitter: Jitter,
    /// The last attempt's number.
    attempts: u64,
    /// Whether those that a kubeconfig uses are renewed by themselves.
    renews: bool,
}

/// What the broker must do for an account.
#[derive(Debug)]
pub(crate) enum Step {
    /// What a session wants done.
    Session(AccountId, session::Step),
    /// Accounts are others than are written down.
    WriteDown,
    /// Keep this client secret, where none is kept of that account.
    KeepSecret(Box<AccountKey>, ClientSecret),
    /// A sign-in is given up, and what stands on its page is over.
    PageOver(AttemptId),
    /// An account that nobody approved makes room: nobody is asked about it any more.
    Dropped(AccountId),
}

impl Accounts {
    /// The accounts that were written down; `approved`: those that somebody approved for a server.
    pub(crate) fn restored(
        kept: Vec<KeptAccount>,
        approved: impl Fn(&AccountId) -> bool,
        renews: bool,
        seed: u64,
    ) -> Self {
        let all = kept.into_iter().map(|kept| {
            let mut account = Account::restored(kept);
            let id = account.id();
            // Earlier versions wrote down what nobody had approved too.
            account.unapproved = account.is_untouched() && !approved(&id);
            (id, account)
        });
        Self {
            all: all.collect(),
            held: HeldTokens::default(),
            proxies: KnownProxies::default(),
            jitter: Jitter::new(seed),
            attempts: 0,
            renews,
        }
    }

    /// Whether there is none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// One of them.
    pub(crate) fn get(&self, id: &AccountId) -> Option<&Account> {
        self.all.get(id)
    }

    /// One of them, to be changed by who knows it.
    pub(crate) fn get_mut(&mut self, id: &AccountId) -> Option<&mut Account> {
        self.all.get_mut(id)
    }

    /// All of them.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&AccountId, &Account)> {
        self.all.iter()
    }

    /// Their ids.
    pub(crate) fn ids(&self) -> Vec<AccountId> {
        self.all.keys().cloned().collect()
    }

    /// Those that somebody approved, added or signed in to.
    pub(crate) fn persons(&self) -> impl Iterator<Item = (&AccountId, &Account)> {
        self.all.iter().filter(|(_, account)| !account.unapproved)
    }

    /// Whether it is one of those.
    pub(crate) fn is_persons(&self, id: &AccountId) -> bool {
        self.get(id).is_some_and(|account| !account.unapproved)
    }

    /// What people call it.
    pub(crate) fn label(&self, id: &AccountId) -> Option<&str> {
        self.get(id).map(|account| account.label.as_str())
    }

    /// The account of a key, made where there is none.
    pub(crate) fn of_key(&mut self, key: AccountKey) -> &mut Account {
        self.all
            .entry(key.id())
            .or_insert_with(|| Account::new(key))
    }

    /// Takes one out: nothing of it is known any more.
    pub(crate) fn remove(&mut self, id: &AccountId) -> Option<Account> {
        self.held.forget(id);
        self.all.remove(id)
    }

    /// Puts one back that could not be forgotten.
    pub(crate) fn put_back(&mut self, account: Account) {
        self.all.insert(account.id(), account);
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.held = HeldTokens::default();
        self.all.clear();
    }

    /// As they are written down.
    pub(crate) fn kept(&self) -> Vec<KeptAccount> {
        self.persons().map(|(_, account)| account.kept()).collect()
    }

    /// Whether an account is renewed by itself.
    pub(crate) fn renews(&self, account: &Account) -> bool {
        account.named && self.renews
    }

    /// Lets one session decide.
    pub(crate) fn act(
        &mut self,
        id: &AccountId,
        now: Now,
        act: impl FnOnce(&mut Session, Context<'_>) -> Vec<session::Step>,
    ) -> Vec<Step> {
        let Some(account) = self.all.get_mut(id) else {
            return Vec::new();
        };
        let cx = Context {
            now,
            jitter: &mut self.jitter,
            attempts: &mut self.attempts,
            keep_fresh: account.named && self.renews,
        };
        let steps = account.act(cx, act).into_iter();
        steps.map(|step| Step::Session(id.clone(), step)).collect()
    }

    /// Tells one session something that it only takes note of.
    fn note(&mut self, id: &AccountId, now: Now, note: impl FnOnce(&mut Session, Context<'_>)) {
        self.act(id, now, |session, cx| {
            note(session, cx);
            Vec::new()
        });
    }

    /// Lets every session decide.
    pub(crate) fn act_all(
        &mut self,
        now: Now,
        act: fn(&mut Session, Context<'_>) -> Vec<session::Step>,
    ) -> Vec<Step> {
        let ids = self.ids().into_iter();
        ids.flat_map(|id| self.act(&id, now, act)).collect()
    }

    /// Whether tokens are renewed by themselves was changed.
    pub(crate) fn renew_by_themselves(&mut self, renews: bool, now: Now) {
        self.renews = renews;
        for id in self.ids() {
            self.note(&id, now, Session::keep_fresh);
        }
    }

    /// Somebody set this computer's clock by so many milliseconds.
    pub(crate) fn clock_set(&mut self, moved: i64, now: Now) {
        for id in self.ids() {
            self.note(&id, now, |session, cx| session.clock_set(moved, cx));
        }
    }

    /// When a session wants to be called again.
    pub(crate) fn next(&self) -> Option<Deadline> {
        let all = self.all.values();
        all.filter_map(|account| account.session.next(self.renews(account)))
            .min()
    }

    /// When what is said of one changes by itself: a token ends that nothing renews.
    pub(crate) fn ends(&self, now: Now) -> Option<Deadline> {
        let all = self.all.values();
        all.filter_map(|account| account.session.ends(now)).min()
    }

    /// One that the person's own kubeconfig names at the very first start.
    pub(crate) fn found(&mut self, key: AccountKey, settings: ClientSettings) -> Option<Step> {
        let id = key.id();
        let account = self.of_key(key);
        account.named = true;
        account.unapproved = false;
        account.settings = settings;
        self.keep_first_secret(&id)
    }

    /// A sign-in ended by an answer to the question on its page: those who waited are given back.
    pub(crate) fn set_aside(&mut self, id: &AccountId, attempt: AttemptId) -> Vec<CallerId> {
        let account = self.all.get_mut(id);
        let waiting = account.map(|account| account.session.set_aside(attempt));
        waiting.unwrap_or_default()
    }

    /// Those with a session to end.
    pub(crate) fn with_sessions(&self) -> Vec<AccountId> {
        let all = self.each().filter(|(_, account)| account.has_session());
        all.map(|(id, _)| id.clone()).collect()
    }

    /// A person signs out: whoever signs in next may be another.
    pub(crate) fn leave(&mut self, id: &AccountId, forget: Forget) {
        self.held.forget(id);
        if let Some(account) = self.all.get_mut(id) {
            account.subject = None;
            account.signed_in_at = None;
            account.name = None;
            if forget == Forget::Everything {
                account.known_secret = None;
            }
        }
    }

    /// A sign-out ended. What the account is called, where no other is under way.
    pub(crate) fn signed_out(&mut self, id: &AccountId, attempt: AttemptId) -> Option<String> {
        let account = self.all.get_mut(id)?;
        account.session.signed_out_now(attempt);
        let over = account.session.attempt().is_none();
        over.then(|| account.label.clone())
    }

    /// A person removes it: nothing of it is theirs to keep. Whether it has a session to end; none: there is no such
    /// account.
    pub(crate) fn give_up(&mut self, id: &AccountId) -> Option<bool> {
        let account = self.all.get_mut(id)?;
        account.added = false;
        Some(account.has_session())
    }

    /// Forgets the client secret of an account, unless a session lives by it. Whether it is forgotten.
    pub(crate) fn forget_secret(&mut self, id: &AccountId) -> bool {
        let account = self.all.get_mut(id);
        let Some(account) = account.filter(|account| account.session.tokens().is_none()) else {
            return false;
        };
        account.known_secret = None;
        account.settings.client_secret = None;
        true
    }

    /// What the vault had.
    pub(crate) fn loaded(&mut self, restored: Vec<Restored>, now: Now) {
        for Restored { key, at_rest } in restored {
            let id = key.id();
            self.of_key(key);
            let secret = match at_rest {
                AtRest::Secret(secret) => Some(secret),
                AtRest::Tokens(tokens, loss) => {
                    let secret = tokens.client_secret.clone();
                    self.note(&id, now, |session, cx| session.restore(tokens, loss, cx));
                    secret
                }
            };
            if let Some(account) = self.all.get_mut(&id) {
                account.unapproved = false;
                if account.settings.client_secret.is_none() {
                    account.settings.client_secret.clone_from(&secret);
                }
                account.known_secret = secret;
                account.learn_who();
            }
        }
    }

    /// Tokens came, or not: what they say of the account is known from now on.
    pub(crate) fn learn(&mut self, id: &AccountId) {
        if let Some(account) = self.all.get_mut(id) {
            account.learn();
        }
    }

    /// Somebody has signed in at this origin. An attempt that was given up, or signed out since, says nothing.
    pub(crate) fn signed_in_at(&mut self, id: &AccountId, attempt: AttemptId, origin: String) {
        if let Some(account) = self.all.get_mut(id)
            && account.session.attempt() == Some(attempt)
        {
            account.signed_in_at = Some(origin);
        }
    }

    /// Keeps the client secret of an account that may have tokens, before anybody has signed in: it
    /// must be there when a person does so without a kubeconfig, be it after a restart.
    pub(crate) fn keep_first_secret(&mut self, id: &AccountId) -> Option<Step> {
        let account = self.all.get_mut(id)?;
        if account.known_secret.is_some() || account.session.tokens().is_some() {
            return None;
        }
        let secret = account.settings.client_secret.clone()?;
        account.known_secret = Some(secret.clone());
        Some(Step::KeepSecret(Box::new(account.key.clone()), secret))
    }

    /// Another client secret was typed or came with an ask: worth a try where the one before is refused.
    pub(crate) fn try_secret(
        &mut self,
        id: &AccountId,
        secret: Option<ClientSecret>,
        now: Now,
    ) -> Vec<Step> {
        let Some(account) = self.all.get_mut(id).filter(|_| secret.is_some()) else {
            return Vec::new();
        };
        account.settings.client_secret = secret;
        let mut steps: Vec<Step> = self.keep_first_secret(id).into_iter().collect();
        steps.extend(self.act(id, now, |session, cx| session.other_secret(cx)));
        steps
    }

    /// This process is the newest that counted as a person's new command; none: the next one does.
    pub(crate) fn commanded_by(&mut self, id: &AccountId, process: Option<ProcessId>) {
        if let Some(account) = self.all.get_mut(id) {
            account.last_asking = process;
        }
    }

    /// Its token goes to this program.
    pub(crate) fn used(&mut self, id: &AccountId, by: &str, now: Now) -> Option<Step> {
        let account = self.all.get_mut(id)?;
        account.used(by, now).then_some(Step::WriteDown)
    }

    /// A caller hung up.
    pub(crate) fn gone(&mut self, caller: CallerId) {
        for account in self.all.values_mut() {
            account.session.gone(caller);
        }
    }

    /// A caller waits no more for this account.
    pub(crate) fn leaves(&mut self, id: &AccountId, caller: CallerId) {
        if let Some(account) = self.all.get_mut(id) {
            account.session.gone(caller);
        }
    }

    /// An asker came with these ways to providers.
    pub(crate) fn saw(&mut self, proxies: &Proxies, now: Now) {
        self.proxies.saw(proxies, now.moment);
    }

    /// These settings with every way to their provider that is known by now.
    pub(crate) fn with_ways(
        &self,
        client: ClientSettings,
        issuer: &str,
        settings: &Settings,
        now: Now,
    ) -> ClientSettings {
        ClientSettings {
            known_proxies: self.proxies.beside(&client.proxies, now.moment),
            provider_origins: settings.origins_of(issuer),
            ..client
        }
    }
}
