//! The values of kubelogin's flags. None of these errors quotes the value.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::{Host, Url};

use super::Called;
use crate::account::{ListenAddress, Pkce};
use crate::problem::Problem;

/// Bounds of `--authentication-timeout-sec`. A person who has not signed in after an hour is gone.
const SECONDS: (u64, u64) = (1, 3600);

/// A value of the wrong form, and what it should look like.
pub(super) fn form(flag: &str, example: &str) -> Problem {
    Problem::FlagForm {
        flag: flag.to_owned(),
        example: example.to_owned(),
    }
}

/// A value that is none of those there are.
pub(super) fn choice(flag: &str, choices: &str) -> Problem {
    Problem::FlagChoice {
        flag: flag.to_owned(),
        choices: choices.to_owned(),
    }
}

/// A plain value: pflag keeps it as it is. Control characters have no business in any of them.
pub(super) fn plain(flag: &str, value: &str, example: &str) -> Result<String, Problem> {
    if value.chars().any(char::is_control) {
        return Err(form(flag, example));
    }
    Ok(value.to_owned())
}

/// A boolean as Go's `strconv.ParseBool` takes it.
pub(super) fn switch(flag: &str, value: &str) -> Result<bool, Problem> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(choice(flag, "true, false")),
    }
}

/// `--oidc-pkce-method`.
pub(super) fn pkce(flag: &str, value: &str) -> Result<Pkce, Problem> {
    match value {
        "auto" => Ok(Pkce::Auto),
        "no" => Ok(Pkce::No),
        "S256" => Ok(Pkce::S256),
        _ => Err(choice(flag, "auto, no, S256")),
    }
}

/// `--authentication-timeout-sec`.
pub(super) fn seconds(flag: &str, value: &str) -> Result<Duration, Problem> {
    let (least, most) = SECONDS;
    value
        .parse()
        .ok()
        .filter(|seconds| (least..=most).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| Problem::FlagRange {
            flag: flag.to_owned(),
            least,
            most,
        })
}

/// A list as pflag's StringSlice takes it: one record of Go's `encoding/csv`. An empty value is an
/// empty list, quotes around a field go, a quote in the middle is an error, and what stands after
/// the first line is dropped.
pub(super) fn list(flag: &str, value: &str, example: &str) -> Result<Vec<String>, Problem> {
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let fields = record(value).ok_or_else(|| form(flag, example))?;
    fields
        .iter()
        .map(|field| plain(flag, field, example))
        .collect()
}

fn record(text: &str) -> Option<Vec<String>> {
    let text = text.replace("\r\n", "\n");
    let text = text.strip_suffix('\r').unwrap_or(&text);
    let mut rest = text.trim_start_matches('\n');
    if rest.is_empty() {
        return None;
    }
    let mut fields = Vec::new();
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => bare_field(rest)?,
        };
        fields.push(field);
        if after.is_empty() || after.starts_with('\n') {
            return Some(fields);
        }
        rest = after.strip_prefix(',')?;
    }
}

fn bare_field(text: &str) -> Option<(String, &str)> {
    let (field, after) = text.split_at(text.find([',', '\n']).unwrap_or(text.len()));
    (!field.contains('"')).then(|| (field.to_owned(), after))
}

/// What follows an opening quote: the field, in which a doubled quote stands for one, and what
/// stands after the closing quote.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        let Some(doubled) = after.strip_prefix('"') else {
            return Some((field, after));
        };
        field.push('"');
        rest = doubled;
    }
}

/// An issuer, kept byte for byte. It is an https URL without user, query or fragment (OIDC
/// Discovery section 3); plain http is for this computer alone.
pub(super) fn issuer(flag: &str, value: &str) -> Result<String, Problem> {
    let url = url(value)
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| form(flag, "https://sso.example.com/realms/name"))?;
    if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) {
        return Ok(value.to_owned());
    }
    Err(Problem::NotHttps {
        url: value.to_owned(),
    })
}

/// `--oidc-redirect-url`; none if it is empty. The code that it carries must stay on this computer.
pub(super) fn redirect(flag: &str, value: &str) -> Result<Option<String>, Problem> {
    if value.is_empty() {
        return Ok(None);
    }
    let url = url(value)
        .filter(|url| url.fragment().is_none() && matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| form(flag, "http://localhost:8000"))?;
    if !is_loopback(&url) {
        return Err(not_loopback(url.host_str().unwrap_or_default()));
    }
    Ok(Some(value.to_owned()))
}

