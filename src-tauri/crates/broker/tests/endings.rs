//! What happens while sessions are ended, and what comes in between.

#![allow(
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "each test looks for one effect among many"
)]

mod shared;

use std::time::Duration;

use broker::account::ClientSettings;
use broker::asker::{Desktop, Endpoint};
use broker::broker::Broker;
use broker::command::Invocation;
use broker::event::{AtRest, Commanded, Effect, Event, Kept, Reply, Restored};
use broker::found::Files;
use broker::problem::{Code, Problem};
use broker::session::Loss;
use broker::settings::{Keep, Settings};
use broker::transaction::{AttemptId, SignInOutcome, SignOutOutcome, Step};
use broker::trust::{Approval, By, Pair};
use broker::waiters::CallerId;
use shared::{ask, asker, command, key, login, logout, start, tokens};

/// A broker whose account is signed in, and trusted for a server.
fn signed_in() -> Broker {
    let pair = Pair {
        account: key().id(),
        server: shared::candidate("s").server,
    };
    let approval = Approval {
        at: start().wall,
        by: By::FirstStart,
        contexts: vec![],
        file: None,
        manners: vec![Default::default()],
    };
    let kept = Kept {
        trusts: vec![(pair, approval)],
        ..Kept::default()
    };
    let mut broker = Broker::new(kept, Settings::default(), 1).with_sessions_at_rest();
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    let restored = Restored {
        key: key(),
        at_rest: AtRest::Tokens(tokens(1, Duration::from_secs(300), start()), Loss::None),
    };
    broker.handle(Event::Loaded(vec![restored], Keep::Sealed), start());
    broker
}

fn reset(caller: u64) -> Event {
    Event::Commanded(Box::new(Commanded {
        caller: CallerId(caller),
        asker: asker(9, false),
        endpoint: Endpoint::Control,
        invocation: Invocation::Reset { yes: true },
    }))
}

fn poll(caller: u64) -> Event {
    ask(caller, asker(1, false), ClientSettings::default(), "s")
}

fn refused(effects: &[Effect], caller: u64) -> Option<Code> {
    effects.iter().find_map(|effect| match effect {
        Effect::Reply(known, Reply::Refused(problem)) if known.0 == caller => Some(problem.code()),
        _ => None,
    })
}

fn signing_out(effects: &[Effect]) -> AttemptId {
    let attempt = effects.iter().find_map(|effect| match effect {
        Effect::SignOut(attempt, _) => Some(*attempt),
        _ => None,
    });
    attempt.unwrap_or_else(|| panic!("no sign-out: {effects:?}"))
}

fn writes_down(effects: &[Effect]) -> bool {
    let writes = |effect: &Effect| matches!(effect, Effect::Keep(_) | Effect::KeepSecret(..));
    effects.iter().any(writes)
}

fn ended() -> SignOutOutcome {
    SignOutOutcome {
        revocation: Step::Done,
        provider_session: None,
    }
}

/// k9s asks every few seconds, and the file watch goes on: neither may have anything written down again that a reset is
/// about to delete, or has deleted.
#[test]
fn nothing_is_written_down_again_once_a_reset_has_begun() {
    let mut broker = signed_in();
    let asked = ask(2, asker(2, true), ClientSettings::default(), "other");
    broker.handle(asked, start());
    let effects = broker.handle(reset(7), start());
    assert_eq!(refused(&effects, 2), Some(Code::Ending), "{effects:?}");
    let attempt = signing_out(&effects);
    assert!(!effects.contains(&Effect::Reset(CallerId(7))));

    let between = broker.handle(poll(3), start());
    assert_eq!(refused(&between, 3), Some(Code::Ending), "{between:?}");
    let deleted = broker.handle(Event::SignedOut(key().id(), attempt, ended()), start());
    assert!(deleted.contains(&Effect::Reset(CallerId(7))), "{deleted:?}");
    let files = || Files {
        own: None,
        others: Vec::new(),
        stanzas: Vec::new(),
    };
    for event in [
        poll(4),
        command(5, asker(1, true), login()),
        Event::FilesChanged(Box::new(files())),
        Event::Loaded(Vec::new(), Keep::Sealed),
        Event::SignedIn(
            key().id(),
            AttemptId(1),
            SignInOutcome::SignedIn(tokens(2, Duration::from_secs(300), start())),
        ),
    ] {
        let effects = broker.handle(event, start());
        assert!(!writes_down(&effects), "{effects:?}");
    }
    let done = broker.handle(Event::WasReset(Vec::new()), start());
    assert!(done.contains(&Effect::Reply(CallerId(7), Reply::Done(0))));
    let late = broker.handle(poll(6), start());
    assert!(!writes_down(&late), "{late:?}");
}

/// A sign-out that begins while another of the same account is under way: each caller is told once.
#[test]
fn who_signs_out_meanwhile_is_told_with_the_first() {
    let mut broker = signed_in();
    let first = broker.handle(command(1, asker(1, true), logout()), start());
    let second = broker.handle(command(2, asker(2, true), logout()), start());
    let (first, second) = (signing_out(&first), signing_out(&second));
    let early = broker.handle(Event::SignedOut(key().id(), first, ended()), start());
    assert!(
        !early
            .iter()
            .any(|effect| matches!(effect, Effect::Settle(_)))
    );
    let late = broker.handle(Event::SignedOut(key().id(), second, ended()), start());
    let settle = late.iter().find_map(|effect| match effect {
        Effect::Settle(what) => Some(*what),
        _ => None,
    });
    let told = broker.handle(Event::Settled(settle.unwrap(), None), start());
    for caller in [1, 2] {
        let done = Effect::Reply(CallerId(caller), Reply::Done(0));
        assert_eq!(told.iter().filter(|effect| **effect == done).count(), 1);
    }
}

/// Somebody wants everything forgotten, at a terminal or not.
fn asks_to_reset(broker: &mut Broker, number: u64, terminal: bool, yes: bool) -> Vec<Effect> {
    let commanded = Commanded {
        caller: CallerId(number),
        asker: asker(1, terminal),
        endpoint: Endpoint::Control,
        invocation: Invocation::Reset { yes },
    };
    broker.handle(Event::Commanded(Box::new(commanded)), start())
}

fn refused_any(effects: &[Effect]) -> Option<Code> {
    effects.iter().find_map(|effect| match effect {
        Effect::Reply(_, Reply::Refused(problem)) => Some(problem.code()),
        _ => None,
    })
}

#[test]
fn it_asks_first_and_only_a_terminal_or_a_flag_can_say_yes() {
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    let unasked = asks_to_reset(&mut broker, 1, false, false);
    assert_eq!(refused_any(&unasked), Some(Code::Incomplete));
    let asked = asks_to_reset(&mut broker, 2, true, false);
    assert!(matches!(asked[..], [Effect::Reply(_, Reply::Prompt(_))]));
    let no = broker.handle(Event::Typed(CallerId(2), String::new()), start());
    assert_eq!(refused_any(&no), Some(Code::NotReset));

    let yes = asks_to_reset(&mut broker, 3, false, true);
    assert!(yes.contains(&Effect::Reset(CallerId(3))), "{yes:?}");
    let second = asks_to_reset(&mut broker, 4, false, true);
    assert_eq!(refused_any(&second), Some(Code::Ending), "one at a time");
    let left = Problem::KeyringLocked;
    let done = broker.handle(Event::WasReset(vec![left]), start());
    assert!(done.contains(&Effect::Reply(CallerId(3), Reply::Done(1))));
    let said = format!("{done:?}");
    assert!(said.contains("keyring-locked") && said.contains("What remains"));
}
