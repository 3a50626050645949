//! What a playground is started with. The binary takes the same as JSON; every field has a default.

use serde::{Deserialize, Serialize};

/// A whole playground.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The issuer's path, below `https://localhost:PORT`.
    pub issuer_path: String,
    /// Whether the provider speaks TLS. Without it the issuer starts with `http://`.
    pub tls: bool,
    /// The provider's port; 0 takes a free one.
    pub provider_port: u16,
    /// The Kubernetes API's port; 0 takes a free one.
    pub kube_port: u16,
    /// The control endpoint's port; 0 takes a free one.
    pub control_port: u16,
    /// How tokens are signed.
    pub algorithm: Algorithm,
    /// How many keys the JWKS holds; the last one signs.
    pub keys: usize,
    /// Whether keys and tokens carry a `kid`.
    pub kid: bool,
    /// What the redirect says of the issuer (RFC 9207).
    pub iss_parameter: IssParameter,
    /// Who may ask for tokens.
    pub clients: Vec<Client>,
    /// Who may sign in.
    pub users: Vec<User>,
    /// Put into `aud` beside the client; with any, `aud` is a list.
    pub extra_audiences: Vec<String>,
    /// How long an authorization code lives.
    pub code_seconds: i64,
    /// How long ID and access tokens live.
    pub token_seconds: i64,
    /// How long a session lives after its last refresh.
    pub session_idle_seconds: i64,
    /// How long a session lives at most.
    pub session_max_seconds: i64,
    /// What a refresh does to the refresh token.
    pub rotation: Rotation,
    /// Who is given a refresh token.
    pub refresh_tokens: RefreshTokens,
    /// Whether a sign-in ends the user's other sessions with the same client.
    pub one_session_per_user: bool,
    /// The Kubernetes API.
    pub kube: Kube,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer_path: "/realms/demo".to_owned(),
            tls: true,
            provider_port: 0,
            kube_port: 0,
            control_port: 0,
            algorithm: Algorithm::RS256,
            keys: 1,
            kid: true,
            iss_parameter: IssParameter::Announced,
            clients: vec![Client::default()],
            users: vec![User::default()],
            extra_audiences: Vec::new(),
            code_seconds: 60,
            token_seconds: 300,
            session_idle_seconds: 1800,
            session_max_seconds: 36_000,
            rotation: Rotation::None,
            refresh_tokens: RefreshTokens::Always,
            one_session_per_user: false,
            kube: Kube::default(),
        }
    }
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSA with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// The redirect's `iss` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssParameter {
    /// Sent, and discovery says so.
    Announced,
    /// Sent, though discovery does not say so.
    Unannounced,
    /// Not sent.
    Absent,
}

/// A registered client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret; a public client has none.
    pub secret: Option<String>,
    /// The registered redirect URIs, compared exactly. As in Keycloak a trailing `*` matches any
    /// rest, and a loopback URI without a port matches any port.
    pub redirect_uris: Vec<String>,
    /// What is thought of PKCE.
    pub pkce: Pkce,
    /// How an id and a secret in an Authorization header are read.
    pub basic: Basic,
}

impl Default for Client {
    /// The article's client, with the two redirect URIs that kubelogin's documentation registers.
    fn default() -> Self {
        Self {
            id: "kubernetes-client".to_owned(),
            secret: Some("kubefob-playground-client-secret".to_owned()),
            redirect_uris: vec![
                "http://localhost:8000".to_owned(),
                "http://localhost:18000".to_owned(),
            ],
            pkce: Pkce::Optional,
            basic: Basic::Decoded,
        }
    }
}

/// What the provider does with `client_secret_basic`. It announces it in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basic {
    /// Each half is form-decoded (RFC 6749, 2.3.1).
    Decoded,
    /// Each half is compared as it comes.
    Raw,
    /// This client is registered for `client_secret_post` alone.
    Refused,
}

/// What the provider does about a code challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Checked where it is given.
    Optional,
    /// Demanded, and S256 alone accepted.
    Required,
    /// Answered by an error.
    Refused,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// The `preferred_username`.
    pub name: String,
    /// The password.
    pub password: String,
    /// The `groups` claim.
    pub groups: Vec<String>,
}

impl Default for User {
    /// The article's user.
    fn default() -> Self {
        Self {
            name: "test".to_owned(),
            password: "test".to_owned(),
            groups: vec!["kubernetes:admin".to_owned()],
        }
    }
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays the same.
    None,
    /// A new one takes its place; the old one, presented again, ends the whole session.
    Strict,
    /// As `Strict`, but the old one is good for some seconds more.
    Grace {
        /// How many.
        seconds: i64,
    },
}

/// Who is given a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// Everybody, as Keycloak does.
    Always,
    /// Who asks for the scope `offline_access`.
    OnOfflineAccess,
    /// Nobody.
    Never,
}

/// What kube-apiserver's `--oidc-*` flags say, and who may do what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kube {
    /// `--oidc-issuer-url`; the provider's issuer if absent.
    pub issuer: Option<String>,
    /// `--oidc-client-id`; the first client's id if absent.
    pub audience: Option<String>,
    /// `--oidc-username-claim`.
    pub username_claim: String,
    /// Put before the user name.
    pub username_prefix: String,
    /// `--oidc-groups-claim`.
    pub groups_claim: String,
    /// Put before each group.
    pub groups_prefix: String,
    /// The static token of `admin` in `system:masters`; one is made up if absent.
    pub admin_token: Option<String>,
    /// What is allowed to whom, besides `system:masters`.
    pub rules: Vec<Rule>,
}

impl Default for Kube {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            username_claim: "preferred_username".to_owned(),
            username_prefix: String::new(),
            groups_claim: "groups".to_owned(),
            groups_prefix: String::new(),
            admin_token: None,
            rules: vec![Rule::article(Subject::User("test".to_owned()))],
        }
    }
}

/// A ClusterRole and its binding in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Who.
    pub subject: Subject,
    /// The verbs; `*` is all of them.
    pub verbs: Vec<String>,
    /// The resources' plural names; `*` is all of them.
    pub resources: Vec<String>,
}

impl Rule {
    /// The article's `keycloak-role` bound to `subject`: read namespaces and pods.
    #[must_use]
    pub fn article(subject: Subject) -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            subject,
            verbs: words(&["get", "list", "watch"]),
            resources: words(&["namespaces", "pods"]),
        }
    }
}

/// Whom a rule is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A user by name.
    User(String),
    /// All in a group.
    Group(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_object_is_the_default() {
        let config: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(config.clients[0].id, "kubernetes-client");
        assert_eq!(config.kube.rules, Config::default().kube.rules);
    }

    #[test]
    fn a_typing_error_is_told() {
        assert!(serde_json::from_str::<Config>(r#"{"token_secs": 3}"#).is_err());
        let config: Config = serde_json::from_str(
            r#"{"rotation": {"grace": {"seconds": 5}}, "kube": {"rules": [
                {"subject": {"group": "kubernetes:admin"}, "verbs": ["get"], "resources": ["*"]}]}}"#,
        )
        .unwrap();
        assert_eq!(config.rotation, Rotation::Grace { seconds: 5 });
    }
}
