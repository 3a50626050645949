//! What rests in the vault when the resident starts.

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
use broker::session::Loss;
use broker::settings::{Keep, Settings};
use broker::trust::{Approval, By, Pair};
use broker::waiters::CallerId;
use shared::{ask, asker, key, start, tokens};

/// The file that names accounts was lost, and the vault was not: whoever asks first waits for what it says,
/// and no page is opened for a session that is there.
#[test]
fn a_session_of_a_forgotten_account_is_waited_for() {
    let pair = Pair {
        account: key().id(),
        server: shared::candidate("s").server,
    };
    let approval = Approval {
        at: start().wall,
        by: By::FirstStart,
        contexts: vec![],
        file: None,
        manners: vec![],
    };
    let kept = Kept {
        files: Vec::new(),
        trusts: vec![(pair, approval)],
        ..Kept::default()
    };
    let mut broker = Broker::new(kept, Settings::default(), 1).with_sessions_at_rest();
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    let asked = ask(1, asker(1, true), ClientSettings::default(), "s");
    assert_eq!(broker.handle(asked, start()), [], "not decided yet");
    let restored = Restored {
        key: key(),
        at_rest: AtRest::Tokens(tokens(1, Duration::from_secs(300), start()), Loss::None),
    };
    let effects = broker.handle(Event::Loaded(vec![restored], Keep::Sealed), start());
    let token = effects.iter().find_map(|effect| match effect {
        Effect::Reply(_, Reply::Credential(_, token, _)) => Some(token.reveal()),
        _ => None,
    });
    assert_eq!(token, Some("token-1"), "{effects:?}");
    let opened = |effect: &Effect| matches!(effect, Effect::SignIn(_));
    assert!(!effects.iter().any(opened), "{effects:?}");
}

/// `kubectl fob status` can be what starts the resident: it tells no session of which the vault has not spoken yet.
#[test]
fn what_is_told_of_sessions_waits_for_the_vault() {
    let broker = Broker::new(Kept::default(), Settings::default(), 1);
    let mut broker = broker.with_sessions_at_rest();
    let asked = Event::Commanded(Box::new(Commanded {
        caller: CallerId(1),
        asker: asker(1, true),
        endpoint: Endpoint::Control,
        invocation: Invocation::Status { json: false },
    }));
    assert_eq!(broker.handle(asked, start()), []);
    let restored = Restored {
        key: key(),
        at_rest: AtRest::Tokens(tokens(1, Duration::from_secs(300), start()), Loss::None),
    };
    let effects = broker.handle(Event::Loaded(vec![restored], Keep::Sealed), start());
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Reply(CallerId(1), Reply::Out(text)) => Some(text.as_str()),
        _ => None,
    });
    assert!(
        told.is_some_and(|told| told.contains("signed in")),
        "{effects:?}"
    );
}

/// A quick sign-in at a cold start is sealed before the vault has said what it holds. That says how tokens rest, and
/// nothing of the other sessions: what waits for those goes on waiting.
#[test]
fn how_tokens_rest_is_not_the_vaults_answer() {
    let broker = Broker::new(Kept::default(), Settings::default(), 1);
    let mut broker = broker.with_sessions_at_rest();
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    let asked = ask(1, asker(1, true), ClientSettings::default(), "s");
    assert_eq!(broker.handle(asked, start()), []);
    let sealed = broker.handle(Event::Rests(Keep::Sealed), start());
    assert!(
        matches!(sealed.as_slice(), [Effect::Show(view)] if view.keep == Keep::Sealed),
        "{sealed:?}"
    );
    let effects = broker.handle(Event::Loaded(Vec::new(), Keep::Sealed), start());
    assert!(!effects.is_empty(), "now it is decided");
}
