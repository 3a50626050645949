//! The broker: what happened goes in, what the world must do comes out.
//!
//! It alone knows all the machines, and it decides nothing: an event becomes a call, what a machine gives back becomes
//! the next calls or effects, until nothing is left. A step is followed to its end before the next one is.

use std::sync::Arc;

use zeroize::Zeroize;

use crate::account::AccountId;
use crate::accounts::adding::{Draft, key_to_look_at};
use crate::accounts::held::Says;
use crate::accounts::session::{self, Doing, Session};
use crate::accounts::waiters::{CallerId, Person, Waiter, Wants};
use crate::accounts::{self, Accounts};
use crate::asker::{Asker, Desktop, Endpoint, Venue, venue};
use crate::callers::claims::Settled;
use crate::callers::outcome::{Listing, Meanwhile, Outcome, Prompt};
use crate::callers::wish::{Asked, Credential, Wish, is_yes};
use crate::callers::{Callers, Form};
use crate::clock::{Ahead, Deadline, Now};
use crate::command::{Add, Command, Flags, Invocation, ScreenName, Which};
use crate::consent::{self, Consent, Facts};
use crate::early::Early;
use crate::ending::{self, Ending};
use crate::event::{Address, Ask, Commanded, Effect, Event, Found, Kept, Reply};
use crate::kubeconfigs::contexts::{self, ContextCommand, Edit};
use crate::kubeconfigs::{Kubeconfigs, found::Files};
use crate::manner::Manner;
use crate::problem::Problem;
use crate::requests;
use crate::secret::ClientSecret;
use crate::settings::Settings;
use crate::show::made::Shown;
use crate::show::view::View;
use crate::show::{notes, told};
use crate::surroundings::{RestingPlaces, Surroundings};
use crate::transaction::{Announced, AttemptId, Forget, SignInOutcome, SignOutOutcome, Taken};

/// Every account, every pair, every question that waits.
#[derive(Debug)]
pub struct Broker {
    accounts: Accounts,
    callers: Callers,
    consent: Consent,
    ending: Ending,
    kubeconfigs: Kubeconfigs,
    surroundings: Surroundings,
    clock: Ahead,
    early: Early,
    /// What the world must do about the event that is being handled.
    outbox: Vec<Effect>,
    shown: View,
    /// When what is shown changes by itself: a token ends that nothing renews, or enough was said of a switch.
    look_again: Option<Deadline>,
}

/// What a decision may know of the other rooms.
macro_rules! facts {
    ($broker:ident, $now:ident) => {
        Facts {
            accounts: &$broker.accounts,
            callers: &$broker.callers,
            desktop: $broker.surroundings.desktop,
            now: $now,
        }
    };
}

/// All that something is shown of.
macro_rules! shown {
    ($broker:ident) => {
        Shown {
            accounts: &$broker.accounts,
            callers: &$broker.callers,
            consent: &$broker.consent,
            kubeconfigs: &$broker.kubeconfigs,
            surroundings: &$broker.surroundings,
            clock: $broker.clock,
        }
    };
}

impl Broker {
    /// A broker that knows what was written down; `seed` is for jitter alone.
    #[must_use]
    pub fn new(kept: Kept, settings: Settings, seed: u64) -> Self {
        let told = kept.told_of_no_tray;
        let (trusts, unseen_dropped) = kept.trusts();
        let surroundings = Surroundings::new(settings, told, unseen_dropped);
        let is_approved = |id: &AccountId| trusts.iter().any(|(pair, _)| pair.account == *id);
        let renews = surroundings.renews();
        let accounts = Accounts::restored(kept.accounts, is_approved, renews, seed);
        let early = Early::new(!accounts.is_empty());
        Self {
            accounts,
            callers: Callers::default(),
            consent: Consent::restored(trusts),
            ending: Ending::default(),
            kubeconfigs: Kubeconfigs::known(kept.files),
            surroundings,
            clock: Ahead::default(),
            early,
            outbox: Vec::new(),
            shown: View::default(),
            look_again: None,
        }
    }

    /// There are sessions at rest, of accounts that were not written down or are forgotten: they are waited for.
    #[must_use]
    pub fn with_sessions_at_rest(mut self) -> Self {
        self.early = Early::new(true);
        self
    }

    /// Where things rest is shown.
    #[must_use]
    pub fn resting_at(mut self, places: RestingPlaces) -> Self {
        self.surroundings.places = Some(Arc::new(places));
        self
    }

