//! How an outcome is told: words or JSON for a command line, data for tray and window. It happens here, for all of them.

use super::made::Shown;
use super::reply::Reply;
use super::view::{ProblemView, StepView, Told};
use super::{contexts, prompt, report};
use crate::argv::fob::completion;
use crate::asker::{Asker, Place};
use crate::callers::outcome::{Listing, Meanwhile, Outcome, Prompt};
use crate::callers::{Caller, Form};
use crate::clock::Now;
use crate::command::{Completing, Names};
use crate::problem::{Problem, Refusal};
use crate::texts::{Language, text};
use crate::transaction::{Announced, SignOutOutcome};

/// The version of this build, said by `kubectl fob version`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How many contexts a window is told that still name an account.
const NAMED: usize = 32;

/// Everything that a caller is told of its outcome, the end included.
pub(crate) fn told(outcome: Outcome, caller: &Caller, shown: &Shown<'_>, now: Now) -> Vec<Reply> {
    let code = outcome.code();
    let mut replies = said(outcome, caller, shown, now);
    replies.push(Reply::Done(code));
    replies
}

/// What a caller is asked to type.
pub(crate) fn asked(prompt: &Prompt, asker: &Asker) -> Reply {
    let language = asker.language;
    match prompt {
        Prompt::Question(question, waits) => {
            Reply::Prompt(prompt::question(question, *waits, language))
        }
        Prompt::Secret => Reply::Secret(text(language, "terminal.client-secret", &[])),
        Prompt::Removal(account) => {
            let parameters = [("account", account.clone())];
            Reply::Prompt(text(language, "terminal.remove", &parameters))
        }
        Prompt::Reset => Reply::Prompt(text(language, "terminal.reset", &[])),
    }
}

/// What a caller is told that goes on waiting.
pub(crate) fn meanwhile(
    meanwhile: Meanwhile,
    caller: &Caller,
    shown: &Shown<'_>,
    now: Now,
) -> Vec<Reply> {
    let language = caller.asker.language;
    let line = |line: String| vec![Reply::Say(line + "\n")];
    match meanwhile {
        Meanwhile::AskedInWindow => line(text(language, "terminal.asks.window", &[])),
        Meanwhile::AskedOnPage => line(text(language, "terminal.asks.page", &[])),
        Meanwhile::Problem(problem) => line(problem.line(language)),
        Meanwhile::Outcome(outcome) => said(outcome, caller, shown, now),
    }
}

/// What a start page's address is told with. A browser elsewhere must come to all of these ports.
#[must_use]
pub fn address_text(asker: &Asker, url: &str, ports: &[u16]) -> String {
    let forwards = ports
        .iter()
        .map(|port| format!("-L {port}:localhost:{port}"));
    let forwards = forwards.collect::<Vec<_>>().join(" ");
    let parameters = [("url", url.to_owned()), ("forwards", forwards)];
    let key = match asker.place {
        Place::Ssh => "terminal.open-over-ssh",
        Place::Here | Place::Container => "terminal.open",
    };
    text(asker.language, key, &parameters)
}

/// A problem as one caller should hear it: its account named, and a certificate that it can't have trusted explained.
fn as_heard(problem: Problem, caller: &Caller, shown: &Shown<'_>) -> Box<Refusal> {
    let Some(account) = caller.wish.account() else {
        return problem.into();
    };
    let problem = if problem == Problem::NotSignedIn && caller.asker.completion {
        Problem::CompletionNeverAsks
    } else if caller.asker.own_ca {
        problem.with_own_ca()
    } else {
        problem
    };
    Box::new(problem.of(shown.accounts.about(account)))
}

fn said(outcome: Outcome, caller: &Caller, shown: &Shown<'_>, now: Now) -> Vec<Reply> {
    let language = caller.asker.language;
    let json = caller.form == Form::Json;
    let out = |text: String| vec![Reply::Out(text)];
    let done = |what, name: &str| vec![Reply::Out(report::done(what, name, json, language))];
    match outcome {
        Outcome::Done => Vec::new(),
        Outcome::Refused(problem) => vec![Reply::Refused(as_heard(problem, caller, shown))],
        Outcome::WhichQuestion(problem) => {
            let view = shown.view(now, language);
            let list = report::questions(&view, json, language);
            vec![Reply::Out(list), Reply::Refused(problem.into())]
        }
        Outcome::Credential(version, token, expiry) => {
            vec![Reply::Credential(version, token, expiry)]
        }
        Outcome::Token(token, facts) => vec![Reply::Token(token, json.then_some(facts))],
        Outcome::SignedIn { account, name } => {
            out(report::signed_in(&account, &name, json, language))
        }
        Outcome::Renewed {
            account,
            name,
            groups,
            expires,
        } => out(report::renewed(
            &account, &name, &groups, expires, json, language,
        )),
        Outcome::Cancelled(account) => done("cancelled", account.as_str()),
        Outcome::SignedOut { account, ended } => {
            let text = report::signed_out(&account, &ended, json, language);
            vec![with_data(signed_out_data(&ended, language), text)]
        }
        Outcome::Removed {
            account,
            contexts,
            ended,
        } => {
            let text = report::removed(&account, &contexts, ended.as_ref(), json, language);
            let data = Told::Removed {
                contexts: contexts.into_iter().take(NAMED).collect(),
                revocation: ended.map(|ended| StepView::of(&ended.revocation, language)),
            };
            vec![with_data(data, text)]
        }
        Outcome::Reset {
            ended,
            problems,
            settings,
        } => out(report::reset(&ended, &problems, settings, language)),
        Outcome::Answered(answer, question) => {
            out(report::answered(answer, &question, json, language))
        }
        Outcome::Left(name) => done("left", &name),
        Outcome::Untrusted(name) => done("untrusted", &name),
        Outcome::Renamed(label) => done("renamed", &label),
        Outcome::Provider(announced) => {
            let Announced {
                pkce,
                revocation,
                end_session,
            } = announced;
            let data = Told::Provider {
                pkce,
                revocation,
                end_session,
            };
            vec![with_data(data, String::new())]
        }
        Outcome::Added {
            account,
            label,
            known,
            stanza,
        } => {
            let text = report::added(&label, &account, known, &stanza, json, language);
            let data = Told::Added {
                account: account.to_string(),
                known,
                stanza,
            };
            vec![with_data(data, text)]
        }
        Outcome::Stanza(stanza) => {
            let text = if json {
                report::pretty(&stanza)
            } else {
                stanza.yaml.clone()
            };
            vec![with_data(Told::Stanza { stanza }, text)]
        }
        Outcome::Switched(switched) => out(contexts::switched(&switched, json, language)),
        Outcome::Contexts(files) => out(contexts::list(&files, shown.accounts, json, language)),
        Outcome::Listed(listing) => out(listed(listing, shown, json, language, now)),
        Outcome::Version => out(report::version(VERSION, json)),
        Outcome::Help(help) => out(help),
        Outcome::Completed(completing) => {
            let names = names(&completing, shown, language, now);
            out(completing.told(names))
        }
        Outcome::CompletedWith(completing, names) => out(completing.told(names)),
        Outcome::Completion(shell) => out(completion(shell)),
        Outcome::NotAtRest { problems, done } => {
            let refused = problems
                .into_iter()
                .map(|problem| Reply::Refused(problem.into()));
            refused
                .chain(true_all_the_same(*done, caller, shown, now))
                .collect()
        }
    }
}

