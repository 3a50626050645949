//! A provider that misbehaves: what it does, and what that is to us.

use broker::problem::Code;
use broker::secret::ClientSecret;
use broker::texts::Language;
use broker::tokens::{ClientAuthentication, Tokens};
use broker::transaction::{Prompting, RefreshOutcome, SignOutOutcome, Step};
use playground::{
    Algorithm, Armed, Basic, Connection, Endpoint, Fault, Pkce, RefreshTokens, Rotation,
};

use crate::setting::{Setting, client, config, kind};

fn status(code: u16, body: &str) -> Fault {
    Fault::Status {
        code,
        body: (!body.is_empty()).then(|| body.to_owned()),
    }
}

fn silent(connection: Connection) -> Fault {
    Fault::Silent { connection }
}

/// Signs in through a provider that does this, and says how it ends.
async fn sign_in(fault: Armed) -> (&'static str, Option<Code>) {
    let setting = Setting::new().await;
    setting.playground.fault(fault).await.unwrap();
    sign_in_at(&setting).await
}

async fn sign_in_at(setting: &Setting) -> (&'static str, Option<Code>) {
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let page = browser.open(&begun.tickets.mint()).await;
    if page.title() == "Sign in" {
        browser.log_in(&page, "test", "test").await;
    }
    let outcome = begun.outcome().await;
    kind(&outcome)
}

fn kind_of_refresh(outcome: &RefreshOutcome) -> (&'static str, Option<Code>) {
    match outcome {
        RefreshOutcome::Refreshed(_) => ("refreshed", None),
        RefreshOutcome::WithoutIdToken { .. } => ("without id token", None),
        RefreshOutcome::Unreachable(problem) => ("unreachable", Some(problem.code())),
        RefreshOutcome::LostReply(problem) => ("lost reply", Some(problem.code())),
        RefreshOutcome::Ended(problem) => ("ended", Some(problem.code())),
        RefreshOutcome::Blocked(problem) => ("blocked", Some(problem.code())),
    }
}

#[tokio::test]
async fn discovery_and_keys() {
    use Endpoint::{Discovery, Jwks};
    for (fault, expected) in [
        (
            status(404, "").at(Discovery),
            ("blocked", Code::NoDiscovery),
        ),
        (
            status(500, "").at(Discovery),
            ("declined", Code::SignInBrokeOff),
        ),
        (
            status(503, "").at(Discovery),
            ("declined", Code::SignInBrokeOff),
        ),
        (
            status(429, "").at(Discovery),
            ("declined", Code::SignInBrokeOff),
        ),
        (
            Fault::Garbage.at(Discovery),
            ("blocked", Code::BadDiscovery),
        ),
        (
            Fault::Redirect {
                to: "https://evil.example/".into(),
            }
            .at(Discovery),
            ("blocked", Code::NoDiscovery),
        ),
        (
            Fault::Huge { bytes: 10 << 20 }.at(Discovery),
            ("declined", Code::SignInBrokeOff),
        ),
        (
            silent(Connection::Closed).at(Discovery),
            ("declined", Code::SignInBrokeOff),
        ),
        (
            Fault::WrongIssuer {
                issuer: Some("https://evil.example".into()),
            }
            .at(Discovery),
            ("blocked", Code::WrongIssuer),
        ),
        (
            Fault::WrongIssuer { issuer: None }.at(Discovery),
            ("blocked", Code::BadDiscovery),
        ),
        (Fault::Offline.into(), ("declined", Code::SignInBrokeOff)),
        (
            Fault::ExpiredCertificate.into(),
            ("declined", Code::TlsFailed),
        ),
        (status(500, "").at(Jwks), ("declined", Code::SignInBrokeOff)),
        (Fault::Garbage.at(Jwks), ("blocked", Code::BadDiscovery)),
    ] {
        let named = format!("{fault:?}");
        assert_eq!(
            sign_in(fault).await,
            (expected.0, Some(expected.1)),
            "{named}"
        );
    }
}

