//! What becomes of refresh tokens and sessions.

use playground::{Config, Ended, Fault, RefreshTokens, Rotation, What, fingerprint};
use serde_json::Value;

use crate::visitor::{CLIENT, SECRET, refusal, start, text};

fn rotation(rotation: Rotation) -> Config {
    Config {
        rotation,
        ..Config::default()
    }
}

#[tokio::test]
async fn without_rotation_the_token_stays() {
    let (playground, mut visitor) = start(Config::default()).await;
    let tokens = visitor.sign_in().await;
    for _ in 0..2 {
        let refreshed: Value = visitor
            .refresh(&text(&tokens["refresh_token"]))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(refreshed["refresh_token"], tokens["refresh_token"]);
        assert!(visitor.verify(&refreshed).await.is_ok());
    }
    let token = fingerprint(&text(&tokens["refresh_token"]));
    assert_eq!(playground.counters().presented_twice(), [token]);
    assert_eq!(playground.counters().refreshes, 2);
}

#[tokio::test]
async fn a_token_presented_twice_ends_the_session() {
    let (playground, mut visitor) = start(rotation(Rotation::Strict)).await;
    let first = text(&visitor.sign_in().await["refresh_token"]);
    let refreshed: Value = visitor.refresh(&first).await.json().await.unwrap();
    let second = text(&refreshed["refresh_token"]);
    assert_ne!(first, second);

    let refused = refusal(visitor.refresh(&first).await).await;
    let text = "Maximum allowed refresh token reuse exceeded";
    assert_eq!(refused, (400, "invalid_grant".to_owned(), text.to_owned()));
    assert_eq!(
        refusal(visitor.refresh(&second).await).await.2,
        "Session not active"
    );
    // The browser must type its password again.
    assert_eq!(visitor.authorize(&[]).await.status(), 200);

    let counters = playground.counters();
    assert_eq!(counters.ended_by_reuse, 1);
    assert_eq!(counters.presented_twice(), [fingerprint(&first)]);
}

#[tokio::test]
async fn a_grace_of_seconds() {
    let (playground, mut visitor) = start(rotation(Rotation::Grace { seconds: 10 })).await;
    let first = text(&visitor.sign_in().await["refresh_token"]);
    assert_eq!(visitor.refresh(&first).await.status(), 200);
    playground.advance(5);
    assert_eq!(visitor.refresh(&first).await.status(), 200);
    playground.advance(10);
    assert_eq!(visitor.refresh(&first).await.status(), 400);
    assert_eq!(playground.counters().ended_by_reuse, 1);
}

#[tokio::test]
async fn sessions_end_by_idleness_and_at_their_maximum() {
    let config = Config {
        session_max_seconds: 4000,
        ..Config::default()
    };
    let (playground, mut visitor) = start(config).await;
    let token = text(&visitor.sign_in().await["refresh_token"]);
    for _ in 0..2 {
        playground.advance(1700);
        assert_eq!(visitor.refresh(&token).await.status(), 200);
    }
    playground.advance(700);
    assert_eq!(
        refusal(visitor.refresh(&token).await).await.2,
        "Session not active"
    );

    let token = text(&visitor.sign_in().await["refresh_token"]);
    playground.advance(1800);
    assert_eq!(
        refusal(visitor.refresh(&token).await).await.2,
        "Token is not active"
    );
}

