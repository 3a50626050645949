//! How the playground can be told to misbehave: one enum, each fault aimed at endpoints and, if
//! wanted, counted. What a fault does is in `misbehave` and `forge`.

mod armed;

use serde::{Deserialize, Serialize};

pub(crate) use armed::Faults;
pub use armed::{Armed, FaultId};

/// Where requests arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`
    Discovery,
    /// The signing keys.
    Jwks,
    /// The authorization endpoint.
    Authorize,
    /// The login page's form.
    Login,
    /// The token endpoint, for a code.
    Token,
    /// The token endpoint, for a refresh token.
    Refresh,
    /// Revocation (RFC 7009).
    Revoke,
    /// End of the session.
    EndSession,
    /// Anything of the Kubernetes API.
    Kubernetes,
}

impl Endpoint {
    /// All that belong to the provider.
    pub const PROVIDER: [Self; 8] = [
        Self::Discovery,
        Self::Jwks,
        Self::Authorize,
        Self::Login,
        Self::Token,
        Self::Refresh,
        Self::Revoke,
        Self::EndSession,
    ];
}

/// A misbehaviour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    // The request is not processed; this comes instead.
    /// A status with this body, or an empty one.
    Status {
        /// The code.
        code: u16,
        /// The body; absent means empty.
        #[serde(default)]
        body: Option<String>,
    },
    /// 200 and bytes that are neither text nor JSON, called JSON.
    Garbage,
    /// 302 to somewhere else.
    Redirect {
        /// Where.
        to: String,
    },
    /// 302 to somewhere else with the query that came: as a provider passes people on to another's sign-in page.
    PassedOn {
        /// Where.
        to: String,
    },
    /// 200 and a JSON body of this many bytes.
    Huge {
        /// How many; 10 MB if absent.
        #[serde(default = "ten_megabytes")]
        bytes: usize,
    },
    /// As Keycloak answers a client that was switched off.
    DisabledClient,

    // The request is processed, and its reply does not come as it should.
    /// The reply comes late.
    Slow {
        /// By how much.
        milliseconds: u64,
    },
    /// The reply never comes.
    Silent {
        /// What becomes of the connection.
        connection: Connection,
    },

    // The reply is processed, and says something else.
    /// In discovery `issuer`, in a token and a redirect `iss`; absent: it is left out.
    WrongIssuer {
        /// What is said instead.
        #[serde(default)]
        issuer: Option<String>,
    },
    /// Discovery names another URL for one of its endpoints.
    EndpointUrl {
        /// The field, for instance `token_endpoint`.
        name: String,
        /// The URL: `file:///etc/passwd`, `-x`, …
        url: String,
    },
    /// Discovery does not announce PKCE.
    NoPkce,
    /// No `id_token` in the token reply.
    NoIdToken,
    /// No `refresh_token` in the token reply.
    NoRefreshToken,
    /// `expires_in` is this, a number or not.
    ExpiresIn {
        /// The value.
        value: serde_json::Value,
    },
    /// The ID token is for somebody else.
    WrongAudience,
    /// The ID token answers another request.
    WrongNonce,
    /// The ID token is another person's.
    WrongSubject,
    /// The ID token was made for another client, with this one in its audience too.
    ForeignAzp,
    /// The ID token has as many groups as it takes to reach this size.
    ManyGroups {
        /// The size; 20 kB if absent.
        #[serde(default = "twenty_kilobytes")]
        bytes: usize,
    },
    /// Signed by a key that is not in the JWKS, under the kid of one that is.
    WrongSignature,
    /// `alg: none`, and no signature.
    AlgNone,
    /// HS256 with the public key as the secret.
    Hs256,
    /// The JWKS has the public key once more, as an HMAC key of the same kid, and says HS256 of both; tokens are signed
    /// so.
    KeyAsSecret,
    /// The JWKS has another's key too, before the provider's own and under its kid.
    DuplicateKid,
    /// The JWKS has this many keys of others before the provider's own.
    ManyKeys {
        /// How many.
        count: usize,
        /// RSA keys of some 400 bytes; otherwise Ed25519 keys of less than 100.
        #[serde(default)]
        rsa: bool,
    },
    /// Signed by a key that the token itself brings along (`jwk`, `jku`, `x5u`).
    EmbeddedKey,
    /// Tokens' times and every `Date` are off by this much.
    SkewedClock {
        /// Ahead, or behind if negative.
        seconds: i64,
    },
    /// The redirect back carries another state.
    WrongState,
    /// The redirect back carries an error in place of the code.
    CallbackError {
        /// `access_denied`, …
        error: String,
        /// A text.
        #[serde(default)]
        description: Option<String>,
    },

    // Something happens at the provider: at once, or, if aimed at endpoints, just before a request.
    /// The signing keys are replaced, the old ones gone from the JWKS.
    RotatedKeys,
    /// An administrator ends sessions.
    RevokedSessions {
        /// Whose; everybody's if absent.
        #[serde(default)]
        user: Option<String>,
    },
    /// A client gets a new secret.
    ChangedClientSecret {
        /// The client.
        client: String,
        /// Its new secret.
        secret: String,
    },

    // As long as it is armed.
    /// The server's certificate ran out; open connections are closed.
    ExpiredCertificate,
    /// Nobody listens; open connections are closed. Lifted, it is back on the same port.
    Offline,
}