#[tokio::test]
async fn the_exchange_of_a_code() {
    let token = |fault: Fault| fault.at(Endpoint::Token);
    for (fault, expected) in [
        (Fault::NoIdToken, ("blocked", Code::NoIdToken)),
        (Fault::WrongAudience, ("blocked", Code::BadToken)),
        (Fault::WrongNonce, ("blocked", Code::BadToken)),
        (Fault::ForeignAzp, ("blocked", Code::BadToken)),
        (Fault::WrongSignature, ("blocked", Code::BadToken)),
        (Fault::AlgNone, ("blocked", Code::BadToken)),
        (Fault::Hs256, ("blocked", Code::BadToken)),
        (Fault::EmbeddedKey, ("blocked", Code::BadToken)),
        (
            Fault::WrongIssuer {
                issuer: Some("https://evil.example".into()),
            },
            ("blocked", Code::BadToken),
        ),
        (
            Fault::ManyGroups { bytes: 100_000 },
            ("blocked", Code::BadToken),
        ),
        (Fault::DisabledClient, ("blocked", Code::ClientRefused)),
        (Fault::Garbage, ("declined", Code::SignInBrokeOff)),
        (
            Fault::Huge { bytes: 10 << 20 },
            ("declined", Code::SignInBrokeOff),
        ),
        (
            silent(Connection::Closed),
            ("declined", Code::SignInBrokeOff),
        ),
        (status(503, ""), ("declined", Code::SignInBrokeOff)),
        (
            status(400, r#"{"error":"invalid_grant"}"#),
            ("declined", Code::SignInRefused),
        ),
        (
            status(400, r#"{"error":"invalid_scope"}"#),
            ("blocked", Code::RequestRefused),
        ),
        (status(400, ""), ("blocked", Code::RequestRefused)),
    ] {
        let named = format!("{fault:?}");
        assert_eq!(
            sign_in(token(fault)).await,
            (expected.0, Some(expected.1)),
            "{named}"
        );
    }
}

#[tokio::test]
async fn what_works_all_the_same() {
    for fault in [
        Fault::NoRefreshToken.at(Endpoint::Token),
        Fault::ExpiresIn {
            value: "soon".into(),
        }
        .at(Endpoint::Token),
        Fault::ExpiresIn {
            value: serde_json::json!(1e300),
        }
        .at(Endpoint::Token),
        Fault::ManyGroups { bytes: 20_000 }.at(Endpoint::Token),
        Fault::SkewedClock { seconds: 600 }.into(),
        Fault::SkewedClock { seconds: -600 }.into(),
        Fault::SkewedClock { seconds: 600 }.at(Endpoint::Token),
        Fault::NoPkce.into(),
        // Between the keys and the token, when they were looked at already.
        Fault::RotatedKeys.at(Endpoint::Token).times(1),
    ] {
        let named = format!("{fault:?}");
        assert_eq!(sign_in(fault).await, ("signed in", None), "{named}");
    }
}

#[tokio::test]
async fn keys_of_each_kind() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        for (keys, kid) in [(1, true), (3, true), (1, false), (3, false)] {
            let setting = Setting::with(config(|config| {
                (config.algorithm, config.keys, config.kid) = (algorithm, keys, kid);
                config.extra_audiences = vec!["other".into()];
            }))
            .await;
            let tokens = setting.signed_in().await;
            let renewed = setting.refresh(&tokens).await;
            assert_eq!(
                kind_of_refresh(&renewed).0,
                "refreshed",
                "{algorithm:?} {keys} {kid}"
            );
        }
    }
}