#[tokio::test]
async fn revoked_signed_out_and_ended_by_an_administrator() {
    let (playground, mut visitor) = start(Config::default()).await;
    let credentials = [("client_id", CLIENT), ("client_secret", SECRET)];
    let with = |name: &'static str, token: String| {
        let mut form: Vec<_> = credentials
            .iter()
            .map(|&(n, v)| (n, v.to_owned()))
            .collect();
        form.push((name, token));
        form
    };
    let revoke = visitor.endpoint("revoke");
    let token = text(&visitor.sign_in().await["refresh_token"]);
    let form = with("token", token.clone());
    let response = visitor.http.post(&revoke).form(&form).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        refusal(visitor.refresh(&token).await).await.2,
        "Session not active"
    );
    let unknown = visitor
        .http
        .post(&revoke)
        .form(&with("token", "?".to_owned()));
    assert_eq!(unknown.send().await.unwrap().status(), 200);
    // The browser is still signed in.
    assert_eq!(visitor.authorize(&[]).await.status(), 302);

    let logout = visitor.endpoint("logout");
    let token = text(&visitor.sign_in().await["refresh_token"]);
    let form = with("refresh_token", token.clone());
    let response = visitor.http.post(&logout).form(&form).send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(
        refusal(visitor.refresh(&token).await).await.2,
        "Session not active"
    );
    assert_eq!(visitor.authorize(&[]).await.status(), 200);
    let unknown = visitor
        .http
        .post(&logout)
        .form(&with("refresh_token", "?".to_owned()));
    assert_eq!(
        refusal(unknown.send().await.unwrap()).await.2,
        "Invalid refresh token"
    );

    let token = text(&visitor.sign_in().await["refresh_token"]);
    playground
        .fault(Fault::RevokedSessions {
            user: Some("other".to_owned()),
        })
        .await
        .unwrap();
    assert_eq!(visitor.refresh(&token).await.status(), 200);
    playground
        .fault(Fault::RevokedSessions { user: None })
        .await
        .unwrap();
    assert_eq!(
        refusal(visitor.refresh(&token).await).await.2,
        "Session not active"
    );

    let ended: Vec<_> = playground
        .log()
        .into_iter()
        .filter_map(|event| {
            let What::SessionEnded { why, .. } = event.what else {
                return None;
            };
            Some(why)
        })
        .collect();
    assert_eq!(
        ended,
        [Ended::Revoked, Ended::SignedOut, Ended::Administrator]
    );
}

#[tokio::test]
async fn one_session_per_user() {
    let config = Config {
        one_session_per_user: true,
        ..Config::default()
    };
    let (_playground, mut visitor) = start(config).await;
    let first = text(&visitor.sign_in().await["refresh_token"]);
    let second = text(&visitor.sign_in().await["refresh_token"]);
    assert_eq!(visitor.refresh(&first).await.status(), 400);
    assert_eq!(visitor.refresh(&second).await.status(), 200);
}

#[tokio::test]
async fn who_is_given_a_refresh_token() {
    for (refresh_tokens, plain, offline) in [
        (RefreshTokens::Always, true, true),
        (RefreshTokens::OnOfflineAccess, false, true),
        (RefreshTokens::Never, false, false),
    ] {
        let config = Config {
            refresh_tokens,
            ..Config::default()
        };
        let (_playground, mut visitor) = start(config).await;
        for (scope, expected) in [("openid", plain), ("openid offline_access", offline)] {
            let code = visitor.callback(&[("scope", scope)]).await["code"].clone();
            let tokens: Value = visitor.exchange(&code, &[]).await.json().await.unwrap();
            assert_eq!(tokens.get("refresh_token").is_some(), expected, "{scope}");
        }
    }
}

#[tokio::test]
async fn refreshed_with_what_is_no_refresh_token() {
    let (_playground, mut visitor) = start(Config::default()).await;
    let refused = refusal(visitor.refresh("made-up").await).await;
    assert_eq!(refused.2, "Invalid refresh token");
}

#[tokio::test]
async fn what_an_administrator_changes_holds_from_then_on() {
    let (playground, mut visitor) = start(Config::default()).await;
    let tokens = visitor.sign_in().await;
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(playground.sessions(), 1);
    playground.set_token_seconds(7);
    playground.set_rotation(Rotation::Strict);
    let first = text(&tokens["refresh_token"]);
    let refreshed: Value = visitor.refresh(&first).await.json().await.unwrap();
    assert_eq!(refreshed["expires_in"], 7);
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"]);
    assert_eq!(visitor.refresh(&first).await.status(), 400);
    assert_eq!(playground.sessions(), 0);
}
