//! The broker: what happened goes in, what the world must do comes out. Routes only: each arm
//! calls the file that decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroize;

use crate::account::{AccountId, AccountKey, ClientSettings};
use crate::asker::{Asker, Desktop};
use crate::claims::Claims;
use crate::clock::{Deadline, Moment, Now, Wall};
use crate::event::{AtRest, Effect, Event, Kept, KeptAccount, Reply, Restored};
use crate::found::{Files, Stanza};
use crate::manner::{Manner, Manners};
use crate::plugin::{Plugin, PluginView};
use crate::problem::{Code, Problem};
use crate::proxies::KnownProxies;
use crate::questions::Questions;
use crate::reach::Reach;
use crate::resetting::Resetting;
use crate::schedule::Jitter;
use crate::secret::ClientSecret;
use crate::session::{self, Context, Session};
use crate::settings::{Keep, KeepFresh, Settings};
use crate::trust::{Approval, Pair, Trust};
use crate::undone::LastSwitch;
use crate::view::{AskedView, KubeconfigView, PlacesView, View};
use crate::waiters::CallerId;

/// Every account, every pair, every question that waits.
#[derive(Debug)]
pub struct Broker {
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) trust: Trust,
    /// What was said of ways to sign in, other than for good.
    pub(crate) manners: Manners,
    pub(crate) questions: Questions,
    pub(crate) callers: BTreeMap<CallerId, Caller>,
    pub(crate) settings: Settings,
    pub(crate) desktop: Desktop,
    pub(crate) keep: Keep,
    pub(crate) proxies: KnownProxies,
    pub(crate) notices: Vec<Problem>,
    /// That approvals of an older version, for servers that can't be seen, are over: said for as long as this resident
    /// lives, which is once, since they are then written down no more.
    pub(crate) unseen_dropped: Option<Problem>,
    /// The person's own kubeconfig, cleaned when it came: a view is made at every event.
    pub(crate) kubeconfig: Option<Arc<KubeconfigView>>,
    /// Other files that askers had, cleaned too.
    pub(crate) files: Vec<Arc<KubeconfigView>>,
    /// The paths of those.
    paths: Vec<String>,
    /// The path of the person's own.
    own_path: Option<String>,
    /// What any of them offers to sign in to.
    pub(crate) stanzas: Vec<Stanza>,
    pub(crate) places: Option<Arc<PlacesView>>,
    pub(crate) last_switch: LastSwitch,
    pub(crate) plugin: Option<PluginView>,
    pub(crate) reach: Reach,
    pub(crate) autostart: bool,
    pub(crate) resetting: Option<Resetting>,
    pub(crate) claims: Claims,
    jitter: Jitter,
    attempts: u64,
    clock_base: Option<i64>,
    shown: View,
    /// When what is shown changes by itself: a token ends that nothing renews, or enough was said of a switch.
    look_again: Option<Deadline>,
    early: Early,
}

/// What came before the vault had said what it has: to decide on it would mean a page for a
/// session that is there.
#[derive(Debug)]
enum Early {
    /// The vault is still being asked.
    Waits(Vec<Event>),
    /// It has answered, or there is nothing that it could have.
    Over,
}

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
    pub(crate) last_asking: Option<crate::asker::ProcessId>,
    /// Whether it goes when its session is ended.
    pub(crate) removing: bool,
    /// Who was seen to be given a token of it.
    pub(crate) asked: Option<AskedView>,
    /// Since when it is as its problem says.
    pub(crate) since: Option<Wall>,
    /// Who waits for a sign-out.
    pub(crate) leaving: Vec<(CallerId, bool)>,
}

/// Somebody who is owed an answer.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) asker: Asker,
    pub(crate) wants: crate::asking::Wish,
}

/// A clock that moved by more than this against the running one was set by somebody.
const CLOCK_SET: i64 = 2_000;

