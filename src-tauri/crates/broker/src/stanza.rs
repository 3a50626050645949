//! How a kubeconfig uses an account: the user's `exec` to be pasted, and the kubectl command that writes it.
//!
//! The shim is called by its own name, without kubectl in between: it costs a process less, and nobody else's
//! `kubectl-oidc_login` can come first. No secret is ever in it: the client secret is in the vault.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::account::{AccountKey, ClientSettings, ListenAddress};
use crate::manner::{Change, Manner};
use crate::shell::quoted;

/// The version that kubectl speaks since 1.22.
const API_VERSION: &str = "client.authentication.k8s.io/v1";
const PROGRAM: &str = "kubectl-fob";

/// How a kubeconfig uses an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "StanzaView"))]
pub struct KubeconfigUser {
    /// The user, as YAML for a kubeconfig's `users`.
    pub yaml: String,
    /// The command that writes the same.
    pub command: String,
    /// The redirect URIs; the first that is free is used, and all are to be registered at the provider.
    pub redirects: Vec<String>,
}

/// The redirect URIs of an account that a person adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redirects(Vec<String>);

impl Default for Redirects {
    fn default() -> Self {
        Self(redirects(&ClientSettings::default()))
    }
}

/// The stanza of an account; `label` is what its user is called.
#[must_use]
pub(crate) fn stanza(key: &AccountKey, settings: &ClientSettings, label: &str) -> KubeconfigUser {
    let user = user(label);
    let arguments = arguments(key, settings);
    KubeconfigUser {
        yaml: yaml(&user, &arguments),
        command: command(&user, &arguments),
        redirects: redirects(settings),
    }
}

/// The redirect URIs that a sign-in may use.
fn redirects(settings: &ClientSettings) -> Vec<String> {
    match &settings.redirect_url {
        Some(url) => vec![url.clone()],
        None => settings
            .listen
            .iter()
            .map(|address| match address.port {
                0 => "http://localhost".to_owned(),
                port => format!("http://localhost:{port}"),
            })
            .collect(),
    }
}

/// A user's name that needs no quotes anywhere.
fn user(label: &str) -> String {
    let plain = |char: char| {
        if char.is_ascii_alphanumeric() || ".-_@".contains(char) {
            char
        } else {
            '-'
        }
    };
    let name: String = label.chars().map(plain).collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        "oidc".to_owned()
    } else {
        name.to_owned()
    }
}

/// What makes this very account when it is asked for, and how it listens where that is not as usual.
fn arguments(key: &AccountKey, settings: &ClientSettings) -> Vec<String> {
    let mut arguments = vec![
        "get-token".to_owned(),
        format!("--oidc-issuer-url={}", key.issuer),
        format!("--oidc-client-id={}", key.client_id),
    ];
    let scopes = key.scopes.iter();
    arguments.extend(scopes.map(|scope| format!("--oidc-extra-scope={scope}")));
    let files = key.tls.ca_files.iter();
    arguments.extend(files.map(|file| format!("--certificate-authority={}", file.display())));
    let data = key.tls.ca_data.iter();
    arguments.extend(data.map(|data| format!("--certificate-authority-data={data}")));
    if settings.listen != ClientSettings::default().listen {
        let listen = settings.listen.iter();
        arguments.extend(listen.map(|ListenAddress { host, port }| {
            let host = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.clone()
            };
            format!("--listen-address={host}:{port}")
        }));
    }
    if let Some(url) = &settings.redirect_url {
        arguments.push(format!("--oidc-redirect-url={url}"));
    }
    // Without them it would ask to sign in otherwise than was approved.
    let usual = Manner::default();
    for Change { flag, now, .. } in usual.changes(&Manner::of(settings)) {
        if !arguments.iter().any(|known| known.starts_with(&flag)) {
            arguments.push(format!("{flag}={now}"));
        }
    }
    arguments
}

