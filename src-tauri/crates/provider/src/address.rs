//! Which addresses we talk to or send a browser to: https, and http on this computer alone.

use std::net::IpAddr;

use broker::problem::Problem;
use url::{Host, Url};

/// The issuer, from flags (OpenID Connect Discovery section 3).
pub(crate) fn issuer(text: &str) -> Result<Url, Problem> {
    let url = parse(text, "a kubeconfig's issuer")?;
    if !is_secure(&url) {
        return Err(Problem::NotHttps {
            url: text.to_owned(),
        });
    }
    if url.query().is_some() {
        return Err(bad(text, "an issuer has no query"));
    }
    Ok(url)
}

/// An endpoint that discovery names. Plain http, and this computer as a host, are only for a
/// provider that is itself on this computer: another one could aim our secrets at local services.
pub(crate) fn endpoint(text: &str, issuer: &Url) -> Result<Url, Problem> {
    let url = parse(text, "an endpoint")?;
    if is_loopback(&url) && !is_loopback(issuer) {
        return Err(bad(text, "it is on this computer, the provider is not"));
    }
    if !is_secure(&url) {
        return Err(bad(text, "it is not https"));
    }
    Ok(url)
}

/// Whether a URL leads to this computer alone.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// TLS, or no network in between.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn parse(text: &str, what: &str) -> Result<Url, Problem> {
    // The parser drops some of these silently; a browser's command line or a log must not see them.
    if text.starts_with('-')
        || text
            .chars()
            .any(|one| one.is_control() || one.is_whitespace())
    {
        return Err(bad(text, "it has characters that no address has"));
    }
    let url = Url::parse(text).map_err(|error| bad(text, &format!("{what}: {error}")))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(text, "it names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(
            url.host_str().unwrap_or_default(),
            "it has a user name in it",
        ));
    }
    if url.fragment().is_some() {
        return Err(bad(text, "it has a fragment"));
    }
    Ok(url)
}

fn bad(url: &str, reason: &str) -> Problem {
    let url = url.chars().take(200).collect();
    Problem::BadUrl {
        url,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::problem::Code;

    #[test]
    fn https_or_this_computer() {
        for (text, expected) in [
            ("https://sso.example.com/realms/r", None),
            ("https://sso.example.com:8443", None),
            ("http://localhost:8080/realms/r", None),
            ("http://127.0.0.1:8080", None),
            ("http://[::1]:8080", None),
            ("http://sso.example.com", Some(Code::NotHttps)),
            ("http://localhost.example.com", Some(Code::NotHttps)),
            ("http://0.0.0.0:80", Some(Code::NotHttps)),
            ("ftp://sso.example.com", Some(Code::NotHttps)),
            ("file:///etc/passwd", Some(Code::BadUrl)),
            ("kubefob://open", Some(Code::NotHttps)),
            ("javascript:alert(1)", Some(Code::BadUrl)),
            ("-x", Some(Code::BadUrl)),
            ("$(id)", Some(Code::BadUrl)),
            ("https://sso.example.com/\u{1b}[2J", Some(Code::BadUrl)),
            ("https://sso.example.com/a b", Some(Code::BadUrl)),
            ("https://user:word@sso.example.com", Some(Code::BadUrl)),
            ("https://sso.example.com/#x", Some(Code::BadUrl)),
            ("https://sso.example.com/?x", Some(Code::BadUrl)),
            ("", Some(Code::BadUrl)),
        ] {
            assert_eq!(
                issuer(text).err().map(|problem| problem.code()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_far_provider_cannot_name_a_near_endpoint() {
        let far = Url::parse("https://sso.example.com").unwrap();
        let near = Url::parse("http://127.0.0.1:5556").unwrap();
        for (text, issuer, good) in [
            ("https://login.example.net/authorize?flow=1", &far, true),
            ("http://localhost:5556/token", &far, false),
            ("https://127.0.0.1/token", &far, false),
            ("http://sso.example.com/token", &far, false),
            ("http://localhost:5556/token", &near, true),
            ("file:///etc/passwd", &near, false),
        ] {
            assert_eq!(endpoint(text, issuer).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let problem = issuer("https://user:hunter2@sso.example.com").unwrap_err();
        assert!(!format!("{problem:?}").contains("hunter2"));
    }
}
