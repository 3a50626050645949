//! The article's kubeconfigs, their placeholders filled in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::playground::Addresses;

pub(crate) fn seed_form(addresses: &Addresses, extra_arguments: &[&str]) -> String {
    let mut arguments = vec![
        "oidc-login".to_owned(),
        "get-token".to_owned(),
        format!("--oidc-issuer-url={}", addresses.issuer),
        format!("--oidc-client-id={}", addresses.client_id),
    ];
    if let Some(secret) = &addresses.client_secret {
        arguments.push(format!("--oidc-client-secret={secret}"));
    }
    arguments.extend(extra_arguments.iter().map(|&argument| argument.to_owned()));
    let arguments: String = arguments
        .iter()
        .map(|argument| format!("      - {}\n", quoted(argument)))
        .collect();
    let exec = format!(
        "    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubectl
      args:
{arguments}"
    );
    whole(addresses, "keycloak-user", &exec)
}

pub(crate) fn with_token(addresses: &Addresses, token: &str) -> String {
    whole(
        addresses,
        "test",
        &format!("    token: {}\n", quoted(token)),
    )
}

fn whole(addresses: &Addresses, user: &str, how: &str) -> String {
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
        ca = STANDARD.encode(&addresses.ca_pem),
        server = addresses.kube_url,
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
        let addresses = Addresses {
            issuer: "https://localhost:1/realms/demo".to_owned(),
            kube_url: "https://127.0.0.1:2".to_owned(),
            control_url: String::new(),
            ca_pem: "CA".to_owned(),
            client_id: "kubernetes-client".to_owned(),
            client_secret: Some("s".to_owned()),
            admin_token: String::new(),
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
            seed_form(&addresses, &["--certificate-authority=/a b/ca.pem"]),
            expected
        );
    }
}