impl Broker {
    /// A broker that knows what was written down; `seed` is for jitter alone.
    #[must_use]
    pub fn new(kept: Kept, settings: Settings, seed: u64) -> Self {
        let unseen = kept
            .trusts
            .iter()
            .filter(|(pair, _)| !pair.server.is_seen());
        let unseen = unseen.count();
        let unseen_dropped = (unseen > 0).then(|| {
            let count = vec![("count", unseen.to_string())];
            Problem::new(Code::UnseenDropped, count)
        });
        let trusts = with_manners(kept.trusts, &kept.accounts);
        let accounts = kept.accounts.into_iter().map(|kept| {
            let mut account = Account::restored(kept);
            let id = account.key.id();
            // Earlier versions wrote down what nobody had approved too.
            account.unapproved =
                account.is_untouched() && trusts.iter().all(|(pair, _)| pair.account != id);
            (id, account)
        });
        let accounts: BTreeMap<_, _> = accounts.collect();
        let early = if accounts.is_empty() {
            Early::Over
        } else {
            Early::Waits(Vec::new())
        };
        Self {
            early,
            reach: Reach::after(kept.told_of_no_tray),
            autostart: false,
            resetting: None,
            claims: Claims::default(),
            accounts,
            trust: Trust::restored(trusts),
            manners: Manners::default(),
            questions: Questions::default(),
            callers: BTreeMap::new(),
            settings,
            desktop: Desktop::None,
            keep: Keep::Unknown,
            proxies: KnownProxies::default(),
            notices: Vec::new(),
            unseen_dropped,
            jitter: Jitter::new(seed),
            attempts: 0,
            clock_base: None,
            kubeconfig: None,
            files: Vec::new(),
            paths: kept.files,
            own_path: None,
            stanzas: Vec::new(),
            places: None,
            last_switch: LastSwitch::default(),
            plugin: None,
            shown: View::default(),
            look_again: None,
        }
    }

    /// There are sessions at rest, of accounts that were not written down or are forgotten: they are waited for.
    #[must_use]
    pub fn with_sessions_at_rest(mut self) -> Self {
        if let Early::Over = self.early {
            self.early = Early::Waits(Vec::new());
        }
        self
    }

    /// Where things rest is shown.
    #[must_use]
    pub fn resting_at(mut self, places: PlacesView) -> Self {
        self.places = Some(Arc::new(places));
        self
    }

