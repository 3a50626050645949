//! Which origins are one provider's: against a provider whose discovery mixes itself up with another (RFC 9700
//! section 4.4). Pure.
//!
//! Somebody's own issuer can name the authorization endpoint of a provider that a person knows, and a token endpoint
//! of its own: the person signs in where they always do, and code and verifier go to whoever wrote the kubeconfig.
//! So codes, verifiers, client secrets and refresh tokens go to the origin where people sign in, and to no other but
//! what is documented of an issuer or what a setting says of it (`provider_origins`). An authorization endpoint of
//! one's own that redirects to another provider's can't be seen from here: the question about a new issuer says so.

use broker::problem::Problem;
use url::Url;

use crate::discovery::Metadata;

/// Issuers that are documented to take codes at another origin than the one where people sign in.
///
/// - Google: <https://developers.google.com/identity/openid-connect/openid-connect>, "Discovery document".
/// - LINE: <https://developers.line.biz/en/reference/line-login/>, "Issue access token".
///
/// Entra ID, Okta, Auth0, GitLab, Amazon Cognito, Apple, Yahoo and Ping have both at one origin, though for some it
/// is not the issuer's.
const TOKENS_AT: &[(&str, &str)] = &[
    (
        "https://accounts.google.com",
        "https://oauth2.googleapis.com",
    ),
    ("https://access.line.me", "https://api.line.me"),
];

/// Issuers, by how they begin, that are documented to have people sign in at another host.
///
/// - Entra ID's version 1.0 names tenants so:
///   <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>, `iss`.
const SIGN_IN_AT: &[(&str, &str)] = &[(
    "https://sts.windows.net/",
    "https://login.microsoftonline.com",
)];

/// What is said of the provider beside its discovery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// Other origins that are this provider's, as the settings have them.
    pub(crate) own: &'a [String],
    /// The issuers of the person's other accounts.
    pub(crate) others: &'a [String],
}