fn ten_megabytes() -> usize {
    10 * 1024 * 1024
}

fn twenty_kilobytes() -> usize {
    20_000
}

/// What becomes of a connection on which no reply comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// It stays open.
    Held,
    /// It is closed.
    Closed,
}

/// When a fault takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// In place of the request.
    Instead,
    /// After the request, before its reply.
    Delivery,
    /// On the reply.
    Rewrite,
    /// On what the provider remembers.
    Event,
    /// On the listener.
    Listener,
}

impl Fault {
    /// Aimed at `endpoint` alone.
    #[must_use]
    pub fn at(self, endpoint: Endpoint) -> Armed {
        Armed::from(self).and_at(endpoint)
    }

    /// For the next `count` requests that it touches.
    #[must_use]
    pub fn times(self, count: u32) -> Armed {
        Armed::from(self).times(count)
    }

    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Status { .. }
            | Self::Garbage
            | Self::Redirect { .. }
            | Self::PassedOn { .. }
            | Self::Huge { .. }
            | Self::DisabledClient => Stage::Instead,
            Self::Slow { .. } | Self::Silent { .. } => Stage::Delivery,
            Self::WrongIssuer { .. }
            | Self::EndpointUrl { .. }
            | Self::NoPkce
            | Self::NoIdToken
            | Self::NoRefreshToken
            | Self::ExpiresIn { .. }
            | Self::WrongAudience
            | Self::WrongNonce
            | Self::WrongSubject
            | Self::ForeignAzp
            | Self::ManyGroups { .. }
            | Self::WrongSignature
            | Self::AlgNone
            | Self::Hs256
            | Self::KeyAsSecret
            | Self::DuplicateKid
            | Self::ManyKeys { .. }
            | Self::EmbeddedKey
            | Self::SkewedClock { .. }
            | Self::WrongState
            | Self::CallbackError { .. } => Stage::Rewrite,
            Self::RotatedKeys | Self::RevokedSessions { .. } | Self::ChangedClientSecret { .. } => {
                Stage::Event
            }
            Self::ExpiredCertificate | Self::Offline => Stage::Listener,
        }
    }

    /// Whether it means anything at `endpoint`.
    pub(crate) fn concerns(&self, endpoint: Endpoint) -> bool {
        use Endpoint::{Authorize, Discovery, EndSession, Jwks, Login, Refresh, Revoke, Token};
        let tokens = matches!(endpoint, Token | Refresh);
        match self {
            Self::EndpointUrl { .. } | Self::NoPkce => endpoint == Discovery,
            Self::WrongIssuer { .. } => tokens || matches!(endpoint, Discovery | Authorize | Login),
            Self::KeyAsSecret => tokens || endpoint == Jwks,
            Self::DuplicateKid | Self::ManyKeys { .. } => endpoint == Jwks,
            Self::PassedOn { .. } => endpoint == Authorize,
            Self::DisabledClient => tokens || matches!(endpoint, Revoke | EndSession),
            Self::NoIdToken
            | Self::NoRefreshToken
            | Self::ExpiresIn { .. }
            | Self::WrongAudience
            | Self::WrongNonce
            | Self::WrongSubject
            | Self::ForeignAzp
            | Self::ManyGroups { .. }
            | Self::WrongSignature
            | Self::AlgNone
            | Self::Hs256
            | Self::EmbeddedKey => tokens,
            Self::WrongState | Self::CallbackError { .. } => matches!(endpoint, Authorize | Login),
            Self::Status { .. }
            | Self::Garbage
            | Self::Redirect { .. }
            | Self::Huge { .. }
            | Self::Slow { .. }
            | Self::Silent { .. }
            | Self::SkewedClock { .. }
            | Self::RotatedKeys
            | Self::RevokedSessions { .. }
            | Self::ChangedClientSecret { .. }
            | Self::ExpiredCertificate
            | Self::Offline => true,
        }
    }
}
