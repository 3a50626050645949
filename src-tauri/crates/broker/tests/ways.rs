//! What an asker's environment says of the way to the provider, and what it is told when that fails.

#![allow(
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "each test looks for one effect among many"
)]

mod shared;

use broker::account::{ClientSettings, Proxies};
use broker::asker::{Asker, Desktop};
use broker::broker::Broker;
use broker::event::{Effect, Event, Kept, Reply, SignIn};
use broker::problem::Problem;
use broker::settings::Settings;
use broker::texts::Language;
use broker::transaction::SignInOutcome;
use broker::trust::Answer;
use shared::{ask, asker, key, start};

fn sign_in(effects: &[Effect]) -> &SignIn {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::SignIn(sign_in) => Some(&**sign_in),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no sign-in in {effects:?}"))
}

#[test]
fn who_sets_ssl_cert_file_is_told_that_it_is_not_used_and_what_is() {
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    let own_ca = Asker {
        own_ca: true,
        ..asker(1, true)
    };
    let effects = broker.handle(ask(1, own_ca, ClientSettings::default(), "s"), start());
    let (attempt, question) = (sign_in(&effects).attempt, sign_in(&effects).question);
    let without = asker(2, true);
    broker.handle(ask(2, without, ClientSettings::default(), "s"), start());
    if let Some(question) = question {
        let yes = Event::AnsweredOnPage(question, Answer::Always, vec![]);
        broker.handle(yes, start());
    }
    let failed = Problem::TlsFailed {
        host: key().host(),
        reason: "an unknown authority signed it".into(),
    };
    let ended = Event::SignedIn(key().id(), attempt, SignInOutcome::Declined(failed));
    let effects = broker.handle(ended, start());
    let said = |caller: u64| {
        let found = effects.iter().find_map(|effect| match effect {
            Effect::Reply(to, Reply::Refused(problem)) if to.0 == caller => {
                Some(problem.said(Language::En, true))
            }
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{caller} was told nothing: {effects:?}"))
    };
    for part in [
        "SSL_CERT_FILE is set here, but Kubefob does not use it",
        "--certificate-authority=FILE",
        "[tls-failed-own-ca]",
    ] {
        assert!(said(1).contains(part), "{part}: {}", said(1));
    }
    assert!(said(2).contains("[tls-failed]"), "{}", said(2));
}

#[test]
fn one_asker_s_proxy_is_known_to_the_next() {
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    let proxies = Proxies {
        https: Some("http://proxy:3128".into()),
        ..Proxies::default()
    };
    let shell = Asker {
        proxies: proxies.clone(),
        ..asker(1, true)
    };
    let effects = broker.handle(ask(1, shell, ClientSettings::default(), "s"), start());
    let SignIn {
        attempt, request, ..
    } = sign_in(&effects);
    assert_eq!(request.settings.proxies, proxies);
    assert_eq!(request.settings.known_proxies, []);
    let fault = SignInOutcome::Unreachable(shared::unreachable());
    broker.handle(Event::SignedIn(key().id(), *attempt, fault), start());

    let later = start().after(std::time::Duration::from_secs(60));
    let editor = asker(2, true);
    let effects = broker.handle(ask(2, editor, ClientSettings::default(), "s"), later);
    let request = &sign_in(&effects).request;
    assert_eq!(request.settings.proxies, Proxies::default());
    assert_eq!(request.settings.known_proxies, [proxies]);
}
