//! The code flow, and the ways in which it is refused.

use playground::{Algorithm, Client, Config, Endpoint, IssParameter, Pkce, What};
use reqwest::StatusCode;
use serde_json::json;

use crate::visitor::{CLIENT, Visitor, location, part, refusal, start, text};

#[tokio::test]
async fn from_discovery_to_a_verified_token() {
    let (playground, mut visitor) = start(Config::default()).await;
    let discovery = visitor.discovery().await;
    assert_eq!(discovery["issuer"], visitor.issuer);
    assert_eq!(discovery["token_endpoint"], visitor.endpoint("token"));

    let page = visitor.authorize(&[]).await;
    assert_eq!(page.status(), 200);
    assert!(
        page.text()
            .await
            .unwrap()
            .contains(r#"<form id="kc-form-login""#)
    );
    let again = visitor.log_in("test", "wrong").await;
    assert_eq!(again.status(), 200);
    assert!(
        again
            .text()
            .await
            .unwrap()
            .contains("Invalid username or password.")
    );
    let back = location(&visitor.log_in("test", "test").await);
    assert_eq!(
        (&*back["state"], &*back["iss"]),
        ("the-state", &*visitor.issuer)
    );

    let tokens = visitor
        .exchange(&back["code"], &[])
        .await
        .json()
        .await
        .unwrap();
    let claims = visitor.verify(&tokens).await.unwrap();
    assert_eq!(claims["nonce"], "the-nonce");
    assert_eq!(claims["preferred_username"], "test");
    assert_eq!(claims["groups"], json!(["kubernetes:admin"]));
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        300
    );
    assert_eq!(
        (&tokens["expires_in"], &tokens["refresh_expires_in"]),
        (&json!(300), &json!(1800))
    );

    let counters = playground.counters();
    assert_eq!(
        (counters.logins_shown, counters.codes, counters.sign_ins),
        (1, 1, 1)
    );
    assert_eq!(counters.requests_at(Endpoint::Login), 2);
    let failed = playground
        .event(|what| matches!(what, What::LoginFailed { .. }))
        .await;
    assert_eq!(
        failed.what,
        What::LoginFailed {
            user: "test".to_owned()
        }
    );
}

#[tokio::test]
async fn the_second_sign_in_needs_no_password() {
    let (playground, mut visitor) = start(Config::default()).await;
    let nobody = location(&visitor.authorize(&[("prompt", "none")]).await);
    assert_eq!(nobody["error"], "login_required");
    assert_eq!(nobody["state"], "the-state");
    visitor.sign_in().await;
    for changes in [&[][..], &[("prompt", "none")]] {
        assert!(location(&visitor.authorize(changes).await).contains_key("code"));
    }
    let page = visitor.authorize(&[("prompt", "login")]).await;
    assert_eq!(page.status(), 200);

    playground.advance(1800);
    assert_eq!(visitor.authorize(&[]).await.status(), 200);
}

#[tokio::test]
async fn cancelled_by_the_person() {
    let (_playground, mut visitor) = start(Config::default()).await;
    visitor.authorize(&[]).await;
    let url = format!("{}/login-actions/authenticate", visitor.issuer);
    let back = location(&visitor.post(&url, &[("cancel", "true")]).await);
    assert_eq!(back["error"], "access_denied");
    // The form is spent.
    assert_eq!(visitor.log_in("test", "test").await.status(), 400);
}

#[tokio::test]
async fn refused_on_the_providers_own_page() {
    let (playground, mut visitor) = start(Config::default()).await;
    for changes in [
        [("redirect_uri", "http://127.0.0.1:8000")],
        [("redirect_uri", "http://localhost:8000/")],
        [("redirect_uri", "http://localhost:41234")],
        [("redirect_uri", "")],
        [("client_id", "unknown")],
    ] {
        let response = visitor.authorize(&changes).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{changes:?}");
        assert!(response.text().await.unwrap().contains("We are sorry"));
    }
    // Another browser has not the form's cookie.
    visitor.authorize(&[]).await;
    let mut stranger = Visitor::new(&playground);
    assert_eq!(stranger.log_in("test", "test").await.status(), 400);
}

#[tokio::test]
async fn refused_with_a_callback() {
    let (_playground, mut visitor) = start(Config::default()).await;
    for (changes, expected) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge", "short")], "invalid_request"),
    ] {
        let back = location(&visitor.authorize(&changes).await);
        assert_eq!(back["error"], expected, "{changes:?}");
    }
}

