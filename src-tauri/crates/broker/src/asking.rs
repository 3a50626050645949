//! A token request, from the question to the token or to whoever must act first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::account::{AccountId, AccountKey, ClientSettings};
use crate::adding::Draft;
use crate::asker::{Asker, Venue, venue};
use crate::broker::{Account, Broker, Caller};
use crate::clock::Now;
use crate::command::{Add, Flags, Which};
use crate::credential::{ExecVersion, TokenFacts, stated_expiry};
use crate::event::{Address, Ask, Effect, Reply, Servers, SignIn};
use crate::outcome::{AttemptId, Forget, Prompting, RefreshRequest, SignInRequest, SignOutRequest};
use crate::problem::{About, Code, Problem, Refusal};
use crate::questions::Standings;
use crate::session::{Attempt, Doing, Session, Step};
use crate::texts::clean;
use crate::view::AskedView;
use crate::waiters::{CallerId, Person, Waiter, Wants};

/// How long it stands that somebody was seen to use an account, before another is looked at.
const ASKED_AGAIN: Duration = Duration::from_secs(600);

/// What a caller is owed.
#[derive(Debug)]
pub(crate) enum Wish {
    /// A credential of an account for these servers.
    Credential {
        version: ExecVersion,
        account: AccountId,
        servers: Arc<Servers>,
        /// What it is asked with; none: by the account's name.
        flags: Option<Arc<Flags>>,
        /// The asker's kubeconfigs.
        files: Arc<[String]>,
    },
    /// An account's raw token, for a person.
    Token { account: AccountId, json: bool },
    /// To be signed in.
    SignIn {
        account: AccountId,
        open_browser: bool,
        json: bool,
    },
    /// An answer to a question that waits.
    Answer { json: bool },
    /// The end of a sign-out.
    SignOut { json: bool },
    /// What a provider announces, or the account that is made of it.
    Discovery { draft: Option<Box<Draft>> },
    /// To have a client secret typed, and then the account.
    Secret { add: Box<Add>, json: bool },
    /// To have said whether an account is to be removed.
    Confirm { account: AccountId, json: bool },
    /// The end of an account.
    Remove { json: bool },
    /// The end of everything.
    Reset,
}

impl Wish {
    /// The account whose token or session it is about.
    pub(crate) fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Credential { account, .. }
            | Self::Token { account, .. }
            | Self::SignIn { account, .. }
            | Self::Confirm { account, .. } => Some(account),
            Self::Answer { .. }
            | Self::SignOut { .. }
            | Self::Discovery { .. }
            | Self::Secret { .. }
            | Self::Remove { .. }
            | Self::Reset => None,
        }
    }

    /// Whether its outcome is told as JSON.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Token { json, .. }
            | Self::SignIn { json, .. }
            | Self::Answer { json }
            | Self::SignOut { json }
            | Self::Secret { json, .. }
            | Self::Confirm { json, .. }
            | Self::Remove { json } => *json,
            Self::Credential { .. } | Self::Discovery { .. } | Self::Reset => false,
        }
    }
}

impl Broker {
    pub(crate) fn asked(&mut self, ask: Ask, now: Now, effects: &mut Vec<Effect>) {
        let Ask {
            caller,
            asker,
            account,
            version,
            servers,
            files,
        } = ask;
        let found = match account {
            Which::Flags(flags) => self
                .account_of_ask(&flags, &asker, now, effects)
                .map(|id| (id, Some(flags))),
            Which::Named(name) => self.account_named(Some(&name)).map(|id| (id, None)),
        };
        let (id, flags) = match found {
            Ok(found) => found,
            Err(problem) => return refuse(caller, &problem, effects),
        };
        let wants = Wish::Credential {
            version,
            account: id,
            servers,
            flags,
            files,
        };
        self.callers.insert(caller, Caller { asker, wants });
        self.pursue(caller, now, effects);
    }

