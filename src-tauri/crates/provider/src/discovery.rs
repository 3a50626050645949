//! What a provider says of itself (OpenID Connect Discovery).

use broker::problem::Problem;
use broker::transaction::{Announced, DiscoverRequest};
use serde::Deserialize;
use url::Url;

use crate::Clock;
use crate::address;
use crate::http::{Http, Trusted};
use crate::json::where_not_what;
use crate::keys::Keys;
use crate::origins::Known;

/// What we need to know of a provider, its addresses checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The issuer, exactly as the account has it.
    pub issuer: String,
    /// Where a person signs in.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: Url,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Where tokens are revoked (RFC 7009), if anywhere.
    pub revocation_endpoint: Option<Url>,
    /// Where its sessions are ended, if anywhere.
    pub end_session_endpoint: Option<Url>,
    /// How clients may authenticate; none: it does not say.
    pub client_authentication: Option<Vec<String>>,
    /// Which PKCE methods it has; none: it does not say.
    pub pkce_methods: Option<Vec<String>>,
    /// Whether each redirect names the issuer (RFC 9207).
    pub redirect_names_issuer: bool,
}

/// Looks at a provider for somebody who thinks of using it.
///
/// # Errors
/// It is not there, or it is none.
pub async fn announced(
    request: &DiscoverRequest,
    trusted: &Trusted,
    clock: &Clock,
) -> Result<Announced, Problem> {
    let issuer = &request.key.issuer;
    let url = address::issuer(issuer)?;
    let http = Http::new(&url, trusted, &request.settings, clock)?;
    let known = Known {
        own: &request.settings.provider_origins,
        others: &[],
    };
    let metadata = discover(&http, issuer, known).await?;
    let usable = |endpoint: &Option<Url>| {
        endpoint
            .as_ref()
            .is_some_and(|endpoint| known.ends_tokens(&metadata, endpoint).is_ok())
    };
    let methods = metadata.pkce_methods.as_deref().unwrap_or_default();
    Ok(Announced {
        pkce: methods.iter().any(|method| method == "S256"),
        revocation: usable(&metadata.revocation_endpoint),
        end_session: usable(&metadata.end_session_endpoint),
    })
}

/// Asks the provider, and refuses one that would have codes and tokens sent elsewhere. Nothing has consequences yet.
pub(crate) async fn discover(
    http: &Http<'_>,
    issuer: &str,
    known: Known<'_>,
) -> Result<Metadata, Problem> {
    let url = address::issuer(issuer)?;
    let document = well_known(issuer);
    let target = Url::parse(&document).unwrap_or_else(|_| url.clone());
    let reply = http
        .get(&target)
        .await
        .map_err(|fault| http.unreachable(fault))?;
    if let Some(problem) = http.fault_of_its_own(reply.status) {
        return Err(problem);
    }
    if reply.status != 200 {
        return Err(Problem::NoDiscovery {
            url: document,
            status: reply.status,
        });
    }
    let metadata = parse(&reply.body, issuer)?;
    known.takes_codes(&metadata)?;
    known.signs_in(&metadata)?;
    Ok(metadata)
}

/// The provider's keys, fetched anew each time: they are few, and change when we least expect it.
pub(crate) async fn keys(http: &Http<'_>, metadata: &Metadata) -> Result<Keys, Problem> {
    let reply = http
        .get(&metadata.jwks_uri)
        .await
        .map_err(|fault| http.unreachable(fault))?;
    if let Some(problem) = http.fault_of_its_own(reply.status) {
        return Err(problem);
    }
    if reply.status != 200 {
        return Err(bad(
            metadata.jwks_uri.as_str(),
            &format!("HTTP {}", reply.status),
        ));
    }
    Keys::parse(&reply.body).map_err(|reason| bad(metadata.jwks_uri.as_str(), &reason))
}

/// Reads a discovery document. Only what we use is looked at: providers differ in the rest.
///
/// # Errors
///
/// A document that can't be understood, that names another issuer, or an address that we do not
/// follow.
pub fn parse(document: &[u8], issuer: &str) -> Result<Metadata, Problem> {
    let base = address::issuer(issuer)?;
    let at = well_known(issuer);
    let found: Document =
        serde_json::from_slice(document).map_err(|error| bad(&at, &where_not_what(&error)))?;
    if found.issuer != issuer {
        return Err(Problem::WrongIssuer {
            expected: issuer.to_owned(),
            found: found.issuer,
        });
    }
    let needed = |endpoint: Option<String>, name: &str| match endpoint {
        Some(endpoint) => address::endpoint(&endpoint, &base),
        None => Err(bad(&at, &format!("it has no {name}"))),
    };
    let optional = |endpoint: Option<String>| {
        endpoint
            .map(|endpoint| address::endpoint(&endpoint, &base))
            .transpose()
    };
    Ok(Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: needed(found.authorization_endpoint, "authorization_endpoint")?,
        token_endpoint: needed(found.token_endpoint, "token_endpoint")?,
        jwks_uri: needed(found.jwks_uri, "jwks_uri")?,
        revocation_endpoint: optional(found.revocation_endpoint)?,
        end_session_endpoint: optional(found.end_session_endpoint)?,
        client_authentication: found.token_endpoint_auth_methods_supported,
        pkce_methods: found.code_challenge_methods_supported,
        redirect_names_issuer: found
            .authorization_response_iss_parameter_supported
            .unwrap_or_default(),
    })
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    revocation_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// The issuer's slash at the end, if any, is not doubled, as kubelogin's library has it.
fn well_known(issuer: &str) -> String {
    format!(
        "{}/.well-known/openid-configuration",
        issuer.strip_suffix('/').unwrap_or(issuer)
    )
}

fn bad(url: &str, reason: &str) -> Problem {
    Problem::BadDiscovery {
        url: url.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::problem::Code;

    const ISSUER: &str = "https://sso.example.com/realms/r";

    fn document(change: &str) -> String {
        format!(
            r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/auth",
            "token_endpoint":"{ISSUER}/token","jwks_uri":"{ISSUER}/certs"{change}}}"#
        )
    }

    #[test]
    fn only_what_we_use_is_needed() {
        let metadata = parse(
            document(r#","grant_types_supported":42"#).as_bytes(),
            ISSUER,
        );
        let metadata = metadata.unwrap();
        assert_eq!(metadata.token_endpoint.as_str(), format!("{ISSUER}/token"));
        assert_eq!(metadata.revocation_endpoint, None);
        assert_eq!(metadata.pkce_methods, None);
        assert!(!metadata.redirect_names_issuer);
    }

    #[test]
    fn what_is_refused() {
        let with = |text: &str| text.to_owned();
        for (text, expected) in [
            (with(""), Code::BadDiscovery),
            (with("<html>"), Code::BadDiscovery),
            (with("{}"), Code::BadDiscovery),
            (
                with(r#"{"issuer":"https://sso.example.com/realms/r"}"#),
                Code::BadDiscovery,
            ),
            (
                with(r#"{"issuer":"https://sso.example.com/realms/r/"}"#),
                Code::WrongIssuer,
            ),
            (
                document(r#","end_session_endpoint":"file:///etc/passwd""#),
                Code::BadUrl,
            ),
            (
                document(r#","revocation_endpoint":"http://sso.example.com/""#),
                Code::BadUrl,
            ),
            (
                document(r#","issuer":"https://other.example""#),
                Code::BadDiscovery,
            ),
        ] {
            let problem = parse(text.as_bytes(), ISSUER).unwrap_err();
            assert_eq!(problem.code(), expected, "{text}");
        }
    }
}
