//! Addresses that every program reads alike.
//!
//! kubectl reads them as Go does (`net/url`: `ParseRequestURI`), others as browsers do (WHATWG), as RFC 3986 says, or as
//! urllib3 does. They part where a host ends, at which `@` it begins, what a `#` or a `\` is, and what `..` comes to. So an
//! address counts only in the form that they all take alike: in any other one the host that we see is not the one that is
//! spoken to.

use std::net::Ipv4Addr;

/// Such an address, in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address<'text> {
    /// With its `://`; empty where there is none, as in `10.0.0.1:6443`.
    scheme: &'text str,
    /// The host, with its port.
    authority: &'text str,
    path: &'text str,
    /// With its `?`.
    query: &'text str,
}

impl<'text> Address<'text> {
    /// None: not everybody reads it alike, or nobody reads it.
    pub(crate) fn read(text: &'text str) -> Option<Self> {
        let (scheme, rest) = match text.find("://") {
            Some(at) => text.split_at_checked(at + 3)?,
            None => ("", text),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (path, query) = rest.split_at_checked(rest.find('?').unwrap_or(rest.len()))?;
        let (user, authority) = match authority.split_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, authority),
        };
        let is_alike = is_scheme(scheme)
            && user.is_none_or(|user| !scheme.is_empty() && is_made_of(user, ":"))
            && is_authority(authority)
            && is_path(path)
            && is_made_of(query, ":@/?")
            // Where nothing but the query ends the host, some have gone on to an `@`.
            && !(path.is_empty() && query.contains('@'));
        is_alike.then_some(Self {
            scheme,
            authority,
            path,
            query,
        })
    }

    /// An address is remembered and shown: it is no place for a password. That also shows
    /// `https://known.example@other.example` for what it is.
    pub(crate) fn without_password(&self) -> String {
        [self.scheme, self.authority, self.path, self.query].concat()
    }

    /// kubectl drops what follows the path, where there is a path (`tools/clientcmd/client_config.go`: `ClientConfig`).
    pub(crate) fn without_query(self) -> Self {
        let query = match self.path.len() > 1 && !self.scheme.is_empty() {
            true => "",
            false => self.query,
        };
        Self { query, ..self }
    }

    /// Whether two lead to one server: the case of a host, the usual port, and a `/` at the end make none of two.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.plain() == other.plain()
    }

    fn plain(&self) -> String {
        let scheme = match self.scheme {
            "" => "https://".to_owned(),
            scheme => scheme.to_ascii_lowercase(),
        };
        let usual = match scheme.as_str() {
            "http://" => ":80",
            _ => ":443",
        };
        let authority = self.authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(usual).unwrap_or(&authority);
        let path = match self.query {
            "" => self.path.trim_end_matches('/'),
            _ => self.path,
        };
        [&scheme, authority, path, self.query].concat()
    }
}

fn is_scheme(scheme: &str) -> bool {
    let Some(name) = scheme.strip_suffix("://") else {
        return scheme.is_empty();
    };
    let of_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && name.chars().all(of_scheme)
}

/// Whether a text has the letters alone that RFC 3986 lets stand for themselves, those that are named here, and others as
/// `%41`.
fn is_made_of(text: &str, others: &str) -> bool {
    let is_one = |letter: char| {
        letter.is_ascii_alphanumeric()
            || "-._~!$&'()*+,;=%".contains(letter)
            || others.contains(letter)
    };
    text.chars().all(is_one) && decoded(text).is_some()
}

/// None where a `%` is followed by no two digits.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

/// No part of it leads up, or nowhere, once more of it was decoded than one reader does.
fn is_path(path: &str) -> bool {
    let Some(decoded) = decoded(path).filter(|_| is_made_of(path, ":@/")) else {
        return false;
    };
    let is_odd = |byte: &u8| byte.is_ascii_control() || b"\\%?#".contains(byte);
    !decoded.iter().any(is_odd)
        && decoded.split(|byte| *byte == b'/').all(|part| {
            // Some servers leave out what follows.
            let name = part.split(|byte| *byte == b';').next();
            !matches!(name, Some(b"." | b".."))
        })
}

fn is_authority(authority: &str) -> bool {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, rest)) if is_ipv6(host) => ("", rest),
            Some(_) | None => return false,
        },
        None => authority
            .find(':')
            .and_then(|at| authority.split_at_checked(at))
            .unwrap_or((authority, "")),
    };
    let is_port = |port: &str| {
        !port.is_empty()
            && port.bytes().all(|digit| digit.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    };
    (host.is_empty() == authority.starts_with('['))
        && (host.is_empty() || is_host(host))
        && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once("%25").unwrap_or((host, "x"));
    let of_zone = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    address.parse::<std::net::Ipv6Addr>().is_ok() && !zone.is_empty() && zone.chars().all(of_zone)
}

fn is_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let of_host = |letter: char| {
        letter.is_ascii_alphanumeric() || "-_".contains(letter) || is_plain_letter(letter)
    };
    let is_name = name
        .split('.')
        .all(|label| !label.is_empty() && label.chars().all(of_host));
    // A number at the end makes an IPv4 address of it to some, in whatever form.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|digit| digit.is_ascii_digit())
        || last.starts_with("0x")
        || last.starts_with("0X");
    is_name && (!is_number || name.parse::<Ipv4Addr>().is_ok())
}

