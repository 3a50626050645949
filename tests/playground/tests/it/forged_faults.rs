//! Each fault that changes what a reply says.

use playground::{Armed, Config, Endpoint, Fault, FaultId};
use serde_json::{Value, json};

use crate::visitor::{CLIENT, Visitor, location, part, refusal, start, text};

/// A sign-in while `fault` is armed for one reply: what its ID token is worth, and the reply.
async fn signed_in_with(fault: Fault) -> (Result<Value, String>, Value) {
    let (playground, mut visitor) = start(Config::default()).await;
    playground
        .fault(fault.clone().at(Endpoint::Token).times(1))
        .await
        .unwrap();
    let tokens = visitor.sign_in().await;
    let verified = visitor.verify(&tokens).await;
    // It is over, and the Kubernetes API sees the difference too.
    let good = visitor.sign_in().await;
    assert!(visitor.verify(&good).await.is_ok(), "{fault:?}");
    (verified, tokens)
}

#[tokio::test]
async fn tokens_that_a_client_must_refuse() {
    let other = "https://other.example".to_owned();
    for (fault, objection) in [
        (Fault::WrongAudience, "InvalidAudience"),
        (Fault::WrongSignature, "InvalidSignature"),
        (
            Fault::WrongIssuer {
                issuer: Some(other),
            },
            "InvalidIssuer",
        ),
        (Fault::AlgNone, "unknown variant `none`"),
        (Fault::Hs256, "InvalidAlgorithm"),
        (Fault::EmbeddedKey, "no such kid"),
        (Fault::SkewedClock { seconds: -1000 }, "ExpiredSignature"),
    ] {
        let (verified, _) = signed_in_with(fault.clone()).await;
        let said = verified.unwrap_err();
        assert!(said.contains(objection), "{fault:?}: {said}");
    }
}

#[tokio::test]
async fn claims_that_a_client_must_check_itself() {
    for (fault, name, value) in [
        (Fault::WrongNonce, "nonce", "somebody-else"),
        (Fault::WrongSubject, "sub", "somebody-else"),
        (Fault::ForeignAzp, "azp", "somebody-else"),
    ] {
        let (verified, _) = signed_in_with(fault).await;
        assert_eq!(verified.unwrap()[name], value);
    }
    let (verified, _) = signed_in_with(Fault::ForeignAzp).await;
    assert_eq!(verified.unwrap()["aud"], json!([CLIENT, "somebody-else"]));

    let (verified, tokens) = signed_in_with(Fault::ManyGroups { bytes: 20_000 }).await;
    assert!(verified.is_ok());
    let length = text(&tokens["id_token"]).len();
    assert!((19_000..22_000).contains(&length), "{length}");
}

#[tokio::test]
async fn attack_headers() {
    let (_, tokens) = signed_in_with(Fault::AlgNone).await;
    assert_eq!(part(&tokens["id_token"], 0)["alg"], "none");
    assert!(text(&tokens["id_token"]).ends_with('.'));
    let (_, tokens) = signed_in_with(Fault::EmbeddedKey).await;
    let header = part(&tokens["id_token"], 0);
    assert!(header["jwk"].is_object() && header["jku"].is_string() && header["x5u"].is_string());
}

#[tokio::test]
async fn replies_with_something_missing_or_absurd() {
    let (playground, mut visitor) = start(Config::default()).await;
    let refresh = |faults: Vec<Armed>| async {
        for fault in faults {
            playground.fault(fault).await.unwrap();
        }
    };
    let token = text(&visitor.sign_in().await["refresh_token"]);

    refresh(vec![Fault::NoIdToken.at(Endpoint::Refresh).times(1)]).await;
    let reply: Value = visitor.refresh(&token).await.json().await.unwrap();
    assert!(reply.get("id_token").is_none() && reply.get("access_token").is_some());

    // Both at once, in one reply.
    let absurd = Fault::ExpiresIn {
        value: json!(9_000_000_000_000_000_000_u64),
    };
    refresh(vec![Fault::NoRefreshToken.times(1), absurd.times(1)]).await;
    let reply: Value = visitor.refresh(&token).await.json().await.unwrap();
    assert!(reply.get("refresh_token").is_none());
    assert_eq!(reply["expires_in"], json!(9_000_000_000_000_000_000_u64));

    let reply: Value = visitor.refresh(&token).await.json().await.unwrap();
    assert!(reply.get("id_token").is_some() && reply.get("refresh_token").is_some());
    assert_eq!(reply["expires_in"], 300);
}

#[tokio::test]
async fn discovery_that_lies() {
    let (playground, visitor) = start(Config::default()).await;
    let other = "https://other.example".to_owned();
    let seen = async |fault: Fault, field: &str| {
        playground
            .fault(fault.at(Endpoint::Discovery).times(1))
            .await
            .unwrap();
        visitor.discovery().await.get(field).cloned()
    };
    assert_eq!(
        seen(
            Fault::WrongIssuer {
                issuer: Some(other.clone())
            },
            "issuer"
        )
        .await,
        Some(json!(other))
    );
    assert_eq!(
        seen(Fault::WrongIssuer { issuer: None }, "issuer").await,
        None
    );
    assert_eq!(
        seen(Fault::NoPkce, "code_challenge_methods_supported").await,
        None
    );
    for url in ["file:///etc/passwd", "-x", "http://other.example/token"] {
        let name = "token_endpoint".to_owned();
        let fault = Fault::EndpointUrl {
            name,
            url: url.to_owned(),
        };
        assert_eq!(seen(fault, "token_endpoint").await, Some(json!(url)));
    }
    assert_eq!(visitor.discovery().await["issuer"], visitor.issuer);
}

