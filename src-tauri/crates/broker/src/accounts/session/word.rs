//! What a session's state is called, and what is told beside it.

use super::{Doing, Held, Renewal, Session};
use crate::accounts::schedule;
use crate::clock::Now;
use crate::problem::{Code, Problem};

/// A session's state, as tray, window, terminal and page name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum StateWord {
    /// Nobody is signed in.
    SignedOut,
    /// Somebody is signing in.
    SigningIn,
    /// All is well.
    SignedIn,
    /// A token is being renewed.
    Renewing,
    /// The provider is not reached.
    CannotReach,
    /// A person must sign in.
    NeedsYou,
    /// The provider refuses the client.
    Refused,
}

impl StateWord {
    /// Whether it does not heal without a person.
    #[must_use]
    pub fn needs_a_person(self) -> bool {
        match self {
            Self::NeedsYou | Self::Refused => true,
            Self::SignedOut
            | Self::SigningIn
            | Self::SignedIn
            | Self::Renewing
            | Self::CannotReach => false,
        }
    }
}

/// The one place where a state gets its name.
#[must_use]
pub fn word(session: &Session, now: Now) -> StateWord {
    match (&session.doing, &session.held) {
        (Doing::SigningIn(..), _) => StateWord::SigningIn,
        (Doing::Refreshing(_) | Doing::LostReply { .. }, _) => StateWord::Renewing,
        (Doing::BackingOff { .. }, _) if session.refreshable() => StateWord::CannotReach,
        (Doing::BackingOff { .. }, _) => StateWord::NeedsYou,
        (Doing::Blocked { .. }, _) => StateWord::Refused,
        (Doing::SigningOut(_), _) => StateWord::SignedOut,
        (Doing::Declined { .. }, _) => StateWord::NeedsYou,
        (Doing::Idle, Held::Nothing(why)) => {
            if matches!(why.code(), Code::SignedOut | Code::NotSignedIn) {
                StateWord::SignedOut
            } else {
                StateWord::NeedsYou
            }
        }
        (Doing::Idle, Held::Tokens(tokens)) => {
            if schedule::good(tokens, now) || session.refreshable() {
                StateWord::SignedIn
            } else {
                StateWord::NeedsYou
            }
        }
    }
}

/// What is to be told about a state beside its word.
#[must_use]
pub fn problem(session: &Session, now: Now) -> Option<Problem> {
    match (&session.doing, &session.held) {
        (Doing::BackingOff { fault, .. } | Doing::LostReply { fault, .. }, _) => {
            Some(fault.clone())
        }
        (Doing::Blocked { refusal, .. } | Doing::Declined { refusal }, _) => Some(refusal.clone()),
        (_, Held::Nothing(why)) => Some(why.clone()),
        (
            Doing::Idle | Doing::Refreshing(_) | Doing::SigningIn(..) | Doing::SigningOut(_),
            Held::Tokens(tokens),
        ) => match &session.renewal {
            Renewal::Over(why) => Some(why.clone()),
            // It has run out, and there never was anything to renew it with.
            Renewal::Due(_) | Renewal::WhenAsked => (tokens.refresh.is_none()
                && !schedule::good(tokens, now))
            .then_some(Problem::NoRefreshToken),
        },
    }
}
