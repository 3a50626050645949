//! Questions about oneself: SelfSubjectReview and SelfSubjectAccessReview.

use axum::http::Method;
use serde_json::{Value, json};

use super::authenticate::User;
use super::authorize::{Decision, decide};
use super::objects::time;
use super::protobuf;
use super::request::{Attributes, Resource, Target};
use super::status::Failure;
use crate::config::Rule;

/// The review that is asked for, if one is.
pub(super) fn answer(
    rules: &[Rule],
    user: &User,
    resource: &Resource,
    method: &Method,
    body: &[u8],
    now: i64,
) -> Option<Result<Value, Failure>> {
    let about_rights = match (resource.group.as_str(), resource.resource.as_str()) {
        ("authentication.k8s.io", "selfsubjectreviews") => false,
        ("authorization.k8s.io", "selfsubjectaccessreviews") => true,
        _ => return None,
    };
    if *method != Method::POST {
        return Some(Err(Failure::method_not_allowed()));
    }
    if !about_rights {
        return Some(Ok(who_am_i(user, now)));
    }
    let asked = serde_json::from_slice(body)
        .ok()
        .or_else(|| protobuf::access_review(body));
    let asked = asked.ok_or_else(|| Failure::bad_request("neither JSON nor protobuf"));
    Some(asked.map(|asked| may_i(rules, user, &asked)))
}

fn who_am_i(user: &User, now: i64) -> Value {
    json!({
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "creationTimestamp": time(now) },
        "status": { "userInfo": { "username": user.name, "groups": user.groups } },
    })
}

fn may_i(rules: &[Rule], user: &User, asked: &Value) -> Value {
    let spec = &asked["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let some = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let about = &spec["resourceAttributes"];
    let (verb, target) = if about.is_object() {
        let resource = Resource {
            group: text(&about["group"]),
            namespace: some(&about["namespace"]),
            resource: text(&about["resource"]),
            name: some(&about["name"]),
        };
        (about["verb"].as_str(), Target::Resource(resource))
    } else {
        let about = &spec["nonResourceAttributes"];
        (about["verb"].as_str(), Target::Path(text(&about["path"])))
    };
    let verbs = [
        "get", "list", "watch", "create", "update", "patch", "delete", "head", "post",
    ];
    let verb = verbs
        .into_iter()
        .find(|its| verb == Some(its))
        .unwrap_or("");
    let allowed = decide(rules, user, &Attributes { verb, target }) == Decision::Allowed;
    json!({
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": spec,
        "status": { "allowed": allowed },
    })
}
