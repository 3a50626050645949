//! Which browser began what (threat 10). Pure, but for the words that nobody can guess.
//!
//! An address with a ticket stands on a command line, where other users can read it. The browser
//! that visits it first is given a cookie; what is begun from there is finished with that cookie
//! alone. When a second browser comes with the same ticket, nobody can know which of them is the
//! person's: what was begun from it is void.

use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};

use crate::callback::Foreign;
use crate::random::Random;
use crate::verify::same;

/// More would be a mistake of ours.
const MOST: usize = 1000;

/// The tickets of one attempt to sign in.
pub(crate) struct Attempt {
    random: Random,
    /// The name of its cookie: cookies know no ports, so two attempts must not share one.
    cookie: String,
    tickets: Vec<Ticket>,
}

struct Ticket {
    word: String,
    use_of: Use,
}

enum Use {
    Fresh,
    Begun(Begun),
    Void(Begun),
}

/// What a browser began from a ticket: a request of its own to the provider.
#[derive(Clone)]
pub(crate) struct Begun {
    /// Binds the redirect to this request.
    pub(crate) state: CsrfToken,
    /// Binds the ID token to this request.
    pub(crate) nonce: Nonce,
    /// Binds the code to this request (RFC 7636).
    pub(crate) verifier: String,
    /// Makes the question's form good for one answer.
    pub(crate) form: String,
    browser: String,
    redirected: bool,
}

/// What a visit to a start page is.
pub(crate) enum Visit {
    /// The first, or again by the same browser.
    Welcome {
        /// What it began, now or before.
        begun: Box<Begun>,
        /// The cookie's value to set, where this browser has none yet.
        cookie: Option<String>,
    },
    /// A ticket that another browser used.
    Used,
    /// No ticket of ours.
    Unknown,
}

/// What a redirect is.
pub(crate) enum Redirect {
    /// The first of a request of ours.
    First(Box<Begun>),
    /// Another of the same request, reloaded perhaps.
    Again,
    /// The request was void.
    Void,
    /// Not ours.
    Foreign(Foreign),
}

impl Attempt {
    pub(crate) fn new(random: Random) -> Self {
        let name: String = random.word().chars().take(8).collect();
        Self {
            cookie: format!("kubefob-{name}"),
            random,
            tickets: Vec::new(),
        }
    }

    pub(crate) fn cookie_name(&self) -> &str {
        &self.cookie
    }

    pub(crate) fn word(&self) -> String {
        self.random.word()
    }

    /// A new ticket.
    pub(crate) fn mint(&mut self) -> String {
        let word = self.random.word();
        if self.tickets.len() < MOST {
            self.tickets.push(Ticket {
                word: word.clone(),
                use_of: Use::Fresh,
            });
        }
        word
    }

    /// Whether this is a ticket of ours, used or not.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.tickets.iter().any(|ticket| same(&ticket.word, word))
    }

    /// A browser came to a ticket's start page.
    pub(crate) fn visit(&mut self, word: &str, cookie: Option<&str>) -> Visit {
        let known = cookie
            .filter(|cookie| self.knows(cookie))
            .map(str::to_owned);
        let Some(ticket) = self
            .tickets
            .iter_mut()
            .find(|ticket| same(&ticket.word, word))
        else {
            return Visit::Unknown;
        };
        match &ticket.use_of {
            Use::Fresh => {
                let cookie = known.is_none().then(|| self.random.word());
                let begun = Begun {
                    state: CsrfToken::new(self.random.word()),
                    nonce: Nonce::new(self.random.word()),
                    verifier: self.random.word(),
                    form: self.random.word(),
                    browser: known.or_else(|| cookie.clone()).unwrap_or_default(),
                    redirected: false,
                };
                ticket.use_of = Use::Begun(begun.clone());
                Visit::Welcome {
                    begun: Box::new(begun),
                    cookie,
                }
            }
            Use::Begun(begun) if is_of(begun, cookie) => Visit::Welcome {
                begun: Box::new(begun.clone()),
                cookie: None,
            },
            Use::Begun(begun) => {
                ticket.use_of = Use::Void(begun.clone());
                Visit::Used
            }
            Use::Void(_) => Visit::Used,
        }
    }

    /// A redirect with this state came.
    pub(crate) fn redirect(&mut self, state: &CsrfToken, cookie: Option<&str>) -> Redirect {
        for ticket in &mut self.tickets {
            match &mut ticket.use_of {
                Use::Begun(begun) if begun.state == *state => {
                    if !is_of(begun, cookie) {
                        return Redirect::Foreign(Foreign::Cookie);
                    }
                    if std::mem::replace(&mut begun.redirected, true) {
                        return Redirect::Again;
                    }
                    return Redirect::First(Box::new(begun.clone()));
                }
                Use::Void(begun) if begun.state == *state => return Redirect::Void,
                Use::Fresh | Use::Begun(_) | Use::Void(_) => {}
            }
        }
        Redirect::Foreign(Foreign::State)
    }

    /// The ticket whose question's form carries this token, sent by the browser that was asked.
    pub(crate) fn form(&self, token: &str, cookie: Option<&str>) -> Option<&str> {
        self.tickets.iter().find_map(|ticket| match &ticket.use_of {
            Use::Begun(begun) if same(&begun.form, token) && is_of(begun, cookie) => {
                Some(ticket.word.as_str())
            }
            Use::Fresh | Use::Begun(_) | Use::Void(_) => None,
        })
    }

    /// Whether what was begun with this state still stands.
    pub(crate) fn stands(&self, state: &CsrfToken) -> bool {
        self.tickets.iter().any(|ticket| match &ticket.use_of {
            Use::Begun(begun) => begun.state == *state,
            Use::Fresh | Use::Void(_) => false,
        })
    }

    /// Whether a browser has begun something that still stands.
    pub(crate) fn knows(&self, cookie: &str) -> bool {
        self.tickets.iter().any(|ticket| match &ticket.use_of {
            Use::Begun(begun) => same(&begun.browser, cookie),
            Use::Fresh | Use::Void(_) => false,
        })
    }
}