#[tokio::test]
async fn pkce_demanded_and_refused() {
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    for (pkce, with_is_good, without_is_good) in [
        (Pkce::Optional, true, true),
        (Pkce::Required, true, false),
        (Pkce::Refused, false, true),
    ] {
        let client = Client {
            pkce,
            ..Client::default()
        };
        let config = Config {
            clients: vec![client],
            ..Config::default()
        };
        let (_playground, mut visitor) = start(config).await;
        let good = visitor.callback(&[]).await.contains_key("code");
        assert_eq!(good, with_is_good, "{pkce:?}");
        let good = visitor.callback(&without).await.contains_key("code");
        assert_eq!(good, without_is_good, "{pkce:?}");
    }
}

#[tokio::test]
async fn codes_are_checked() {
    let (playground, mut visitor) = start(Config::default()).await;
    for (changes, expected) in [
        (
            ("redirect_uri", "http://localhost:18000"),
            "Incorrect redirect_uri",
        ),
        (
            ("code_verifier", "another"),
            "PKCE verification failed: Code mismatch",
        ),
        (("code_verifier", ""), "PKCE code verifier not specified"),
        (("code", "made-up"), "Code not valid"),
    ] {
        let code = visitor.callback(&[]).await["code"].clone();
        let refused = refusal(visitor.exchange(&code, &[changes]).await).await;
        assert_eq!(
            refused,
            (400, "invalid_grant".to_owned(), expected.to_owned())
        );
    }
    let code = visitor.callback(&[]).await["code"].clone();
    playground.advance(60);
    let refused = refusal(visitor.exchange(&code, &[]).await).await;
    assert_eq!(refused.2, "Code is expired");

    // Twice: the second ends what the first brought.
    let code = visitor.callback(&[]).await["code"].clone();
    let tokens: serde_json::Value = visitor.exchange(&code, &[]).await.json().await.unwrap();
    assert_eq!(
        refusal(visitor.exchange(&code, &[]).await).await.2,
        "Code not valid"
    );
    let refused = refusal(visitor.refresh(&text(&tokens["refresh_token"])).await).await;
    assert_eq!(refused.2, "Session not active");
}

#[tokio::test]
async fn clients_prove_who_they_are() {
    let public = Client {
        id: "public".to_owned(),
        secret: None,
        ..Client::default()
    };
    let config = Config {
        clients: vec![Client::default(), public],
        ..Config::default()
    };
    let (_playground, mut visitor) = start(config).await;
    for (changes, error) in [
        (("client_secret", "wrong"), "unauthorized_client"),
        (("client_secret", ""), "unauthorized_client"),
        (("client_id", "unknown"), "invalid_client"),
    ] {
        let refused = refusal(visitor.exchange("x", &[changes]).await).await;
        assert_eq!((refused.0, &*refused.1), (401, error));
    }
    let code = visitor.callback(&[("client_id", "public")]).await["code"].clone();
    let form = [("client_id", "public"), ("client_secret", "")];
    assert_eq!(visitor.exchange(&code, &form).await.status(), 200);

    let token = visitor.endpoint("token");
    let basic = visitor
        .http
        .post(&token)
        .basic_auth(CLIENT, Some(crate::visitor::SECRET));
    let refused = refusal(
        basic
            .form(&[("grant_type", "password")])
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(refused.1, "unsupported_grant_type");
}

#[tokio::test]
async fn other_providers_ways() {
    let config = Config {
        algorithm: Algorithm::EdDSA,
        keys: 3,
        kid: false,
        iss_parameter: IssParameter::Absent,
        extra_audiences: vec!["other".to_owned()],
        issuer_path: "/".to_owned(),
        ..Config::default()
    };
    let (playground, mut visitor) = start(config).await;
    assert!(playground.issuer().ends_with('/'));
    visitor.issuer = playground.issuer().trim_end_matches('/').to_owned();
    let discovery = visitor.discovery().await;
    assert_eq!(discovery["issuer"], playground.issuer());
    assert!(
        discovery
            .get("authorization_response_iss_parameter_supported")
            .is_none()
    );
    let back = visitor.callback(&[]).await;
    assert!(!back.contains_key("iss"));
    let tokens: serde_json::Value = visitor
        .exchange(&back["code"], &[])
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        part(&tokens["id_token"], 0),
        json!({ "alg": "EdDSA", "typ": "JWT" })
    );
    assert_eq!(
        part(&tokens["id_token"], 1)["aud"],
        json!([CLIENT, "other"])
    );
}

#[tokio::test]
async fn without_tls_and_without_openid() {
    let config = Config {
        tls: false,
        ..Config::default()
    };
    let (playground, mut visitor) = start(config).await;
    assert!(playground.issuer().starts_with("http://localhost:"));
    let code = visitor.callback(&[("scope", "profile")]).await["code"].clone();
    let tokens: serde_json::Value = visitor.exchange(&code, &[]).await.json().await.unwrap();
    assert!(tokens.get("id_token").is_none());
}
