//! What an account is, and what is merely how it signs in.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::secret::{ClientSecret, hex};

/// One identity at one provider: what is signed in to. Two sets of flags that give the same key
/// share one session; anything in it that differs makes another account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountKey {
    /// The issuer, byte for byte (OIDC Discovery section 4.3 compares it so).
    pub issuer: String,
    /// The client id (RFC 6749 section 2.2).
    pub client_id: String,
    /// Scopes beside `openid`, sorted, each once.
    pub scopes: Vec<String>,
    /// How a person signs in.
    pub grant: Grant,
    /// Which token kubectl is given.
    pub token_kind: TokenKind,
    /// How far the provider's TLS is trusted.
    pub tls: Tls,
    /// A name that people gave it, to keep two identities at one client apart.
    pub name: Option<String>,
}

/// How a person signs in. Later issues add the other grants of kubelogin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Authorization code with a loopback redirect (RFC 6749 section 4.1, RFC 8252 section 7.3).
    AuthorizationCode,
}

/// Which token kubectl is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// The ID token, which kube-apiserver's OIDC authenticator reads.
    Id,
}

/// Certificate authorities that replace the system's roots at the provider; none of either: the
/// system's.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tls {
    /// PEM files, made absolute by the asker's folder, otherwise as written.
    pub ca_files: Vec<PathBuf>,
    /// Base64 of PEM, as written.
    pub ca_data: Vec<String>,
}

/// An account's name in files, logs and on the socket: a digest of its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountKey {
    /// The digest of this key: 128 bits of SHA-256 over its JSON, in hexadecimal.
    #[must_use]
    pub fn id(&self) -> AccountId {
        // Serialising these plain types can't fail; an empty text would only merge accounts that
        // cannot exist.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        let digest = ring::digest::digest(&ring::digest::SHA256, &canonical);
        AccountId(hex(digest.as_ref().get(..16).unwrap_or_default()))
    }

    /// Every scope as it is sent: the extra ones first, then `openid`, as kubelogin does.
    #[must_use]
    pub fn scopes_sent(&self) -> Vec<String> {
        self.scopes
            .iter()
            .cloned()
            .chain(["openid".to_owned()])
            .collect()
    }

    /// The provider's host, to name it in a short text. The issuer itself where it is no URL.
    #[must_use]
    pub fn host(&self) -> String {
        url::Url::parse(&self.issuer)
            .ok()
            .and_then(|url| {
                let host = url.host_str()?.to_owned();
                Some(
                    url.port()
                        .map_or(host.clone(), |port| format!("{host}:{port}")),
                )
            })
            .unwrap_or_else(|| self.issuer.clone())
    }
}

impl AccountId {
    /// The text of it, safe as a file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How to reach a provider and how to be signed in at it. None of it is identity: the newest ask that was approved
/// with it ([`crate::consent::manner`]) has the say, but for the client secret, which changes only when it is proved to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// The client secret; none: a public client.
    pub client_secret: Option<ClientSecret>,
    /// Where to listen for the redirect, tried in order.
    pub listen: Vec<ListenAddress>,
    /// The redirect URI to send, where flags fix it (`--oidc-redirect-url`).
    pub redirect_url: Option<String>,
    /// Never open a browser: say the address instead.
    pub skip_open_browser: bool,
    /// Whether PKCE is used (RFC 7636).
    pub pkce: Pkce,
    /// How long a person has to sign in.
    pub authentication_timeout: Duration,
    /// The proxies of the newest asker.
    pub proxies: Proxies,
    /// Those that other askers of this user had lately, the newest first: for when neither the
    /// newest asker's nor the direct way leads to the provider.
    pub known_proxies: Vec<Proxies>,
    /// Other origins that are this provider's, as the person's settings say of its issuer; no flag can.
    pub provider_origins: Vec<String>,
}

/// An address to listen on, as kubelogin's `--listen-address` gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListenAddress {
    /// The host: `127.0.0.1`, `::1` or `localhost` without a person's approval.
    pub host: String,
    /// The port; 0: any.
    pub port: u16,
}

/// `--oidc-pkce-method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pkce {
    /// S256, unless the provider's discovery rules it out.
    #[default]
    Auto,
    /// Never.
    No,
    /// S256 always.
    S256,
}

/// The proxy variables of an asker's parent's environment, as curl names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Proxies {
    /// `HTTPS_PROXY` or `https_proxy`.
    pub https: Option<String>,
    /// `HTTP_PROXY` or `http_proxy`.
    pub http: Option<String>,
    /// `ALL_PROXY` or `all_proxy`.
    pub all: Option<String>,
    /// `NO_PROXY` or `no_proxy`.
    pub no: Option<String>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            client_secret: None,
            listen: [8000, 18000]
                .map(|port| ListenAddress {
                    host: "127.0.0.1".into(),
                    port,
                })
                .into(),
            redirect_url: None,
            skip_open_browser: false,
            pkce: Pkce::Auto,
            authentication_timeout: Duration::from_secs(180),
            proxies: Proxies::default(),
            known_proxies: Vec::new(),
            provider_origins: Vec::new(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key() -> AccountKey {
        AccountKey {
            issuer: "https://sso.example.com/realms/r".into(),
            client_id: "kubernetes-client".into(),
            scopes: vec![],
            grant: Grant::AuthorizationCode,
            token_kind: TokenKind::Id,
            tls: Tls::default(),
            name: None,
        }
    }

    #[test]
    fn whatever_is_in_the_key_makes_another_account() {
        let base = key();
        let others = [
            AccountKey {
                issuer: "https://sso.example.com/realms/r/".into(),
                ..base.clone()
            },
            AccountKey {
                client_id: "other".into(),
                ..base.clone()
            },
            AccountKey {
                scopes: vec!["email".into()],
                ..base.clone()
            },
            AccountKey {
                name: Some("work".into()),
                ..base.clone()
            },
            AccountKey {
                tls: Tls {
                    ca_files: vec!["/ca.crt".into()],
                    ca_data: vec![],
                },
                ..base.clone()
            },
        ];
        for other in others {
            assert_ne!(base.id(), other.id(), "{other:?}");
        }
    }

    #[test]
    fn the_host_is_named_with_its_port() {
        assert_eq!(key().host(), "sso.example.com");
        let local = AccountKey {
            issuer: "https://localhost:8443/realms/r".into(),
            ..key()
        };
        assert_eq!(local.host(), "localhost:8443");
    }
}