    /// Takes what happened; returns what the world must now do.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let clock_set = self.absorb_clock_change(now);
        let Some(event) = self.in_time(event) else {
            return effects;
        };
        match event {
            Event::Asked(ask) => {
                self.asked(*ask, now, &mut effects);
                if is_a_token_alone(&effects) && !clock_set {
                    return effects;
                }
            }
            Event::Commanded(commanded) => self.commanded(*commanded, now, &mut effects),
            Event::Contexts(command) => self.contexts(*command, &mut effects),
            Event::FilesChanged(files) => self.files_changed(*files, now, &mut effects),
            Event::Plugin(plugin) => self.plugin = plugin.as_ref().map(Plugin::view),
            Event::Edited(edit, outcome) => self.edited(&edit, outcome, now, &mut effects),
            Event::Refused(caller, problem) => {
                crate::asking::refuse(caller, &problem, &mut effects);
            }
            Event::Answered(caller, mut line) => {
                self.answered(caller, &line, now, &mut effects);
                // It may have been a client secret.
                line.zeroize();
            }
            Event::Gone(caller) => {
                self.claims.gone(caller);
                self.gone(caller, now, &mut effects);
            }
            Event::Approved(question, answer, ticked) => {
                self.approved(question, answer, &ticked, now, &mut effects);
            }
            Event::Unanswered(question, why) => {
                self.unanswered(question, why, now, &mut effects);
            }
            Event::NoWindow => self.no_window(now, &mut effects),
            Event::Refreshed(account, attempt, outcome) => {
                self.with_session(&account, now, &mut effects, |session, cx| {
                    session.refreshed(attempt, outcome, cx)
                });
                self.learn_from_tokens(&account);
            }
            Event::SignedInAt(account, attempt, origin) => {
                // One that was given up, or signed out since, says nothing.
                if let Some(account) = self.accounts.get_mut(&account)
                    && account.session.attempt() == Some(attempt)
                {
                    account.signed_in_at = Some(origin);
                }
            }
            Event::SignedIn(account, attempt, outcome) => {
                self.sign_in_over(&account, attempt, outcome, now, &mut effects);
                self.learn_from_tokens(&account);
                self.keep_down(&mut effects);
            }
            Event::SignedOut(account, attempt, outcome) => {
                self.signed_out(&account, attempt, &outcome, now, &mut effects);
            }
            Event::Forgotten(account, outcome) => self.forgotten(account, outcome),
            Event::Settled(what, unwritten) => self.settled(what, unwritten, now, &mut effects),
            Event::Loaded(restored, keep) => {
                self.loaded(restored, keep, now);
                if self.unseen_dropped.is_some() {
                    self.keep_down(&mut effects);
                }
                if let Early::Waits(early) = std::mem::replace(&mut self.early, Early::Over) {
                    for event in early {
                        effects.extend(self.handle(event, now));
                    }
                }
            }
            Event::FirstStart(found) => self.first_start(found, now, &mut effects),
            Event::Settings(settings) => {
                self.settings = settings;
                self.reschedule(now);
            }
            Event::Discovered(caller, outcome) => {
                self.discovered(caller, outcome, now, &mut effects);
            }
            Event::WasReset(problems) => self.was_reset(&problems, &mut effects),
            Event::Autostart(on) => self.autostart = on,
            Event::Chosen(caller, outcome) => Self::chosen(caller, outcome, &mut effects),
            Event::Noticed(notices) => self.notices = notices,
            Event::Desktop(desktop) => {
                self.desktop = desktop;
                self.reschedule(now);
            }
            Event::TrayHost(there) => self.reach.host(there),
            Event::Ended(process) => self.process_ended(process, now, &mut effects),
            Event::Resumed | Event::NetworkChanged => {
                self.every_session(now, &mut effects, Session::try_now);
            }
            Event::Timeout => {
                self.every_session(now, &mut effects, Session::timeout);
                self.questions_overdue(now, &mut effects);
            }
        }
        self.drop_what_is_left(&mut effects);
        self.settle(&mut effects);
        self.show(now, &mut effects);
        effects
    }

    /// Keeps back what only the vault's answer can decide; a caller who hangs up meanwhile is
    /// forgotten.
    fn in_time(&mut self, event: Event) -> Option<Event> {
        let Early::Waits(early) = &mut self.early else {
            return Some(event);
        };
        if let Event::Gone(caller) = event {
            early.retain(|kept| waiting_caller(kept) != Some(caller));
        }
        if waiting_caller(&event).is_some() {
            early.push(event);
            return None;
        }
        Some(event)
    }

    /// When `handle(Event::Timeout, …)` is next due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        self.accounts
            .values()
            .filter_map(|account| account.session.next(self.kept_fresh(account)))
            .chain(self.look_again)
            .chain(self.questions.next())
            .min()
    }

    pub(crate) fn kept_fresh(&self, account: &Account) -> bool {
        account.named
            && match self.settings.keep_fresh {
                KeepFresh::Always => true,
                KeepFresh::WhileInUse => self.desktop == Desktop::Unlocked,
            }
    }

    /// Lets one session decide, and carries its steps out.
    pub(crate) fn with_session(
        &mut self,
        id: &AccountId,
        now: Now,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut Session, Context<'_>) -> Vec<crate::session::Step>,
    ) {
        let Some(keep_fresh) = self
            .accounts
            .get(id)
            .map(|account| self.kept_fresh(account))
        else {
            return;
        };
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let cx = Context {
            now,
            jitter: &mut self.jitter,
            attempts: &mut self.attempts,
            keep_fresh,
        };
        let before = session::problem(&account.session).map(|problem| problem.code());
        let steps = act(&mut account.session, cx);
        let after = session::problem(&account.session).map(|problem| problem.code());
        if before != after {
            account.since = after.map(|_| now.wall);
        }
        self.carry_out(id, steps, now, effects);
    }

    fn every_session(
        &mut self,
        now: Now,
        effects: &mut Vec<Effect>,
        act: fn(&mut Session, Context<'_>) -> Vec<crate::session::Step>,
    ) {
        for id in self.accounts.keys().cloned().collect::<Vec<_>>() {
            self.with_session(&id, now, effects, act);
        }
    }

    fn reschedule(&mut self, now: Now) {
        self.every_session(now, &mut Vec::new(), |session, cx| {
            session.keep_fresh(cx);
            Vec::new()
        });
    }

    /// What this computer's clock says at a moment. It does not waver with when it is asked.
    pub(crate) fn wall_at(&self, moment: Moment, now: Now) -> Wall {
        let base = self.clock_base.unwrap_or_else(|| clock_base(now));
        Wall(base.saturating_add(i64::try_from(moment.0).unwrap_or(i64::MAX)))
    }

    /// Whether somebody has set the clock since the last event.
    fn absorb_clock_change(&mut self, now: Now) -> bool {
        let base = clock_base(now);
        let moved = base.saturating_sub(*self.clock_base.get_or_insert(base));
        if moved.abs() < CLOCK_SET {
            return false;
        }
        self.clock_base = Some(base);
        for id in self.accounts.keys().cloned().collect::<Vec<_>>() {
            self.with_session(&id, now, &mut Vec::new(), |session, cx| {
                session.clock_set(moved, cx);
                Vec::new()
            });
        }
        true
    }

    fn files_changed(&mut self, files: Files, now: Now, effects: &mut Vec<Effect>) {
        let Files {
            own,
            others,
            stanzas,
        } = files;
        self.last_switch.written(own.as_ref(), now.moment);
        let shown = |kubeconfig: &KubeconfigView| Arc::new(kubeconfig.cleaned());
        self.kubeconfig = own.as_ref().map(shown);
        self.own_path = own.map(|own| own.path);
        self.files = others.iter().map(shown).collect();
        self.stanzas = stanzas;
        let paths: Vec<_> = others.into_iter().map(|file| file.path).collect();
        if paths != self.paths {
            self.paths = paths;
            self.keep_down(effects);
        }
    }

    /// Whoever has these kubeconfigs may have what it asks for: they are known from now on.
    pub(crate) fn uses(&self, files: &Arc<[String]>, effects: &mut Vec<Effect>) {
        let own = self.own_path.as_ref();
        let known = |file: &String| own == Some(file) || self.paths.contains(file);
        if !files.iter().all(known) {
            effects.push(Effect::Know(Arc::clone(files)));
        }
    }

    fn loaded(&mut self, restored: Vec<Restored>, keep: Keep, now: Now) {
        self.keep = keep;
        for Restored { key, at_rest } in restored {
            let id = key.id();
            self.accounts
                .entry(id.clone())
                .or_insert_with(|| Account::new(key));
            let secret = match at_rest {
                AtRest::Secret(secret) => Some(secret),
                AtRest::Tokens(tokens, loss) => {
                    let secret = tokens.client_secret.clone();
                    self.with_session(&id, now, &mut Vec::new(), |session, cx| {
                        session.restore(tokens, loss, cx);
                        Vec::new()
                    });
                    secret
                }
            };
            if let Some(account) = self.accounts.get_mut(&id) {
                account.unapproved = false;
                if account.settings.client_secret.is_none() {
                    account.settings.client_secret.clone_from(&secret);
                }
                account.known_secret = secret;
                account.learn_who();
            }
        }
    }

    /// Tokens came by this client secret, or without one: it is the one to keep. And they are this
    /// person's.
    fn learn_from_tokens(&mut self, id: &AccountId) {
        if let Some(account) = self.accounts.get_mut(id)
            && let Some(tokens) = account.session.tokens()
        {
            account.known_secret.clone_from(&tokens.client_secret);
            account.unapproved = false;
            account.learn_who();
        }
    }

    /// Keeps the client secret of an account that may have tokens, before anybody has signed in: it
    /// must be there when a person does so without a kubeconfig, be it after a restart.
    pub(crate) fn keep_first_secret(&mut self, id: &AccountId, effects: &mut Vec<Effect>) {
        if let Some(account) = self.accounts.get_mut(id)
            && account.known_secret.is_none()
            && account.session.tokens().is_none()
            && let Some(secret) = account.settings.client_secret.clone()
        {
            account.known_secret = Some(secret.clone());
            effects.push(Effect::KeepSecret(Box::new(account.key.clone()), secret));
        }
    }

    /// Writes accounts and trust down.
    pub(crate) fn keep_down(&self, effects: &mut Vec<Effect>) {
        let accounts = self.persons_accounts().map(|(_, account)| account.kept());
        let accounts = accounts.collect();
        let trusts = self.trust.always();
        let trusts = trusts
            .map(|(pair, approval)| (pair.clone(), approval.clone()))
            .collect();
        let kept = Effect::Keep(Box::new(Kept {
            accounts,
            trusts,
            told_of_no_tray: self.reach.told,
            files: self.paths.clone(),
        }));
        effects.retain(|effect| !matches!(effect, Effect::Keep(_)));
        effects.push(kept);
    }

    fn show(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if let Early::Over = self.early {
            self.forget_unapproved();
        }
        self.say_how_to_come_back(now, effects);
        let ends = |account: &Account| account.session.ends(now);
        let ends = self.accounts.values().filter_map(ends);
        let others = [
            self.last_switch.said_until(now.moment),
            self.reach.known_at(now.moment),
        ];
        self.look_again = ends.chain(others.into_iter().flatten()).min();
        let view = self.view(now);
        if view != self.shown {
            self.shown = view.clone();
            effects.push(Effect::Show(Box::new(view)));
        }
    }
}