#[tokio::test]
async fn a_refresh() {
    let refresh = |fault: Fault| fault.at(Endpoint::Refresh);
    for (fault, expected) in [
        (refresh(Fault::NoIdToken), ("without id token", None)),
        (refresh(Fault::NoRefreshToken), ("refreshed", None)),
        (refresh(Fault::RotatedKeys).times(1), ("refreshed", None)),
        (
            refresh(Fault::WrongSubject),
            ("blocked", Some(Code::BadToken)),
        ),
        (
            refresh(Fault::WrongAudience),
            ("blocked", Some(Code::BadToken)),
        ),
        (
            refresh(Fault::WrongSignature),
            ("blocked", Some(Code::BadToken)),
        ),
        (
            refresh(Fault::DisabledClient),
            ("blocked", Some(Code::ClientRefused)),
        ),
        (
            refresh(silent(Connection::Closed)),
            ("lost reply", Some(Code::LostReply)),
        ),
        (
            refresh(Fault::Garbage),
            ("lost reply", Some(Code::LostReply)),
        ),
        (
            refresh(Fault::Huge { bytes: 10 << 20 }),
            ("lost reply", Some(Code::LostReply)),
        ),
        (
            refresh(status(502, "")),
            ("lost reply", Some(Code::LostReply)),
        ),
        (
            refresh(status(504, "")),
            ("lost reply", Some(Code::LostReply)),
        ),
        (
            refresh(status(500, "")),
            ("unreachable", Some(Code::ProviderFault)),
        ),
        (
            refresh(status(503, "")),
            ("unreachable", Some(Code::ProviderFault)),
        ),
        (
            refresh(status(429, "")),
            ("unreachable", Some(Code::ProviderFault)),
        ),
        (
            refresh(status(400, "")),
            ("ended", Some(Code::SessionEnded)),
        ),
        (
            refresh(status(403, "")),
            ("ended", Some(Code::SessionEnded)),
        ),
        (
            refresh(status(404, "")),
            ("blocked", Some(Code::RequestRefused)),
        ),
        (
            refresh(status(401, "")),
            ("blocked", Some(Code::ClientRefused)),
        ),
        (
            refresh(status(400, r#"{"error":"invalid_scope"}"#)),
            ("blocked", Some(Code::RequestRefused)),
        ),
        (
            refresh(Fault::Redirect {
                to: "https://evil.example/".into(),
            }),
            ("blocked", Some(Code::RequestRefused)),
        ),
        (
            Fault::RevokedSessions { user: None }.into(),
            ("ended", Some(Code::SessionEnded)),
        ),
        (
            Fault::Offline.into(),
            ("unreachable", Some(Code::Unreachable)),
        ),
        (
            Fault::ExpiredCertificate.into(),
            ("unreachable", Some(Code::TlsFailed)),
        ),
        (
            silent(Connection::Closed).at(Endpoint::Discovery),
            ("unreachable", Some(Code::Unreachable)),
        ),
        (
            status(500, "").at(Endpoint::Jwks),
            ("unreachable", Some(Code::ProviderFault)),
        ),
        (
            status(404, "").at(Endpoint::Discovery),
            ("unreachable", Some(Code::NoDiscovery)),
        ),
        (
            Fault::SkewedClock { seconds: -600 }.into(),
            ("refreshed", None),
        ),
    ] {
        let setting = Setting::new().await;
        let tokens = setting.signed_in().await;
        let named = format!("{fault:?}");
        setting.playground.fault(fault).await.unwrap();
        let outcome = setting.refresh(&tokens).await;
        assert_eq!(kind_of_refresh(&outcome), expected, "{named}");
        if expected.0 == "unreachable" && expected.1 != Some(Code::ProviderFault) {
            assert_eq!(setting.playground.counters().presented.len(), 0, "{named}");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_what_went_well_before_ends_the_session() {
    let asked = |error: &str| status(400, &format!(r#"{{"error":"{error}"}}"#));
    for (error, first, later) in [
        ("invalid_request", "blocked", "ended"),
        ("invalid_scope", "blocked", "ended"),
        ("access_denied", "blocked", "ended"),
        // The secret may be another since: a new one mends it.
        ("invalid_client", "blocked", "blocked"),
        ("temporarily_unavailable", "unreachable", "unreachable"),
    ] {
        let setting = Setting::new().await;
        let tokens = setting.signed_in().await;
        let RefreshOutcome::Refreshed(renewed) = setting.refresh(&tokens).await else {
            panic!("it was refreshed");
        };
        let fault = asked(error).at(Endpoint::Refresh);
        setting.playground.fault(fault).await.unwrap();
        for (tokens, expected) in [(&tokens, first), (&renewed, later)] {
            let outcome = setting.refresh(tokens).await;
            assert_eq!(
                kind_of_refresh(&outcome).0,
                expected,
                "{error}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn rotation_goes_on_from_the_newest_token() {
    let setting = Setting::with(config(|config| config.rotation = Rotation::Strict)).await;
    let mut tokens = setting.signed_in().await;
    for _ in 0..3 {
        let RefreshOutcome::Refreshed(renewed) = setting.refresh(&tokens).await else {
            panic!("not refreshed");
        };
        assert_ne!(renewed.refresh, tokens.refresh);
        tokens = renewed;
    }
    assert_eq!(
        setting.playground.counters().presented_twice(),
        Vec::<String>::new()
    );
    // Out of reach just when new keys are wanted: the new refresh token is kept all the same.
    setting
        .playground
        .fault(Fault::RotatedKeys.at(Endpoint::Refresh).times(1))
        .await
        .unwrap();
    setting
        .playground
        .fault(status(503, "").at(Endpoint::Jwks))
        .await
        .unwrap();
    let outcome = setting.refresh(&tokens).await;
    assert_eq!(
        kind_of_refresh(&outcome).0,
        "unreachable",
        "looked at first"
    );
}

#[tokio::test]
async fn without_a_refresh_token() {
    let setting = Setting::with(config(|config| {
        config.refresh_tokens = RefreshTokens::Never;
    }))
    .await;
    let tokens = setting.signed_in().await;
    assert_eq!(tokens.refresh, None);
    let outcome = setting.refresh(&tokens).await;
    assert_eq!(
        kind_of_refresh(&outcome),
        ("ended", Some(Code::NoRefreshToken))
    );
    let outcome = setting.sign_out(Some(&tokens), true).await;
    assert_eq!(
        (outcome.revocation, outcome.provider_session),
        (Step::Nothing, Some(Step::Nothing))
    );
}

#[tokio::test]
async fn pkce_as_the_provider_has_it() {
    use broker::account::Pkce as Wanted;
    for (theirs, announced, wanted, expected) in [
        (Pkce::Required, true, Wanted::Auto, ("signed in", None)),
        (Pkce::Required, false, Wanted::Auto, ("signed in", None)),
        (Pkce::Optional, true, Wanted::S256, ("signed in", None)),
        (
            Pkce::Optional,
            true,
            Wanted::No,
            ("blocked", Some(Code::PkceNeeded)),
        ),
        (Pkce::Refused, false, Wanted::No, ("signed in", None)),
    ] {
        let mut setting = Setting::with(client(|client| client.pkce = theirs)).await;
        if !announced {
            setting.playground.fault(Fault::NoPkce).await.unwrap();
        }
        setting.request.settings.pkce = wanted;
        assert_eq!(
            sign_in_at(&setting).await,
            expected,
            "{theirs:?} {announced} {wanted:?}"
        );
    }
}

#[tokio::test]
async fn a_public_client() {
    let setting = Setting::with(client(|client| client.secret = None)).await;
    let tokens = setting.signed_in().await;
    assert_eq!(tokens.client_secret, None);
    assert_eq!(
        kind_of_refresh(&setting.refresh(&tokens).await).0,
        "refreshed"
    );
    // It has no secret that anybody could look at.
    let refused = Fault::DisabledClient.at(Endpoint::Revoke);
    setting.playground.fault(refused).await.unwrap();
    let Step::Failed(problem) = setting.sign_out(Some(&tokens), false).await.revocation else {
        panic!("not failed");
    };
    assert_eq!(problem.code(), Code::ClientRefused);
    let (message, hint) = (problem.message(Language::En), problem.hint(Language::En));
    assert!(!message.contains("secret"), "{message}");
    assert!(hint.contains("the secret if this client has one"), "{hint}");
}

#[tokio::test]
async fn a_refused_secret_at_a_refresh_uses_nothing_up() {
    let mut setting = Setting::with(config(|config| config.rotation = Rotation::Strict)).await;
    let tokens = setting.signed_in().await;
    setting.request.settings.client_secret = Some(ClientSecret::new("old".into()));
    let outcome = setting.refresh(&tokens).await;
    assert_eq!(
        kind_of_refresh(&outcome),
        ("blocked", Some(Code::ClientRefused))
    );
    setting
        .request
        .settings
        .client_secret
        .clone_from(&tokens.client_secret);
    assert_eq!(
        kind_of_refresh(&setting.refresh(&tokens).await).0,
        "refreshed"
    );
}

#[tokio::test]
async fn a_secret_is_sent_the_other_way_once_and_then_as_it_worked() {
    let requests = |setting: &Setting| {
        let counters = setting.playground.counters();
        [Endpoint::Token, Endpoint::Refresh, Endpoint::Revoke].map(|at| counters.requests_at(at))
    };
    for (basic, secret, way, tries) in [
        (Basic::Raw, "a+b/c=", ClientAuthentication::Post, 2),
        (Basic::Raw, "abc", ClientAuthentication::Basic, 1),
        (Basic::Refused, "abc", ClientAuthentication::Post, 2),
        (Basic::Decoded, "a+b/c=", ClientAuthentication::Basic, 1),
    ] {
        let mut setting = Setting::with(config(|config| {
            config.rotation = Rotation::Strict;
            let client = config.clients.first_mut().unwrap();
            (client.basic, client.secret) = (basic, Some(secret.into()));
        }))
        .await;
        let named = format!("{basic:?} {secret}");
        let tokens = setting.signed_in().await;
        assert_eq!(tokens.client_authentication, Some(way), "{named}");
        assert_eq!(requests(&setting), [tries, 0, 0], "{named}");
        let RefreshOutcome::Refreshed(renewed) = setting.refresh(&tokens).await else {
            panic!("{named}: not refreshed");
        };
        assert_eq!(renewed.client_authentication, Some(way), "{named}");
        assert_eq!(requests(&setting), [tries, 1, 0], "{named}");
        // Sealed by a release that did not remember it.
        let older = Tokens {
            client_authentication: None,
            ..renewed
        };
        let RefreshOutcome::Refreshed(renewed) = setting.refresh(&older).await else {
            panic!("{named}: not refreshed");
        };
        assert_eq!(requests(&setting), [tries, 1 + tries, 0], "{named}");
        let counters = setting.playground.counters();
        assert_eq!(counters.presented_twice(), Vec::<String>::new(), "{named}");
        // One that is wrong by now costs one request a time.
        let client = setting.request.key.client_id.clone();
        let changed = Fault::ChangedClientSecret {
            client,
            secret: "changed+".into(),
        };
        setting.playground.fault(changed).await.unwrap();
        let outcome = setting.refresh(&renewed).await;
        let refused = ("blocked", Some(Code::ClientRefused));
        assert_eq!(kind_of_refresh(&outcome), refused, "{named}");
        assert_eq!(requests(&setting), [tries, 2 + tries, 0], "{named}");
        // The new one works, and its way is what is remembered.
        setting.request.settings.client_secret = Some(ClientSecret::new("changed+".into()));
        let RefreshOutcome::Refreshed(renewed) = setting.refresh(&renewed).await else {
            panic!("{named}: not refreshed");
        };
        let signed_out = setting.sign_out(Some(&renewed), false).await;
        assert_eq!(signed_out.revocation, Step::Done, "{named}");
        assert_eq!(requests(&setting)[2], 1, "{named}");
    }
}

#[tokio::test]
async fn a_silent_sign_in_wants_a_session_of_the_provider_s() {
    let mut setting = Setting::new().await;
    setting.request.prompt = Prompting::Silent;
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let page = browser.open(&begun.tickets.mint()).await;
    assert_eq!(page.title(), "The sign-in was refused");
    assert_eq!(
        kind(&begun.outcome().await),
        ("declined", Some(Code::SignInRefused))
    );
    setting.request.prompt = Prompting::Allowed;
    let begun = setting.begin().await;
    let form = browser.open(&begun.tickets.mint()).await;
    browser.log_in(&form, "test", "test").await;
    begun.tokens().await;
    setting.request.prompt = Prompting::Silent;
    let begun = setting.begin().await;
    assert_eq!(
        browser.open(&begun.tickets.mint()).await.title(),
        "Signed in as test"
    );
    begun.tokens().await;
}

#[tokio::test]
async fn signing_out_ends_what_the_provider_gave() {
    for everywhere in [false, true] {
        let setting = Setting::new().await;
        let tokens = setting.signed_in().await;
        let done = SignOutOutcome {
            revocation: Step::Done,
            provider_session: everywhere.then_some(Step::Done),
        };
        assert_eq!(setting.sign_out(Some(&tokens), everywhere).await, done);
        assert_eq!(kind_of_refresh(&setting.refresh(&tokens).await).0, "ended");
    }
    let setting = Setting::new().await;
    assert_eq!(
        setting.sign_out(None, false).await.revocation,
        Step::Nothing
    );
    let tokens = setting.signed_in().await;
    setting.playground.fault(Fault::Offline).await.unwrap();
    let Step::Failed(problem) = setting.sign_out(Some(&tokens), false).await.revocation else {
        panic!("not failed");
    };
    assert_eq!(problem.code(), Code::Unreachable);
}

#[tokio::test]
async fn authorities_replace_the_system_s_and_an_asker_s_own_are_named() {
    let mut setting = Setting::new().await;
    setting.trusted.ca_pem.clear();
    assert_eq!(
        sign_in_at(&setting).await,
        ("declined", Some(Code::TlsFailed))
    );
    setting.trusted.own_ca = true;
    assert_eq!(
        sign_in_at(&setting).await,
        ("declined", Some(Code::TlsFailedOwnCa))
    );
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        setting.trusted.ca_pem = vec![pem.into()];
        assert_eq!(
            sign_in_at(&setting).await,
            ("blocked", Some(Code::BadFile)),
            "{pem}"
        );
    }
}

#[tokio::test]
async fn a_provider_is_looked_at_before_anybody_is_shown_a_page() {
    let setting = Setting::new().await;
    let mut listening = setting.listen().await;
    listening.reach().await.unwrap();
    assert_eq!(
        setting
            .playground
            .counters()
            .requests_at(Endpoint::Discovery),
        1
    );
    setting.playground.fault(Fault::Offline).await.unwrap();
    let mut listening = setting.listen().await;
    let problem = listening.reach().await.unwrap_err();
    assert_eq!(
        kind(&provider::outcome(problem)),
        ("unreachable", Some(Code::Unreachable))
    );
}
