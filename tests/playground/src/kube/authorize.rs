//! Who may do what: RBAC's answer from the configured rules and a cluster's usual defaults.

use super::authenticate::User;
use super::request::{Attributes, Target};
use crate::config::{Rule, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    Denied,
}

pub(super) fn decide(rules: &[Rule], user: &User, attributes: &Attributes) -> Decision {
    let allowed = user.is_in("system:masters")
        || match &attributes.target {
            Target::Path(path) => readable(user, attributes.verb, path),
            Target::Resource(resource) => {
                let asks_about_itself = resource.resource.starts_with("selfsubject");
                (asks_about_itself && user.is_in("system:authenticated"))
                    || rules.iter().any(|rule| {
                        bound(rule, user)
                            && lists(&rule.verbs, attributes.verb)
                            && lists(&rule.resources, &resource.resource)
                    })
            }
        };
    if allowed {
        Decision::Allowed
    } else {
        Decision::Denied
    }
}

/// The roles system:public-info-viewer and system:discovery.
fn readable(user: &User, verb: &str, path: &str) -> bool {
    let public = matches!(
        path,
        "/version" | "/version/" | "/healthz" | "/livez" | "/readyz"
    );
    let discovery = ["/api", "/apis", "/openapi"].iter().any(|root| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    matches!(verb, "get" | "head") && (public || (discovery && user.is_in("system:authenticated")))
}

fn bound(rule: &Rule, user: &User) -> bool {
    match &rule.subject {
        Subject::User(name) => *name == user.name,
        Subject::Group(group) => user.is_in(group),
    }
}

fn lists(words: &[String], word: &str) -> bool {
    words.iter().any(|its| its == "*" || its == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::request::attributes;
    use axum::http::Method;

    #[test]
    fn the_articles_role() {
        let rules = [
            Rule::article(Subject::User("test".to_owned())),
            Rule::article(Subject::Group("kubernetes:admin".to_owned())),
        ];
        let may = |name: &str, group: &str, path: &str| {
            let groups = vec![group.to_owned(), "system:authenticated".to_owned()];
            let user = User {
                name: name.to_owned(),
                groups,
            };
            decide(
                &rules,
                &user,
                &attributes(&Method::GET, &path.parse().unwrap()),
            ) == Decision::Allowed
        };
        assert!(may("test", "", "/api/v1/namespaces/default"));
        assert!(may(
            "other",
            "kubernetes:admin",
            "/api/v1/namespaces/default/pods"
        ));
        assert!(!may("other", "", "/api/v1/namespaces"));
        assert!(!may("test", "", "/api/v1/nodes"));
        assert!(may("admin", "system:masters", "/api/v1/nodes"));
        assert!(may("other", "", "/apis/apps/v1"));
        assert!(!may("other", "", "/metrics"));
    }
}