/// What is true of an outcome that is not at rest.
fn true_all_the_same(outcome: Outcome, caller: &Caller, shown: &Shown<'_>, now: Now) -> Vec<Reply> {
    let language = caller.asker.language;
    let json = caller.form == Form::Json;
    match outcome {
        Outcome::SignedOut { account, ended } => {
            let text = report::signed_out_there(&account, &ended, json, language);
            vec![Reply::Out(text)]
        }
        Outcome::Removed { account, ended, .. } => {
            let there = |ended| report::signed_out_there(&account, &ended, json, language);
            ended.map(there).map(Reply::Out).into_iter().collect()
        }
        // How a kubeconfig uses it is of use either way.
        added @ Outcome::Added { .. } => said(added, caller, shown, now),
        Outcome::Done
        | Outcome::Refused(_)
        | Outcome::WhichQuestion(_)
        | Outcome::Credential(..)
        | Outcome::Token(..)
        | Outcome::SignedIn { .. }
        | Outcome::Renewed { .. }
        | Outcome::Cancelled(_)
        | Outcome::Reset { .. }
        | Outcome::Answered(..)
        | Outcome::Left(_)
        | Outcome::Untrusted(_)
        | Outcome::Provider(_)
        | Outcome::Stanza(_)
        | Outcome::Renamed(_)
        | Outcome::Switched(_)
        | Outcome::Contexts(_)
        | Outcome::Listed(_)
        | Outcome::Version
        | Outcome::Help(_)
        | Outcome::Completed(_)
        | Outcome::CompletedWith(..)
        | Outcome::Completion(_)
        | Outcome::NotAtRest { .. } => Vec::new(),
    }
}

fn with_data(data: Told, text: String) -> Reply {
    Reply::Outcome(Box::new(data), text)
}

fn signed_out_data(ended: &SignOutOutcome, language: Language) -> Told {
    Told::SignedOut {
        revocation: StepView::of(&ended.revocation, language),
        provider_session: ended
            .provider_session
            .as_ref()
            .map(|step| StepView::of(step, language)),
    }
}

fn listed(listing: Listing, shown: &Shown<'_>, json: bool, language: Language, now: Now) -> String {
    let view = shown.view(now, language);
    match listing {
        Listing::Status => report::status(&view, json, language, now.wall),
        Listing::Accounts => report::accounts(&view, json, language),
        Listing::Trusts => report::trusts(&view, json, language),
        Listing::Questions => report::questions(&view, json, language),
    }
}

/// The names that may follow, and what each is.
fn names(
    completing: &Completing,
    shown: &Shown<'_>,
    language: Language,
    now: Now,
) -> Vec<(String, String)> {
    let view = shown.view(now, language);
    match &completing.names {
        Some(Names::Accounts) => {
            let all = view.accounts.into_iter();
            all.map(|account| (account.label, account.issuer)).collect()
        }
        Some(Names::Questions) => {
            let all = view.questions.into_iter();
            all.map(|question| (question.name, question.account))
                .collect()
        }
        Some(Names::Approvals) => {
            let all = view.trusts.into_iter();
            all.map(|trust| (trust.name, trust.account)).collect()
        }
        // They come with the files, as [`Outcome::CompletedWith`].
        Some(Names::Contexts(_)) | None => Vec::new(),
    }
}

impl StepView {
    /// A step of a sign-out, in a language.
    fn of(step: &crate::transaction::Step, language: Language) -> Self {
        use crate::transaction::Step;
        match step {
            Step::Done => Self::Done,
            Step::Nothing => Self::Nothing,
            Step::NotOffered => Self::NotOffered,
            Step::Failed(problem) => Self::Failed {
                problem: ProblemView::of(problem, language),
            },
        }
    }
}
