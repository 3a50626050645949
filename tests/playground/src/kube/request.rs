//! What a request is about, read from method and path as kube-apiserver's RequestInfo does.

use axum::http::{Method, Uri};

/// A request as the authorizer sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) verb: &'static str,
    pub(super) target: Target,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/version`, `/api`, …
    Path(String),
    /// An object, or all of a kind.
    Resource(Resource),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) namespace: Option<String>,
    /// With its subresource, `pods/log`.
    pub(super) resource: String,
    pub(super) name: Option<String>,
}

pub(super) fn attributes(method: &Method, uri: &Uri) -> Attributes {
    let parts: Vec<&str> = uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let (group, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] if !rest.is_empty() => ("", rest),
        ["apis", group, _, rest @ ..] if !rest.is_empty() => (*group, rest),
        _ => {
            let target = Target::Path(uri.path().to_owned());
            return Attributes {
                verb: path_verb(method),
                target,
            };
        }
    };
    // A namespace is in itself: its own requests have both name and namespace.
    let (namespace, rest) = match rest {
        ["namespaces", namespace] => (Some(*namespace), rest),
        ["namespaces", namespace, "status" | "finalize"] => (Some(*namespace), rest),
        ["namespaces", namespace, rest @ ..] => (Some(*namespace), rest),
        _ => (None, rest),
    };
    let (resource, name) = match rest {
        [resource, name, subresource, ..] => (format!("{resource}/{subresource}"), Some(*name)),
        [resource, name] => ((*resource).to_owned(), Some(*name)),
        [resource] => ((*resource).to_owned(), None),
        [] => (String::new(), None),
    };
    let watch = uri.query().is_some_and(|query| {
        url::form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == "watch" && matches!(&*value, "1" | "true"))
    });
    Attributes {
        verb: verb(method, name.is_some(), watch),
        target: Target::Resource(Resource {
            group: group.to_owned(),
            namespace: namespace.map(str::to_owned),
            resource,
            name: name.map(str::to_owned),
        }),
    }
}

fn verb(method: &Method, named: bool, watch: bool) -> &'static str {
    match (method.as_str(), named) {
        ("GET" | "HEAD", _) if watch => "watch",
        ("GET" | "HEAD", true) => "get",
        ("GET" | "HEAD", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        _ => "",
    }
}

fn path_verb(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "get",
        "HEAD" => "head",
        "POST" => "post",
        "PUT" => "put",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_from_the_path() {
        for (path, expected) in [
            (
                "/api/v1/namespaces/default",
                "get namespaces default in default",
            ),
            ("/api/v1/namespaces", "list namespaces - in -"),
            ("/api/v1/namespaces/default/pods", "list pods - in default"),
            ("/api/v1/namespaces/a/pods/b/log", "get pods/log b in a"),
            ("/api/v1/nodes?limit=500", "list nodes - in -"),
            ("/api/v1/pods?watch=1", "watch pods - in -"),
            (
                "/apis/apps/v1/namespaces/a/deployments/b",
                "get deployments b in a",
            ),
            ("/api/v1", "get /api/v1"),
            ("/apis/apps/v1", "get /apis/apps/v1"),
            ("/version", "get /version"),
        ] {
            let attributes = attributes(&Method::GET, &path.parse().unwrap());
            let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            let seen = match attributes.target {
                Target::Path(path) => format!("{} {path}", attributes.verb),
                Target::Resource(Resource {
                    namespace,
                    resource,
                    name,
                    ..
                }) => format!(
                    "{} {resource} {} in {}",
                    attributes.verb,
                    dash(name),
                    dash(namespace)
                ),
            };
            assert_eq!(seen, expected);
        }
    }
}
