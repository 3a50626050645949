//! The way that works, from the start page to the sealed tokens.

use broker::problem::{Code, Problem};
use broker::texts::Language;
use broker::transaction::RefreshOutcome;
use broker::trust::Answer;
use secrecy::ExposeSecret as _;

use crate::setting::{Setting, clock, kind, location, parameter, question};

#[tokio::test]
async fn a_person_signs_in_and_the_page_says_so_when_it_is_true() {
    let setting = Setting::new().await;
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    assert_eq!(form.title(), "Sign in");
    let page = browser.log_in(&form, "test", "test").await;
    assert_eq!(page.title(), "Signed in as test");
    assert_eq!(page.url.path(), "/outcome");
    assert_eq!(page.url.query(), None);
    assert!(page.body.contains("kubernetes:admin"));
    assert_eq!(begun.sealed(), 1);
    let tokens = begun.tokens().await;
    assert_eq!(tokens.identity.name, "test");
    assert_eq!(tokens.identity.groups, ["kubernetes:admin"]);
    assert_eq!(tokens.lifetime().as_secs(), 300);
    assert_eq!(tokens.skew_ms, 0);
    assert!(tokens.refresh.is_some());
    assert!(tokens.client_secret.is_some());
}

#[tokio::test]
async fn what_is_sent_to_the_provider() {
    let mut setting = Setting::new().await;
    setting.request.key.scopes = vec!["email".into(), "profile".into()];
    let begun = setting.begin().await;
    let address = location(&setting.browser().peek(&begun.tickets.mint()).await);
    for (name, expected) in [
        ("response_type", Some("code")),
        ("client_id", Some("kubernetes-client")),
        ("redirect_uri", Some(begun.redirect_uri.as_str())),
        ("scope", Some("email profile openid")),
        ("access_type", Some("offline")),
        ("code_challenge_method", Some("S256")),
        ("prompt", None),
    ] {
        assert_eq!(parameter(&address, name).as_deref(), expected, "{name}");
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(parameter(&address, name).unwrap().len(), 43, "{name}");
    }
    assert!(begun.redirect_uri.starts_with("http://localhost:"));
}

#[tokio::test]
async fn tokens_are_renewed() {
    let setting = Setting::new().await;
    let tokens = setting.signed_in().await;
    setting.playground.advance(200);
    let RefreshOutcome::Refreshed(renewed) = setting.refresh(&tokens).await else {
        panic!("not refreshed");
    };
    assert_ne!(renewed.bearer, tokens.bearer);
    assert_eq!(renewed.signed_in, tokens.signed_in);
    assert_eq!(renewed.client_secret, tokens.client_secret);
    assert!(
        (199_000..=201_500).contains(&renewed.skew_ms),
        "{}",
        renewed.skew_ms
    );
}

#[tokio::test]
async fn a_new_pair_is_asked_about_before_anything_goes_out() {
    let mut setting = Setting::new().await;
    setting.request.question = Some(question(vec![]));
    setting.request.language = Language::Ko;
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let page = browser.open(&begun.tickets.mint()).await;
    assert!(page.body.contains("<html lang=\"ko\">"));
    assert!(page.body.contains("https://api.dev.acme.example"));
    assert_eq!(setting.playground.counters().requests.len(), 0);
    let form = browser.answer(&page, "always", &["1", "7"]).await;
    assert_eq!(
        begun.told.lock().unwrap().answers,
        [(Answer::Always, vec![1])]
    );
    let page = browser.log_in(&form, "test", "test").await;
    assert_eq!(page.title(), "test 계정으로 로그인했습니다");
    begun.tokens().await;
}

#[tokio::test]
async fn a_no_ends_it() {
    let mut setting = Setting::new().await;
    setting.request.question = Some(question(vec![]));
    let begun = setting.begin().await;
    let mut browser = setting.browser();
    let page = browser.open(&begun.tickets.mint()).await;
    let page = browser.answer(&page, "no", &[]).await;
    assert_eq!(page.title(), "Not allowed");
    assert_eq!(setting.playground.counters().requests.len(), 0);
    assert_eq!(
        kind(&begun.outcome().await),
        ("declined", Some(Code::TrustRefused))
    );
}

#[tokio::test]
async fn a_pair_alone_is_asked_about_on_a_session_that_lives() {
    for (word, answer, title) in [
        ("once", Answer::Once, "Allowed"),
        ("no", Answer::No, "Not allowed"),
    ] {
        let mut setting = Setting::new().await;
        setting.request.question = Some(question(vec![]));
        let listening = setting.listen().await;
        let tickets = listening.tickets();
        let asked = tokio::spawn(listening.ask(async |_, _| broker::transaction::Taken::Counted));
        let mut browser = setting.browser();
        let page = browser.open(&tickets.mint()).await;
        let page = browser.answer(&page, word, &[]).await;
        assert_eq!(page.title(), title);
        assert_eq!(asked.await.unwrap(), Some(answer));
    }
}

#[tokio::test]
async fn tokens_that_cannot_be_kept_are_good_all_the_same() {
    let setting = Setting::new().await;
    let begun = setting
        .begin_and_keep(Err(Problem::CannotKeep {
            path: "/data".into(),
            reason: "disk full".into(),
        }))
        .await;
    let mut browser = setting.browser();
    let form = browser.open(&begun.tickets.mint()).await;
    let page = browser.log_in(&form, "test", "test").await;
    assert_eq!(page.title(), "Signed in as test");
    assert!(page.body.contains("disk full"));
    begun.tokens().await;
}

#[tokio::test]
async fn the_first_port_that_is_free_on_both_addresses_is_taken() {
    let mut setting = Setting::new().await;
    // Somebody sits on ::1 alone of the first.
    let squatter = std::net::TcpListener::bind("[::1]:0").unwrap();
    let taken = squatter.local_addr().unwrap().port();
    setting.request.settings.listen.first_mut().unwrap().port = taken;
    let only = provider::listen(setting.request.clone(), setting.trusted.clone(), clock()).await;
    assert_eq!(
        only.err().map(|problem| problem.code()),
        Some(Code::PortsTaken)
    );
    setting
        .request
        .settings
        .listen
        .push(broker::account::ListenAddress {
            host: "localhost".into(),
            port: 0,
        });
    let listening = setting.listen().await;
    assert!(listening.other_port());
    assert_ne!(
        listening.redirect_uri(),
        format!("http://localhost:{taken}")
    );
}

#[tokio::test]
async fn nothing_secret_is_in_an_address() {
    let setting = Setting::new().await;
    let secret = setting.request.settings.client_secret.clone().unwrap();
    let begun = setting.begin().await;
    let start = begun.tickets.mint();
    let address = location(&setting.browser().peek(&start).await);
    assert!(!address.contains(secret.expose_secret()));
    assert!(!start.contains(&parameter(&address, "state").unwrap()));
}
