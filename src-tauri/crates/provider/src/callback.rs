//! What a provider's redirect says (RFC 6749 section 4.1.2, RFC 9207). Pure.

use openidconnect::CsrfToken;
use url::form_urlencoded;

/// A redirect, read but not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// To which of our requests it answers.
    pub state: CsrfToken,
    /// Which provider says so, where it says.
    pub issuer: Option<String>,
    /// What it says.
    pub answer: Answer,
}

/// What a redirect says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Here is a code.
    Code(String),
    /// No.
    Error {
        /// The error code.
        error: String,
        /// The reason, in words.
        description: String,
    },
}

/// Why a redirect is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It is no answer of a provider's: a port scan, a bookmark, somebody typing.
    NoAnswer,
    /// A parameter stands there twice (RFC 6749 section 3.1 forbids it).
    Twice,
    /// Its state belongs to no request of ours.
    State,
    /// It comes from another browser than the request, or from one that keeps no cookies.
    Cookie,
    /// It names another issuer, or none where the provider always does.
    Issuer,
}

impl Foreign {
    /// In words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoAnswer => "it carries no answer",
            Self::Twice => "it says something twice",
            Self::State => "its state is not ours",
            Self::Cookie => "this browser did not begin it, or keeps no cookies",
            Self::Issuer => "it comes from another provider",
        }
    }
}

/// Reads a redirect's query.
///
/// # Errors
///
/// Whatever is no answer to a request.
pub fn read(query: &str) -> Result<Callback, Foreign> {
    let (mut state, mut issuer, mut code) = (None, None, None);
    let (mut error, mut description) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let slot = match name.as_ref() {
            "state" => &mut state,
            "iss" => &mut issuer,
            "code" => &mut code,
            "error" => &mut error,
            "error_description" => &mut description,
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            return Err(Foreign::Twice);
        }
    }
    let answer = match (code, error) {
        (Some(code), None) if !code.is_empty() => Answer::Code(code),
        (None, Some(error)) => Answer::Error {
            error,
            description: description.unwrap_or_default(),
        },
        _ => return Err(Foreign::NoAnswer),
    };
    Ok(Callback {
        state: CsrfToken::new(state.ok_or(Foreign::State)?),
        issuer,
        answer,
    })
}

impl Callback {
    /// Whether it comes from this issuer (RFC 9207): a name is checked wherever it stands, and
    /// missed where the provider says that it gives one.
    #[must_use]
    pub fn is_from(&self, issuer: &str, names_issuer: bool) -> bool {
        self.issuer
            .as_deref()
            .map_or(!names_issuer, |found| found == issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_read() {
        let code = |issuer: Option<&str>| {
            Ok(Callback {
                state: CsrfToken::new("s".into()),
                issuer: issuer.map(str::to_owned),
                answer: Answer::Code("c d".into()),
            })
        };
        let refusal = |error: &str, description: &str| {
            Ok(Callback {
                state: CsrfToken::new("s".into()),
                issuer: None,
                answer: Answer::Error {
                    error: error.into(),
                    description: description.into(),
                },
            })
        };
        for (query, expected) in [
            ("state=s&code=c+d", code(None)),
            (
                "code=c%20d&session_state=x&state=s&iss=https%3A%2F%2Fa",
                code(Some("https://a")),
            ),
            ("state=s&error=access_denied", refusal("access_denied", "")),
            (
                "state=s&error=access_denied&error_description=%3Cscript%3E",
                refusal("access_denied", "<script>"),
            ),
            ("", Err(Foreign::NoAnswer)),
            ("state=s", Err(Foreign::NoAnswer)),
            ("state=s&code=", Err(Foreign::NoAnswer)),
            ("code=c", Err(Foreign::State)),
            ("error=access_denied", Err(Foreign::State)),
            ("state=s&code=c&error=x", Err(Foreign::NoAnswer)),
            ("state=s&state=s&code=c", Err(Foreign::Twice)),
            ("state=s&code=c&code=d", Err(Foreign::Twice)),
            ("%ff=%ff&&&==", Err(Foreign::NoAnswer)),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }

    #[test]
    fn the_issuer_counts_wherever_it_stands() {
        let from = |issuer: Option<&str>| Callback {
            state: CsrfToken::new("s".into()),
            issuer: issuer.map(str::to_owned),
            answer: Answer::Code("c".into()),
        };
        for (found, names, expected) in [
            (Some("https://a"), false, true),
            (Some("https://a"), true, true),
            (Some("https://a/"), false, false),
            (Some("https://b"), true, false),
            (None, false, true),
            (None, true, false),
        ] {
            assert_eq!(
                from(found).is_from("https://a", names),
                expected,
                "{found:?} {names}"
            );
        }
    }
}
