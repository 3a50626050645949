//! Each fault in whether and how a reply comes.

use std::time::{Duration, Instant};

use playground::{Config, Connection, Endpoint, Fault, Rotation, What};
use serde_json::Value;

use crate::visitor::{Visitor, refusal, start, text};

fn certs(visitor: &Visitor) -> reqwest::RequestBuilder {
    visitor.http.get(visitor.endpoint("certs"))
}

#[tokio::test]
async fn other_replies() {
    let (playground, visitor) = start(Config::default()).await;
    let reply = async |fault: Fault| {
        playground
            .fault(fault.at(Endpoint::Jwks).times(1))
            .await
            .unwrap();
        certs(&visitor).send().await.unwrap()
    };
    let response = reply(Fault::Status {
        code: 503,
        body: Some("busy".to_owned()),
    })
    .await;
    assert_eq!(
        (response.status().as_u16(), &*response.text().await.unwrap()),
        (503, "busy")
    );
    for code in [400, 403] {
        let response = reply(Fault::Status { code, body: None }).await;
        assert_eq!(
            (response.status().as_u16(), &*response.text().await.unwrap()),
            (code, "")
        );
    }
    let garbage = reply(Fault::Garbage).await.bytes().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&garbage).is_err());
    let redirect = reply(Fault::Redirect {
        to: "http://127.0.0.1:1/".to_owned(),
    })
    .await;
    assert_eq!(
        (redirect.status().as_u16(), &redirect.headers()["location"]),
        (302, &"http://127.0.0.1:1/".parse().unwrap())
    );
    let huge = reply(Fault::Huge {
        bytes: 10 * 1024 * 1024,
    })
    .await
    .bytes()
    .await
    .unwrap();
    assert_eq!(huge.len(), 10 * 1024 * 1024);
    assert!(
        certs(&visitor)
            .send()
            .await
            .unwrap()
            .json::<Value>()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_disabled_client() {
    let (playground, mut visitor) = start(Config::default()).await;
    playground.fault(Fault::DisabledClient).await.unwrap();
    let refused = refusal(visitor.refresh("x").await).await;
    assert_eq!((refused.0, &*refused.1), (401, "invalid_client"));
}

#[tokio::test]
async fn not_processed_means_nothing_is_lost() {
    let (playground, mut visitor) = start(strict()).await;
    let token = text(&visitor.sign_in().await["refresh_token"]);
    let fault = Fault::Status {
        code: 500,
        body: None,
    };
    playground
        .fault(fault.at(Endpoint::Refresh).times(2))
        .await
        .unwrap();
    for expected in [500, 500, 200] {
        assert_eq!(visitor.refresh(&token).await.status(), expected);
    }
}

#[tokio::test]
async fn a_lost_reply_was_processed() {
    for connection in [Connection::Held, Connection::Closed] {
        let (playground, mut visitor) = start(strict()).await;
        let token = text(&visitor.sign_in().await["refresh_token"]);
        playground
            .fault(Fault::Silent { connection }.at(Endpoint::Refresh).times(1))
            .await
            .unwrap();
        let asking = Visitor::new(&playground);
        let (url, presented) = (asking.endpoint("token"), token.clone());
        let asked = tokio::spawn(async move {
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &presented),
                ("client_id", crate::visitor::CLIENT),
                ("client_secret", crate::visitor::SECRET),
            ];
            asking.http.post(url).form(&form).send().await.is_err()
        });
        playground
            .event(|what| matches!(what, What::RefreshPresented { .. }))
            .await;
        match connection {
            Connection::Closed => assert!(asked.await.unwrap()),
            Connection::Held => {
                assert!(!asked.is_finished());
                asked.abort();
            }
        }
        // The second time is once too often.
        assert_eq!(visitor.refresh(&token).await.status(), 400);
        assert_eq!(playground.counters().ended_by_reuse, 1);
    }
}

#[tokio::test]
async fn a_slow_reply() {
    let (playground, visitor) = start(Config::default()).await;
    playground
        .fault(
            Fault::Slow { milliseconds: 150 }
                .at(Endpoint::Jwks)
                .times(1),
        )
        .await
        .unwrap();
    let begun = Instant::now();
    certs(&visitor).send().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert_eq!(playground.counters().most_at_once[&Endpoint::Jwks], 1);
}

#[tokio::test]
async fn an_expired_certificate() {
    let (playground, visitor) = start(Config::default()).await;
    certs(&visitor).send().await.unwrap();
    let id = playground.fault(Fault::ExpiredCertificate).await.unwrap();
    let error = certs(&visitor).send().await.unwrap_err();
    assert!(format!("{error:?}").contains("Expired"), "{error:?}");
    // The Kubernetes API has a certificate of its own.
    let version = format!("{}/version", playground.kube_url());
    assert_eq!(
        visitor.http.get(&version).send().await.unwrap().status(),
        200
    );
    playground.lift(id).await.unwrap();
    assert_eq!(certs(&visitor).send().await.unwrap().status(), 200);

    playground
        .fault(Fault::ExpiredCertificate.at(Endpoint::Kubernetes))
        .await
        .unwrap();
    assert!(visitor.http.get(&version).send().await.is_err());
    assert_eq!(certs(&visitor).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn offline_and_back_on_the_same_port() {
    let (playground, mut visitor) = start(Config::default()).await;
    let token = text(&visitor.sign_in().await["refresh_token"]);
    for _ in 0..2 {
        playground.fault(Fault::Offline).await.unwrap();
        let error = certs(&visitor).send().await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        let version = format!("{}/version", playground.kube_url());
        assert_eq!(
            visitor.http.get(&version).send().await.unwrap().status(),
            200
        );
        playground.lift_all().await.unwrap();
        assert_eq!(visitor.refresh(&token).await.status(), 200);
    }
}

#[tokio::test]
async fn faults_at_the_kubernetes_api() {
    let (playground, visitor) = start(Config::default()).await;
    let fault = Fault::Status {
        code: 503,
        body: None,
    };
    playground
        .fault(fault.at(Endpoint::Kubernetes).times(1))
        .await
        .unwrap();
    let version = format!("{}/version", playground.kube_url());
    for expected in [503, 200] {
        assert_eq!(
            visitor.http.get(&version).send().await.unwrap().status(),
            expected
        );
    }
}

fn strict() -> Config {
    Config {
        rotation: Rotation::Strict,
        ..Config::default()
    }
}