/// What an earlier version wrote down says nothing of ways to sign in: each pair was approved with its account's.
fn with_manners(
    mut trusts: Vec<(Pair, Approval)>,
    accounts: &[KeptAccount],
) -> Vec<(Pair, Approval)> {
    for account in accounts {
        let manner = Manner {
            listen: account.listen.clone(),
            redirect_url: account.redirect_url.clone(),
            rest: account.rest,
        };
        let id = account.key.id();
        let of_it = |(pair, approval): &&mut (Pair, Approval)| {
            pair.account == id && approval.manners.is_empty()
        };
        for (_, approval) in trusts.iter_mut().filter(of_it) {
            approval.manners.push(manner.clone());
        }
    }
    trusts
}

/// By how much the clock on the wall is ahead of the running one.
fn clock_base(now: Now) -> i64 {
    let running = i64::try_from(now.moment.0).unwrap_or(i64::MAX);
    now.wall.0.saturating_sub(running)
}

/// Whether whoever asked got a token, and nothing else came of it. It is what nearly every question comes to,
/// and it changes nothing that is shown.
fn is_a_token_alone(effects: &[Effect]) -> bool {
    matches!(
        effects,
        [
            Effect::Reply(_, Reply::Credential(..)),
            Effect::Reply(_, Reply::Done(_)),
        ]
    )
}

