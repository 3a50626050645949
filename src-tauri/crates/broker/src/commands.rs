//! A person's commands.

use crate::account::AccountId;
use crate::accounts::waiters::CallerId;
use crate::argv::complete::{Completing, Names};
use crate::argv::fob::completion;
use crate::asker::{Asker, Desktop, Endpoint};
use crate::asking::{Wish, refuse, say};
use crate::broker::{Account, Broker, Caller};
use crate::clock::Now;
use crate::command::{Command, Invocation, ScreenName};
use crate::consent::trust::{Answer, Approval, By, Pair};
use crate::event::{Candidate, Commanded, Effect, Found, Reply};
use crate::manner::Manner;
use crate::outcome::{AttemptId, Forget, SignOutOutcome};
use crate::problem::{Code, Problem};
use crate::show::report;
use crate::show::view::{StepView, Told, View};
use crate::texts::text;

/// The version of this build, said by `kubectl fob version`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Broker {
    pub(crate) fn commanded(&mut self, commanded: Commanded, now: Now, effects: &mut Vec<Effect>) {
        let Commanded {
            caller,
            asker,
            endpoint,
            invocation,
        } = commanded;
        let language = asker.language;
        let view = || self.view_in(now, language);
        let text = match invocation {
            // A question for a token comes as `Event::Asked`, with its servers.
            // One about contexts comes as `Event::Contexts`, with what the kubeconfigs say.
            Invocation::GetToken(_) | Invocation::Contexts { .. } => {
                return no_files(caller, effects);
            }
            Invocation::Do { command, json } => {
                return self.told_to(caller, asker, endpoint, command, json, now, effects);
            }
            Invocation::Token { account, json } => {
                let wants = |account| Wish::Token { account, json };
                return self.owe(caller, asker, account.as_deref(), wants, now, effects);
            }
            Invocation::Reset { yes } => return self.reset(caller, asker, yes, now, effects),
            Invocation::Status { json } => report::status(&view(), json, language, now.wall),
            Invocation::Accounts { json } => report::accounts(&view(), json, language),
            Invocation::Trusts {
                pending: true,
                json,
            } => report::questions(&view(), json, language),
            Invocation::Trusts {
                pending: false,
                json,
            } => report::trusts(&view(), json, language),
            Invocation::Version { json } => report::version(VERSION, json),
            Invocation::Help(help) => help,
            Invocation::Complete(completing) => self.completed(&completing, &view()),
            Invocation::Completion { shell } => completion(shell),
        };
        say(caller, text, effects);
    }

    /// What may follow. Contexts come by [`Broker::contexts`], which has the files.
    fn completed(&self, completing: &Completing, view: &View) -> String {
        let accounts = view.accounts.iter();
        let questions = view.questions.iter();
        let approvals = view.trusts.iter();
        let names: Vec<(String, String)> = match &completing.names {
            Some(Names::Accounts) => accounts
                .map(|account| (account.label.clone(), account.issuer.clone()))
                .collect(),
            Some(Names::Questions) => questions
                .map(|question| (question.name.clone(), question.account.clone()))
                .collect(),
            Some(Names::Approvals) => approvals
                .map(|trust| (trust.name.clone(), trust.account.clone()))
                .collect(),
            Some(Names::Contexts(_)) | None => Vec::new(),
        };
        completing.told(names)
    }

    /// A person's command, from wherever it came.
    #[allow(clippy::too_many_arguments, reason = "who, by which way, what, when")]
    fn told_to(
        &mut self,
        caller: CallerId,
        asker: Asker,
        endpoint: Endpoint,
        command: Command,
        json: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        match command {
            Command::SignIn {
                account,
                open_browser,
            } => {
                let wanted = account.as_deref();
                match self.account_to_sign_in(wanted, &asker, now, effects) {
                    Ok(account) => {
                        let wants = Wish::SignIn {
                            account,
                            open_browser,
                            json,
                        };
                        self.callers.insert(caller, Caller { asker, wants });
                        self.pursue(caller, now, effects);
                    }
                    Err(problem) => refuse(caller, &problem, effects),
                }
            }
            Command::Cancel { account } => match self.account_named(Some(&account)) {
                Ok(account) => {
                    self.with_session(&account, now, effects, |session, _| session.cancel());
                    let text =
                        report::done("cancelled", &account.to_string(), json, asker.language);
                    say(caller, text, effects);
                }
                Err(problem) => refuse(caller, &problem, effects),
            },
            Command::SignOut {
                account,
                everywhere,
            } => match self.account_named(account.as_deref()) {
                Ok(account) => {
                    let wants = Wish::SignOut { json };
                    self.callers.insert(caller, Caller { asker, wants });
                    self.sign_out(caller, &account, everywhere, now, effects);
                }
                Err(problem) => refuse(caller, &problem, effects),
            },
            Command::Ask { question } => {
                let wants = Wish::Answer { json };
                self.callers.insert(caller, Caller { asker, wants });
                self.take_up(caller, question.as_deref(), endpoint, None, now, effects);
            }
            Command::Answer {
                question,
                answer,
                others,
            } => {
                let wants = Wish::Answer { json };
                self.callers.insert(caller, Caller { asker, wants });
                let answer = Some((answer, others));
                self.take_up(caller, question.as_deref(), endpoint, answer, now, effects);
            }
            Command::Leave { question } => {
                // Who can't answer it can't close it either: whoever waits would be sent away.
                if endpoint != Endpoint::Consent {
                    return refuse(caller, &Problem::plain(Code::NoQuestion), effects);
                }
                self.leave(question.as_deref(), now, effects);
                let name = question.unwrap_or_default();
                let text = report::done("left", &name, json, asker.language);
                say(caller, text, effects);
            }
            Command::Untrust { name } => {
                let pair = self
                    .trust
                    .always()
                    .map(|(pair, _)| pair)
                    .find(|pair| pair.name() == name);
                let Some(pair) = pair.cloned() else {
                    let problem = Problem::new(Code::NoSuchTrust, vec![("name", name)]);
                    return refuse(caller, &problem, effects);
                };
                self.untrust(&pair, effects);
                let text = report::done("untrusted", &name, json, asker.language);
                self.claim_forgotten(caller, &pair.account, Reply::Out(text), None);
            }
            Command::Use { .. } => no_files(caller, effects),
            Command::Discover { issuer } => self.discover(caller, asker, &issuer, now, effects),
            Command::Add(add) => self.add(caller, asker, add, json, now, effects),
            Command::Stanza { account } => match self.account_named(account.as_deref()) {
                Ok(account) => self.told_stanza(caller, &account, json, effects),
                Err(problem) => refuse(caller, &problem, effects),
            },
            Command::Rename { account, label } => {
                let named = self.account_named(Some(&account));
                match named.and_then(|account| self.rename(&account, &label, effects)) {
                    Ok(()) => {
                        let text = report::done("renamed", &label, json, asker.language);
                        self.claim(caller, Reply::Out(text), None);
                    }
                    Err(problem) => refuse(caller, &problem, effects),
                }
            }
            Command::Remove { account, ask_first } => match self.account_named(Some(&account)) {
                Ok(account) if ask_first => {
                    self.ask_to_remove(caller, asker, account, json, effects);
                }
                Ok(account) => self.remove(caller, asker, &account, json, now, effects),
                Err(problem) => refuse(caller, &problem, effects),
            },
            Command::TryNow { account } => match self.account_named(Some(&account)) {
                Ok(account) => {
                    self.with_session(&account, now, effects, |session, cx| session.try_now(cx));
                    effects.push(Effect::Reply(caller, Reply::Done(0)));
                }
                Err(problem) => refuse(caller, &problem, effects),
            },
            Command::Choose { choice } => effects.push(Effect::Choose(caller, choice)),
            Command::Open {
                screen: Some(ScreenName::Unknown),
            } => refuse(caller, &Problem::plain(Code::NoSuchScreen), effects),
            Command::Open { screen } => match self.desktop {
                Desktop::None => refuse(caller, &Problem::plain(Code::NoDesktop), effects),
                Desktop::Locked => refuse(caller, &Problem::plain(Code::ScreenLocked), effects),
                Desktop::Unlocked => effects.push(Effect::Open(caller, screen)),
            },
        }
    }

    /// Somebody is owed something of an account.
    fn owe(
        &mut self,
        caller: CallerId,
        asker: Asker,
        account: Option<&str>,
        wants: impl FnOnce(AccountId) -> Wish,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        match self.account_named(account) {
            Ok(account) => {
                let wants = wants(account);
                self.callers.insert(caller, Caller { asker, wants });
                self.pursue(caller, now, effects);
            }
            Err(problem) => refuse(caller, &problem, effects),
        }
    }

    /// What became of a choice.
    pub(crate) fn chosen(
        caller: CallerId,
        outcome: Result<(), Problem>,
        effects: &mut Vec<Effect>,
    ) {
        match outcome {
            Ok(()) => effects.push(Effect::Reply(caller, Reply::Done(0))),
            Err(problem) => refuse(caller, &problem, effects),
        }
    }

    pub(crate) fn sign_out(
        &mut self,
        caller: CallerId,
        id: &AccountId,
        everywhere: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let forget = self.forgotten_with(id);
        if let Some(account) = self.accounts.get_mut(id) {
            account.leaving.push((caller, everywhere));
            account.subject = None;
            account.signed_in_at = None;
            account.name = None;
            if forget == Forget::Everything {
                account.known_secret = None;
            }
        }
        self.with_session(id, now, effects, |session, cx| session.sign_out(cx));
        self.keep_down(effects);
    }

    /// Takes a yes back. With an account's last pair goes its client secret, unless a session lives
    /// by it; then it goes with the session's sign-out.
    fn untrust(&mut self, pair: &Pair, effects: &mut Vec<Effect>) {
        self.trust.revoke(pair);
        self.manners.revoke(pair);
        self.keep_down(effects);
        if self.forgotten_with(&pair.account) == Forget::Everything
            && let Some(account) = self.accounts.get_mut(&pair.account)
            && account.session.tokens().is_none()
        {
            account.known_secret = None;
            account.settings.client_secret = None;
            effects.push(Effect::Forget(pair.account.clone(), Forget::Everything));
        }
    }

    /// What a sign-out forgets. The client secret is no person's, so it stays as long as a server
    /// may have this account's tokens, and where a person typed it: the next sign-in needs it.
    pub(crate) fn forgotten_with(&self, id: &AccountId) -> Forget {
        let added = self.accounts.get(id).is_some_and(|account| account.added);
        if added || self.trust.always().any(|(pair, _)| pair.account == *id) {
            Forget::Tokens
        } else {
            Forget::Everything
        }
    }

    pub(crate) fn signed_out(
        &mut self,
        id: &AccountId,
        attempt: AttemptId,
        outcome: &SignOutOutcome,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        account.session.signed_out_now(attempt);
        if account.session.attempt().is_some() {
            return;
        }
        let label = account.label.clone();
        let removing = account.removing;
        let leaving: Vec<CallerId> = std::mem::take(&mut account.leaving)
            .into_iter()
            .map(|(caller, _)| caller)
            .collect();
        let (signed_out, removed): (Vec<_>, Vec<_>) = leaving.into_iter().partition(|caller| {
            let wants = self.callers.get(caller).map(|caller| &caller.wants);
            matches!(wants, Some(Wish::SignOut { .. }))
        });
        for caller in signed_out {
            let Some(Caller { asker, wants }) = self.callers.get(&caller) else {
                continue;
            };
            let language = asker.language;
            let json = wants.json();
            let told = Told::SignedOut {
                revocation: StepView::of(&outcome.revocation, language),
                provider_session: outcome
                    .provider_session
                    .as_ref()
                    .map(|step| StepView::of(step, language)),
            };
            let text = report::signed_out(&label, outcome, json, language);
            let done = Reply::Outcome(Box::new(told), text);
            let otherwise = Reply::Out(report::signed_out_there(&label, outcome, json, language));
            self.claim_forgotten(caller, id, done, Some(otherwise));
        }
        if removing {
            self.removed(id, removed, Some(outcome), now, effects);
        }
        self.reset_goes_on(id, &label, outcome, effects);
    }

    /// Tells a person who asked to sign in that it is done.
    pub(crate) fn told_signed_in(
        &mut self,
        caller: CallerId,
        id: &AccountId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Caller {
            asker,
            wants: Wish::SignIn { json, .. },
        }) = self.callers.get(&caller)
        else {
            return;
        };
        let Some(account) = self.accounts.get(id) else {
            return;
        };
        let name = account
            .session
            .tokens()
            .map(|tokens| tokens.identity.name.clone());
        let text = report::signed_in(
            &account.label,
            &name.unwrap_or_default(),
            *json,
            asker.language,
        );
        self.end(caller, Reply::Out(text), 0, effects);
    }

    /// Tells a person what their answer to a question did.
    pub(crate) fn told_answer(
        &mut self,
        caller: CallerId,
        answer: Answer,
        question: &crate::consent::trust::Question,
        json: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(known) = self.callers.get(&caller) else {
            return;
        };
        let text = report::answered(answer, question, json, known.asker.language);
        match answer {
            Answer::Always => self.claim(caller, Reply::Out(text), None),
            Answer::Once | Answer::Container | Answer::No => {
                self.end(caller, Reply::Out(text), 0, effects);
            }
        }
    }

    /// What stands in the person's own kubeconfig at the very first start is trusted in bulk.
    pub(crate) fn first_start(&mut self, found: Vec<Found>, now: Now, effects: &mut Vec<Effect>) {
        for Found {
            key,
            settings,
            candidate,
            file,
        } in found
        {
            let id = key.id();
            let account = self
                .accounts
                .entry(id.clone())
                .or_insert_with(|| Account::new(key));
            account.named = true;
            account.unapproved = false;
            let manner = Manner::of(&settings);
            account.settings = settings;
            let Candidate {
                server,
                contexts,
                file: _,
            } = candidate;
            let approval = Approval {
                at: now.wall,
                by: By::FirstStart,
                contexts,
                file: Some(file),
                manners: vec![manner],
            };
            self.trust.approve(
                Pair {
                    account: id.clone(),
                    server,
                },
                approval,
            );
            self.keep_first_secret(&id, effects);
        }
        self.keep_down(effects);
    }
}

