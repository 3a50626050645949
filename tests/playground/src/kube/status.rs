//! kube-apiserver's ways to say no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::authenticate::User;
use super::request::{Attributes, Resource, Target};

/// A `Status` of kind Failure.
#[derive(Debug)]
pub(super) struct Failure {
    code: StatusCode,
    reason: &'static str,
    message: String,
    details: Option<Value>,
}

impl Failure {
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    pub(super) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self {
            details: Some(json!({})),
            ..Self::new(StatusCode::NOT_FOUND, "NotFound", message)
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn not_found(resource: &Resource) -> Self {
        let name = resource.name.as_deref().unwrap_or_default();
        let message = format!("{} \"{name}\" not found", qualified(resource));
        let failure = Self::new(StatusCode::NOT_FOUND, "NotFound", &message);
        Self {
            details: Some(details(resource)),
            ..failure
        }
    }

    pub(super) fn forbidden(user: &User, attributes: &Attributes) -> Self {
        let (user, verb) = (&user.name, attributes.verb);
        let (message, details) = match &attributes.target {
            Target::Path(path) => (
                format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\""),
                json!({}),
            ),
            Target::Resource(resource) => (denial(user, verb, resource), details(resource)),
        };
        let failure = Self::new(StatusCode::FORBIDDEN, "Forbidden", &message);
        Self {
            details: Some(details),
            ..failure
        }
    }

    fn new(code: StatusCode, reason: &'static str, message: &str) -> Self {
        Self {
            code,
            reason,
            message: message.to_owned(),
            details: None,
        }
    }
}

fn denial(user: &str, verb: &str, resource: &Resource) -> String {
    let name = resource
        .name
        .as_ref()
        .map_or_else(String::new, |name| format!(" \"{name}\""));
    let place = match &resource.namespace {
        Some(namespace) => format!("in the namespace \"{namespace}\""),
        None => "at the cluster scope".to_owned(),
    };
    format!(
        "{}{name} is forbidden: User \"{user}\" cannot {verb} resource \"{}\" in API group \"{}\" \
         {place}",
        qualified(resource),
        resource.resource,
        resource.group
    )
}

/// `deployments.apps`
fn qualified(resource: &Resource) -> String {
    let plural = resource.resource.split('/').next().unwrap_or_default();
    if resource.group.is_empty() {
        return plural.to_owned();
    }
    format!("{plural}.{}", resource.group)
}

fn details(resource: &Resource) -> Value {
    let mut details = Map::new();
    if let Some(name) = &resource.name {
        details.insert("name".to_owned(), json!(name));
    }
    if !resource.group.is_empty() {
        details.insert("group".to_owned(), json!(resource.group));
    }
    let kind = resource.resource.split('/').next().unwrap_or_default();
    details.insert("kind".to_owned(), json!(kind));
    Value::Object(details)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        });
        if let Some(details) = self.details {
            status["details"] = details;
        }
        status["code"] = json!(self.code.as_u16());
        (self.code, Json(status)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::request::attributes;
    use axum::http::Method;

    #[test]
    fn denials_are_worded_as_kube_apiserver_does() {
        let user = User {
            name: "test".to_owned(),
            groups: Vec::new(),
        };
        for (path, expected) in [
            (
                "/api/v1/namespaces/default",
                r#"namespaces "default" is forbidden: User "test" cannot get resource "namespaces" in API group "" in the namespace "default""#,
            ),
            (
                "/api/v1/nodes",
                r#"nodes is forbidden: User "test" cannot list resource "nodes" in API group "" at the cluster scope"#,
            ),
            (
                "/apis/apps/v1/namespaces/a/deployments",
                r#"deployments.apps is forbidden: User "test" cannot list resource "deployments" in API group "apps" in the namespace "a""#,
            ),
            ("/api", r#"forbidden: User "test" cannot get path "/api""#),
        ] {
            let attributes = attributes(&Method::GET, &path.parse().unwrap());
            assert_eq!(Failure::forbidden(&user, &attributes).message, expected);
        }
    }
}
