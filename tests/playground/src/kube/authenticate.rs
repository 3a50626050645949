//! Who sends a request, by its bearer token.

use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use super::Kubernetes;
use crate::config::Kube;

/// Somebody, or `system:anonymous`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
}

impl User {
    fn known(name: String, mut groups: Vec<String>) -> Self {
        groups.push("system:authenticated".to_owned());
        Self { name, groups }
    }

    fn anonymous() -> Self {
        let groups = vec!["system:unauthenticated".to_owned()];
        Self {
            name: "system:anonymous".to_owned(),
            groups,
        }
    }

    pub(super) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|its| its == group)
    }
}

/// The token of `Bearer TOKEN`.
pub(super) fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Kubernetes {
    /// An error stands for 401; its text is what kube-apiserver's log would say.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> anyhow::Result<User> {
        let Some(token) = headers.get(header::AUTHORIZATION).and_then(bearer) else {
            return Ok(User::anonymous());
        };
        if token == self.admin_token {
            return Ok(User::known(
                "admin".to_owned(),
                vec!["system:masters".to_owned()],
            ));
        }
        let claims = self.provider.keys.verify(token)?;
        let config = &self.provider.config.kube;
        let issuer = config.issuer.as_ref().unwrap_or(&self.provider.issuer);
        let first_client = self
            .provider
            .config
            .clients
            .first()
            .map(|client| &client.id);
        let audience = config.audience.as_ref().or(first_client);
        check(
            &claims,
            issuer,
            audience.map_or("", String::as_str),
            self.provider.clock.now(),
        )?;
        user(&claims, config)
    }
}

fn check(claims: &Value, issuer: &str, audience: &str, now: i64) -> anyhow::Result<()> {
    anyhow::ensure!(claims["iss"] == issuer, "invalid bearer token");
    let aud = &claims["aud"];
    let listed = aud
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one == audience));
    anyhow::ensure!(
        listed || aud == audience,
        "expected audience {audience:?} got {aud}"
    );
    let exp = claims["exp"].as_i64().unwrap_or(0);
    anyhow::ensure!(now < exp, "token is expired (Token Expiry: {exp})");
    let nbf = claims["nbf"].as_i64().unwrap_or(0);
    anyhow::ensure!(
        now + 60 >= nbf,
        "current time {now} before the nbf (not before) time: {nbf}"
    );
    Ok(())
}

fn user(claims: &Value, config: &Kube) -> anyhow::Result<User> {
    let claim = &config.username_claim;
    let Some(name) = claims[claim].as_str() else {
        anyhow::bail!("oidc: parse username claims {claim:?}: claim not present");
    };
    let groups = match &claims[&config.groups_claim] {
        Value::Null => Vec::new(),
        Value::String(group) => vec![group.as_str()],
        Value::Array(groups) => groups.iter().filter_map(Value::as_str).collect(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            anyhow::bail!("oidc: parse groups claim {:?}", config.groups_claim)
        }
    };
    let prefixed = groups
        .iter()
        .map(|group| format!("{}{group}", config.groups_prefix));
    Ok(User::known(
        format!("{}{name}", config.username_prefix),
        prefixed.collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_issuer_and_audience() {
        let good = json!({ "iss": "i", "aud": ["x", "a"], "exp": 100 });
        assert!(check(&good, "i", "a", 99).is_ok());
        assert!(check(&good, "i", "a", 100).is_err());
        assert!(check(&good, "i/", "a", 99).is_err());
        assert!(check(&good, "i", "b", 99).is_err());
        let early = json!({ "iss": "i", "aud": "a", "exp": 1000, "nbf": 200 });
        assert!(check(&early, "i", "a", 140).is_ok());
        assert!(check(&early, "i", "a", 139).is_err());
    }

    #[test]
    fn names_and_prefixes() {
        let config = Kube {
            username_prefix: "oidc:".to_owned(),
            groups_prefix: "kubernetes:".to_owned(),
            ..Kube::default()
        };
        let claims = json!({ "preferred_username": "test", "groups": ["kubernetes:admin"] });
        let user = user(&claims, &config).unwrap();
        assert_eq!(user.name, "oidc:test");
        assert_eq!(
            user.groups,
            ["kubernetes:kubernetes:admin", "system:authenticated"]
        );
        assert!(super::user(&json!({}), &config).is_err());
    }
}