/// It needs what the kubeconfigs say, and whoever sent it did not bring that.
fn no_files(caller: CallerId, effects: &mut Vec<Effect>) {
    let problem = Problem::new(Code::Internal, vec![("reason", "no files".into())]);
    refuse(caller, &problem, effects);
}

impl crate::consent::trust::Wary {
    /// Its text.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::SkipsTls => "terminal.wary.skips-tls",
            Self::Proxy => "terminal.wary.proxy",
            Self::ProxyReads => "terminal.wary.proxy-reads",
            Self::OtherAuthority => "terminal.wary.other-authority",
            Self::ServerName => "terminal.wary.server-name",
            Self::OtherName => "terminal.wary.other-name",
            Self::Unknown => "terminal.wary.unknown",
        }
    }
}

/// What a start page's address is told with. A browser elsewhere must come to all of these ports.
#[must_use]
pub fn address_text(asker: &crate::asker::Asker, url: &str, ports: &[u16]) -> String {
    let forwards = ports
        .iter()
        .map(|port| format!("-L {port}:localhost:{port}"));
    let forwards = forwards.collect::<Vec<_>>().join(" ");
    let parameters = [("url", url.to_owned()), ("forwards", forwards)];
    let key = match asker.place {
        crate::asker::Place::Ssh => "terminal.open-over-ssh",
        crate::asker::Place::Here | crate::asker::Place::Container => "terminal.open",
    };
    text(asker.language, key, &parameters)
}
