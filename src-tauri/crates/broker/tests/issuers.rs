//! What a sign-in is told of its provider and of the others: which issuer is new, where another account's people sign
//! in, and which origins the settings say are the provider's.

#![allow(
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    reason = "each test looks for one effect among many"
)]

mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::account::{AccountKey, ClientSettings};
use broker::asker::Desktop;
use broker::broker::Broker;
use broker::command::{Flags, Which};
use broker::credential::ExecVersion;
use broker::event::{Ask, Effect, Event, Kept, SignIn};
use broker::settings::{Keep, Settings};
use broker::transaction::{AttemptId, SignInOutcome};
use broker::trust::Answer;
use broker::waiters::CallerId;
use shared::{asker, key, servers, start, tokens};

fn broker(settings: Settings) -> Broker {
    let mut broker = Broker::new(Kept::default(), settings, 1);
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    broker
}

fn at(issuer: &str) -> AccountKey {
    AccountKey {
        issuer: issuer.into(),
        ..key()
    }
}

/// What the sign-in is given that somebody's first request begins.
fn begins(broker: &mut Broker, caller: u32, key: &AccountKey) -> SignIn {
    let effects = broker.handle(
        Event::Asked(Box::new(Ask {
            caller: CallerId(caller.into()),
            asker: asker(caller, true),
            account: Which::Flags(Arc::new(Flags::new(key.clone(), ClientSettings::default()))),
            version: ExecVersion::V1,
            by_client: false,
            servers: Arc::new(servers("s")),
            files: Arc::new([]),
        })),
        start(),
    );
    let found = effects.into_iter().find_map(|effect| match effect {
        Effect::SignIn(sign_in) => Some(*sign_in),
        _ => None,
    });
    found.unwrap()
}

fn answered(broker: &mut Broker, sign_in: &SignIn, answer: Answer) {
    let question = sign_in.question.unwrap();
    broker.handle(Event::AnsweredOnPage(question, answer, vec![]), start());
}

#[test]
fn an_issuer_is_new_until_somebody_uses_it() {
    let mut broker = broker(Settings::default());
    let first = begins(&mut broker, 1, &key());
    assert!(first.request.question.as_ref().unwrap().new_issuer);
    answered(&mut broker, &first, Answer::Always);
    let other_client = AccountKey {
        client_id: "other".into(),
        ..key()
    };
    let second = begins(&mut broker, 2, &other_client);
    assert!(!second.request.question.unwrap().new_issuer);
    let elsewhere = begins(&mut broker, 3, &at("https://evil.example"));
    assert!(elsewhere.request.question.unwrap().new_issuer);
}

#[test]
fn the_issuers_of_accounts_in_use_are_told_and_no_others() {
    let mut broker = broker(Settings::default());
    let mine = begins(&mut broker, 1, &key());
    assert!(mine.request.other_issuers.is_empty());
    answered(&mut broker, &mine, Answer::Once);
    let signed_in = SignInOutcome::SignedIn(tokens(1, Duration::from_secs(300), start()));
    broker.handle(
        Event::SignedIn(key().id(), mine.attempt, signed_in),
        start(),
    );
    let theirs = begins(&mut broker, 2, &at("https://evil.example"));
    assert_eq!(theirs.request.other_issuers, [key().issuer]);
    // Whoever only asked is nobody's provider: it keeps nobody else out.
    let third = begins(&mut broker, 3, &at("https://third.example"));
    assert_eq!(third.request.other_issuers, [key().issuer]);
}

#[test]
fn a_setting_counts_for_its_issuer_alone() {
    let origins = vec!["https://api.example.com".to_owned()];
    let settings = Settings {
        provider_origins: BTreeMap::from([(key().issuer, origins.clone())]),
        ..Settings::default()
    };
    let mut broker = broker(settings);
    let with_slash = at(&format!("{}/", key().issuer));
    for (caller, key, expected) in [(1, key(), origins), (2, with_slash, vec![])] {
        let sign_in = begins(&mut broker, caller, &key);
        assert_eq!(
            sign_in.request.settings.provider_origins, expected,
            "{key:?}"
        );
    }
}

#[test]
fn where_a_person_signed_in_is_known_after_a_restart() {
    let mut broker = broker(Settings::default());
    let place = "https://login.example.com".to_owned();
    let mine = begins(&mut broker, 1, &key());
    answered(&mut broker, &mine, Answer::Always);
    broker.handle(
        Event::SignedInAt(key().id(), mine.attempt, place.clone()),
        start(),
    );
    let signed_in = SignInOutcome::SignedIn(tokens(1, Duration::from_secs(1), start()));
    let effects = broker.handle(
        Event::SignedIn(key().id(), mine.attempt, signed_in),
        start(),
    );
    let kept = effects.into_iter().find_map(|effect| match effect {
        Effect::Keep(kept) => Some(*kept),
        _ => None,
    });
    let kept = kept.unwrap();
    assert_eq!(kept.accounts[0].signed_in_at, Some(place.clone()));

    // After a restart, and without a session.
    let mut later = Broker::new(kept, Settings::default(), 1);
    later.handle(Event::Loaded(Vec::new(), Keep::Sealed), start());
    later.handle(Event::Desktop(Desktop::Unlocked), start());
    let again = begins(&mut later, 2, &key());
    assert_eq!(again.request.signed_in_at, Some(place));
    // An attempt that is none says nothing.
    let never = AttemptId(again.attempt.0 + 1);
    later.handle(
        Event::SignedInAt(key().id(), never, "https://evil.example".into()),
        start(),
    );
    let no = SignInOutcome::Declined(shared::timed_out());
    later.handle(Event::SignedIn(key().id(), again.attempt, no), start());
    let third = begins(&mut later, 3, &key());
    assert_eq!(third.request.signed_in_at, again.request.signed_in_at);
    assert!(third.request.expected_subject.is_some());
}
