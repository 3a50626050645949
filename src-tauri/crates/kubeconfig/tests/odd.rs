//! Odd kubeconfigs, `tests/odd/*.yaml`, each read by us and by kubectl.
//!
//! What kubectl makes of them stands in `tests/odd/expected.json`, as it printed it. With KUBEFOB_KUBECTL (the path of
//! a kubectl) it is asked again; KUBEFOB_KUBECTL_WRITE writes the file anew. KUBEFOB_ODD names another folder to compare.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests read files and start kubectl"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubeconfig::{Cluster, Config, Context, Exec, LoadError, Merged, User};
use serde_json::{Map, Value, json};

/// What we read and kubectl refuses: its library follows YAML 1.1 in that such a key may not span lines. Harmless, since
/// kubectl then runs nothing.
const READ_BY_US_ALONE: [&str; 1] = ["flow-multi-line-key.yaml"];

/// What kubectl reads and we refuse: what YAML 1.1 has otherwise than 1.2 can hide a server from whoever follows that.
const READ_BY_KUBECTL_ALONE: [&str; 7] = [
    "anchor-colon.yaml",
    "anchor-question.yaml",
    "flow-question-tight.yaml",
    "line-separator-ends-comment.yaml",
    "merge-tag-comma.yaml",
    "next-line-ends-comment.yaml",
    "tag-comma.yaml",
];

fn folder() -> PathBuf {
    if let Some(other) = std::env::var_os("KUBEFOB_ODD") {
        return PathBuf::from(other);
    }
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/odd")
}

/// The cases: each file by itself, and a few together.
fn cases() -> Vec<String> {
    let mut cases: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    cases.sort();
    for set in [
        "merge-1.yaml:merge-2.yaml",
        "merge-2.yaml:merge-1.yaml",
        "missing.yaml::merge-1.yaml",
        "missing.yaml",
        "merge-1.yaml:merge-1.yaml:./merge-1.yaml",
        "merge-1.yaml:unclosed.yaml",
        "empty.yaml:usual.yaml",
    ] {
        cases.push(set.to_owned());
    }
    cases
}

/// Ours: what we read, in kubectl's words.
fn ours(case: &str) -> Result<Value, LoadError> {
    let mut configs = Vec::new();
    for name in case.split(':') {
        let Ok(bytes) = std::fs::read(folder().join(name)) else {
            continue;
        };
        configs.push(kubeconfig::load(Path::new(name), &bytes)?);
    }
    Ok(render(&kubeconfig::merge(
        configs.iter().collect::<Vec<&Config>>(),
        Path::new("/"),
    )))
}

/// kubectl's, reduced to what we keep. Null where it refused.
fn kubectls(kubectl: &Path, case: &str) -> Value {
    let out = Command::new(kubectl)
        .args(["config", "view", "--raw", "-o", "json"])
        .current_dir(folder())
        .env("KUBECONFIG", case)
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    if !out.status.success() {
        return Value::Null;
    }
    reduce(&serde_json::from_slice(&out.stdout).unwrap())
}

fn expected_file() -> PathBuf {
    folder().join("expected.json")
}