fn yaml(user: &str, arguments: &[String]) -> String {
    let mut text = format!(
        "- name: {}\n  user:\n    exec:\n      apiVersion: {API_VERSION}\n      command: {PROGRAM}\n      \
         interactiveMode: IfAvailable\n      provideClusterInfo: true\n      args:\n",
        scalar(user)
    );
    for argument in arguments {
        let _ = writeln!(text, "      - {}", scalar(argument));
    }
    text
}

/// A YAML scalar: as it is where nothing in it can mean something, else as JSON, which YAML understands.
fn scalar(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-._~/=:@+".contains(char);
    // What begins with a letter or a flag's dashes, and is no number, no boolean and no mapping.
    let begins =
        text.starts_with("--") || text.starts_with(|char: char| char.is_ascii_alphabetic());
    let is_word = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        .contains(&text.to_ascii_lowercase().as_str());
    if begins && !is_word && text.chars().all(plain) && !text.ends_with(':') {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

fn command(user: &str, arguments: &[String]) -> String {
    let mut text = format!(
        "kubectl config set-credentials {} --exec-api-version={API_VERSION} --exec-command={PROGRAM} \
         --exec-interactive-mode=IfAvailable --exec-provide-cluster-info",
        quoted(user)
    );
    for argument in arguments {
        let _ = write!(text, " --exec-arg={}", quoted(&field(argument)));
    }
    text
}

/// kubectl reads the flag as a record of CSV (spf13/pflag `string_slice.go`).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::key;

    #[test]
    fn the_usual_account() {
        let stanza = stanza(&key(), &ClientSettings::default(), "sso.example.com");
        assert_eq!(
            stanza.yaml,
            "\
- name: sso.example.com
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: kubectl-fob
      interactiveMode: IfAvailable
      provideClusterInfo: true
      args:
      - get-token
      - --oidc-issuer-url=https://sso.example.com/realms/r
      - --oidc-client-id=kubernetes-client
"
        );
        assert_eq!(
            stanza.command,
            "kubectl config set-credentials sso.example.com \
             --exec-api-version=client.authentication.k8s.io/v1 --exec-command=kubectl-fob \
             --exec-interactive-mode=IfAvailable --exec-provide-cluster-info --exec-arg=get-token \
             --exec-arg=--oidc-issuer-url=https://sso.example.com/realms/r \
             --exec-arg=--oidc-client-id=kubernetes-client"
        );
        let redirects = ["http://localhost:8000", "http://localhost:18000"];
        assert_eq!(stanza.redirects, redirects);
    }

    #[test]
    fn what_could_mean_something_is_quoted() {
        let key = AccountKey {
            client_id: "it's $(x), #1".into(),
            scopes: vec!["email".into()],
            ..key()
        };
        let settings = ClientSettings {
            listen: vec![ListenAddress {
                host: "::1".into(),
                port: 9000,
            }],
            ..ClientSettings::default()
        };
        let stanza = stanza(&key, &settings, "on call; 김");
        assert!(
            stanza.yaml.starts_with("- name: on-call\n"),
            "{}",
            stanza.yaml
        );
        assert!(
            stanza
                .yaml
                .contains("- \"--oidc-client-id=it's $(x), #1\"\n")
        );
        assert!(stanza.yaml.contains("- \"--listen-address=[::1]:9000\"\n"));
        assert!(
            stanza
                .command
                .contains(r#"--exec-arg='"--oidc-client-id=it'\''s $(x), #1"'"#)
        );
        assert!(
            stanza
                .command
                .contains("--exec-arg=--oidc-extra-scope=email")
        );
        assert_eq!(stanza.redirects, ["http://localhost:9000"]);
        for word in ["no", "8", "", "Yes"] {
            assert!(scalar(word).starts_with('"'), "{word}");
        }
    }

    #[test]
    fn no_secret_is_in_it() {
        let settings = ClientSettings {
            client_secret: Some(crate::secret::ClientSecret::new("hunter2".into())),
            ..ClientSettings::default()
        };
        let stanza = stanza(&key(), &settings, "x");
        assert!(!format!("{stanza:?}").contains("hunter2"));
    }
}
