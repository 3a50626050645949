//! The playground as a process, steered over its control endpoint.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use playground::{Addresses, Counters, Endpoint, Event, What};
use serde_json::{Value, json};

use crate::visitor::http;

fn spawn(config: &str) -> (Child, Addresses) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_playground"))
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

#[tokio::test]
async fn steered_by_another_process() {
    // It is told by JSON; a provider must be there for the client of the test.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (mut child, addresses) = spawn(r#"{"issuer_path": "/realms/x"}"#);
    let client = http(&addresses.ca_pem);
    let control = |path: &str| format!("{}{path}", addresses.control_url);
    let discovery = format!("{}/.well-known/openid-configuration", addresses.issuer);
    assert!(addresses.issuer.ends_with("/realms/x"));

    let told: Addresses = client
        .get(control(""))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told.issuer, addresses.issuer);
    let guess = addresses.control_url.rsplit_once('/').unwrap().0;
    assert_eq!(
        client
            .get(format!("{guess}/log"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );

    let fault = json!({ "fault": { "kind": "status", "code": 500 }, "endpoints": ["discovery"] });
    let armed = client
        .post(control("/faults"))
        .json(&fault)
        .send()
        .await
        .unwrap();
    let id = armed.json::<Value>().await.unwrap()["id"].as_u64().unwrap();
    assert_eq!(client.get(&discovery).send().await.unwrap().status(), 500);
    let all: Value = client
        .get(control("/faults"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(all[0]["armed"]["fault"]["kind"], "status");
    client
        .delete(control(&format!("/faults/{id}")))
        .send()
        .await
        .unwrap();
    assert_eq!(client.get(&discovery).send().await.unwrap().status(), 200);

    let nonsense = json!({ "fault": { "kind": "no_pkce" }, "endpoints": ["token"] });
    let refused = client
        .post(control("/faults"))
        .json(&nonsense)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 400);

    let advanced = client
        .post(control("/clock"))
        .json(&json!({ "advance": 60 }));
    let clock: Value = advanced.send().await.unwrap().json().await.unwrap();
    assert_eq!(clock["offset"], 60);
    let rules = client.put(control("/rules")).json(&json!([]));
    assert_eq!(rules.send().await.unwrap().status(), 204);

    let counters = client.get(control("/counters")).send().await.unwrap();
    assert_eq!(
        counters
            .json::<Counters>()
            .await
            .unwrap()
            .requests_at(Endpoint::Discovery),
        2
    );
    let log: Vec<Event> = client
        .get(control("/log"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let last = log.last().unwrap();
    assert_eq!(last.what, What::ClockAdvanced { seconds: 60 });

    // Waits for what is not there yet.
    let wait = control(&format!("/log?after={}&wait=30", last.number));
    let waiting = tokio::spawn(client.get(wait).send());
    client.get(&discovery).send().await.unwrap();
    let news: Vec<Event> = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert!(matches!(
        news[0].what,
        What::Request {
            endpoint: Endpoint::Discovery,
            ..
        }
    ));

    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn ends_at_sigterm() {
    let (mut child, _) = spawn("{}");
    let told = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(told.success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn says_what_is_wrong_with_its_configuration() {
    let output = Command::new(env!("CARGO_BIN_EXE_playground"))
        .arg("{\"x\": 1}")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown field `x`"));
}