    /// Brings a caller as far as it goes: trust first, then the session.
    pub(crate) fn pursue(&mut self, caller: CallerId, now: Now, effects: &mut Vec<Effect>) {
        let Some(Caller { asker, wants }) = self.callers.get(&caller) else {
            return;
        };
        let (account, wants) = match wants {
            Wish::Credential {
                version,
                account,
                servers,
                flags,
                files,
            } => {
                let manner = flags.as_ref().map(|flags| flags.manner());
                match self.standings(account, servers, manner, asker, now) {
                    Standings::Trusted => {}
                    Standings::Refused(problem) => return self.fail(caller, &problem, effects),
                    Standings::New => return self.question(caller, now, effects),
                }
                let (account, wants) = (account.clone(), Wants::Credential(*version));
                self.uses(files, effects);
                if let Some(flags) = flags.clone() {
                    let servers = Arc::clone(servers);
                    self.may_have(&account, &flags, &servers, now, effects);
                }
                self.keep_first_secret(&account, effects);
                (account, wants)
            }
            Wish::Token { account, .. } => (account.clone(), Wants::Token),
            Wish::SignIn {
                account,
                open_browser,
                ..
            } => {
                let account = account.clone();
                // Who sits at a terminal is told the address instead.
                if *open_browser && !asker.terminal && venue(asker, self.desktop) == Venue::Page {
                    self.open_again(&account, effects);
                }
                (account, Wants::SignIn)
            }
            Wish::Answer { .. }
            | Wish::SignOut { .. }
            | Wish::Discovery { .. }
            | Wish::Secret { .. }
            | Wish::Confirm { .. }
            | Wish::Remove { .. }
            | Wish::Reset => return,
        };
        let person = self.person(caller, &account);
        let waiter = Waiter {
            caller,
            wants,
            person,
            until: None,
        };
        self.with_session(&account, now, effects, |session, cx| match wants {
            Wants::SignIn => session.sign_in(waiter, cx),
            Wants::Credential(_) | Wants::Token => session.ask(waiter, cx),
        });
    }

    /// Opens a page of a sign-in that is under way once more.
    fn open_again(&self, account: &AccountId, effects: &mut Vec<Effect>) {
        let session = self.accounts.get(account).map(|account| &account.session);
        if let Some(Doing::SigningIn(attempt, _)) = session.map(Session::doing) {
            effects.push(Effect::OpenAgain(attempt.id));
        }
    }

    /// Whether somebody could sign in for this caller. The first ask of a new foreground command,
    /// and a person's own command, count as asking.
    pub(crate) fn person(&mut self, caller: CallerId, account: &AccountId) -> Person {
        let Some(Caller { asker, wants }) = self.callers.get(&caller) else {
            return Person::Absent;
        };
        if venue(asker, self.desktop) == Venue::Nobody {
            return Person::Absent;
        }
        match wants {
            Wish::SignIn { .. } => return Person::Asking,
            Wish::Credential { .. }
            | Wish::Token { .. }
            | Wish::Answer { .. }
            | Wish::SignOut { .. }
            | Wish::Discovery { .. }
            | Wish::Secret { .. }
            | Wish::Confirm { .. }
            | Wish::Remove { .. }
            | Wish::Reset => {}
        }
        let Some(account) = self.accounts.get_mut(account) else {
            return Person::Absent;
        };
        if asker.foreground && account.last_asking != asker.process {
            account.last_asking = asker.process;
            return Person::Asking;
        }
        Person::Present
    }

    /// Carries a session's steps out.
    pub(crate) fn carry_out(
        &mut self,
        id: &AccountId,
        steps: Vec<Step>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        for step in steps {
            match step {
                Step::Serve(waiter) => self.serve(id, waiter, now, effects),
                Step::Fail(waiter, problem) => self.fail(waiter.caller, &problem, effects),
                Step::Refresh(attempt) => self.refresh(id, attempt, now, effects),
                Step::SignIn(attempt) => self.sign_in(id, attempt, now, effects),
                Step::Tell(attempt, caller) => self.tell(attempt, caller, effects),
                Step::Cancel(attempt) => {
                    self.questions.page_gone(attempt);
                    effects.push(Effect::Cancel(attempt));
                    self.drop_what_is_left(effects);
                }
                Step::Forget => effects.push(Effect::Forget(id.clone(), Forget::Tokens)),
                Step::SignOut(attempt, tokens) => {
                    let Some(account) = self.accounts.get(id) else {
                        continue;
                    };
                    let everywhere = account.leaving.iter().any(|(_, everywhere)| *everywhere);
                    effects.push(Effect::SignOut(
                        attempt,
                        Box::new(SignOutRequest {
                            account: id.clone(),
                            key: account.key.clone(),
                            settings: self.settings_of(account, now),
                            tokens: tokens.map(|tokens| *tokens),
                            everywhere,
                            forget: self.forgotten_with(id),
                            at: now.wall,
                        }),
                    ));
                }
            }
        }
    }

