//! Providers that mix themselves up with another (RFC 9700 section 4.4), and what comes at the wrong time or twice
//! (threats 18 and 25 of the project's table).

use broker::problem::{Code, Problem};
use broker::transaction::{RefreshOutcome, Step};
use playground::{Algorithm, Endpoint, Fault, IssParameter};
use url::Url;

use crate::browser::Browser;
use crate::setting::{Setting, config, kind, location};

/// A provider without RFC 9207, and another to mix it up with. Whoever trusts the one's authority trusts the other's.
async fn two() -> (Setting, Setting) {
    let plain = || config(|config| config.iss_parameter = IssParameter::Absent);
    let (mut one, other) = (Setting::with(plain()).await, Setting::with(plain()).await);
    one.trusted.ca_pem.extend(other.trusted.ca_pem.clone());
    (one, other)
}

fn browser(one: &Setting, other: &Setting) -> Browser {
    Browser::new(&[one.playground.ca_pem(), other.playground.ca_pem()].concat())
}

fn endpoint(at: &Setting, path: &str) -> String {
    format!("{}/protocol/openid-connect/{path}", at.playground.issuer())
}

/// The first one's discovery names the other's address for one of its endpoints.
async fn names(one: &Setting, other: &Setting, name: &str, path: &str) {
    let fault = Fault::EndpointUrl {
        name: name.into(),
        url: endpoint(other, path),
    };
    one.playground.fault(fault).await.unwrap();
}

fn origin(of: &Setting) -> String {
    let url = Url::parse(of.playground.issuer()).unwrap();
    url.origin().ascii_serialization()
}

fn asked(of: &Setting, endpoint: Endpoint) -> u64 {
    of.playground.counters().requests_at(endpoint)
}

#[tokio::test]
async fn a_code_goes_to_no_other_origin_than_the_one_where_people_sign_in() {
    let (mut one, other) = two().await;
    names(&one, &other, "token_endpoint", "token").await;
    let begun = one.begin().await;
    let page = browser(&one, &other).open(&begun.tickets.mint()).await;
    assert_eq!(page.title(), "You are not signed in");
    assert_eq!(
        kind(&begun.outcome().await),
        ("blocked", Some(Code::TokensElsewhere))
    );
    assert_eq!(asked(&one, Endpoint::Authorize), 0);
    // The same where nobody is asked first, before a browser is opened.
    assert_eq!(
        one.listen().await.reach().await.unwrap_err().code(),
        Code::TokensElsewhere
    );
    // Who runs both has said so in the settings.
    one.request.settings.provider_origins = vec![origin(&other)];
    let begun = one.begin().await;
    let mut browser = browser(&one, &other);
    let form = browser.open(&begun.tickets.mint()).await;
    browser.log_in(&form, "test", "test").await;
    assert_eq!(asked(&other, Endpoint::Token), 1);
    begun.outcome().await;
}

