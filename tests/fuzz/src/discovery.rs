//! Discovery documents (`provider::discovery`): what is taken is this issuer's, and leads nowhere
//! that we do not follow.
//!
//! Input: a byte that chooses the issuer, and the document.

use broker::problem::Code;
use provider::discovery::{Metadata, parse};
use serde_json::json;
use url::{Host, Url};

use crate::{Decoded, can_be_told};

const ISSUERS: [&str; 4] = [
    "https://sso.example.com/realms/r",
    "https://sso.example.com/",
    "http://localhost:8080/realms/r",
    "http://[::1]:8080",
];

pub(crate) fn run(input: &[u8]) -> Decoded {
    let Some((&which, document)) = input.split_first() else {
        return Decoded::Refused;
    };
    let issuer = ISSUERS[usize::from(which) % ISSUERS.len()];
    let metadata = match parse(document, issuer) {
        Ok(metadata) => metadata,
        Err(problem) => {
            let code = problem.code();
            let ours = [Code::BadDiscovery, Code::WrongIssuer, Code::BadUrl];
            assert!(ours.contains(&code), "{code:?}");
            can_be_told(&problem);
            return Decoded::Refused;
        }
    };
    assert_eq!(metadata.issuer, issuer);
    let base = Url::parse(issuer).expect("an issuer");
    for address in addresses(&metadata) {
        assert!(
            address.scheme() == "https" || (address.scheme() == "http" && is_here(address)),
            "{address}"
        );
        assert!(!is_here(address) || is_here(&base), "{address}");
        assert!(
            address.username().is_empty() && address.password().is_none(),
            "{address}"
        );
        assert!(address.fragment().is_none(), "{address}");
        let text = address.as_str();
        assert!(
            !text.contains(|one: char| one.is_control() || one.is_whitespace()),
            "{address}"
        );
    }
    assert_eq!(parse(&written(&metadata), issuer), Ok(metadata));
    Decoded::Taken
}

fn addresses(metadata: &Metadata) -> impl Iterator<Item = &Url> {
    [
        Some(&metadata.authorization_endpoint),
        Some(&metadata.token_endpoint),
        Some(&metadata.jwks_uri),
        metadata.revocation_endpoint.as_ref(),
        metadata.end_session_endpoint.as_ref(),
    ]
    .into_iter()
    .flatten()
}

/// Said with other words than the code's own, so that one mistake is not made twice.
fn is_here(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.octets()[0] == 127,
        Some(Host::Ipv6(address)) => address.segments() == [0, 0, 0, 0, 0, 0, 0, 1],
        None => false,
    }
}

fn written(metadata: &Metadata) -> Vec<u8> {
    json!({
        "issuer": metadata.issuer,
        "authorization_endpoint": metadata.authorization_endpoint,
        "token_endpoint": metadata.token_endpoint,
        "jwks_uri": metadata.jwks_uri,
        "revocation_endpoint": metadata.revocation_endpoint,
        "end_session_endpoint": metadata.end_session_endpoint,
        "token_endpoint_auth_methods_supported": metadata.client_authentication,
        "code_challenge_methods_supported": metadata.pkce_methods,
        "authorization_response_iss_parameter_supported": metadata.redirect_names_issuer,
    })
    .to_string()
    .into_bytes()
}
