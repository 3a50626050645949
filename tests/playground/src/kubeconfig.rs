//! The article's kubeconfigs, their placeholders filled in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands in the placeholders.
#[derive(Clone, Copy)]
pub struct Seed<'a> {
    /// The cluster's certificate authority, as PEM.
    pub ca_pem: &'a str,
    /// The Kubernetes API.
    pub server: &'a str,
    /// The provider's issuer.
    pub issuer: &'a str,
    /// The client's id.
    pub client_id: &'a str,
    /// Its secret; a public client has none, and the line is left out.
    pub client_secret: Option<&'a str>,
}

impl Seed<'_> {
    /// The whole file of section 3-4. `extra_arguments` follow its own.
    #[must_use]
    pub fn kubeconfig(&self, extra_arguments: &[&str]) -> String {
        whole(self, "keycloak-user", &exec(self, extra_arguments))
    }

    /// The file of section 2-4, with a token in it.
    #[must_use]
    pub fn kubeconfig_with_token(&self, token: &str) -> String {
        whole(self, "test", &format!("    token: {}\n", quoted(token)))
    }
}

fn exec(seed: &Seed<'_>, extra_arguments: &[&str]) -> String {
    let mut arguments = vec![
        "oidc-login".to_owned(),
        "get-token".to_owned(),
        format!("--oidc-issuer-url={}", seed.issuer),
        format!("--oidc-client-id={}", seed.client_id),
    ];
    if let Some(secret) = seed.client_secret {
        arguments.push(format!("--oidc-client-secret={secret}"));
    }
    arguments.extend(extra_arguments.iter().map(|&argument| argument.to_owned()));
    let arguments: String = arguments
        .iter()
        .map(|argument| format!("      - {}\n", quoted(argument)))
        .collect();
    format!(
        "    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubectl
      args:
{arguments}"
    )
}

fn whole(seed: &Seed<'_>, user: &str, how: &str) -> String {
    format!(
        "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {ca}
    server: {server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: {user}
    namespace: default
  name: kubernetes
current-context: kubernetes
kind: Config
preferences: {{}}
users:
- name: {user}
  user:
{how}",
        ca = STANDARD.encode(seed.ca_pem),
        server = seed.server,
    )
}

/// Plain where YAML leaves it alone, else JSON's string, which is YAML too.
fn quoted(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./:=~,@+".contains(character);
    if text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '-')
        && text.chars().all(plain)
        && !text.ends_with(':')
    {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_article_prints_it() {
        let seed = Seed {
            issuer: "https://localhost:1/realms/demo",
            server: "https://127.0.0.1:2",
            ca_pem: "CA",
            client_id: "kubernetes-client",
            client_secret: Some("s"),
        };
        let expected = "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://127.0.0.1:2
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: keycloak-user
    namespace: default
  name: kubernetes
current-context: kubernetes
kind: Config
preferences: {}
users:
- name: keycloak-user
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubectl
      args:
      - oidc-login
      - get-token
      - --oidc-issuer-url=https://localhost:1/realms/demo
      - --oidc-client-id=kubernetes-client
      - --oidc-client-secret=s
      - \"--certificate-authority=/a b/ca.pem\"
";
        assert_eq!(
            seed.kubeconfig(&["--certificate-authority=/a b/ca.pem"]),
            expected
        );
    }
}