/// Other letters than English ones, of which nobody makes others before the host is looked up.
fn is_plain_letter(letter: char) -> bool {
    let is_one = matches!(letter,
        '\u{e0}'..='\u{f6}' | '\u{f8}'..='\u{17e}' | '\u{3ac}'..='\u{3ce}' | '\u{430}'..='\u{52f}'
        | '\u{561}'..='\u{586}' | '\u{5d0}'..='\u{5ea}' | '\u{621}'..='\u{63a}' | '\u{641}'..='\u{64a}'
        | '\u{e01}'..='\u{e32}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    let is_changed = matches!(
        letter,
        '\u{132}' | '\u{133}' | '\u{13f}' | '\u{140}' | '\u{149}' | '\u{3c2}'
    );
    is_one && !is_changed && letter.is_alphanumeric() && !letter.is_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        Address::read(text).map(|address| address.without_query().without_password())
    }

    #[test]
    fn what_people_have_stays_as_it_is() {
        for text in [
            "https://c",
            "https://c:6443",
            "https://C.Example:6443/",
            "HTTPS://c//",
            "https://10.0.0.1:6443",
            "https://[::1]:6443/x",
            "https://[2001:DB8::1]",
            "https://[fe80::1%25eth0]:1",
            "https://rancher.example/k8s/clusters/c-abc",
            "https://gw/tenants/a_b~c/(1);x=y/@z/%20",
            "https://gw/...",
            "https://c?q",
            "https://c/?q=/../",
            "https://b\u{fc}cher.example",
            "https://\u{d55c}\u{ad6d}.example:6443",
            "https://g\u{43e}\u{43e}d.example.com",
            "https://a_b.svc.cluster.local.",
            "http://127.0.0.1:8001",
            "socks5://p:1080",
            "c:6443",
            "localhost",
            "10.0.0.1:6443/p?q",
        ] {
            assert_eq!(key(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_key_holds_no_password_and_no_query_after_a_path() {
        let table = [
            ("https://u:p@c:1/x@y", "https://c:1/x@y"),
            ("https://u%40v;w=1@c", "https://c"),
            (
                "https://known.example@other.example",
                "https://other.example",
            ),
            ("https://c/p?q=a&b=@", "https://c/p"),
            ("https://gw/good?/../evil", "https://gw/good"),
        ];
        for (text, expected) in table {
            assert_eq!(key(text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_not_everybody_reads_alike_is_no_address() {
        for text in [
            "",
            "https://",
            "https:///evil",
            "https:/evil",
            "https:evil",
            "https:\\\\evil",
            "//evil",
            "1https://c",
            "https://evil\\@good",
            "https://evil:1\\@good:2",
            "https://evil\\.good",
            "https://good\\evil",
            "https://a@b@c",
            "https://u\"@c",
            "https://u%zz@c",
            "https://u<@c",
            "u@c:6443",
            "https://c?@d",
            "https://gw/good#/../evil",
            "https://gw#",
            "https://gw/good/../evil",
            "https://gw/good/./x",
            "https://gw/good/..",
            "https://gw/good/%2e%2E/evil",
            "https://gw/good/.%2e/evil",
            "https://gw/good%2f..%2Fevil",
            "https://gw/good%5c..%5cevil",
            "https://gw/good/%252e%252e/evil",
            "https://gw/good/..;x/evil",
            "https://gw/good%23/evil",
            "https://gw/good%3f/evil",
            "https://gw/%0a",
            "https://gw/%",
            "https://gw/a b",
            " https://c",
            "https://c ",
            "https://c\n",
            "ht\ttps://c",
            "https://c\t.evil",
            "https://\u{7f}c",
            "https://c/\u{e9}",
            "https://c/?\u{e9}",
            "https://c/?a|b",
            "https://c/{x}",
            "https://c:",
            "https://c:0x1",
            "https://c:99999",
            "https://c:+1",
            "https://c:1:2",
            "https://c%2fx.evil",
            "https://c%41",
            "https://[::1",
            "https://[::1]x",
            "https://[::1%eth0]",
            "https://[evil]",
            "https://::1",
            "https://.",
            "https://a..b",
            "https://a,b",
            "https://2130706433",
            "https://127.1",
            "https://0177.0.0.1",
            "https://1.2.3.4.5",
            "https://0x7f000001",
            "https://good\u{3002}evil",
            "https://\u{ff45}vil",
            "https://stra\u{df}e.example",
            "https://B\u{dc}cher.example",
            "https://a\u{202e}b.example",
            "https://a\u{ad}b.example",
        ] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn one_server_in_two_spellings_is_one() {
        let is_same = |one: &str, other: &str| {
            let (one, other) = (Address::read(one), Address::read(other));
            one.zip(other)
                .is_some_and(|(one, other)| one.is_same(&other))
        };
        assert!(is_same("HTTPS://U@DEV:443/", "dev"));
        assert!(is_same("http://dev:80", "http://dev/"));
        assert!(!is_same("http://dev", "https://dev"));
        assert!(!is_same("https://gw/A", "https://gw/a"));
        assert!(!is_same("https://gw/a", "https://gw/a?b"));
    }
}
