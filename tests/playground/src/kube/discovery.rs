//! What the server is and serves: `/version`, `/api`, `/apis`. Plain discovery; kubectl asks for the
//! aggregated one and takes this.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The document at `path`, if there is one.
pub(super) fn document(path: &str, now: i64) -> Option<Response> {
    let json = match path.trim_end_matches('/') {
        "/healthz" | "/livez" | "/readyz" => return Some("ok".into_response()),
        "/version" => version(now),
        "/api" => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }),
        "/apis" => json!({
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [group("authentication.k8s.io"), group("authorization.k8s.io")],
        }),
        "/api/v1" => resources(
            "v1",
            &[
                resource("namespaces", "namespace", "Namespace", false, &["ns"]),
                resource("nodes", "node", "Node", false, &["no"]),
                resource("pods", "pod", "Pod", true, &["po"]),
            ],
        ),
        "/apis/authentication.k8s.io" => group("authentication.k8s.io"),
        "/apis/authorization.k8s.io" => group("authorization.k8s.io"),
        "/apis/authentication.k8s.io/v1" => resources(
            "authentication.k8s.io/v1",
            &[review("selfsubjectreviews", "SelfSubjectReview")],
        ),
        "/apis/authorization.k8s.io/v1" => resources(
            "authorization.k8s.io/v1",
            &[review(
                "selfsubjectaccessreviews",
                "SelfSubjectAccessReview",
            )],
        ),
        _ => return None,
    };
    Some(Json(json).into_response())
}

fn version(now: i64) -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "gitVersion": "v1.36.3+playground",
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": super::objects::time(now),
        "goVersion": "go1.26",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

fn group(name: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
    json!({
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": [version],
        "preferredVersion": version,
    })
}

fn resources(group_version: &str, resources: &[Value]) -> Value {
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    })
}

fn resource(name: &str, singular: &str, kind: &str, namespaced: bool, short: &[&str]) -> Value {
    json!({
        "name": name,
        "singularName": singular,
        "namespaced": namespaced,
        "kind": kind,
        "verbs": ["get", "list"],
        "shortNames": short,
    })
}

fn review(name: &str, kind: &str) -> Value {
    let singular = kind.to_ascii_lowercase();
    json!({
        "name": name,
        "singularName": singular,
        "namespaced": false,
        "kind": kind,
        "verbs": ["create"],
    })
}
