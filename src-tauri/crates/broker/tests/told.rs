//! What is told of an account is so at the time when it is told.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a surprise is a failed test"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "each test looks for one effect among many"
)]

mod shared;

use std::path::Path;
use std::time::Duration;

use broker::account::{AccountKey, ClientSettings};
use broker::argv::{Called, parse};
use broker::asker::Desktop;
use broker::broker::Broker;
use broker::clock::Now;
use broker::command::Invocation;
use broker::event::{Commanded, Effect, Event, Kept, KeptAccount, Reply};
use broker::problem::Problem;
use broker::settings::{Keep, Settings};
use broker::transaction::{RefreshOutcome, SignInOutcome, SignOutOutcome, Step};
use broker::trust::Answer;
use broker::waiters::CallerId;
use shared::{ask, asker, command, key, logout, start, tokens};

const LIFE: Duration = Duration::from_secs(60);

/// Somebody who has signed in, with a token that lives a minute.
fn signed_in() -> Broker {
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    let asked = ask(1, asker(1, true), ClientSettings::default(), "s");
    let begun = broker.handle(asked, start());
    let begun = begun.into_iter().find_map(|effect| match effect {
        Effect::SignIn(sign_in) => Some(*sign_in),
        _ => None,
    });
    let begun = begun.unwrap();
    let question = begun.question.unwrap();
    broker.handle(
        Event::AnsweredOnPage(question, Answer::Always, vec![]),
        start(),
    );
    let outcome = SignInOutcome::SignedIn(tokens(1, LIFE, start()));
    broker.handle(Event::SignedIn(key().id(), begun.attempt, outcome), start());
    broker
}

fn status(broker: &mut Broker, now: Now) -> String {
    let asked = Commanded {
        invocation: Invocation::Status { json: false },
        ..commanded()
    };
    told(&broker.handle(Event::Commanded(Box::new(asked)), now))
}

/// Somebody's command at a terminal.
fn commanded() -> Commanded {
    match command(9, asker(9, true), logout()) {
        Event::Commanded(commanded) => *commanded,
        _ => panic!("it is one"),
    }
}

fn told(effects: &[Effect]) -> String {
    let said = effects.iter().filter_map(|effect| match effect {
        Effect::Reply(CallerId(9), Reply::Out(text) | Reply::Outcome(_, text)) => {
            Some(text.as_str())
        }
        _ => None,
    });
    said.collect()
}

#[test]
fn a_time_that_is_over_is_not_one_until_when_a_token_is_good() {
    let mut broker = signed_in();
    let said = status(&mut broker, start());
    assert!(
        said.contains("renews by itself; this token is good until"),
        "{said}"
    );

    let later = start().after(LIFE);
    let asked = ask(2, asker(2, true), ClientSettings::default(), "s");
    let refresh = broker.handle(asked, later);
    let attempt = refresh.iter().find_map(|effect| match effect {
        Effect::Refresh(attempt, _) => Some(*attempt),
        _ => None,
    });
    let said = status(&mut broker, later);
    assert!(
        said.contains("renews by itself; the last token ended at"),
        "{said}"
    );

    let refusal = Problem::BadToken {
        reason: "it has no subject".into(),
    };
    broker.handle(
        Event::Refreshed(
            key().id(),
            attempt.unwrap(),
            RefreshOutcome::Blocked(refusal),
        ),
        later,
    );
    let said = status(&mut broker, later);
    assert!(said.contains("refused by the provider"), "{said}");
    assert!(said.contains("  the last token ended at"), "{said}");
    assert!(
        !said.contains("by itself") && !said.contains("good until"),
        "{said}"
    );
}

#[test]
fn a_sign_out_that_the_provider_did_not_answer_says_nothing_of_sessions_that_are_kept() {
    let mut broker = signed_in();
    let effects = broker.handle(command(9, asker(9, true), logout()), start());
    let attempt = effects.iter().find_map(|effect| match effect {
        Effect::SignOut(attempt, _) => Some(*attempt),
        _ => None,
    });
    let unreachable = Problem::Unreachable {
        host: "sso".into(),
        reason: "it is slow".into(),
    };
    let outcome = SignOutOutcome {
        revocation: Step::Failed(unreachable),
        provider_session: None,
    };
    let mut effects = broker.handle(
        Event::SignedOut(key().id(), attempt.unwrap(), outcome),
        start(),
    );
    // All that was to be forgotten is, and so at rest.
    effects.extend(broker.handle(Event::Forgotten(key().id(), Ok(())), start()));
    let settles = effects.iter().filter_map(|effect| match effect {
        Effect::Settle(what) => Some(*what),
        _ => None,
    });
    for what in settles.collect::<Vec<_>>() {
        effects.extend(broker.handle(Event::Settled(what, None), start()));
    }
    let said = told(&effects);
    assert!(said.contains("may be good until they end:"), "{said}");
    assert!(said.contains("it is slow. [unreachable]"), "{said}");
    assert!(!said.contains("is kept"), "{said}");
}

/// What a shell makes of a command.
fn words(command: &str) -> Vec<Vec<u8>> {
    let mut words = vec![Vec::new()];
    let mut open = None;
    for byte in command.bytes() {
        match byte {
            b'"' | b'\'' if open == Some(byte) => open = None,
            b'"' | b'\'' if open.is_none() => open = Some(byte),
            b' ' if open.is_none() => words.push(Vec::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words
}

#[test]
fn a_command_in_a_hint_works_as_it_stands() {
    for labels in [
        ["work", "my work"],
        ["회사", "a $(reboot)"],
        ["-x", "한 \u{200b}"],
        ["same", "same"],
        ["sso.example.com", "https://sso.example.com"],
    ] {
        let keys = ["c", "d"].map(|client_id| AccountKey {
            client_id: client_id.into(),
            ..key()
        });
        let accounts = keys.iter().zip(labels).map(|(key, label)| KeptAccount {
            key: key.clone(),
            label: label.into(),
            listen: vec![],
            redirect_url: None,
            rest: None,
            signed_out: true,
            named: true,
            added: true,
            asked: None,
            subject: None,
            signed_in_at: None,
            name: None,
        });
        let kept = Kept {
            accounts: accounts.collect(),
            ..Kept::default()
        };
        let mut broker = Broker::new(kept, Settings::default(), 1);
        broker.handle(Event::Desktop(Desktop::Unlocked), start());
        broker.handle(Event::Loaded(Vec::new(), Keep::Sealed), start());
        let accounts = broker.view(start()).accounts;
        assert_eq!(accounts.len(), 2);
        for (number, account) in (1..).zip(accounts) {
            let hint = account.problem.unwrap().hint;
            let command = hint.strip_prefix("Run '").unwrap();
            let command = command.strip_suffix("' to sign in.").unwrap();
            let args = &words(command)[2..];
            let called = Called {
                program: b"kubectl-fob",
                args,
                cwd: Path::new("/"),
                home: Path::new("/"),
                exec_info: None,
            };
            let invocation = parse(&called).unwrap();
            let asked = Commanded {
                caller: CallerId(number),
                invocation,
                ..commanded()
            };
            let effects = broker.handle(Event::Commanded(Box::new(asked)), start());
            let signs_in = effects.iter().find_map(|effect| match effect {
                Effect::SignIn(sign_in) => Some(sign_in.request.account.as_str().to_owned()),
                _ => None,
            });
            assert_eq!(signs_in, Some(account.id), "{command}: {effects:?}");
        }
    }
}