impl Known<'_> {
    /// Refuses a token endpoint that is not where people sign in.
    pub(crate) fn takes_codes(self, metadata: &Metadata) -> Result<(), Problem> {
        let (sign_in, token) = (&metadata.authorization_endpoint, &metadata.token_endpoint);
        let documented = TOKENS_AT
            .iter()
            .any(|(issuer, at)| *issuer == metadata.issuer && is_at(token, at));
        if sign_in.origin() == token.origin() || documented || self.owns(token) {
            return Ok(());
        }
        Err(Problem::TokensElsewhere {
            issuer: metadata.issuer.clone(),
            authorization: origin(sign_in),
            token: origin(token),
        })
    }

    /// Refuses a sign-in at another known provider's, unless each redirect says whose it is (RFC 9207): then one of
    /// that provider's is not believed.
    pub(crate) fn signs_in(self, metadata: &Metadata) -> Result<(), Problem> {
        let at = &metadata.authorization_endpoint;
        let anothers = self.others.iter().find(|other| is_at(at, other));
        match anothers {
            Some(other)
                if elsewhere(metadata).is_some()
                    && !self.owns(at)
                    && !metadata.redirect_names_issuer =>
            {
                Err(Problem::SignInElsewhere {
                    issuer: metadata.issuer.clone(),
                    authorization: origin(at),
                    other: other.clone(),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses to end tokens at an endpoint that is not where they come from.
    pub(crate) fn ends_tokens(self, metadata: &Metadata, endpoint: &Url) -> Result<(), Problem> {
        let token = &metadata.token_endpoint;
        if endpoint.origin() == token.origin() || self.owns(endpoint) {
            return Ok(());
        }
        Err(Problem::EndElsewhere {
            issuer: metadata.issuer.clone(),
            token: origin(token),
            endpoint: origin(endpoint),
        })
    }

    fn owns(self, endpoint: &Url) -> bool {
        self.own.iter().any(|own| is_at(endpoint, own))
    }
}

/// The origin where a person types their password.
pub(crate) fn sign_in(metadata: &Metadata) -> String {
    origin(&metadata.authorization_endpoint)
}

/// The same, where it is not the issuer's nor documented of it.
pub(crate) fn elsewhere(metadata: &Metadata) -> Option<String> {
    let at = &metadata.authorization_endpoint;
    let documented = SIGN_IN_AT
        .iter()
        .any(|(issuers, place)| metadata.issuer.starts_with(issuers) && is_at(at, place));
    (!is_at(at, &metadata.issuer) && !documented).then(|| origin(at))
}

/// Whether an endpoint is at the origin of this address.
fn is_at(endpoint: &Url, address: &str) -> bool {
    Url::parse(address).is_ok_and(|address| address.origin() == endpoint.origin())
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery;
    use broker::problem::Code;

    const REAL: &str = "https://sso.example.com/realms/r";
    const EVIL: &str = "https://evil.example";

    fn metadata(issuer: &str, sign_in: &str, token: &str, names_issuer: bool) -> Metadata {
        let document = serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": sign_in,
            "token_endpoint": token,
            "jwks_uri": "https://keys.example/jwks",
            "authorization_response_iss_parameter_supported": names_issuer,
        });
        discovery::parse(document.to_string().as_bytes(), issuer).unwrap()
    }

    fn code(outcome: Result<(), Problem>) -> Option<Code> {
        outcome.err().map(|problem| problem.code())
    }

    #[test]
    fn codes_go_where_people_sign_in() {
        const GOOGLE: &str = "https://accounts.google.com";
        let own = ["https://api.evil.example".to_owned()];
        let real = format!("{REAL}/auth");
        for (issuer, sign_in, token, own, expected) in [
            (
                REAL,
                real.as_str(),
                "https://sso.example.com/token",
                &[][..],
                true,
            ),
            (REAL, &real, "https://sso.example.com:443/token", &[], true),
            (
                REAL,
                &real,
                "https://sso.example.com:8443/token",
                &[],
                false,
            ),
            (REAL, &real, "https://api.sso.example.com/token", &[], false),
            (EVIL, &real, "https://evil.example/token", &[], false),
            (
                EVIL,
                &real,
                "https://sso.example.com.evil.example/",
                &[],
                false,
            ),
            (EVIL, &real, "https://sso.example.com/token", &[], true),
            (
                EVIL,
                "https://evil.example/a",
                "https://api.evil.example/t",
                &own,
                true,
            ),
            (
                EVIL,
                "https://evil.example/a",
                "https://evil.example.net/t",
                &own,
                false,
            ),
            (
                GOOGLE,
                "https://accounts.google.com/o/oauth2/v2/auth",
                "https://oauth2.googleapis.com/token",
                &[],
                true,
            ),
            (
                GOOGLE,
                "https://accounts.google.com/o/oauth2/v2/auth",
                "https://www.googleapis.com/token",
                &[],
                false,
            ),
            // The table is by exact issuer.
            (
                "https://accounts.google.com/",
                "https://accounts.google.com/a",
                "https://oauth2.googleapis.com/token",
                &[],
                false,
            ),
            (
                EVIL,
                "https://accounts.google.com/o/oauth2/v2/auth",
                "https://oauth2.googleapis.com/token",
                &[],
                false,
            ),
        ] {
            let known = Known { own, others: &[] };
            let found = metadata(issuer, sign_in, token, true);
            assert_eq!(
                code(known.takes_codes(&found)),
                (!expected).then_some(Code::TokensElsewhere),
                "{issuer} {sign_in} {token}"
            );
        }
    }

    #[test]
    fn another_known_provider_s_page_is_not_used() {
        let others = [
            REAL.to_owned(),
            "https://login.microsoftonline.com/t/v2.0".to_owned(),
        ];
        let own = ["https://sso.example.com".to_owned()];
        let entra = "https://sts.windows.net/t/";
        let microsoft = "https://login.microsoftonline.com/t/oauth2/authorize";
        for (issuer, sign_in, names, own, expected) in [
            (
                EVIL,
                "https://sso.example.com/realms/r/auth",
                false,
                &[][..],
                false,
            ),
            (
                EVIL,
                "https://sso.example.com/realms/r/auth",
                true,
                &[],
                true,
            ),
            (
                EVIL,
                "https://sso.example.com/realms/r/auth",
                false,
                &own,
                true,
            ),
            (
                EVIL,
                "https://pool.auth.example.net/authorize",
                false,
                &[],
                true,
            ),
            // Another realm of the same host is its own.
            (
                "https://sso.example.com/realms/s",
                "https://sso.example.com/realms/s/auth",
                false,
                &[],
                true,
            ),
            (entra, microsoft, false, &[], true),
            (EVIL, microsoft, false, &[], false),
        ] {
            let known = Known {
                own,
                others: &others,
            };
            let found = metadata(issuer, sign_in, sign_in, names);
            assert_eq!(
                code(known.signs_in(&found)),
                (!expected).then_some(Code::SignInElsewhere),
                "{issuer} {sign_in}"
            );
        }
    }

    #[test]
    fn where_a_password_is_typed_is_named_unless_it_is_the_issuer_s() {
        for (issuer, sign_in, expected) in [
            (REAL, "https://sso.example.com/elsewhere", None),
            (
                REAL,
                "https://login.example.net/a",
                Some("https://login.example.net"),
            ),
            (
                REAL,
                "https://sso.example.com:8443/a",
                Some("https://sso.example.com:8443"),
            ),
            (
                "https://sts.windows.net/t/",
                "https://login.microsoftonline.com/t/oauth2/authorize",
                None,
            ),
            (
                "https://sts.windows.net.evil.example/",
                "https://login.microsoftonline.com/a",
                Some("https://login.microsoftonline.com"),
            ),
        ] {
            let found = metadata(issuer, sign_in, sign_in, false);
            assert_eq!(elsewhere(&found).as_deref(), expected, "{issuer} {sign_in}");
        }
    }

    #[test]
    fn tokens_end_where_they_come_from() {
        let known = Known {
            own: &[],
            others: &[],
        };
        let found = metadata(
            REAL,
            &format!("{REAL}/auth"),
            &format!("{REAL}/token"),
            false,
        );
        for (endpoint, expected) in [
            ("https://sso.example.com/revoke", None),
            ("https://evil.example/revoke", Some(Code::EndElsewhere)),
            (
                "https://sso.example.com:8443/revoke",
                Some(Code::EndElsewhere),
            ),
        ] {
            let endpoint = Url::parse(endpoint).unwrap();
            assert_eq!(
                code(known.ends_tokens(&found, &endpoint)),
                expected,
                "{endpoint}"
            );
        }
    }
}