impl Begun {
    /// RFC 7636 section 4.1. The library's type is good for one use, and a browser may come twice.
    pub(crate) fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.verifier.clone())
    }
}

fn is_of(begun: &Begun, cookie: Option<&str>) -> bool {
    cookie.is_some_and(|cookie| same(&begun.browser, cookie))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> Attempt {
        Attempt::new(Random::from_system().unwrap())
    }

    fn begin(attempt: &mut Attempt, ticket: &str, cookie: Option<&str>) -> (Begun, Option<String>) {
        match attempt.visit(ticket, cookie) {
            Visit::Welcome { begun, cookie } => (*begun, cookie),
            Visit::Used => panic!("used"),
            Visit::Unknown => panic!("unknown"),
        }
    }

    #[test]
    fn a_browser_finishes_what_it_began() {
        let mut attempt = attempt();
        let ticket = attempt.mint();
        let (begun, cookie) = begin(&mut attempt, &ticket, None);
        let cookie = cookie.unwrap();
        let (again, set) = begin(&mut attempt, &ticket, Some(&cookie));
        assert_eq!((again.state, set), (begun.state.clone(), None));
        assert!(matches!(
            attempt.redirect(&begun.state, Some("other")),
            Redirect::Foreign(Foreign::Cookie)
        ));
        assert!(matches!(
            attempt.redirect(&begun.state, None),
            Redirect::Foreign(Foreign::Cookie)
        ));
        assert!(matches!(
            attempt.redirect(&CsrfToken::new("other".into()), Some(&cookie)),
            Redirect::Foreign(Foreign::State)
        ));
        assert!(matches!(
            attempt.redirect(&begun.state, Some(&cookie)),
            Redirect::First(_)
        ));
        assert!(matches!(
            attempt.redirect(&begun.state, Some(&cookie)),
            Redirect::Again
        ));
        assert!(attempt.stands(&begun.state));
    }

    #[test]
    fn a_second_browser_voids_what_the_first_began() {
        let mut attempt = attempt();
        let ticket = attempt.mint();
        let (begun, cookie) = begin(&mut attempt, &ticket, None);
        let cookie = cookie.unwrap();
        assert!(matches!(attempt.visit(&ticket, None), Visit::Used));
        assert!(matches!(attempt.visit(&ticket, Some(&cookie)), Visit::Used));
        assert!(matches!(
            attempt.redirect(&begun.state, Some(&cookie)),
            Redirect::Void
        ));
        assert!(attempt.form(&begun.form, Some(&cookie)).is_none());
        assert!(!attempt.stands(&begun.state));
        assert!(!attempt.knows(&cookie));
    }

    #[test]
    fn two_tickets_do_not_mix_and_may_share_a_browser() {
        let mut attempt = attempt();
        let (one, other) = (attempt.mint(), attempt.mint());
        let (first, cookie) = begin(&mut attempt, &one, None);
        let cookie = cookie.unwrap();
        let (second, set) = begin(&mut attempt, &other, Some(&cookie));
        assert_eq!(set, None);
        assert!(first.state != second.state);
        assert!(first.nonce != second.nonce);
        assert_ne!(first.verifier, second.verifier);
        assert!(matches!(attempt.visit(&one, None), Visit::Used));
        assert!(matches!(
            attempt.redirect(&first.state, Some(&cookie)),
            Redirect::Void
        ));
        assert!(matches!(
            attempt.redirect(&second.state, Some(&cookie)),
            Redirect::First(_)
        ));
        assert!(matches!(attempt.visit("guess", None), Visit::Unknown));
    }
}