#[tokio::test]
async fn a_refresh_token_goes_to_no_other_origin_either() {
    let (one, other) = two().await;
    let tokens = one.signed_in().await;
    names(&one, &other, "token_endpoint", "token").await;
    let outcome = one.refresh(&tokens).await;
    assert!(
        matches!(&outcome, RefreshOutcome::Blocked(problem) if problem.code() == Code::TokensElsewhere),
        "{outcome:?}"
    );
    assert_eq!(asked(&other, Endpoint::Refresh), 0);
    // Nothing was used up.
    one.playground.lift_all().await.unwrap();
    let outcome = one.refresh(&tokens).await;
    assert!(
        matches!(outcome, RefreshOutcome::Refreshed(_)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn tokens_are_ended_nowhere_else() {
    let (mut one, other) = two().await;
    let tokens = one.signed_in().await;
    names(&one, &other, "revocation_endpoint", "revoke").await;
    names(&one, &other, "end_session_endpoint", "logout").await;
    let elsewhere = |step: &Step| matches!(step, Step::Failed(Problem::EndElsewhere { .. }));
    let outcome = one.sign_out(Some(&tokens), true).await;
    assert!(elsewhere(&outcome.revocation), "{outcome:?}");
    assert!(
        outcome.provider_session.as_ref().is_some_and(elsewhere),
        "{outcome:?}"
    );
    assert_eq!(
        asked(&other, Endpoint::Revoke) + asked(&other, Endpoint::EndSession),
        0
    );
    // Whoever comes as somebody else has their tokens ended, but not there.
    one.request.expected_subject = Some("nobody".into());
    let begun = one.begin().await;
    let mut browser = browser(&one, &other);
    let form = browser.open(&begun.tickets.mint()).await;
    browser.log_in(&form, "test", "test").await;
    assert_eq!(kind(&begun.outcome().await).1, Some(Code::OtherPerson));
    assert_eq!(asked(&other, Endpoint::Revoke), 0);
}

#[tokio::test]
async fn another_account_s_sign_in_page_is_used_only_where_redirects_name_the_issuer() {
    for (announced, expected) in [
        (IssParameter::Absent, Some(Code::SignInElsewhere)),
        (IssParameter::Announced, None),
    ] {
        let mut one = Setting::with(config(|config| config.iss_parameter = announced)).await;
        let other = Setting::new().await;
        one.trusted.ca_pem.extend(other.trusted.ca_pem.clone());
        one.request.other_issuers = vec![other.playground.issuer().to_owned()];
        names(&one, &other, "authorization_endpoint", "auth").await;
        names(&one, &other, "token_endpoint", "token").await;
        let reached = one.listen().await.reach().await;
        assert_eq!(
            reached.err().map(|problem| problem.code()),
            expected,
            "{announced:?}"
        );
        if expected.is_some() {
            continue;
        }
        // The other one's redirect names the other one.
        let begun = one.begin().await;
        let mut browser = browser(&one, &other);
        let page = browser.open(&begun.tickets.mint()).await;
        let address = page.between("href=\"", "\"").replace("&amp;", "&");
        let form = browser.open(&address).await;
        browser.log_in(&form, "test", "test").await;
        assert_eq!(kind(&begun.outcome().await).1, Some(Code::WrongIssuer));
        assert_eq!(asked(&other, Endpoint::Token), 0, "the code stayed here");
    }
}

#[tokio::test]
async fn where_a_password_is_typed_is_said_before() {
    let (mut one, other) = two().await;
    names(&one, &other, "authorization_endpoint", "auth").await;
    names(&one, &other, "token_endpoint", "token").await;
    let begun = one.begin().await;
    let mut browser = browser(&one, &other);
    let page = browser.open(&begun.tickets.mint()).await;
    assert_eq!(
        page.title(),
        format!("You will sign in at {}", origin(&other))
    );
    let address = page.between("href=\"", "\"").replace("&amp;", "&");
    assert!(address.starts_with(&endpoint(&other, "auth")), "{address}");
    assert_eq!(asked(&other, Endpoint::Authorize), 0, "nobody is sent on");
    drop(begun);
    // Whoever signs in there again knows it; whoever did so elsewhere, or nobody knows where, does not.
    one.request.expected_subject = Some("somebody".into());
    for (signed_in_at, is_told) in [
        (Some(origin(&other)), false),
        (Some(origin(&one)), true),
        (None, true),
    ] {
        one.request.signed_in_at = signed_in_at;
        let begun = one.begin().await;
        let page = browser.open(&begun.tickets.mint()).await;
        assert_eq!(page.title() != "Sign in", is_told, "{page:?}");
    }
}

#[tokio::test]
async fn where_a_person_signed_in_is_noted() {
    let one = Setting::new().await;
    let begun = one.begin().await;
    let mut browser = one.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    browser.log_in(&form, "test", "test").await;
    let told = begun.told.clone();
    begun.tokens().await;
    let at = told.lock().unwrap().signed_in_at.clone();
    assert_eq!(at, Some(origin(&one)));
}

#[tokio::test]
async fn a_provider_that_passes_people_on_is_known_by_the_redirect() {
    let one = Setting::with(config(|config| config.iss_parameter = IssParameter::Absent)).await;
    let other = Setting::new().await;
    let to = endpoint(&other, "auth");
    one.playground.fault(Fault::PassedOn { to }).await.unwrap();
    let begun = one.begin().await;
    let mut browser = browser(&one, &other);
    let form = browser.open(&begun.tickets.mint()).await;
    assert_eq!(form.url.origin().ascii_serialization(), origin(&other));
    browser.log_in(&form, "test", "test").await;
    assert_eq!(
        kind(&begun.outcome().await),
        ("blocked", Some(Code::WrongIssuer))
    );
    assert_eq!(asked(&one, Endpoint::Token), 0, "the code stayed here");
}

#[tokio::test]
async fn key_sets_that_ask_for_trust() {
    let many = |count, rsa| Fault::ManyKeys { count, rsa };
    for (faults, algorithm, expected) in [
        // The public key as a secret is no key at all.
        (
            vec![Fault::KeyAsSecret],
            Algorithm::RS256,
            ("blocked", Some(Code::BadToken)),
        ),
        // Two keys of one name are both the provider's: either will do.
        (
            vec![Fault::DuplicateKid],
            Algorithm::RS256,
            ("signed in", None),
        ),
        // And no third.
        (
            vec![Fault::DuplicateKid, Fault::WrongSignature],
            Algorithm::ES256,
            ("blocked", Some(Code::BadToken)),
        ),
        (
            vec![many(10_000, false)],
            Algorithm::EdDSA,
            ("signed in", None),
        ),
        // 4 MB: no key set is as long.
        (
            vec![many(10_000, true)],
            Algorithm::RS256,
            ("declined", Some(Code::SignInBrokeOff)),
        ),
    ] {
        let setting = Setting::with(config(|config| config.algorithm = algorithm)).await;
        for fault in &faults {
            setting.playground.fault(fault.clone()).await.unwrap();
        }
        let begun = setting.begin().await;
        let mut browser = setting.browser();
        let form = browser.open(&begun.tickets.mint()).await;
        browser.log_in(&form, "test", "test").await;
        assert_eq!(kind(&begun.outcome().await), expected, "{faults:?}");
    }
}

#[tokio::test]
async fn a_clock_that_is_a_year_off_is_known_and_does_no_harm() {
    const YEAR: i64 = 31_536_000;
    for seconds in [-YEAR, YEAR] {
        // At one step alone.
        for endpoint in [
            Endpoint::Discovery,
            Endpoint::Jwks,
            Endpoint::Authorize,
            Endpoint::Login,
            Endpoint::Token,
        ] {
            let setting = Setting::new().await;
            let fault = Fault::SkewedClock { seconds }.at(endpoint);
            setting.playground.fault(fault).await.unwrap();
            let tokens = setting.signed_in().await;
            let skew = if endpoint == Endpoint::Token {
                seconds
            } else {
                0
            };
            assert!(
                (tokens.skew_ms / 1000 - skew).abs() < 10,
                "{endpoint:?} {}",
                tokens.skew_ms
            );
            let left = tokens.expires.since(crate::setting::clock()()).as_secs();
            assert!((1..=300).contains(&left), "{endpoint:?} {left}");
        }
        // At all of them, and at those that follow.
        let setting = Setting::new().await;
        setting.playground.advance(seconds);
        let tokens = setting.signed_in().await;
        let RefreshOutcome::Refreshed(renewed) = setting.refresh(&tokens).await else {
            panic!("{seconds}");
        };
        assert!(
            (renewed.skew_ms / 1000 - seconds).abs() < 10,
            "{}",
            renewed.skew_ms
        );
        // The provider's clock is set right between two refreshes.
        setting.playground.advance(-seconds);
        let later = setting.refresh(&renewed).await;
        if let RefreshOutcome::Refreshed(later) = later {
            assert!(later.skew_ms.abs() < 10_000, "{}", later.skew_ms);
        } else {
            // It counts its own sessions by that clock, and has ended this one.
            assert!(matches!(later, RefreshOutcome::Ended(_)), "{later:?}");
        }
        let outcome = setting.sign_out(Some(&tokens), false).await;
        assert_ne!(outcome.revocation, Step::Nothing, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_callback_that_comes_again_does_nothing() {
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    let action = form.between("action=\"", "\"").replace("&amp;", "&");
    let login = form.url.join(&action).unwrap();
    let sent = browser
        .fetch(&login, Some("username=test&password=test".into()), &[])
        .await;
    let callback = location(&sent);
    // Another browser has it from a log or a history, and is first.
    let page = setting.browser().peek(&callback).await;
    assert_eq!(
        (page.status, page.title().as_str()),
        (400, "This page is not part of your sign-in")
    );
    assert!(begun.goes_on());
    assert_eq!(location(&browser.peek(&callback).await), "/outcome");
    begun.tokens().await;
    assert_eq!(asked(&setting, Endpoint::Token), 1);
    // The next sign-in, at the same place: neither browser's replay is an answer to it.
    let begun = setting.begin().await;
    let (old, here) = (
        Url::parse(&callback).unwrap(),
        Url::parse(&begun.redirect_uri).unwrap(),
    );
    let mut again = here.clone();
    again.set_query(old.query());
    for mut visitor in [browser.clone(), setting.browser()] {
        let page = visitor.peek(again.as_str()).await;
        assert_eq!(page.status, 400);
    }
    assert!(begun.goes_on());
    let mut page = browser.open(&begun.tickets.mint()).await;
    if page.title() == "Sign in" {
        page = browser.log_in(&page, "test", "test").await;
    }
    assert_eq!(page.title(), "Signed in as test");
    begun.tokens().await;
    assert_eq!(asked(&setting, Endpoint::Token), 2);
}
