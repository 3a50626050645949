//! A cookie jar, by the rules of RFC 6265 and of SameSite that decide anything on loopback.

use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use url::Url;

/// By host: cookies know no ports, so that of `localhost:8000` goes to `localhost:8443` too.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Cookie {
    host: String,
    path: String,
    name: String,
    value: String,
    secure: bool,
    same_site: SameSite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
enum SameSite {
    Strict,
    /// The default, too.
    Lax,
    None,
}

impl Jar {
    pub(crate) fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for line in headers.get_all("set-cookie") {
            let Ok(line) = line.to_str() else { continue };
            let Some((cookie, gone)) = parse(url, line) else {
                continue;
            };
            self.cookies.retain(|known| {
                (&known.host, &known.path, &known.name)
                    != (&cookie.host, &cookie.path, &cookie.name)
            });
            if !gone {
                self.cookies.push(cookie);
            }
        }
    }

    /// The header for a navigation to `url` that a page at `initiator` began; without one, the
    /// person (or a program) opened the address.
    pub(crate) fn header(&self, url: &Url, initiator: Option<&Url>, post: bool) -> Option<String> {
        let same_site = initiator.is_none_or(|page| site(page) == site(url));
        let mut fitting: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| Some(cookie.host.as_str()) == url.host_str())
            .filter(|cookie| within(url.path(), &cookie.path))
            .filter(|cookie| !cookie.secure || secure(url))
            .filter(|cookie| match cookie.same_site {
                SameSite::Strict => same_site,
                SameSite::Lax => same_site || !post,
                SameSite::None => true,
            })
            .collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = fitting
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// Sites differ by scheme; their ports don't count.
pub(crate) fn site(url: &Url) -> (&str, Option<&str>) {
    (url.scheme(), url.host_str())
}

/// Browsers take loopback for as good as HTTPS.
fn secure(url: &Url) -> bool {
    url.scheme() == "https" || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn parse(url: &Url, line: &str) -> Option<(Cookie, bool)> {
    let mut parts = line.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let directory = url
        .path()
        .rsplit_once('/')
        .map_or("", |(directory, _)| directory);
    let mut cookie = Cookie {
        host: url.host_str()?.to_owned(),
        path: if directory.is_empty() {
            "/".to_owned()
        } else {
            directory.to_owned()
        },
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
        secure: false,
        same_site: SameSite::Lax,
    };
    let mut gone = false;
    for part in parts {
        let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
        match attribute.to_ascii_lowercase().as_str() {
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "max-age" => gone = value.parse().is_ok_and(|seconds: i64| seconds <= 0),
            // The one date in the past that servers write to delete a cookie.
            "expires" => gone |= value.contains("1970"),
            "samesite" => {
                cookie.same_site = match value.to_ascii_lowercase().as_str() {
                    "strict" => SameSite::Strict,
                    "none" => SameSite::None,
                    _ => SameSite::Lax,
                }
            }
            _ => {}
        }
    }
    // A foreign page on plain http can't plant what only a secure one may read.
    (!cookie.secure || secure(url)).then_some((cookie, gone))
}

fn within(path: &str, cookie: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::Jar;
    use reqwest::header::{HeaderMap, HeaderValue};
    use url::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn jar(at: &str, lines: &[&str]) -> Jar {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("set-cookie", HeaderValue::from_str(line).unwrap());
        }
        let mut jar = Jar::default();
        jar.keep(&url(at), &headers);
        jar
    }

    #[test]
    fn paths_and_ports() {
        let jar = jar(
            "http://localhost:8000/start/t1",
            &["a=1", "b=2; Path=/", "b=3; Path=/"],
        );
        let sent = |at| jar.header(&url(at), None, false);
        assert_eq!(
            sent("http://localhost:8000/start/t2").as_deref(),
            Some("a=1; b=3")
        );
        assert_eq!(
            sent("https://localhost:8443/startled").as_deref(),
            Some("b=3")
        );
        assert_eq!(sent("http://127.0.0.1:8000/start"), None);
    }

    #[test]
    fn a_strict_cookie_stays_away_from_what_another_site_began() {
        let jar = jar(
            "http://localhost:8000/",
            &["s=1; SameSite=Strict", "l=1", "n=1; SameSite=None"],
        );
        let callback = url("http://localhost:8000/?code=c");
        let provider = url("https://localhost:8443/login");
        let sent = |initiator, post| jar.header(&callback, initiator, post);
        assert_eq!(sent(None, false).as_deref(), Some("s=1; l=1; n=1"));
        assert_eq!(sent(Some(&provider), false).as_deref(), Some("l=1; n=1"));
        assert_eq!(sent(Some(&provider), true).as_deref(), Some("n=1"));
    }

    #[test]
    fn a_cookie_is_deleted() {
        let mut jar = jar("http://localhost/", &["a=1"]);
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=; Max-Age=0"));
        jar.keep(&url("http://localhost/"), &headers);
        assert_eq!(jar.header(&url("http://localhost/"), None, false), None);
    }
}
