//! What is too long to be read, cut by what it means: an address never in its host, a list to how many there are.
//!
//! A person approves a host. Whoever writes a kubeconfig chooses how long everything beside it is, and could have it
//! scroll out of sight; so each of these has a length of its own, the same wherever it is shown.

use url::Host;

use crate::texts::{Language, clean, shortened, text};

/// How many characters an address may have where a person is asked.
pub(crate) const ADDRESS: usize = 160;
/// How many of them are its host at most.
const HOST: usize = 64;
/// How many characters a file's path may have where a person is asked.
pub(crate) const PATH: usize = 200;
/// How many characters a name in a list may have.
const NAME: usize = 128;
/// How many names of a list are shown.
pub(crate) const NAMES: usize = 8;
/// How many characters a text may have that stands inside another one.
const PARAMETER: usize = 512;

/// An address of so many characters at most, 16 or more, and inert. It loses the middle of its path; of its host, where
/// that alone is too long, it loses the front, since whose it is says its end; and always who is to sign in there,
/// which looks like a host. Each loss is marked by `…`. A host with other letters than English ones stands as it is
/// looked up (`xn--…`): some of them look like others.
#[must_use]
pub fn address(whole: &str, most: usize) -> String {
    let whole = in_a_line(whole);
    let (scheme, rest) = match whole.split_once("://") {
        Some((scheme, rest)) if scheme.len() <= 8 => (format!("{scheme}://"), rest),
        Some(_) | None => (String::new(), whole.as_str()),
    };
    // Browsers take a backslash for a slash. A comma or a space is in no host.
    let end = rest.find(['/', '?', '#', '\\', ',', ' ']);
    let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
    let (named, host) = match authority.rsplit_once('@') {
        Some((_, host)) => ("…@", host),
        None => ("", authority),
    };
    let front = scheme + named;
    let room = most.saturating_sub(front.chars().count() + usize::from(!path.is_empty()));
    let front = front + &end_of(&looked_up(host), HOST.min(room));
    let left = most.saturating_sub(front.chars().count());
    front + &shortened(path, left)
}

/// A host, and its port, as kubectl and browsers look it up (UTS 46).
fn looked_up(host: &str) -> String {
    if host.is_ascii() {
        return host.to_owned();
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (name, format!(":{port}"))
        }
        Some(_) | None => (host, String::new()),
    };
    let name = match Host::parse(name) {
        Ok(host) => host.to_string(),
        // Nobody finds it.
        Err(_) => name.escape_default().to_string(),
    };
    name + &port
}

/// The end of a host, from the beginning of one of its parts where there is one.
fn end_of(host: &str, most: usize) -> String {
    let length = host.chars().count();
    if length <= most {
        return host.to_owned();
    }
    let kept: String = host.chars().skip(length + 1 - most).collect();
    let parts = kept.split_once('.').map(|(_, parts)| parts);
    let parts = parts.filter(|parts| parts.contains('.'));
    format!("…{}", parts.unwrap_or(&kept))
}

/// A name as it stands in a list: inert, and no longer than a person reads.
#[must_use]
pub(crate) fn name(name: &str) -> String {
    shortened(&in_a_line(name), NAME)
}

/// A file's path, inert, and no longer than a person reads.
#[must_use]
pub(crate) fn path(path: &str) -> String {
    shortened(&in_a_line(path), PATH)
}

/// Inert, and without what only fills a line: however wide it is, one blank is one, and whoever pads a text with them begins
/// no line of their own.
#[must_use]
pub(crate) fn in_a_line(text: &str) -> String {
    let inert = clean(text);
    let words: Vec<_> = inert.split_whitespace().collect();
    words.join(" ")
}

/// A text that whoever wrote a file chose, as such: between marks that stand in it no more.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "'"))
}

/// How many columns of a terminal a text takes at most: letters that are no ASCII may be two wide.
pub(crate) fn columns(text: &str) -> usize {
    text.chars()
        .map(|letter| if letter.is_ascii() { 1 } else { 2 })
        .sum()
}

/// A text of so many columns at most: what is too long loses its middle.
#[must_use]
pub(crate) fn within(text: &str, most: usize) -> String {
    let mut letters = text.chars().count();
    let mut short = text.to_owned();
    while columns(&short) > most && letters > 0 {
        letters -= 1;
        short = shortened(text, letters);
    }
    if most == 0 { String::new() } else { short }
}

/// An address that is cut already, of so many columns at most, as far as that can be without its host.
#[must_use]
pub(crate) fn address_within(address: &str, most: usize) -> String {
    let host = address.find("://").map_or(0, |scheme| scheme + 3);
    let rest = address.get(host..).unwrap_or_default();
    let end = rest.find(['/', '?', '#', '\\', ',', ' ']);
    let (front, path) = address.split_at(end.map_or(address.len(), |end| host + end));
    format!(
        "{front}{}",
        within(path, most.saturating_sub(columns(front)))
    )
}

/// The first of a list, and how many more there are.
#[must_use]
pub fn listed(names: &[String], more: usize, language: Language) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    let list = shown.join(", ");
    match names.len() - shown.len() + more {
        0 => list,
        more => {
            let parameters = [("list", list), ("count", count(more))];
            text(language, "terminal.and-more", &parameters)
        }
    }
}