    /// Hands a token out. Trust is looked at once more: it may have been taken back meanwhile, and
    /// somebody who only joined a sign-in was not asked about yet.
    fn serve(&mut self, id: &AccountId, waiter: Waiter, now: Now, effects: &mut Vec<Effect>) {
        let caller = waiter.caller;
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        match &known.wants {
            Wish::Credential {
                account,
                servers,
                flags,
                ..
            } => {
                let manner = flags.as_ref().map(|flags| flags.manner());
                match self.standings(account, servers, manner, &known.asker, now) {
                    Standings::Trusted => {}
                    Standings::Refused(problem) => return self.fail(caller, &problem, effects),
                    Standings::New => return self.question(caller, now, effects),
                }
            }
            Wish::SignIn { .. } => return self.told_signed_in(caller, id, effects),
            Wish::Token { .. }
            | Wish::Answer { .. }
            | Wish::SignOut { .. }
            | Wish::Discovery { .. }
            | Wish::Secret { .. }
            | Wish::Confirm { .. }
            | Wish::Remove { .. }
            | Wish::Reset => {}
        }
        let as_json = matches!(known.wants, Wish::Token { json: true, .. });
        let account = self.accounts.get(id);
        let good = account.and_then(|account| Some((account, account.session.good(now)?)));
        let Some((account, tokens)) = good else {
            return self.fail(caller, &Problem::plain(Code::TakesTooLong), effects);
        };
        let token = tokens.bearer.clone();
        let by = match waiter.wants {
            Wants::Credential(_) => Some(known.asker.program.clone()),
            Wants::Token | Wants::SignIn => None,
        };
        let reply = match waiter.wants {
            Wants::Credential(version) => {
                Reply::Credential(version, token, stated_expiry(tokens, now.wall))
            }
            Wants::Token | Wants::SignIn => {
                let facts = as_json.then(|| TokenFacts {
                    account: account.label.clone(),
                    expires: tokens.expires,
                });
                Reply::Token(token, facts)
            }
        };
        if let Some(by) = by {
            self.used(id, by, now, effects);
        }
        self.end(caller, reply, 0, effects);
    }

