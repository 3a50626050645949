//! The provider of that night: it rotates refresh tokens and takes none twice, lets no session live
//! past its end, and is not always there.

use std::time::Duration;

use broker::clock::Moment;

/// How long an ID token lives.
pub const LIFE: Duration = Duration::from_secs(300);

/// The provider.
#[derive(Debug, Default)]
pub struct Provider {
    session: Option<Session>,
    last: u64,
    away: Vec<Away>,
}

#[derive(Debug)]
struct Session {
    /// The number of the only refresh token that it takes.
    current: u64,
    ends: Moment,
}

/// A time in which it is out of reach.
#[derive(Clone, Copy, Debug)]
pub struct Away {
    pub from: Moment,
    pub until: Moment,
    pub how: How,
}

/// How it is out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Connections are refused.
    Refuses,
    /// Nothing answers, and the request runs into its time-out.
    Silent,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Tokens of this number.
    Tokens(u64),
    /// `invalid_grant`.
    Ended,
    /// It did not arrive.
    Away(How),
}

impl Provider {
    /// It will be out of reach.
    pub fn goes_away(&mut self, away: Away) {
        self.away.push(away);
    }

    /// How it is out of reach, if it is.
    pub fn away(&self, at: Moment) -> Option<How> {
        let now = self
            .away
            .iter()
            .find(|away| away.from <= at && at < away.until);
        now.map(|away| away.how)
    }

    /// Whether it was out of reach at any time between these two.
    pub fn was_away(&self, from: Moment, until: Moment) -> bool {
        self.away
            .iter()
            .any(|away| away.from <= until && from < away.until)
    }

    /// Somebody has signed in: the tokens' number.
    pub fn signs_in(&mut self, ends: Moment) -> u64 {
        self.last += 1;
        self.session = Some(Session {
            current: self.last,
            ends,
        });
        self.last
    }

    /// Somebody shows the refresh token of this number. Shown twice, it ends the session.
    pub fn refresh(&mut self, shown: u64, at: Moment) -> Answer {
        if let Some(how) = self.away(at) {
            return Answer::Away(how);
        }
        match &mut self.session {
            Some(session) if session.current == shown && at < session.ends => {
                self.last += 1;
                session.current = self.last;
                Answer::Tokens(self.last)
            }
            Some(_) | None => {
                self.session = None;
                Answer::Ended
            }
        }
    }
}