#[tokio::test]
async fn callbacks_that_lie() {
    let (playground, mut visitor) = start(Config::default()).await;
    // The login page has nothing to change: the fault waits for the redirect.
    playground.fault(Fault::WrongState.times(1)).await.unwrap();
    let back = visitor.callback(&[]).await;
    assert_eq!(
        (&*back["state"], back.contains_key("code")),
        ("somebody-else", true)
    );

    let other = "https://other.example".to_owned();
    let fault = Fault::WrongIssuer {
        issuer: Some(other.clone()),
    };
    playground
        .fault(fault.at(Endpoint::Authorize).times(1))
        .await
        .unwrap();
    assert_eq!(visitor.callback(&[]).await["iss"], other);

    let description = Some("<script>".to_owned());
    let fault = Fault::CallbackError {
        error: "server_error".to_owned(),
        description,
    };
    playground.fault(fault.times(1)).await.unwrap();
    let back = location(&visitor.authorize(&[]).await);
    assert_eq!(
        (&*back["error"], &*back["error_description"]),
        ("server_error", "<script>")
    );
    assert!(!back.contains_key("code"));
    assert!(!visitor.callback(&[]).await.contains_key("error"));
}

#[tokio::test]
async fn a_skewed_clock_shows_everywhere() {
    let (playground, mut visitor) = start(Config::default()).await;
    playground
        .fault(Fault::SkewedClock { seconds: 600 })
        .await
        .unwrap();
    let tokens = visitor.sign_in().await;
    let ahead = part(&tokens["id_token"], 1)["iat"].as_i64().unwrap() - playground.now();
    assert!((595..=600).contains(&ahead), "{ahead}");
    let dated = visitor
        .http
        .get(visitor.endpoint("certs"))
        .send()
        .await
        .unwrap();
    playground.lift_all().await.unwrap();
    let honest = visitor
        .http
        .get(visitor.endpoint("certs"))
        .send()
        .await
        .unwrap();
    assert_ne!(dated.headers()["date"], honest.headers()["date"]);
}

#[tokio::test]
async fn keys_and_secrets_change() {
    let (playground, mut visitor) = start(Config::default()).await;
    let before = visitor.sign_in().await;
    playground.fault(Fault::RotatedKeys).await.unwrap();
    assert_eq!(visitor.verify(&before).await.unwrap_err(), "no such kid");
    let after = visitor.sign_in().await;
    assert!(visitor.verify(&after).await.is_ok());

    // Between the tokens and the look at the JWKS.
    playground
        .fault(Fault::RotatedKeys.at(Endpoint::Jwks).times(1))
        .await
        .unwrap();
    let tokens = visitor.sign_in().await;
    assert_eq!(visitor.verify(&tokens).await.unwrap_err(), "no such kid");

    let secret = Fault::ChangedClientSecret {
        client: CLIENT.to_owned(),
        secret: "new".to_owned(),
    };
    playground.fault(secret).await.unwrap();
    let token = text(&after["refresh_token"]);
    let refused = refusal(visitor.refresh(&token).await).await;
    assert_eq!((refused.0, &*refused.1), (401, "unauthorized_client"));
    let code = visitor.callback(&[]).await["code"].clone();
    let renewed = visitor.exchange(&code, &[("client_secret", "new")]).await;
    assert_eq!(renewed.status(), 200);
}

#[tokio::test]
async fn kubernetes_refuses_forged_tokens() {
    let (playground, mut visitor) = start(Config::default()).await;
    let url = format!("{}/api", playground.kube_url());
    let status = async |visitor: &Visitor, tokens: &Value| {
        let request = visitor
            .http
            .get(&url)
            .bearer_auth(text(&tokens["id_token"]));
        request.send().await.unwrap().status().as_u16()
    };
    for fault in [
        Fault::WrongAudience,
        Fault::WrongSignature,
        Fault::WrongIssuer { issuer: None },
        Fault::AlgNone,
        Fault::Hs256,
        Fault::EmbeddedKey,
        Fault::SkewedClock { seconds: -1000 },
    ] {
        let id: FaultId = playground
            .fault(fault.clone().at(Endpoint::Token))
            .await
            .unwrap();
        let tokens = visitor.sign_in().await;
        assert_eq!(status(&visitor, &tokens).await, 401, "{fault:?}");
        playground.lift(id).await.unwrap();
    }
    let tokens = visitor.sign_in().await;
    assert_eq!(status(&visitor, &tokens).await, 200);
    playground.fault(Fault::RotatedKeys).await.unwrap();
    assert_eq!(status(&visitor, &tokens).await, 401);
}