    /// An account's token goes to somebody. That is told when nobody was seen before, and now and then: not every
    /// token is worth a write, nor a view.
    fn used(&mut self, id: &AccountId, by: String, now: Now, effects: &mut Vec<Effect>) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let is_news = account
            .asked
            .as_ref()
            .is_none_or(|known| now.wall.since(known.at) >= ASKED_AGAIN || now.wall < known.at);
        if is_news {
            account.asked = Some(AskedView { at: now.wall, by });
            self.keep_down(effects);
        }
    }

    fn refresh(&self, id: &AccountId, attempt: Attempt, now: Now, effects: &mut Vec<Effect>) {
        let Some(account) = self.accounts.get(id) else {
            return;
        };
        let Some(tokens) = account.session.tokens() else {
            return;
        };
        let mut settings = self.settings_of(account, now);
        // The secret that works goes on being used; another one from newer flags gets its try when
        // the provider has refused (`Session::other_secret`, `tries` above one).
        if attempt.tries <= 1 || settings.client_secret.is_none() {
            settings.client_secret.clone_from(&tokens.client_secret);
        }
        effects.push(Effect::Refresh(
            attempt.id,
            Box::new(RefreshRequest {
                account: id.clone(),
                key: account.key.clone(),
                settings,
                tokens: tokens.clone(),
            }),
        ));
    }

    fn sign_in(&mut self, id: &AccountId, attempt: Attempt, now: Now, effects: &mut Vec<Effect>) {
        let Some(account) = self.accounts.get(id) else {
            return;
        };
        let callers: Vec<CallerId> = account
            .session
            .waiting()
            .map(|waiter| waiter.caller)
            .collect();
        let wishes = callers.iter().filter_map(|caller| self.callers.get(caller));
        let open_browser = wishes.clone().any(|caller| {
            venue(&caller.asker, self.desktop) == Venue::Page
                && !matches!(
                    caller.wants,
                    Wish::SignIn {
                        open_browser: false,
                        ..
                    }
                )
        });
        let language = wishes
            .clone()
            .map(|caller| caller.asker.language)
            .next()
            .unwrap_or_default();
        let question = self.questions.with_sign_in(&callers, attempt.id);
        let asks = question
            .as_ref()
            .and_then(|question| self.questions.worded(*question));
        let account = self.accounts.get(id);
        let Some(account) = account else { return };
        let settings = self.signs_in_as(account, &callers, question, now);
        let open_browser = open_browser && !settings.skip_open_browser;
        let request = SignInRequest {
            account: id.clone(),
            about: self.about(id),
            key: account.key.clone(),
            settings: self.with_ways(settings, &account.key.issuer, now),
            known_secret: account.known_secret.clone(),
            expected_subject: account.subject.clone(),
            signed_in_at: account.signed_in_at.clone(),
            other_issuers: self.other_issuers(&account.key),
            question: asks,
            language,
            prompt: Prompting::Allowed,
        };
        let sign_in = SignIn {
            attempt: attempt.id,
            request,
            open_browser,
            question,
        };
        effects.push(Effect::SignIn(Box::new(sign_in)));
    }

    /// How an account signs in, with every way to its provider that is known by now.
    pub(crate) fn settings_of(&self, account: &Account, now: Now) -> ClientSettings {
        self.with_ways(account.settings.clone(), &account.key.issuer, now)
    }

    fn with_ways(&self, settings: ClientSettings, issuer: &str, now: Now) -> ClientSettings {
        ClientSettings {
            known_proxies: self.proxies.beside(&settings.proxies, now.moment),
            provider_origins: self.settings.origins_of(issuer),
            ..settings
        }
    }

    /// The issuers of accounts that somebody uses: signed in to, added, or allowed for a server. What a request merely
    /// named is not among them, or it could keep a person from signing in.
    fn used_issuers(&self) -> impl Iterator<Item = &str> {
        let is_allowed = |id: &AccountId| self.trust.always().any(|(pair, _)| pair.account == *id);
        let used = self.accounts.iter().filter(move |(id, account)| {
            account.subject.is_some() || account.added || is_allowed(id)
        });
        used.map(|(_, account)| account.key.issuer.as_str())
    }

    /// Whether somebody uses an account at this issuer.
    pub(crate) fn is_used(&self, issuer: &str) -> bool {
        self.used_issuers().any(|used| used == issuer)
    }

    fn other_issuers(&self, key: &AccountKey) -> Vec<String> {
        let others = self.used_issuers().filter(|issuer| *issuer != key.issuer);
        let others: BTreeSet<_> = others.collect();
        others.into_iter().map(str::to_owned).collect()
    }

    fn tell(&self, attempt: AttemptId, caller: CallerId, effects: &mut Vec<Effect>) {
        let Some(Caller { asker, wants }) = self.callers.get(&caller) else {
            return;
        };
        let wanted = matches!(
            wants,
            Wish::SignIn {
                open_browser: false,
                ..
            }
        );
        let address = if asker.terminal || wanted {
            Address::Wanted
        } else {
            Address::IfNotShown
        };
        effects.push(Effect::Tell(attempt, caller, address));
    }

    /// Finds or makes the account that flags name, for a person who signs in by them.
    pub(crate) fn account_of_flags(
        &mut self,
        flags: &Flags,
        asker: &Asker,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> AccountId {
        let id = flags.id().clone();
        self.proxies.saw(&asker.proxies, now.moment);
        let account = self
            .accounts
            .entry(id.clone())
            .or_insert_with(|| Account::new(flags.key().clone()));
        account.settings.proxies = asker.proxies.clone();
        self.give_up_unapproved(&id, now, effects);
        self.take_over(&id, flags, now, effects);
        id
    }

    /// The account that a name means: its label, its id or the beginning of it, its issuer or
    /// host. Without a name, the only one.
    pub(crate) fn account_named(&self, name: Option<&str>) -> Result<AccountId, Problem> {
        let fits = |account: &Account| {
            name.is_none_or(|name| {
                account.label == name
                    || account.key.issuer == name
                    || account.key.host() == name
                    || (name.len() >= 4 && account.key.id().as_str().starts_with(name))
            })
        };
        let mut found = self.persons_accounts().filter(|(_, account)| fits(account));
        match (found.next(), found.next()) {
            (Some((id, _)), None) => Ok(id.clone()),
            (None, _) => Err(Problem::new(
                Code::NoSuchAccount,
                vec![("name", name.unwrap_or_default().to_owned())],
            )),
            (Some(_), Some(_)) => {
                let names = self.persons_accounts().filter(|(_, account)| fits(account));
                let names: Vec<_> = names
                    .map(|(id, account)| {
                        format!(
                            "{} ({})",
                            account.label,
                            id.as_str().get(..8).unwrap_or_default()
                        )
                    })
                    .collect();
                Err(Problem::new(
                    Code::WhichAccount,
                    vec![("names", names.join(", "))],
                ))
            }
        }
    }

    /// Whether this account can only be served after somebody signed in, and nobody is at it yet.
    pub(crate) fn needs_sign_in(&self, id: &AccountId, now: Now) -> bool {
        self.accounts.get(id).is_some_and(|account| {
            account.session.good(now).is_none()
                && !account.session.refreshable()
                && match account.session.doing() {
                    Doing::Idle | Doing::BackingOff { .. } | Doing::Declined { .. } => true,
                    Doing::Refreshing(_)
                    | Doing::SigningIn(..)
                    | Doing::LostReply { .. }
                    | Doing::Blocked { .. }
                    | Doing::SigningOut(_) => false,
                }
        })
    }

    /// Tells a caller what is wrong, and ends with it.
    pub(crate) fn fail(&mut self, caller: CallerId, problem: &Problem, effects: &mut Vec<Effect>) {
        let Some(known) = self.callers.remove(&caller) else {
            return;
        };
        self.questions.unjoin(caller);
        let refusal = match known.wants.account() {
            Some(account) => self.told_of(account, problem, &known.asker),
            None => problem.clone().into(),
        };
        effects.push(Effect::Reply(caller, Reply::Refused(Box::new(refusal))));
        effects.push(Effect::Reply(caller, Reply::Done(1)));
    }

    /// A problem as one asker should hear it: the account named, and a certificate that it can't
    /// have trusted explained.
    fn told_of(&self, account: &AccountId, problem: &Problem, asker: &Asker) -> Refusal {
        let mut problem = problem.clone();
        if asker.own_ca {
            problem = problem.with_own_ca();
        }
        if problem == Problem::NotSignedIn && asker.completion {
            problem = Problem::CompletionNeverAsks;
        }
        problem.of(self.about(account))
    }

    /// What a problem of an account is told with.
    pub(crate) fn about(&self, id: &AccountId) -> About {
        self.about_by(&self.names(), id)
    }

    /// The same, by [`names`](Self::names) for many. A command calls an account by its label, where that means it alone
    /// and can be typed.
    pub(crate) fn about_by(&self, names: &Names<'_>, id: &AccountId) -> About {
        let Some(account) = self.accounts.get(id) else {
            return About::default();
        };
        let label = account.label.as_str();
        let about = About::account(label, account.key.host());
        let is_others = names.get(label).is_some_and(|meant| *meant != Some(id));
        if is_others || clean(label) != label {
            about.called(id.as_str().get(..8).unwrap_or_default())
        } else {
            about
        }
    }

    /// What each name means in a command.
    pub(crate) fn names(&self) -> Names<'_> {
        let mut names = Names::new();
        for (id, account) in self.persons_accounts() {
            let key = &account.key;
            for name in [account.label.clone(), key.issuer.clone(), key.host()] {
                let meant = names.entry(name).or_insert(Some(id));
                *meant = meant.filter(|meant| *meant == id);
            }
        }
        names
    }

    /// Gives a caller its answer, and ends with it.
    pub(crate) fn end(
        &mut self,
        caller: CallerId,
        reply: Reply,
        code: u8,
        effects: &mut Vec<Effect>,
    ) {
        self.callers.remove(&caller);
        self.questions.unjoin(caller);
        effects.push(Effect::Reply(caller, reply));
        effects.push(Effect::Reply(caller, Reply::Done(code)));
    }

    pub(crate) fn gone(&mut self, caller: CallerId, now: Now, effects: &mut Vec<Effect>) {
        if self.callers.remove(&caller).is_none() {
            return;
        }
        for account in self.accounts.values_mut() {
            account.session.gone(caller);
        }
        self.question_gone(caller, now, effects);
    }
}

/// What names mean: one account, or several (none).
pub(crate) type Names<'a> = BTreeMap<String, Option<&'a AccountId>>;

/// Tells a caller what it asked for, and that this is all.
pub(crate) fn say(caller: CallerId, text: String, effects: &mut Vec<Effect>) {
    effects.push(Effect::Reply(caller, Reply::Out(text)));
    effects.push(Effect::Reply(caller, Reply::Done(0)));
}

/// Says what is wrong to somebody who is owed nothing more.
pub(crate) fn refuse(caller: CallerId, problem: &Problem, effects: &mut Vec<Effect>) {
    effects.push(Effect::Reply(
        caller,
        Reply::Refused(problem.clone().into()),
    ));
    effects.push(Effect::Reply(caller, Reply::Done(1)));
}
