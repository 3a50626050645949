//! Who is owed what, and in which form: the one way to a caller.
//!
//! A caller is one connection: a plugin that waits for a token, a command, a click. What becomes of it is an
//! [`Outcome`]. Whether that is told in words or as JSON is the caller's property, and is rendered in `show`.

pub(crate) mod claims;
pub(crate) mod outcome;
pub(crate) mod wish;

use std::collections::{BTreeMap, BTreeSet};

use crate::account::AccountId;
use crate::accounts::adding::Draft;
use crate::accounts::waiters::{CallerId, Person};
use crate::asker::{Asker, Desktop, ProcessId, Venue, venue};
use claims::Claims;
use outcome::Outcome;
use wish::{Asked, Credential, Wish};

/// Everybody who is owed an answer.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    known: BTreeMap<CallerId, Caller>,
    /// What is told to some of them once it is at rest.
    pub(crate) claims: Claims,
}

/// Somebody who is owed an answer.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) asker: Asker,
    pub(crate) form: Form,
    pub(crate) wish: Wish,
}

/// How an outcome is told to a command line. Tray and window take the data that is there for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In words.
    Words,
    /// As JSON.
    Json,
}

impl Form {
    /// JSON where that was asked for.
    pub(crate) fn json(json: bool) -> Self {
        if json { Self::Json } else { Self::Words }
    }
}

impl Callers {
    /// Somebody is owed an answer from now on.
    pub(crate) fn owe(&mut self, id: CallerId, asker: Asker, form: Form, wish: Wish) {
        let caller = Caller { asker, form, wish };
        self.known.insert(id, caller);
    }

    /// The same caller wants something else now.
    pub(crate) fn wants(&mut self, id: CallerId, wish: Wish) {
        if let Some(caller) = self.known.get_mut(&id) {
            caller.wish = wish;
        }
    }

    /// What a caller was asked to type, now that it has.
    pub(crate) fn take_line(&mut self, id: CallerId) -> Option<Asked> {
        let caller = self.known.get_mut(&id)?;
        match std::mem::replace(&mut caller.wish, Wish::Reply) {
            Wish::Line(asked) => Some(asked),
            other @ (Wish::Credential(_)
            | Wish::Token { .. }
            | Wish::Renewal { .. }
            | Wish::SignIn { .. }
            | Wish::Answer
            | Wish::End
            | Wish::Discovery { .. }
            | Wish::Reply) => {
                caller.wish = other;
                None
            }
        }
    }

    /// What is to be made of the provider that a caller had looked at, if anything; none: it waits for no such look.
    pub(crate) fn take_draft(&mut self, id: CallerId) -> Option<Option<Box<Draft>>> {
        let caller = self.known.get_mut(&id)?;
        match std::mem::replace(&mut caller.wish, Wish::Reply) {
            Wish::Discovery { draft } => Some(draft),
            other @ (Wish::Credential(_)
            | Wish::Token { .. }
            | Wish::Renewal { .. }
            | Wish::SignIn { .. }
            | Wish::Answer
            | Wish::End
            | Wish::Line(_)
            | Wish::Reply) => {
                caller.wish = other;
                None
            }
        }
    }

    /// Everybody else.
    pub(crate) fn others(&self, but: CallerId) -> Vec<CallerId> {
        let all = self.known.keys().copied();
        all.filter(|id| *id != but).collect()
    }

    /// Somebody who is owed an answer; none: they have it, or have hung up.
    pub(crate) fn get(&self, id: CallerId) -> Option<&Caller> {
        self.known.get(&id)
    }

    /// Who it is.
    pub(crate) fn asker(&self, id: CallerId) -> Option<&Asker> {
        self.get(id).map(|caller| &caller.asker)
    }

    /// The credential that a caller waits for.
    pub(crate) fn credential(&self, id: CallerId) -> Option<(&Asker, &Credential)> {
        let caller = self.get(id)?;
        Some((&caller.asker, caller.wish.credential()?))
    }

    /// Everybody.
    pub(crate) fn each(&self) -> impl Iterator<Item = (CallerId, &Caller)> {
        self.known.iter().map(|(id, caller)| (*id, caller))
    }

    /// Whoever waits for something of an account.
    pub(crate) fn of_account(&self, account: &AccountId) -> Vec<CallerId> {
        let of_it = |caller: &Caller| caller.wish.account() == Some(account);
        let all = self.each().filter(|(_, caller)| of_it(caller));
        all.map(|(id, _)| id).collect()
    }

    /// The accounts that somebody waits for.
    pub(crate) fn accounts(&self) -> BTreeSet<&AccountId> {
        let wishes = self.known.values().map(|caller| &caller.wish);
        wishes.filter_map(Wish::account).collect()
    }

    /// Whether somebody could sign in for a caller. A person's own command counts as asking, and so does the first ask
    /// of a new command in the foreground: of another process than the `last` that was one.
    pub(crate) fn person(&self, id: CallerId, last: Option<ProcessId>, desktop: Desktop) -> Person {
        let Some(Caller { asker, wish, .. }) = self.get(id) else {
            return Person::Absent;
        };
        if venue(asker, desktop) == Venue::Nobody {
            Person::Absent
        } else if wish.opens_browser().is_some() || (asker.foreground && last != asker.process) {
            Person::Asking
        } else {
            Person::Present
        }
    }

    /// Gives a caller its answer: it is owed nothing more. None: it has hung up.
    pub(crate) fn answer(&mut self, id: CallerId) -> Option<Caller> {
        self.known.remove(&id)
    }

    /// Gives it once all of it is at rest; `forgets`: what rests of this account must be gone too.
    pub(crate) fn answer_at_rest(
        &mut self,
        id: CallerId,
        forgets: Option<AccountId>,
        done: Outcome,
    ) {
        if let Some(caller) = self.known.remove(&id) {
            self.claims.claim(id, caller, forgets, done);
        }
    }

    /// A caller hung up. Whether it was owed anything.
    pub(crate) fn gone(&mut self, id: CallerId) -> bool {
        self.claims.gone(id);
        self.known.remove(&id).is_some()
    }
}
