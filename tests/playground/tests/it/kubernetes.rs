//! The Kubernetes API through its socket, and the attacker's.

use playground::{AttackerApi, Config, Kube, Playground, Rule, Subject, What, fingerprint};
use reqwest::Response;
use serde_json::{Value, json};

use crate::visitor::{http, start, text};

async fn get(playground: &Playground, path: &str, token: Option<&str>) -> Response {
    let url = format!("{}{path}", playground.kube_url());
    let mut request = http(playground.ca_pem()).get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn the_articles_way() {
    let kube = Kube {
        rules: Vec::new(),
        ..Kube::default()
    };
    let (playground, mut visitor) = start(Config {
        kube,
        ..Config::default()
    })
    .await;
    let path = "/api/v1/namespaces/default";

    let response = get(&playground, path, Some("bad")).await;
    assert_eq!(response.status(), 401);
    // The article's text, byte for byte but for its blanks.
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#
    );
    let response = get(&playground, path, None).await;
    assert_eq!(response.status(), 403);
    let status: Value = response.json().await.unwrap();
    assert!(text(&status["message"]).contains(r#"User "system:anonymous" cannot get"#));

    let token = text(&visitor.sign_in().await["id_token"]);
    let response = get(&playground, path, Some(&token)).await;
    assert_eq!(response.status(), 403);
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"namespaces \"default\" is forbidden: User \"test\" cannot get resource \"namespaces\" in API group \"\" in the namespace \"default\"","reason":"Forbidden","details":{"name":"default","kind":"namespaces"},"code":403}"#
    );

    for subject in [
        Subject::User("test".to_owned()),
        Subject::Group("kubernetes:admin".to_owned()),
    ] {
        playground.set_rules(vec![Rule::article(subject)]);
        let namespace: Value = get(&playground, path, Some(&token))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(namespace["metadata"]["name"], "default");
        playground.set_rules(Vec::new());
        assert_eq!(get(&playground, path, Some(&token)).await.status(), 403);
    }

    playground.advance(300);
    assert_eq!(get(&playground, path, Some(&token)).await.status(), 401);
    let expired = What::Kubernetes {
        method: "GET".to_owned(),
        path: path.to_owned(),
        authorization: Some(fingerprint(&token)),
        user: None,
        status: 401,
    };
    assert_eq!(playground.log().pop().unwrap().what, expired);
}

#[tokio::test]
async fn tokens_for_others_are_refused() {
    for kube in [
        Kube {
            audience: Some("kubernetes".to_owned()),
            ..Kube::default()
        },
        Kube {
            issuer: Some("https://localhost/auth/realms/demo".to_owned()),
            ..Kube::default()
        },
        Kube {
            username_claim: "email".to_owned(),
            ..Kube::default()
        },
    ] {
        let (playground, mut visitor) = start(Config {
            kube,
            ..Config::default()
        })
        .await;
        let tokens = visitor.sign_in().await;
        let token = text(&tokens["id_token"]);
        assert_eq!(get(&playground, "/api", Some(&token)).await.status(), 401);
    }
    let (playground, mut visitor) = start(Config::default()).await;
    let tokens = visitor.sign_in().await;
    // No audience: it is not for the API server.
    let token = text(&tokens["access_token"]);
    assert_eq!(get(&playground, "/api", Some(&token)).await.status(), 401);
    let admin = playground.addresses().admin_token.clone();
    assert_eq!(
        get(&playground, "/api/v1/nodes", Some(&admin))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn what_kubectl_asks() {
    let (playground, mut visitor) = start(Config::default()).await;
    let token = text(&visitor.sign_in().await["id_token"]);
    let client = http(playground.ca_pem());
    let url = |path: &str| format!("{}{path}", playground.kube_url());

    let table = client
        .get(url("/api/v1/namespaces/default/pods"))
        .header(
            "Accept",
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        )
        .bearer_auth(&token);
    let table: Value = table.send().await.unwrap().json().await.unwrap();
    assert_eq!(table["kind"], "Table");
    assert_eq!(table["rows"].as_array().unwrap().len(), 3);

    let review = client
        .post(url("/apis/authentication.k8s.io/v1/selfsubjectreviews"))
        .json(&json!({}))
        .bearer_auth(&token);
    let review: Value = review.send().await.unwrap().json().await.unwrap();
    let expected = json!({
        "username": "test",
        "groups": ["kubernetes:admin", "system:authenticated"],
    });
    assert_eq!(review["status"]["userInfo"], expected);

    for (resource, allowed) in [("pods", true), ("nodes", false)] {
        let about = json!({ "verb": "list", "resource": resource });
        let review = client
            .post(url(
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            ))
            .json(&json!({ "spec": { "resourceAttributes": about } }))
            .bearer_auth(&token);
        let review: Value = review.send().await.unwrap().json().await.unwrap();
        assert_eq!(review["status"]["allowed"], allowed, "{resource}");
    }
    let version = get(&playground, "/version", None).await;
    assert_eq!(version.json::<Value>().await.unwrap()["major"], "1");
}

#[tokio::test]
async fn the_attacker_tells_who_sent_credentials() {
    let attacker = AttackerApi::start().await.unwrap();
    let client = http(attacker.ca_pem());
    let url = format!("{}/api/v1/namespaces", attacker.url());
    client.get(&url).send().await.unwrap();
    assert!(!attacker.saw_authorization());
    client.get(&url).bearer_auth("token").send().await.unwrap();
    attacker.wait_for(2).await;
    assert_eq!(attacker.seen()[1].authorization, Some(fingerprint("token")));
}