fn check(expected: impl Fn(&str) -> Value) {
    let mut wrong = Vec::new();
    for case in cases() {
        let expected = expected(&case);
        let found = ours(&case);
        let same = match &found {
            Ok(_) if READ_BY_US_ALONE.contains(&case.as_str()) => expected.is_null(),
            Ok(found) => *found == expected,
            Err(_) => expected.is_null() != READ_BY_KUBECTL_ALONE.contains(&case.as_str()),
        };
        if !same {
            wrong.push(format!(
                "{case}\n  kubectl: {expected}\n  ours:    {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn odd_files_are_read_as_kubectl_did() {
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(expected_file()).unwrap()).unwrap();
    assert_eq!(
        expected.len(),
        cases().len(),
        "each case has its expectation"
    );
    check(|case| expected[case].clone());
}

#[test]
fn odd_files_are_read_as_kubectl_does_now() {
    let Some(kubectl) = std::env::var_os("KUBEFOB_KUBECTL").map(PathBuf::from) else {
        println!("skipped: KUBEFOB_KUBECTL not set");
        return;
    };
    let now: BTreeMap<String, Value> = cases()
        .into_iter()
        .map(|case| (case.clone(), kubectls(&kubectl, &case)))
        .collect();
    if std::env::var_os("KUBEFOB_KUBECTL_WRITE").is_some() {
        let lines: Vec<String> = now
            .iter()
            .map(|(case, value)| format!("{}: {value}", json!(case)))
            .collect();
        std::fs::write(expected_file(), format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
    }
    check(|case| now[case].clone());
}

fn render(merged: &Merged) -> Value {
    let named = |entries: Vec<(String, Value)>| entries.into_iter().collect::<Map<_, _>>();
    let all = json!({
        "current-context": merged.current_context.clone().unwrap_or_default(),
        "clusters": named(merged.clusters.iter().map(|(name, entry)| (name.clone(), cluster(entry))).collect()),
        "users": named(merged.users.iter().map(|(name, entry)| (name.clone(), user(entry))).collect()),
        "contexts": named(merged.contexts.iter().map(|(name, entry)| (name.clone(), context(entry))).collect()),
    });
    without_zeros(&all)
}

fn cluster(cluster: &Cluster) -> Value {
    use base64::Engine as _;
    let data = cluster
        .certificate_authority_data
        .as_ref()
        .map(|data| base64::engine::general_purpose::STANDARD.encode(data));
    json!({
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority": cluster.certificate_authority.is_some(),
        "certificate-authority-data": data,
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
    })
}

fn user(user: &User) -> Value {
    json!({
        "exec": user.exec.as_ref().map_or(Value::Null, exec),
        "auth-provider": user.auth_provider,
        "token": user.has_token,
        "tokenFile": user.token_file.is_some(),
        "basic": user.has_basic,
        "client-certificate": user.client_certificate.is_some(),
        "client-certificate-data": user.has_client_certificate_data,
        "client-key": user.client_key.is_some(),
        "client-key-data": user.has_client_key_data,
        "impersonates": user.impersonates,
    })
}

fn exec(exec: &Exec) -> Value {
    let env: Vec<Value> = exec
        .env
        .iter()
        .map(|variable| json!([variable.name, variable.value]))
        .collect();
    json!({
        "apiVersion": exec.api_version,
        "command": last(&exec.command),
        "args": exec.args,
        "env": env,
        "provideClusterInfo": exec.provide_cluster_info,
        "interactiveMode": exec.interactive_mode,
        "there": true,
    })
}

/// `config view` leaves relative paths as they are, and `merge` does not: so of a path only that it is there, and of a
/// command its name.
fn last(command: &str) -> &str {
    command.rsplit('/').next().unwrap_or_default()
}

fn context(context: &Context) -> Value {
    json!({"cluster": context.cluster, "user": context.user, "namespace": context.namespace})
}

/// kubectl's JSON in the shape of `render`'s.
fn reduce(view: &Value) -> Value {
    let named = |list: &str, field: &str, reduce: fn(&Value) -> Value| -> Map<String, Value> {
        let entries = view[list].as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .map(|entry| {
                (
                    entry["name"].as_str().unwrap().to_owned(),
                    reduce(&entry[field]),
                )
            })
            .collect()
    };
    without_zeros(&json!({
        "current-context": view["current-context"],
        "clusters": named("clusters", "cluster", reduce_cluster),
        "users": named("users", "user", reduce_user),
        "contexts": named("contexts", "context", |context| {
            json!({"cluster": context["cluster"], "user": context["user"], "namespace": context["namespace"]})
        }),
    }))
}

fn reduce_cluster(cluster: &Value) -> Value {
    let keys = [
        "server",
        "tls-server-name",
        "insecure-skip-tls-verify",
        "certificate-authority",
        "certificate-authority-data",
        "proxy-url",
        "disable-compression",
    ];
    keys.iter()
        .map(|key| match *key {
            "certificate-authority" => (key.to_string(), json!(!cluster[*key].is_null())),
            key => (key.to_owned(), cluster[key].clone()),
        })
        .collect::<Map<_, _>>()
        .into()
}

fn reduce_user(user: &Value) -> Value {
    let there = |key: &str| !matches!(without_zeros(&user[key]), Value::Null);
    let impersonates = ["as", "as-uid", "as-groups", "as-user-extra"]
        .iter()
        .any(|key| there(key));
    let exec = &user["exec"];
    let env: Vec<Value> = exec["env"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| json!([one["name"], one["value"]]))
        .collect();
    let exec = if exec.is_null() {
        Value::Null
    } else {
        json!({
            "apiVersion": exec["apiVersion"], "command": exec["command"].as_str().map(last), "args": exec["args"], "env": env,
            "provideClusterInfo": exec["provideClusterInfo"], "interactiveMode": exec["interactiveMode"], "there": true,
        })
    };
    json!({
        "exec": exec,
        "auth-provider": user["auth-provider"]["name"],
        "token": there("token"),
        "tokenFile": there("tokenFile"),
        "basic": there("username") || there("password"),
        "client-certificate": there("client-certificate"),
        "client-certificate-data": there("client-certificate-data"),
        "client-key": there("client-key"),
        "client-key-data": there("client-key-data"),
        "impersonates": impersonates,
    })
}

/// Without empty values: absent, null, "" and false are one in Go. Lists and named entries stay.
fn without_zeros(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), without_zeros(value)))
            .filter(|(_, value)| !matches!(value, Value::Null))
            .collect::<Map<_, _>>()
            .into(),
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Bool(false) => Value::Null,
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value.clone()
        }
    }
}