/// A URL with a host and without a user, written as URLs are: the parser itself would drop tabs
/// and line ends, turn backslashes, and take `https:host`.
fn url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let after_scheme = value.get(url.scheme().len()..)?;
    let written_plainly = after_scheme.starts_with("://")
        && !value.chars().any(|character| {
            character.is_control() || character.is_whitespace() || character == '\\'
        });
    let without_user = url.username().is_empty() && url.password().is_none();
    (written_plainly && without_user && url.has_host()).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// One address of `--listen-address`, as Go's `net.Listen` takes it.
pub(super) fn listen(flag: &str, value: &str) -> Result<ListenAddress, Problem> {
    let wrong = || form(flag, "127.0.0.1:8000");
    let (host, port) = value.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if bracketed.is_none() && host.contains(':') {
        return Err(wrong());
    }
    let host = bracketed.unwrap_or(host);
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if !loopback {
        return Err(not_loopback(value));
    }
    Ok(ListenAddress {
        host: host.to_ascii_lowercase(),
        port,
    })
}

fn not_loopback(address: &str) -> Problem {
    Problem::ListenNotLoopback {
        address: address.to_owned(),
    }
}

/// The path of a CA file: `~` is the home, as kubelogin has it, and a relative path starts at the
/// asker's folder. Different spellings of one path (`./a`, `a//b`) are one.
pub(super) fn path(flag: &str, value: &str, called: &Called<'_>) -> Result<PathBuf, Problem> {
    if value.is_empty() {
        return Err(Problem::FlagNoValue {
            flag: flag.to_owned(),
        });
    }
    plain(flag, value, "/etc/ssl/ca.pem")?;
    let (base, rest) = match value.strip_prefix('~') {
        Some(rest) => (called.home, Path::new(rest.trim_start_matches('/'))),
        None => (called.cwd, Path::new(value)),
    };
    let path: PathBuf = base.join(rest).components().collect();
    if !path.is_absolute() {
        return Err(form(flag, "/etc/ssl/ca.pem"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn lists_are_read_as_pflag_reads_them() {
        for (value, expected) in [
            ("", Some(vec![])),
            ("email", Some(vec!["email"])),
            ("a,b", Some(vec!["a", "b"])),
            (r#""email""#, Some(vec!["email"])),
            (r#""a,b",c"#, Some(vec!["a,b", "c"])),
            (r#""a""b""#, Some(vec![r#"a"b"#])),
            ("a b, c", Some(vec!["a b", " c"])),
            ("a,", Some(vec!["a", ""])),
            (",", Some(vec!["", ""])),
            ("\n\na,b\nc", Some(vec!["a", "b"])),
            ("a\r\n", Some(vec!["a"])),
            (r#"a"b"#, None),
            (r#" "a""#, None),
            (r#""a"b"#, None),
            (r#""a"#, None),
            (r#"""#, None),
            ("\n", None),
            ("\r", None),
            ("a\u{1b}b", None),
            ("\"a\nb\"", None),
        ] {
            let found = list("--x", value, "a,b").ok();
            let expected = expected.map(|fields| fields.into_iter().map(str::to_owned).collect());
            assert_eq!(found, expected, "{value:?}");
        }
    }

    #[test]
    fn an_issuer_is_https_or_here() {
        for good in [
            "https://sso.example.com",
            "https://sso.example.com/",
            "https://sso.example.com:8443/realms/r",
            "https://10.0.0.1/x",
            "http://localhost:8080/realms/r",
            "http://127.0.0.1",
            "http://127.8.9.1:1",
            "http://[::1]:8080",
        ] {
            assert_eq!(issuer("--x", good).as_deref(), Ok(good));
        }
        for (bad, code) in [
            ("http://sso.example.com", Code::NotHttps),
            ("http://10.0.0.1", Code::NotHttps),
            ("http://localhost.example.com", Code::NotHttps),
            ("http://foo.localhost", Code::NotHttps),
            ("ftp://sso.example.com", Code::NotHttps),
            ("sso.example.com", Code::FlagForm),
            ("https:sso.example.com", Code::FlagForm),
            ("https:/sso.example.com", Code::FlagForm),
            ("https://", Code::FlagForm),
            ("https:\\\\sso.example.com", Code::FlagForm),
            ("https://sso.example.com\\@evil", Code::FlagForm),
            ("https://user@sso.example.com", Code::FlagForm),
            ("https://user:hunter2@sso.example.com", Code::FlagForm),
            ("http://user:hunter2@sso.example.com", Code::FlagForm),
            ("https://sso.example.com/#a", Code::FlagForm),
            ("https://sso.example.com/?a", Code::FlagForm),
            (" https://sso.example.com", Code::FlagForm),
            ("https://sso.exam\tple.com", Code::FlagForm),
            ("https://sso.example.com/\u{1b}]", Code::FlagForm),
            ("\"https://sso.example.com\"", Code::FlagForm),
            ("file:///etc/passwd", Code::FlagForm),
        ] {
            assert_eq!(issuer("--x", bad).unwrap_err().code(), code, "{bad}");
        }
    }

    #[test]
    fn redirects_and_listeners_stay_here() {
        for good in [
            "http://localhost:8000",
            "http://127.0.0.1/oauth2/callback?a",
            "https://[::1]/",
        ] {
            assert_eq!(redirect("--x", good), Ok(Some(good.to_owned())));
        }
        assert_eq!(redirect("--x", ""), Ok(None));
        for (bad, code) in [
            ("https://sso.example.com/callback", Code::ListenNotLoopback),
            ("localhost:8000", Code::FlagForm),
            ("http://localhost/#a", Code::FlagForm),
            ("http://a@localhost/", Code::FlagForm),
        ] {
            assert_eq!(redirect("--x", bad).unwrap_err().code(), code, "{bad}");
        }
        for (good, host, port) in [
            ("127.0.0.1:8000", "127.0.0.1", 8000),
            ("Localhost:0", "localhost", 0),
            ("[::1]:8000", "::1", 8000),
            ("127.1.2.3:65535", "127.1.2.3", 65535),
        ] {
            let host = host.to_owned();
            assert_eq!(listen("--x", good), Ok(ListenAddress { host, port }));
        }
        for (bad, code) in [
            (":8000", Code::ListenNotLoopback),
            ("0.0.0.0:8000", Code::ListenNotLoopback),
            ("[::]:8000", Code::ListenNotLoopback),
            ("10.0.0.1:8000", Code::ListenNotLoopback),
            ("8000", Code::FlagForm),
            ("127.0.0.1", Code::FlagForm),
            ("::1:8000", Code::FlagForm),
            ("127.0.0.1:65536", Code::FlagForm),
            ("127.0.0.1:http", Code::FlagForm),
            ("", Code::FlagForm),
        ] {
            assert_eq!(listen("--x", bad).unwrap_err().code(), code, "{bad}");
        }
    }

    #[test]
    fn a_time_to_sign_in_is_between_a_second_and_an_hour() {
        assert_eq!(seconds("--x", "180"), Ok(Duration::from_secs(180)));
        for bad in ["", "0", "-1", "3601", "1.5", "3m", "99999999999999999999"] {
            assert_eq!(
                seconds("--x", bad).unwrap_err().code(),
                Code::FlagRange,
                "{bad}"
            );
        }
    }

    #[test]
    fn paths_start_at_the_home_or_at_the_asker() {
        let mut called = Called {
            program: b"",
            args: &[],
            cwd: Path::new("/work"),
            home: Path::new("/home/a"),
            exec_info: None,
        };
        for (value, expected) in [
            ("/ca.pem", "/ca.pem"),
            ("~/.kube/ca.pem", "/home/a/.kube/ca.pem"),
            ("~ca.pem", "/home/a/ca.pem"),
            ("ca.pem", "/work/ca.pem"),
            ("./x//ca.pem", "/work/x/ca.pem"),
            ("../ca.pem", "/work/../ca.pem"),
            ("a/~/ca.pem", "/work/a/~/ca.pem"),
        ] {
            let found = path("--x", value, &called).unwrap();
            assert_eq!(found.to_str(), Some(expected), "{value}");
        }
        called.cwd = Path::new("");
        called.home = Path::new("");
        for bad in ["", "ca.pem", "~/ca.pem", "/a\nb"] {
            assert!(path("--x", bad, &called).is_err(), "{bad}");
        }
    }
}