/// The first of a list as a person reads them, and how many are left.
pub(crate) fn few(names: &[String], most: usize) -> (Vec<String>, usize) {
    let shown: Vec<String> = names.iter().take(most).map(|each| name(each)).collect();
    let left = names.len() - shown.len();
    (shown, left)
}

/// A number as people write it: `2,990`.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A text that stands inside another one, whatever it is: a problem is read in a line or two.
#[must_use]
pub(crate) fn parameter(value: &str) -> String {
    if value.chars().count() <= PARAMETER {
        value.to_owned()
    } else if ["https://", "http://"]
        .iter()
        .any(|scheme| value.starts_with(scheme))
    {
        address(value, PARAMETER)
    } else {
        shortened(value, PARAMETER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_host() {
        let labels = |count: usize| "api.prod.acme.example.".repeat(count);
        let letters = |count: usize| "a".repeat(count);
        for (whole, most, short) in [
            ("", 40, String::new()),
            (
                "https://api.dev.acme.example:6443",
                40,
                "https://api.dev.acme.example:6443".into(),
            ),
            ("10.0.0.1:6443", 40, "10.0.0.1:6443".into()),
            (
                "https://[2001:db8::1]:6443/k8s/clusters/c-m-abcdefgh",
                40,
                "https://[2001:db8::1]:6443/k8s/cl…cdefgh".into(),
            ),
            // Letters that look like others: a Cyrillic о, a fullwidth stop, a slash that is none.
            (
                "https://g\u{43e}\u{43e}d.example.com:6443/x",
                60,
                "https://xn--gd-fmca.example.com:6443/x".into(),
            ),
            (
                "https://good.example.com\u{ff0e}evil.example",
                60,
                "https://good.example.com.evil.example".into(),
            ),
            (
                "https://good.example.com\u{2044}x.evil.example",
                60,
                "https://good.example.xn--comx-2g7a.evil.example".into(),
            ),
            (
                "https://a\u{202e}b.example",
                60,
                "https://a\\u{fffd}b.example".into(),
            ),
            // What looks like a host, and is a name to sign in with.
            (
                "https://api.prod.acme.example:6443@evil.example/",
                60,
                "https://…@evil.example/".into(),
            ),
            ("https://evil.example\\@api.acme.example/", 60, {
                "https://evil.example\\@api.acme.example/".into()
            }),
            (
                &format!("https://{}@evil.example/", letters(6_000)),
                60,
                "https://…@evil.example/".into(),
            ),
            (
                &format!("https://evil.example/{}/x", letters(6_000)),
                40,
                "https://evil.example/aaaaaaaaa…aaaaaaa/x".into(),
            ),
            (
                &format!("https://{}evil.example:6443/x", labels(200)),
                60,
                "https://…example.api.prod.acme.example.evil.example:6443/x".into(),
            ),
            (
                &format!("https://{}.evil.example/x", letters(6_000)),
                40,
                "https://…evil.example/x".into(),
            ),
            (
                &format!("https://{}/x", letters(6_000)),
                40,
                format!("https://…{}…", letters(30)),
            ),
        ] {
            let shown = address(whole, most);
            assert_eq!(shown, short, "{whole:.80}");
        }
    }

    #[test]
    fn no_address_is_longer_than_it_may_be() {
        let parts = [
            "", "a", ".", "@", "/", ":6443", "?", "\u{202e}", "https://", "한",
        ];
        let mut state = 1_usize;
        for _ in 0..20_000 {
            let mut whole = String::from(if state.is_multiple_of(2) {
                "https://"
            } else {
                ""
            });
            for _ in 0..state % 7 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let part = parts[(state >> 33) % parts.len()];
                whole += &part.repeat((state >> 40) % 90);
            }
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            for most in [16, 40, ADDRESS] {
                let shown = address(&whole, most);
                assert!(shown.chars().count() <= most, "{whole}: {shown}");
            }
        }
    }

    #[test]
    fn a_text_begins_no_line_of_its_own() {
        let padded = format!(
            "own){}  known  \u{a0}\u{3000} trusted{}",
            " ".repeat(60),
            " ".repeat(40)
        );
        assert_eq!(name(&padded), "own) known trusted");
        assert_eq!(
            name("a\u{2800}\u{2800}b\u{17b5}"),
            "a\u{fffd}\u{fffd}b\u{fffd}"
        );
        assert_eq!(quoted("own\"; allowed"), "\"own'; allowed\"");
        assert_eq!(within("abcdefgh", 5), "ab…h");
        assert_eq!(within("한국어한국어", 7), "한…어");
        assert_eq!(columns("한a…"), 5);
        let long = format!("https://api.acme.example:6443/{}", "a".repeat(90));
        let shown = address_within(&long, 40);
        assert_eq!(shown, "https://api.acme.example:6443/aaaa…aaaa");
        let host = "https://…prod.acme.example:6443/x";
        assert_eq!(address_within(host, 10), "https://…prod.acme.example:6443");
    }

    #[test]
    fn a_list_is_its_first_names_and_a_number() {
        let names: Vec<String> = (0..3_000).map(|number| format!("c{number}")).collect();
        let all = listed(&names[..3], 0, Language::En);
        assert_eq!(all, "c0, c1, c2");
        let many = listed(&names, 0, Language::En);
        assert_eq!(many, "c0, c1, c2, c3, c4, c5, c6, c7 and 2,992 more");
        let (first, left) = few(&names, 3);
        assert_eq!(listed(&first, left, Language::Ko), "c0, c1, c2 외 2,997개");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