/// Who waits for an event that needs to know which tokens there are.
fn waiting_caller(event: &Event) -> Option<CallerId> {
    if let Event::Asked(ask) = event {
        return Some(ask.caller);
    }
    if let Event::Commanded(commanded) = event
        && commanded.invocation.needs_tokens()
    {
        return Some(commanded.caller);
    }
    None
}

impl Account {
    pub(crate) fn new(key: AccountKey) -> Self {
        Self {
            label: key.name.clone().unwrap_or_else(|| key.host()),
            settings: ClientSettings::default(),
            session: Session::empty(Problem::new(
                Code::NotSignedIn,
                vec![("account", key.name.clone().unwrap_or_else(|| key.host()))],
            )),
            known_secret: None,
            named: false,
            unapproved: false,
            added: false,
            subject: None,
            signed_in_at: None,
            name: None,
            last_asking: None,
            removing: false,
            asked: None,
            since: None,
            leaving: Vec::new(),
            key,
        }
    }

    /// Whether nobody has added it, signed in or out, or called it otherwise.
    fn is_untouched(&self) -> bool {
        let label = self.key.name.clone().unwrap_or_else(|| self.key.host());
        !self.added && self.subject.is_none() && !self.session.signed_out() && self.label == label
    }

    fn learn_who(&mut self) {
        if let Some(tokens) = self.session.tokens() {
            self.subject = Some(tokens.identity.subject.clone());
            self.name = Some(tokens.identity.name.clone());
        }
    }

    fn restored(kept: KeptAccount) -> Self {
        let mut account = Self::new(kept.key);
        account.label = kept.label;
        let manner = Manner {
            listen: kept.listen,
            redirect_url: kept.redirect_url,
            rest: kept.rest,
        };
        manner.apply(&mut account.settings);
        account.named = kept.named;
        account.added = kept.added;
        account.subject = kept.subject;
        account.signed_in_at = kept.signed_in_at;
        account.name = kept.name;
        account.asked = kept.asked;
        if kept.signed_out {
            account.session = Session::empty(Problem::new(
                Code::SignedOut,
                vec![("account", account.label.clone())],
            ));
        }
        account
    }

    fn kept(&self) -> KeptAccount {
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
            asked: self.asked.clone(),
        }
    }
}
