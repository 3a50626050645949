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

use std::time::Duration;

use broker::account::ClientSettings;
use broker::asker::Desktop;
use broker::broker::Broker;
use broker::clock::Now;
use broker::command::Invocation;
use broker::event::{Commanded, Effect, Event, Kept, Reply};
use broker::outcome::{RefreshOutcome, SignInOutcome, SignOutOutcome, Step};
use broker::problem::Problem;
use broker::settings::Settings;
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
    broker.handle(Event::Approved(question, Answer::Always, vec![]), start());
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
