//! Who waits for a session, and until when.

use crate::clock::Moment;
use crate::credential::ExecVersion;

/// A client's question, by the number that the server gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerId(pub u64);

/// What a caller gets when there is a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// An ExecCredential of this version.
    Credential(ExecVersion),
    /// The token alone.
    Token,
    /// To be told that the sign-in is done.
    SignIn,
    /// To be told that the tokens are newer than those that were held.
    Renewal,
}

/// Whether somebody could sign in, for an ask that finds no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    /// Nobody.
    Absent,
    /// Somebody, and this ask may open a page if none was refused.
    Present,
    /// Somebody who asks now: also after a refusal, and at once after a failure.
    Asking,
}

/// One caller who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Who.
    pub caller: CallerId,
    /// For what.
    pub wants: Wants,
    /// Whether somebody could sign in for it.
    pub person: Person,
    /// When they are told that it takes too long; none: as long as the sign-in may take.
    pub until: Option<Moment>,
}

impl Waiter {
    /// Who waits as long as it may take.
    #[must_use]
    pub fn new(caller: CallerId, wants: Wants, person: Person) -> Self {
        Self {
            caller,
            wants,
            person,
            until: None,
        }
    }
}

/// Everybody who waits for one session. Whoever is in here is answered exactly once: the ways out
/// are [`Waiters::take`], [`Waiters::overdue`], [`Waiters::unattended`], [`Waiters::renewals`] and [`Waiters::remove`].
#[derive(Debug, Default)]
pub struct Waiters(Vec<Waiter>);

impl Waiters {
    /// One more.
    pub fn join(&mut self, waiter: Waiter) {
        self.0.push(waiter);
    }

    /// All of them, to be answered.
    pub fn take(&mut self) -> Vec<Waiter> {
        std::mem::take(&mut self.0)
    }

    /// Those whose patience has ended, to be answered.
    pub fn overdue(&mut self, now: Moment) -> Vec<Waiter> {
        let (overdue, rest) = self
            .0
            .drain(..)
            .partition(|waiter| waiter.until.is_some_and(|until| until <= now));
        self.0 = rest;
        overdue
    }

    /// Those for whom nobody could sign in, to be answered.
    pub fn unattended(&mut self) -> Vec<Waiter> {
        let (unattended, rest) = self
            .0
            .drain(..)
            .partition(|waiter| waiter.person == Person::Absent);
        self.0 = rest;
        unattended
    }

    /// Those who want newer tokens, which there won't be, to be answered.
    pub fn renewals(&mut self) -> Vec<Waiter> {
        let (renewals, rest) = self
            .0
            .drain(..)
            .partition(|waiter| waiter.wants == Wants::Renewal);
        self.0 = rest;
        renewals
    }

    /// A caller who hung up.
    pub fn remove(&mut self, caller: CallerId) {
        self.0.retain(|waiter| waiter.caller != caller);
    }

    /// From now on nobody is told that it takes too long: a person is being asked.
    pub fn wait_for_a_person(&mut self) {
        for waiter in &mut self.0 {
            waiter.until = None;
        }
    }

    /// When the next one's patience ends.
    #[must_use]
    pub fn next(&self) -> Option<Moment> {
        self.0.iter().filter_map(|waiter| waiter.until).min()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everybody who waits.
    pub fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.0.iter()
    }
}
