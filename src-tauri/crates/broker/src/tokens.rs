//! What a sign-in brings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::secret::{BearerToken, ClientSecret, RefreshToken};

/// A token with less than this left (or a tenth of its life, if that is less) is renewed first:
/// client-go compares expiry without a margin, and a request takes its time too.
const MARGIN_MOST: Duration = Duration::from_secs(30);
const MARGIN_LEAST: Duration = Duration::from_secs(2);

/// The tokens of one account, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// What kubectl is given.
    pub bearer: BearerToken,
    /// What renews it, where the provider gave one.
    pub refresh: Option<RefreshToken>,
    /// Who it says one is.
    pub identity: Identity,
    /// When the bearer token was asked for, on this computer's clock.
    pub obtained: Wall,
    /// When the bearer token ends, on this computer's clock: `obtained` plus its lifetime (`exp`
    /// less `iat`), so that a clock that is off does no harm.
    pub expires: Wall,
    /// The provider's clock less ours when the token came, in milliseconds.
    pub skew_ms: i64,
    /// When the provider will refuse the refresh token, if it says (`refresh_expires_in`), on
    /// this computer's clock. Only something to tell people: the provider's word counts.
    pub refresh_expires: Option<Wall>,
    /// When a person last signed in.
    pub signed_in: Wall,
    /// The client secret that the provider accepted when these tokens were obtained; none: a
    /// public client. Refreshes use it, whatever newer flags say, until it is refused.
    pub client_secret: Option<ClientSecret>,
    /// How that secret was sent; none: there is none, or the tokens are older than this field.
    pub client_authentication: Option<ClientAuthentication>,
}

/// A way to send a client secret (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in the Authorization header, form-encoded.
    Basic,
    /// `client_secret_post`: in the form.
    Post,
}

/// Who a token says one is. Names and groups are the provider's words: they are cleaned of
/// control characters before they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `sub`, which with the issuer alone identifies a person (OIDC Core section 5.7).
    pub subject: String,
    /// The best name there is: `preferred_username`, else `email`, else `name`, else `sub`.
    pub name: String,
    /// `groups`, where the token has them.
    pub groups: Vec<String>,
}

impl ClientAuthentication {
    /// Its name in discovery and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }

    /// The way of this name, if it is one of ours.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Basic, Self::Post]
            .into_iter()
            .find(|way| way.name() == name)
    }
}

impl Tokens {
    /// How long the bearer token lives in all.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.expires.since(self.obtained)
    }

    /// How much of that life is not used.
    #[must_use]
    pub fn margin(&self) -> Duration {
        (self.lifetime() / 10).clamp(MARGIN_LEAST, MARGIN_MOST)
    }
}