    /// Takes what happened; returns what the world must now do.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Effect> {
        let moved = self.clock.look(now);
        if let Some(moved) = moved {
            self.accounts.clock_set(moved, now);
        }
        let Some(event) = self.early.in_time(event) else {
            return Vec::new();
        };
        let is_ask = matches!(event, Event::Asked(_));
        if let (true, Some(caller)) = (self.ending.is_resetting(), event.asks()) {
            self.turn_away(caller, Problem::Ending);
        } else {
            self.route(event, now);
        }
        let news = self.accounts.held.take_news();
        if is_ask && moved.is_none() && !news && is_a_token_alone(&self.outbox) {
            return std::mem::take(&mut self.outbox);
        }
        self.tidy(now);
        let settle = self.callers.claims.settle();
        self.outbox.extend(settle.map(Effect::Settle));
        self.show(now);
        std::mem::take(&mut self.outbox)
    }

    /// When `handle(Event::Timeout, …)` is next due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        let all = [self.accounts.next(), self.look_again, self.consent.next()];
        all.into_iter().flatten().min()
    }

    /// What is shown on the desktop: what differs is what counts for [`Effect::Show`].
    #[must_use]
    pub fn view(&self, now: Now) -> View {
        shown!(self).view(now, self.surroundings.settings.language)
    }

    /// An event, to whoever it concerns.
    fn route(&mut self, event: Event, now: Now) {
        match event {
            Event::Asked(ask) => self.asked(*ask, now),
            Event::Commanded(commanded) => self.commanded(*commanded, now),
            Event::Contexts(command) => self.contexts(*command, now),
            Event::FilesChanged(files) => self.files_changed(*files, now),
            Event::Plugin(plugin) => self.surroundings.plugin = plugin,
            Event::Edited(edit, outcome) => self.edited(&edit, outcome, now),
            Event::Refused(caller, problem) => self.turn_away(caller, problem),
            Event::Typed(caller, line) => self.typed(caller, line, now),
            Event::Gone(caller) => self.gone(caller, now),
            Event::AnsweredOnPage(question, answer, ticked) => {
                let facts = facts!(self, now);
                let steps = self
                    .consent
                    .answered_on_page(question, answer, &ticked, facts);
                self.follow_consent(steps, now);
            }
            Event::Unanswered(question, why) => {
                let steps = self.consent.unanswered(question, why, now);
                self.follow_consent(steps, now);
            }
            Event::NoWindow => {
                let steps = self.consent.no_window(facts!(self, now));
                self.follow_consent(steps, now);
            }
            Event::Refreshed(id, attempt, outcome) => {
                let act = |session: &mut Session, cx: session::Context<'_>| {
                    session.refreshed(attempt, outcome, cx)
                };
                self.act(&id, now, act);
                self.accounts.learn(&id);
            }
            Event::SignedInAt(id, attempt, origin) => {
                self.accounts.signed_in_at(&id, attempt, origin);
            }
            Event::SignedIn(id, attempt, outcome) => self.signed_in(&id, attempt, outcome, now),
            Event::SignedOut(id, attempt, outcome) => {
                self.signed_out(&id, attempt, &outcome, now);
            }
            Event::Forgotten(id, outcome) => self.callers.claims.forgotten(id, outcome),
            Event::Settled(what, unwritten) => {
                for settled in self.callers.claims.settled(what, unwritten) {
                    self.settled(settled, now);
                }
            }
            Event::Rests(keep) => self.surroundings.keep = keep,
            Event::Loaded(restored, keep) => {
                self.surroundings.keep = keep;
                self.accounts.loaded(restored, now);
                self.vault_has_answered(now);
            }
            Event::FirstStart(found) => self.first_start(found, now),
            Event::Settings(settings) => {
                self.surroundings.settings = settings;
                self.renew_as_chosen(now);
            }
            Event::Discovered(caller, outcome) => self.discovered(caller, outcome, now),
            Event::WasReset(problems) => {
                let steps = self.ending.deleted(problems);
                self.follow_ending(steps, now);
            }
            Event::Autostart(on) => self.surroundings.autostart = on,
            Event::Chosen(caller, Ok(())) => self.answer(caller, Outcome::Done, now),
            Event::Chosen(caller, Err(problem)) => self.refuse(caller, problem, now),
            Event::Noticed(notices) => self.surroundings.notices = notices,
            Event::Desktop(desktop) => {
                self.surroundings.desktop = desktop;
                self.renew_as_chosen(now);
            }
            Event::TrayHost(there) => self.surroundings.tray_host(there),
            Event::Ended(process) => {
                self.accounts.held.ended(process);
                let steps = self.consent.process_ended(process, facts!(self, now));
                self.follow_consent(steps, now);
            }
            Event::Resumed | Event::NetworkChanged => {
                let steps = self.accounts.act_all(now, Session::try_now);
                self.follow_accounts(steps, now);
            }
            Event::Timeout => {
                let steps = self.accounts.act_all(now, Session::timeout);
                self.follow_accounts(steps, now);
                let steps = self.consent.overdue(now);
                self.follow_consent(steps, now);
            }
        }
    }

    // What comes in

    fn vault_has_answered(&mut self, now: Now) {
        if self.surroundings.unseen_dropped.is_some() {
            self.write_down();
        }
        let mut effects = std::mem::take(&mut self.outbox);
        for event in self.early.over() {
            effects.extend(self.handle(event, now));
        }
        self.outbox = effects;
    }

    fn asked(&mut self, ask: Ask, now: Now) {
        let Ask {
            caller,
            asker,
            account,
            version,
            by_client,
            servers,
            files,
        } = ask;
        let found = match account {
            Which::Flags(flags) => {
                let found = self.account_of_ask(&flags, &asker, now);
                found.map(|()| (flags.id().clone(), Some(flags)))
            }
            Which::Named(name) => self.accounts.named(Some(&name)).map(|id| (id, None)),
        };
        let (account, flags) = match found {
            Ok(found) => found,
            Err(problem) => return self.turn_away(caller, problem),
        };
        let credential = Credential {
            version,
            by_client,
            account,
            servers,
            flags,
            files,
        };
        let wish = Wish::Credential(credential);
        self.callers.owe(caller, asker, Form::Words, wish);
        self.go_on(caller, now);
    }

    fn account_of_ask(&mut self, flags: &Flags, asker: &Asker, now: Now) -> Result<(), Problem> {
        let is_known = self.accounts.get(flags.id()).is_some();
        let idlest: Vec<AccountId> = if is_known {
            Vec::new()
        } else {
            let wanted = self.callers.accounts();
            let asked_about = self.consent.questions().accounts();
            let idle = asked_about.filter(|id| !wanted.contains(id));
            idle.cloned().collect()
        };
        let dropped = self.accounts.of_ask(flags, asker, &idlest, now)?;
        self.follow_accounts(dropped, now);
        Ok(())
    }

    fn commanded(&mut self, commanded: Commanded, now: Now) {
        let Commanded {
            caller,
            asker,
            endpoint,
            invocation,
        } = commanded;
        let terminal = asker.terminal;
        let form = Form::json(invocation.json());
        self.callers.owe(caller, asker, form, Wish::Reply);
        let outcome = match invocation {
            // A question for a token comes as `Event::Asked`, with its servers.
            // One about contexts comes as `Event::Contexts`, with what the kubeconfigs say.
            Invocation::GetToken(_) | Invocation::Contexts { .. } => Outcome::Refused(no_files()),
            Invocation::Do { command, .. } => {
                return self.command(caller, command, endpoint, now);
            }
            Invocation::Token { account, .. } => match self.accounts.named(account.as_deref()) {
                Ok(account) => {
                    self.callers.wants(caller, Wish::Token { account });
                    return self.go_on(caller, now);
                }
                Err(problem) => Outcome::Refused(problem),
            },
            Invocation::Reset { yes: true } => return self.reset(caller, now),
            Invocation::Reset { yes: false } if terminal => {
                return self.ask(caller, Asked::Reset, &Prompt::Reset);
            }
            Invocation::Reset { yes: false } => Outcome::Refused(without_yes("kubectl fob reset")),
            Invocation::Status { .. } => Outcome::Listed(Listing::Status),
            Invocation::Accounts { .. } => Outcome::Listed(Listing::Accounts),
            Invocation::Trusts { pending: true, .. } => Outcome::Listed(Listing::Questions),
            Invocation::Trusts { pending: false, .. } => Outcome::Listed(Listing::Trusts),
            Invocation::Version { .. } => Outcome::Version,
            Invocation::Help(help) => Outcome::Help(help),
            Invocation::Complete(completing) => Outcome::Completed(completing),
            Invocation::Completion { shell } => Outcome::Completion(shell),
        };
        self.answer(caller, outcome, now);
    }

    /// A person's command, from wherever it came.
    fn command(&mut self, caller: CallerId, command: Command, endpoint: Endpoint, now: Now) {
        let done = match command {
            Command::SignIn {
                account,
                open_browser,
            } => {
                let account = self.account_to_sign_in(caller, account.as_deref(), now);
                account.map(|account| self.sign_in(caller, account, open_browser, now))
            }
            Command::Renew { account } => self.accounts.named(account.as_deref()).map(|account| {
                self.callers.wants(caller, Wish::Renewal { account });
                self.go_on(caller, now);
            }),
            Command::Cancel { account } => self.accounts.named(Some(&account)).map(|account| {
                self.act(&account, now, |session, _| session.cancel());
                self.answer(caller, Outcome::Cancelled(account), now);
            }),
            Command::SignOut {
                account,
                everywhere,
            } => self.accounts.named(account.as_deref()).map(|account| {
                self.callers.wants(caller, Wish::End);
                let steps = self.ending.sign_out(caller, &account, everywhere);
                self.follow_ending(steps, now);
            }),
            Command::Ask { question } => {
                self.take_up(caller, question.as_deref(), endpoint, None, now);
                Ok(())
            }
            Command::Answer {
                question,
                answer,
                others,
            } => {
                let answer = Some((answer, others));
                self.take_up(caller, question.as_deref(), endpoint, answer, now);
                Ok(())
            }
            Command::Leave { question } => self.leave(caller, question, endpoint, now),
            Command::Untrust { name } => self.untrust(caller, name),
            Command::Use { .. } => Err(no_files()),
            Command::Discover { issuer } => key_to_look_at(&issuer).map(|key| {
                self.discover(caller, key, None, now);
            }),
            Command::Add(add) => self.add(caller, add, now),
            Command::Stanza { account } => self.accounts.named(account.as_deref()).map(|account| {
                let stanza = self.accounts.stanza(&account).unwrap_or_default();
                self.answer(caller, Outcome::Stanza(stanza), now);
            }),
            Command::Rename { account, label } => self
                .accounts
                .named(Some(&account))
                .and_then(|account| self.accounts.rename(&account, &label))
                .map(|step| {
                    self.follow_accounts([step], now);
                    self.answer_at_rest(caller, None, Outcome::Renamed(label));
                }),
            Command::Remove { account, ask_first } => self
                .accounts
                .named(Some(&account))
                .and_then(|account| self.remove_or_ask(caller, account, ask_first, now)),
            Command::TryNow { account } => self.accounts.named(Some(&account)).map(|account| {
                self.act(&account, now, |session, cx| session.try_now(cx));
                self.answer(caller, Outcome::Done, now);
            }),
            Command::Choose { choice } => {
                self.outbox.push(Effect::Choose(caller, choice));
                Ok(())
            }
            Command::Open { screen } => self.open(caller, screen),
        };
        if let Err(problem) = done {
            self.refuse(caller, problem, now);
        }
    }

    fn contexts(&mut self, command: ContextCommand, now: Now) {
        let (caller, asker) = (command.caller, command.asker.clone());
        let form = Form::json(command.wish.json());
        self.callers.owe(caller, asker, form, Wish::Reply);
        match contexts::carry_out(command) {
            contexts::Step::List(files) => {
                self.answer(caller, Outcome::Contexts(Box::new(files)), now);
            }
            contexts::Step::Complete(completing, names) => {
                self.answer(caller, Outcome::CompletedWith(completing, names), now);
            }
            contexts::Step::SignIn {
                current,
                open_browser,
            } => {
                let account = match current {
                    Some((context, id)) => self.account_of_context(caller, context, id, now),
                    None => self.account_to_sign_in(caller, None, now),
                };
                match account {
                    Ok(account) => self.sign_in(caller, account, open_browser, now),
                    Err(problem) => self.refuse(caller, problem, now),
                }
            }
            contexts::Step::Edit(edit) => self.outbox.push(Effect::Edit(edit)),
            contexts::Step::Refuse(problem) => self.refuse(caller, problem, now),
        }
    }

    fn files_changed(&mut self, files: Files, now: Now) {
        if self.kubeconfigs.changed(files, now) {
            self.write_down();
        }
    }

    /// A change of a kubeconfig ended: with the context that was the file's before.
    fn edited(&mut self, edit: &Edit, outcome: Result<Option<String>, Problem>, now: Now) {
        let outcome = match outcome {
            Ok(before) => Outcome::Switched(self.kubeconfigs.switched(edit, before, now)),
            Err(problem) => Outcome::Refused(problem),
        };
        self.answer(edit.caller, outcome, now);
    }

    /// A line was typed. It goes to what asked for it.
    fn typed(&mut self, caller: CallerId, mut line: String, now: Now) {
        let done = match self.callers.take_line(caller) {
            Some(Asked::Secret(mut add)) => {
                add.client_secret = Some(ClientSecret::new(line.clone()));
                add.ask_secret = false;
                self.add(caller, *add, now)
            }
            Some(Asked::Removal(account)) if is_yes(&line) => {
                self.remove(caller, account, now);
                Ok(())
            }
            Some(Asked::Removal(_)) => Err(Problem::NotRemoved),
            Some(Asked::Reset) if is_yes(&line) => {
                self.reset(caller, now);
                Ok(())
            }
            Some(Asked::Reset) => Err(Problem::NotReset),
            None => {
                let steps = self.consent.typed(caller, &line, facts!(self, now));
                self.follow_consent(steps, now);
                Ok(())
            }
        };
        // It may have been a client secret.
        line.zeroize();
        if let Err(problem) = done {
            self.refuse(caller, problem, now);
        }
    }

    fn gone(&mut self, caller: CallerId, now: Now) {
        if self.callers.gone(caller) {
            self.accounts.gone(caller);
            self.no_longer_asks(caller, now);
        }
    }

    fn no_longer_asks(&mut self, caller: CallerId, now: Now) {
        let steps = self.consent.gone(caller, facts!(self, now));
        self.follow_consent(steps, now);
    }

    /// What stands in the person's own kubeconfig at the very first start is trusted in bulk.
    fn first_start(&mut self, found: Vec<Found>, now: Now) {
        for Found {
            key,
            settings,
            candidate,
            file,
        } in found
        {
            let (id, manner) = (key.id(), Manner::of(&settings));
            let step = self.accounts.found(key, settings);
            self.consent
                .approve_at_first_start(id, candidate, file, manner, now);
            self.follow_accounts(step, now);
        }
        self.write_down();
    }

    fn renew_as_chosen(&mut self, now: Now) {
        let renews = self.surroundings.renews();
        self.accounts.renew_by_themselves(renews, now);
    }

    // A token request

    /// Brings a caller as far as it goes: consent first, then the session.
    fn go_on(&mut self, caller: CallerId, now: Now) {
        match self.consent.admit(caller, facts!(self, now)) {
            Ok(()) => self.admitted(caller, now),
            Err(steps) => self.follow_consent(steps, now),
        }
    }

    fn admitted(&mut self, caller: CallerId, now: Now) {
        let Some(known) = self.callers.get(caller) else {
            return;
        };
        let (account, wants) = match &known.wish {
            Wish::Credential(credential) => {
                let credential = credential.clone();
                let wants = Wants::Credential(credential.version);
                self.known_from_now_on(&credential, now);
                (credential.account, wants)
            }
            Wish::Token { account } => (account.clone(), Wants::Token),
            Wish::Renewal { account } => {
                let account = account.clone();
                // It is done without a page, or not at all.
                return self.join(caller, &account, Wants::Renewal, Person::Absent, now);
            }
            Wish::SignIn {
                account,
                open_browser,
            } => {
                let account = account.clone();
                let on_page = venue(&known.asker, self.surroundings.desktop) == Venue::Desktop;
                // Who sits at a terminal is told the address instead.
                if *open_browser && !known.asker.terminal && on_page {
                    self.open_again(&account);
                }
                (account, Wants::SignIn)
            }
            Wish::Answer | Wish::End | Wish::Discovery { .. } | Wish::Line(_) | Wish::Reply => {
                return;
            }
        };
        let person = self.person(caller, &account);
        if self.was_refused(caller, &account, now) {
            return self.act(&account, now, |session, cx| {
                session.refused(Waiter::new(caller, wants, person), cx)
            });
        }
        self.join(caller, &account, wants, person, now);
    }

    /// Whether whoever asks again was refused with the token that is held, and renewing it may help.
    fn was_refused(&mut self, caller: CallerId, id: &AccountId, now: Now) -> bool {
        let account = self.accounts.get(id);
        let token = account.and_then(|account| Some(account.good(now)?.bearer.fingerprint()));
        let Some((token, (asker, credential))) = token.zip(self.callers.credential(caller)) else {
            return false;
        };
        let servers = &credential.servers.needed;
        let client = credential.client(asker);
        client.is_some_and(|client| {
            self.accounts.held.asks(&client, &token, servers, now.wall) == Says::Renew
        })
    }

    /// What an ask that may have its token says: of its kubeconfigs, and of its account.
    fn known_from_now_on(&mut self, credential: &Credential, now: Now) {
        if self.kubeconfigs.is_news(&credential.files) {
            self.outbox
                .push(Effect::Know(Arc::clone(&credential.files)));
        }
        if let Some(flags) = &credential.flags {
            let said = self
                .consent
                .may_have(flags, &credential.servers, &self.accounts);
            if said.completed {
                self.write_down();
            }
            if said.becomes_own {
                let steps = self.accounts.take_over(flags, now);
                self.follow_accounts(steps, now);
            }
        }
        let secret = self.accounts.keep_first_secret(&credential.account);
        self.follow_accounts(secret, now);
    }

    /// A caller waits for a session.
    fn join(
        &mut self,
        caller: CallerId,
        account: &AccountId,
        wants: Wants,
        person: Person,
        now: Now,
    ) {
        let waiter = Waiter::new(caller, wants, person);
        self.act(account, now, |session, cx| match wants {
            Wants::SignIn => session.sign_in(waiter, cx),
            Wants::Renewal => session.renew(waiter, cx),
            Wants::Credential(_) | Wants::Token => session.ask(waiter, cx),
        });
    }

    /// Whether somebody could sign in for this caller; a new command is noted as such.
    fn person(&mut self, caller: CallerId, account: &AccountId) -> Person {
        let last = self.accounts.get(account).and_then(|one| one.last_asking);
        let desktop = self.surroundings.desktop;
        let person = self.callers.person(caller, last, desktop);
        if let (Person::Asking, Some(known)) = (person, self.callers.get(caller))
            && known.wish.opens_browser().is_none()
        {
            let process = known.asker.process;
            self.accounts.commanded_by(account, process);
        }
        person
    }

    /// Opens a page of a sign-in that is under way once more.
    fn open_again(&mut self, account: &AccountId) {
        let session = self.accounts.get(account).map(|account| &account.session);
        if let Some(Doing::SigningIn(attempt, _)) = session.map(Session::doing) {
            self.outbox.push(Effect::OpenAgain(attempt.id));
        }
    }

    /// Hands a token out. Consent is looked at once more: it may have been taken back meanwhile, and somebody who only
    /// joined a sign-in was not asked about yet.
    fn serve(&mut self, id: &AccountId, waiter: &Waiter, now: Now) {
        let caller = waiter.caller;
        if let Err(steps) = self.consent.admit(caller, facts!(self, now)) {
            return self.follow_consent(steps, now);
        }
        let Some(known) = self.callers.get(caller) else {
            return;
        };
        let signs_in = known.wish.opens_browser().is_some();
        let program = known.asker.program.clone();
        let outcome = match requests::handed_out(id, waiter.wants, signs_in, facts!(self, now)) {
            Some(outcome) => outcome,
            None => return self.refuse(caller, Problem::TakesTooLong, now),
        };
        if let Outcome::Credential(_, token, until) = &outcome {
            if let Some((asker, credential)) = self.callers.credential(caller)
                && let Some(client) = credential.client(asker)
            {
                self.accounts
                    .held
                    .given(client, token.fingerprint(), *until);
            }
            let used = self.accounts.used(id, &program, now);
            self.follow_accounts(used, now);
        }
        self.answer(caller, outcome, now);
    }

    // Signing in

    /// The account that a person means to sign in to: one that exists, or else one that a kubeconfig names, which is
    /// made of it as its first question would.
    fn account_to_sign_in(
        &mut self,
        caller: CallerId,
        name: Option<&str>,
        now: Now,
    ) -> Result<AccountId, Problem> {
        let problem = match self.accounts.named(name) {
            Err(problem @ Problem::NoSuchAccount { .. }) => problem,
            found @ (Ok(_) | Err(_)) => return found,
        };
        let (Some(flags), Some(asker)) =
            (self.kubeconfigs.offer(name)?, self.callers.asker(caller))
        else {
            return Err(problem);
        };
        let steps = self.accounts.of_flags(&flags, asker, now);
        self.follow_accounts(steps, now);
        Ok(flags.id().clone())
    }

    /// The account of the current context. One that nobody was asked about yet is none to sign in to: whoever wrote the
    /// file chose where that would be.
    fn account_of_context(
        &mut self,
        caller: CallerId,
        context: String,
        id: AccountId,
        now: Now,
    ) -> Result<AccountId, Problem> {
        if !self.accounts.is_persons(&id) {
            let (Some(flags), Some(asker)) =
                (self.kubeconfigs.offer_of(&id), self.callers.asker(caller))
            else {
                return Err(Problem::ContextNotAsked { context });
            };
            let steps = self.accounts.of_flags(&flags, asker, now);
            self.follow_accounts(steps, now);
        }
        Ok(id)
    }

    fn sign_in(&mut self, caller: CallerId, account: AccountId, open_browser: bool, now: Now) {
        let wish = Wish::SignIn {
            account,
            open_browser,
        };
        self.callers.wants(caller, wish);
        self.go_on(caller, now);
    }

    /// A sign-in begins, with the question on its page that its callers wait for.
    fn begin_sign_in(&mut self, id: &AccountId, attempt: AttemptId, now: Now) {
        let callers = self.accounts.get(id).map(requests::waiting);
        let callers = callers.unwrap_or_default();
        let question = self.consent.with_sign_in(&callers, attempt);
        let (consent, settings) = (&self.consent, &self.surroundings.settings);
        let facts = facts!(self, now);
        if let Some(sign_in) = requests::sign_in(id, attempt, question, consent, settings, facts) {
            self.outbox.push(Effect::SignIn(Box::new(sign_in)));
        }
    }

    /// Tells a caller the address of a start page of its own.
    fn tell(&mut self, attempt: AttemptId, caller: CallerId) {
        if let Some(known) = self.callers.get(caller) {
            let wanted = known.wish.opens_browser() == Some(false);
            let address = if known.asker.terminal || wanted {
                Address::Wanted
            } else {
                Address::IfNotShown
            };
            self.outbox.push(Effect::Tell(attempt, caller, address));
        }
    }

    /// A sign-in is over. The question on its page can be taken up afterwards if nobody answered it; and what was
    /// answered to it decides nothing for those who only waited along.
    fn signed_in(&mut self, id: &AccountId, attempt: AttemptId, outcome: SignInOutcome, now: Now) {
        let steps = self.consent.page_over(attempt, now);
        self.follow_consent(steps, now);
        if outcome.is_by_an_answer() {
            for caller in self.accounts.set_aside(id, attempt) {
                self.go_on(caller, now);
            }
        } else {
            self.act(id, now, |session, cx| {
                session.signed_in(attempt, outcome, cx)
            });
        }
        self.accounts.learn(id);
        self.write_down();
    }

    // Adding

    /// Makes an account, if its provider answers; or says that it is there already.
    fn add(&mut self, caller: CallerId, add: Add, now: Now) -> Result<(), Problem> {
        if add.ask_secret {
            let terminal = self.callers.asker(caller).is_some_and(|one| one.terminal);
            if !terminal {
                let field = "client secret".to_owned();
                return Err(Problem::BadField { field });
            }
            self.ask(caller, Asked::Secret(Box::new(add)), &Prompt::Secret);
            return Ok(());
        }
        let draft = self.accounts.draft(add)?;
        let id = draft.key.id();
        if self.accounts.is_persons(&id) {
            let steps = self.accounts.try_secret(&id, draft.secret, now);
            self.follow_accounts(steps, now);
            let added = self.added(id, true);
            self.answer_at_rest(caller, None, added);
        } else {
            self.discover(caller, draft.key.clone(), Some(draft), now);
        }
        Ok(())
    }

    fn discover(
        &mut self,
        caller: CallerId,
        key: crate::account::AccountKey,
        draft: Option<Draft>,
        now: Now,
    ) {
        let Some(asker) = self.callers.asker(caller) else {
            return;
        };
        let settings = &self.surroundings.settings;
        let request = self.accounts.discovery(key, asker, settings, now);
        let draft = draft.map(Box::new);
        self.callers.wants(caller, Wish::Discovery { draft });
        self.outbox
            .push(Effect::Discover(caller, Box::new(request)));
    }

    /// A provider was looked at: that is told, or an account is made of it.
    fn discovered(&mut self, caller: CallerId, outcome: Result<Announced, Problem>, now: Now) {
        let Some(draft) = self.callers.take_draft(caller) else {
            return;
        };
        let (announced, draft) = match (outcome, draft) {
            (Err(problem), _) => return self.refuse(caller, problem, now),
            (Ok(announced), draft) => (announced, draft),
        };
        let Some(draft) = draft else {
            return self.answer(caller, Outcome::Provider(announced), now);
        };
        let (id, sign_in) = (draft.key.id(), draft.sign_in);
        let (known, steps) = self.accounts.add(*draft, now);
        self.follow_accounts(steps, now);
        let added = self.added(id.clone(), known);
        if sign_in && !known {
            self.say(caller, Meanwhile::Outcome(added), now);
            self.sign_in(caller, id, true, now);
        } else {
            self.answer_at_rest(caller, None, added);
        }
    }

    fn added(&self, account: AccountId, known: bool) -> Outcome {
        Outcome::Added {
            label: self.accounts.label(&account).unwrap_or_default().to_owned(),
            stanza: self.accounts.stanza(&account).unwrap_or_default(),
            account,
            known,
        }
    }

    // Consent

    fn take_up(
        &mut self,
        caller: CallerId,
        question: Option<&str>,
        endpoint: Endpoint,
        answer: Option<(crate::question::Answer, Vec<usize>)>,
        now: Now,
    ) {
        self.callers.wants(caller, Wish::Answer);
        let facts = facts!(self, now);
        let steps = self
            .consent
            .take_up(caller, question, endpoint, answer, facts);
        self.follow_consent(steps, now);
    }

    /// Closes a question without an answer. Who can't answer it can't close it either: whoever waits would be sent away.
    fn leave(
        &mut self,
        caller: CallerId,
        question: Option<String>,
        endpoint: Endpoint,
        now: Now,
    ) -> Result<(), Problem> {
        if endpoint != Endpoint::Consent {
            return Err(Problem::NoQuestion);
        }
        let steps = self.consent.leave(question.as_deref(), facts!(self, now));
        self.follow_consent(steps, now);
        self.answer(caller, Outcome::Left(question.unwrap_or_default()), now);
        Ok(())
    }

    /// Takes a yes back. With an account's last pair goes its client secret, unless a session lives by it; then it goes
    /// with the session's sign-out.
    fn untrust(&mut self, caller: CallerId, name: String) -> Result<(), Problem> {
        let Some(pair) = self.consent.untrust(&name) else {
            return Err(Problem::NoSuchTrust { name });
        };
        let id = pair.account;
        self.write_down();
        if self.forgotten_with(&id) == Forget::Everything && self.accounts.forget_secret(&id) {
            self.outbox
                .push(Effect::Forget(id.clone(), Forget::Everything));
        }
        self.answer_at_rest(caller, Some(id), Outcome::Untrusted(name));
        Ok(())
    }

    // Endings

    fn signed_out(
        &mut self,
        id: &AccountId,
        attempt: AttemptId,
        outcome: &SignOutOutcome,
        now: Now,
    ) {
        if let Some(label) = self.accounts.signed_out(id, attempt) {
            let steps = self.ending.signed_out(id, &label, outcome);
            self.follow_ending(steps, now);
        }
    }

    fn remove_or_ask(
        &mut self,
        caller: CallerId,
        account: AccountId,
        ask_first: bool,
        now: Now,
    ) -> Result<(), Problem> {
        if !ask_first {
            self.remove(caller, account, now);
        } else if self.callers.asker(caller).is_some_and(|one| one.terminal) {
            let label = self.accounts.label(&account).unwrap_or_default().to_owned();
            self.ask(caller, Asked::Removal(account), &Prompt::Removal(label));
        } else {
            return Err(without_yes("kubectl fob remove"));
        }
        Ok(())
    }

    /// Removes an account: at once, or when its session is ended.
    fn remove(&mut self, caller: CallerId, id: AccountId, now: Now) {
        self.callers.wants(caller, Wish::End);
        self.forget_what_was_said(&id, now);
        let Some(has_session) = self.accounts.give_up(&id) else {
            let name = id.to_string();
            return self.refuse(caller, Problem::NoSuchAccount { name }, now);
        };
        let steps = self.ending.remove(caller, &id, has_session);
        self.follow_ending(steps, now);
    }

    /// It is ended: now it goes.
    fn removed(
        &mut self,
        id: &AccountId,
        callers: Vec<CallerId>,
        ended: Option<&SignOutOutcome>,
        now: Now,
    ) {
        // Somebody may have asked, and been answered, while it was signed out.
        self.forget_what_was_said(id, now);
        let Some(account) = self.accounts.remove(id) else {
            return;
        };
        let label = account.label.clone();
        // What could not be forgotten comes back at the next start: it stays, to be removed again.
        if self.callers.claims.is_unforgotten(id) {
            self.accounts.put_back(account);
        }
        self.write_down();
        for caller in callers {
            let removed = Outcome::Removed {
                account: label.clone(),
                contexts: self.kubeconfigs.contexts_of(id),
                ended: ended.cloned(),
            };
            self.answer_at_rest(caller, Some(id.clone()), removed);
        }
    }

    /// What was answered about an account goes with it, for one command or for good, and so does what is asked:
    /// whoever waits is told.
    fn forget_what_was_said(&mut self, id: &AccountId, now: Now) {
        let mut waiting = self.callers.of_account(id);
        waiting.extend(self.consent.forget_account(id));
        for caller in waiting {
            self.refuse(caller, Problem::SignedOut, now);
            self.accounts.leaves(id, caller);
            self.no_longer_asks(caller, now);
        }
    }

    fn forgotten_with(&self, id: &AccountId) -> Forget {
        let added = self.accounts.get(id).is_some_and(|account| account.added);
        ending::forgotten(added, self.consent.is_allowed(id))
    }

    /// Starts over: every session is ended, with the provider's own where that goes, and then all of it leaves this
    /// computer. What can't be reached, and what is not ours to delete, is said.
    fn reset(&mut self, caller: CallerId, now: Now) {
        self.callers.wants(caller, Wish::End);
        let signed_in = self.accounts.with_sessions();
        let steps = self.ending.reset(caller, signed_in);
        self.follow_ending(steps, now);
    }

    // What goes out

    /// Lets one session decide.
    fn act(
        &mut self,
        id: &AccountId,
        now: Now,
        act: impl FnOnce(&mut Session, session::Context<'_>) -> Vec<session::Step>,
    ) {
        let steps = self.accounts.act(id, now, act);
        self.follow_accounts(steps, now);
    }

    fn follow_accounts(&mut self, steps: impl IntoIterator<Item = accounts::Step>, now: Now) {
        for step in steps {
            match step {
                accounts::Step::Session(id, step) => self.follow_session(&id, step, now),
                accounts::Step::WriteDown => self.write_down(),
                accounts::Step::KeepSecret(key, secret) => {
                    self.outbox.push(Effect::KeepSecret(key, secret));
                }
                accounts::Step::PageOver(attempt) => {
                    let steps = self.consent.page_over(attempt, now);
                    self.follow_consent(steps, now);
                }
                accounts::Step::Dropped(id) => {
                    for caller in self.consent.forget_questions(&id) {
                        self.refuse(caller, Problem::QuestionOver, now);
                    }
                }
            }
        }
    }

    fn follow_session(&mut self, id: &AccountId, step: session::Step, now: Now) {
        let settings = &self.surroundings.settings;
        match step {
            session::Step::Serve(waiter) => self.serve(id, &waiter, now),
            session::Step::Fail(waiter, problem) => self.refuse(waiter.caller, problem, now),
            session::Step::Refresh(attempt) => {
                let request = requests::refresh(id, attempt, settings, facts!(self, now));
                let refresh = |request| Effect::Refresh(attempt.id, Box::new(request));
                self.outbox.extend(request.map(refresh));
            }
            session::Step::SignIn(attempt) => self.begin_sign_in(id, attempt.id, now),
            session::Step::Tell(attempt, caller) => self.tell(attempt, caller),
            session::Step::Cancel(attempt) => {
                self.outbox.push(Effect::Cancel(attempt));
                let steps = self.consent.page_gone(attempt);
                self.follow_consent(steps, now);
            }
            session::Step::Forget => {
                self.outbox.push(Effect::Forget(id.clone(), Forget::Tokens));
            }
            session::Step::SignOut(attempt, tokens) => {
                let tokens = tokens.map(|tokens| *tokens);
                let everywhere = self.ending.everywhere(id);
                let (forget, facts) = (self.forgotten_with(id), facts!(self, now));
                let request = requests::sign_out(id, tokens, everywhere, forget, settings, facts);
                let sign_out = |request| Effect::SignOut(attempt, Box::new(request));
                self.outbox.extend(request.map(sign_out));
            }
        }
    }

    fn follow_consent(&mut self, steps: impl IntoIterator<Item = consent::Step>, now: Now) {
        for step in steps {
            match step {
                consent::Step::Answer(caller, outcome) => self.answer(caller, outcome, now),
                consent::Step::AnswerAtRest(caller, outcome) => {
                    self.answer_at_rest(caller, None, outcome);
                }
                consent::Step::Prompt(caller, prompt) => self.prompt(caller, &prompt),
                consent::Step::Say(caller, meanwhile) => self.say(caller, meanwhile, now),
                consent::Step::SayWhere(question, caller) => {
                    let step = self.consent.say_where(question, caller, facts!(self, now));
                    self.follow_consent(step, now);
                }
                consent::Step::GoOn(caller) => self.go_on(caller, now),
                consent::Step::GoOnAtRest(caller) => self.callers.claims.claim_to_asker(caller),
                consent::Step::Join(caller, person) => self.join_on_page(caller, person, now),
                consent::Step::Joined(question) => self.consent.joined(question, now),
                consent::Step::Leave(account, caller) => self.accounts.leaves(&account, caller),
                consent::Step::CommandedBy(account, process) => {
                    self.accounts.commanded_by(&account, process);
                }
                consent::Step::TakeOver(flags) => {
                    let steps = self.accounts.take_over(&flags, now);
                    self.follow_accounts(steps, now);
                }
                consent::Step::Settle => {
                    let steps = self.consent.settle();
                    self.follow_consent(steps, now);
                }
                consent::Step::SettleOne(question) => {
                    let steps = self.consent.settle_one(question, facts!(self, now));
                    self.follow_consent(steps, now);
                }
                consent::Step::AskAnew(question) => {
                    let steps = self.consent.ask_anew(question);
                    self.follow_consent(steps, now);
                }
                consent::Step::Gone(caller) => self.no_longer_asks(caller, now),
                consent::Step::Tidy => self.tidy(now),
                consent::Step::Reword => self.consent.reword(facts!(self, now)),
                consent::Step::ShowWindow => self.outbox.push(Effect::AskWindow),
                consent::Step::ShowPage(question) => self.show_page(question),
                consent::Step::Taken(question, taken) => self.taken(question, taken),
                consent::Step::Watch(process) => self.watch(process),
                consent::Step::WatchAsker(caller) => {
                    let asker = self.callers.asker(caller);
                    if let Some(process) = asker.and_then(|asker| asker.process) {
                        self.watch(process);
                    }
                }
                consent::Step::WriteDown => self.write_down(),
            }
        }
    }

    /// Forgets the questions that nobody asks any more.
    fn tidy(&mut self, now: Now) {
        let left = self.consent.drop_what_is_left();
        self.follow_consent(left, now);
    }

    /// A caller waits for the sign-in on whose page its question stands.
    fn join_on_page(&mut self, caller: CallerId, person: Person, now: Now) {
        if let Some((_, credential)) = self.callers.credential(caller) {
            let wants = Wants::Credential(credential.version);
            let account = credential.account.clone();
            self.join(caller, &account, wants, person, now);
        }
    }

    fn show_page(&mut self, question: crate::question::QuestionId) {
        let (accounts, callers) = (&self.accounts, &self.callers);
        if let Some(page) = requests::ask_page(question, &self.consent, accounts, callers) {
            self.consent.shown_on_page(question);
            self.outbox.push(Effect::AskPage(question, Box::new(page)));
        }
    }

    /// A page is told what became of the answer that was given there. What is for good is said to be so where it is.
    fn taken(&mut self, question: crate::question::QuestionId, taken: Taken) {
        let is_kept = self
            .outbox
            .iter()
            .any(|effect| matches!(effect, Effect::Keep(_)));
        if taken == Taken::Counted && is_kept {
            self.callers.claims.claim_on_page(question);
        } else {
            self.outbox.push(Effect::Taken(question, taken));
        }
    }

    fn watch(&mut self, process: crate::asker::ProcessId) {
        if self.consent.watch(process) {
            self.outbox.push(Effect::Watch(process));
        }
    }

    fn follow_ending(&mut self, steps: impl IntoIterator<Item = ending::Step>, now: Now) {
        for step in steps {
            match step {
                ending::Step::SignOut(id) => {
                    let forget = self.forgotten_with(&id);
                    self.accounts.leave(&id, forget);
                    self.act(&id, now, |session, cx| session.sign_out(cx));
                    self.write_down();
                }
                ending::Step::Remove(id, caller) => {
                    self.outbox
                        .push(Effect::Forget(id.clone(), Forget::Everything));
                    self.removed(&id, vec![caller], None, now);
                }
                ending::Step::SignedOut {
                    caller,
                    account,
                    ended,
                } => {
                    let label = self.accounts.label(&account).unwrap_or_default().to_owned();
                    let outcome = Outcome::SignedOut {
                        account: label,
                        ended,
                    };
                    self.answer_at_rest(caller, Some(account), outcome);
                }
                ending::Step::Removed {
                    account,
                    callers,
                    ended,
                } => self.removed(&account, callers, Some(&ended), now),
                ending::Step::SendAway(caller) => {
                    for other in self.callers.others(caller) {
                        self.refuse(other, Problem::Ending, now);
                    }
                }
                ending::Step::DeleteAll(caller) => {
                    self.outbox.push(Effect::Reset(caller));
                    self.accounts.clear();
                    self.consent.clear();
                }
                ending::Step::Reset {
                    caller,
                    ended,
                    problems,
                } => {
                    let places = self.surroundings.places.as_ref();
                    let settings = places.map(|places| places.settings.clone());
                    let outcome = Outcome::Reset {
                        ended,
                        problems,
                        settings: settings.unwrap_or_default(),
                    };
                    self.answer(caller, outcome, now);
                }
            }
        }
    }

    /// What waited for it to be at rest is told.
    fn settled(&mut self, settled: Settled, now: Now) {
        match settled {
            Settled::Said(said) => {
                let (id, caller, outcome) = *said;
                let replies = told::told(outcome, &caller, &shown!(self), now);
                self.reply(id, replies);
            }
            Settled::Page(question, unwritten) => {
                let taken = unwritten.map_or(Taken::Counted, Taken::UntilEnd);
                self.outbox.push(Effect::Taken(question, taken));
            }
            Settled::Asker(caller, unwritten) => {
                if let Some(problem) = unwritten {
                    self.say(caller, Meanwhile::Problem(problem), now);
                }
                self.go_on(caller, now);
            }
        }
    }

    /// Gives a caller its answer, and ends with it.
    fn answer(&mut self, id: CallerId, outcome: Outcome, now: Now) {
        self.consent.answered(id);
        if let Some(caller) = self.callers.answer(id) {
            let replies = told::told(outcome, &caller, &shown!(self), now);
            self.reply(id, replies);
        }
    }

    /// Gives it once all of it is at rest; `forgets`: what rests of this account must be gone too.
    fn answer_at_rest(&mut self, caller: CallerId, forgets: Option<AccountId>, outcome: Outcome) {
        self.callers.answer_at_rest(caller, forgets, outcome);
    }

    /// Tells a caller what is wrong, and ends with it.
    fn refuse(&mut self, caller: CallerId, problem: Problem, now: Now) {
        self.answer(caller, Outcome::Refused(problem), now);
    }

    /// Tells somebody who is owed nothing yet what is wrong.
    fn turn_away(&mut self, caller: CallerId, problem: Problem) {
        self.reply(caller, vec![Reply::Refused(problem.into()), Reply::Done(1)]);
    }

    /// Tells a caller what happens meanwhile.
    fn say(&mut self, id: CallerId, meanwhile: Meanwhile, now: Now) {
        if let Some(caller) = self.callers.get(id) {
            let replies = told::meanwhile(meanwhile, caller, &shown!(self), now);
            self.reply(id, replies);
        }
    }

    /// Asks a caller to type something.
    fn ask(&mut self, caller: CallerId, asked: Asked, prompt: &Prompt) {
        self.callers.wants(caller, Wish::Line(asked));
        self.prompt(caller, prompt);
    }

    fn prompt(&mut self, caller: CallerId, prompt: &Prompt) {
        if let Some(asker) = self.callers.asker(caller) {
            let reply = told::asked(prompt, asker);
            self.outbox.push(Effect::Reply(caller, reply));
        }
    }

    fn reply(&mut self, caller: CallerId, replies: Vec<Reply>) {
        let replies = replies.into_iter();
        self.outbox
            .extend(replies.map(|reply| Effect::Reply(caller, reply)));
    }

    /// Shows the window. Whether it shows, whoever does that tells.
    fn open(&mut self, caller: CallerId, screen: Option<ScreenName>) -> Result<(), Problem> {
        match (screen, self.surroundings.desktop) {
            (Some(ScreenName::Unknown), _) => Err(Problem::NoSuchScreen),
            (_, Desktop::None) => Err(Problem::NoDesktop),
            (_, Desktop::Locked) => Err(Problem::ScreenLocked),
            (_, Desktop::Unlocked) => {
                self.callers.answer(caller);
                self.outbox.push(Effect::Open(caller, screen));
                Ok(())
            }
        }
    }

    /// Writes accounts and approvals down; what is being deleted is not written down again.
    fn write_down(&mut self) {
        if self.ending.is_resetting() {
            return;
        }
        let trusts = self.consent.always();
        let trusts = trusts.map(|(pair, approval)| (pair.clone(), approval.clone()));
        let kept = Kept {
            accounts: self.accounts.kept(),
            trusts: trusts.collect(),
            told_of_no_tray: self.surroundings.told_of_no_tray(),
            files: self.kubeconfigs.paths().to_vec(),
        };
        self.outbox
            .retain(|effect| !matches!(effect, Effect::Keep(_)));
        self.outbox.push(Effect::Keep(Box::new(kept)));
    }

    fn show(&mut self, now: Now) {
        if self.early.is_over() && self.accounts.has_unapproved() {
            let mut waiting = self.callers.accounts();
            waiting.extend(self.consent.questions().each().map(|one| one.account));
            self.accounts.forget_unapproved(&waiting);
        }
        if self.surroundings.is_to_be_told(now.moment) {
            self.write_down();
            let note = notes::no_tray(self.surroundings.settings.language);
            self.outbox.push(Effect::Note(Box::new(note)));
        }
        let changes = [
            self.accounts.ends(now),
            self.accounts.held.next(now),
            self.kubeconfigs.noticed_until(now.moment),
            self.surroundings.next(now.moment),
        ];
        self.look_again = changes.into_iter().flatten().min();
        let view = self.view(now);
        if view != self.shown {
            self.shown = view.clone();
            self.outbox.push(Effect::Show(Box::new(view)));
        }
    }
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

/// It needs what the kubeconfigs say, and whoever sent it did not bring that.
fn no_files() -> Problem {
    Problem::Internal {
        reason: "no files".to_owned(),
    }
}

/// A command that asks first, where nobody can be asked.
fn without_yes(command: &str) -> Problem {
    Problem::Incomplete {
        command: command.to_owned(),
        missing: "--yes".to_owned(),
    }
}
