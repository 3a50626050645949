//! One account's session: what it holds and what is being done about it.
//!
//! Two facts, [`Held`] and [`Doing`]. Whatever `Doing` says, a good token is served. At most one
//! attempt is under way; everybody who comes meanwhile joins it. Only the provider's word ends a
//! session, never a network fault.

mod asked;
mod ended;
mod time;
mod word;

use crate::accounts::schedule::{self, Jitter};
use crate::accounts::waiters::{CallerId, Waiter, Waiters, Wants};
use crate::clock::{Moment, Now};
use crate::problem::{Code, Problem};
use crate::tokens::Tokens;
use crate::transaction::AttemptId;

pub use word::{StateWord, problem, word};

/// A session.
#[derive(Debug)]
pub struct Session {
    held: Held,
    doing: Doing,
    waiting: Waiters,
    renewal: Renewal,
    /// It was last renewed by itself, and nobody has asked since.
    unasked: bool,
    /// Everybody who waited for the sign-in that is under way has hung up.
    left: bool,
}

/// What a session holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// No tokens, and why.
    Nothing(Problem),
    /// Tokens, of which the bearer token may have run out.
    Tokens(Tokens),
}

/// What is being done about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Nothing.
    Idle,
    /// A refresh is under way.
    Refreshing(Attempt),
    /// A person is signing in. Beside it the refusal that was before, where a person asked again
    /// after one: if no page comes about, it holds on.
    SigningIn(Attempt, Option<Problem>),
    /// The provider was not reached; the next try is due.
    BackingOff {
        /// When to try again.
        until: Moment,
        /// Why the last try failed.
        fault: Problem,
        /// The last try.
        last: Attempt,
    },
    /// The provider took a refresh token and its reply did not come; to be tried once more.
    LostReply {
        /// When to try again.
        until: Moment,
        /// What was lost.
        fault: Problem,
        /// The lost try.
        last: Attempt,
    },
    /// The provider refuses this client; slow retries, and an administrator must act.
    Blocked {
        /// When to try again.
        until: Moment,
        /// What the provider said.
        refusal: Problem,
        /// The last try.
        last: Attempt,
    },
    /// A sign-in was refused or nobody answered: no further page until a person asks.
    Declined {
        /// What became of it.
        refusal: Problem,
    },
    /// The tokens are being ended at the provider.
    SigningOut(AttemptId),
}

/// One try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number.
    pub id: AttemptId,
    /// How many tries there were in a row, this one included.
    pub tries: u32,
    /// When it began.
    pub began: Moment,
    /// Whether an earlier reply to the same refresh token was lost.
    pub after_loss: Loss,
}

/// Whether the provider may have used the refresh token up already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No request with it went unanswered.
    None,
    /// One did.
    ReplyLost,
}

/// Whether tokens are renewed ahead of their end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Renewal {
    /// At this moment.
    Due(Moment),
    /// Not by itself: when somebody asks.
    WhenAsked,
    /// Never again, and why: a person signs in when the token has run out.
    Over(Problem),
}

/// What the broker must do for a session.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Give this waiter the token.
    Serve(Waiter),
    /// Tell this waiter what is wrong.
    Fail(Waiter, Problem),
    /// Begin this refresh, with the tokens held.
    Refresh(Attempt),
    /// Begin this sign-in.
    SignIn(Attempt),
    /// Tell this waiter where to sign in, with an address of its own.
    Tell(AttemptId, CallerId),
    /// Give this attempt up.
    Cancel(AttemptId),
    /// Forget what rests on disk.
    Forget,
    /// End these tokens at the provider.
    SignOut(AttemptId, Option<Box<Tokens>>),
}

/// What a decision may use besides the session itself.
#[derive(Debug)]
pub struct Context<'a> {
    /// What the clocks say.
    pub now: Now,
    /// Chance, for jitter.
    pub jitter: &'a mut Jitter,
    /// The last attempt's number.
    pub attempts: &'a mut u64,
    /// Whether this session is renewed by itself.
    pub keep_fresh: bool,
}

impl Context<'_> {
    fn attempt(&mut self, tries: u32, after_loss: Loss) -> Attempt {
        *self.attempts += 1;
        Attempt {
            id: AttemptId(*self.attempts),
            tries,
            began: self.now.moment,
            after_loss,
        }
    }
}

impl Session {
    /// A session that nobody has signed in to, for this reason.
    #[must_use]
    pub fn empty(why: Problem) -> Self {
        Self {
            held: Held::Nothing(why),
            doing: Doing::Idle,
            waiting: Waiters::default(),
            renewal: Renewal::WhenAsked,
            unasked: false,
            left: false,
        }
    }

    /// What it holds.
    #[must_use]
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// What is being done about it.
    #[must_use]
    pub fn doing(&self) -> &Doing {
        &self.doing
    }

    /// Its tokens, if it has any.
    #[must_use]
    pub fn tokens(&self) -> Option<&Tokens> {
        match &self.held {
            Held::Tokens(tokens) => Some(tokens),
            Held::Nothing(_) => None,
        }
    }

    /// The tokens, where the bearer token may still be handed out.
    #[must_use]
    pub fn good(&self, now: Now) -> Option<&Tokens> {
        self.tokens().filter(|tokens| schedule::good(tokens, now))
    }

    /// Whether everybody who waited for the sign-in that is under way has hung up.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.left && matches!(self.doing, Doing::SigningIn(..))
    }

    /// The attempt under way.
    #[must_use]
    pub fn attempt(&self) -> Option<AttemptId> {
        match &self.doing {
            Doing::Refreshing(attempt) | Doing::SigningIn(attempt, _) => Some(attempt.id),
            Doing::SigningOut(id) => Some(*id),
            Doing::Idle
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. } => None,
        }
    }

    /// Who waits.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiter> {
        self.waiting.iter()
    }

    /// Whether the tokens can be renewed without a person.
    pub(crate) fn refreshable(&self) -> bool {
        !matches!(self.renewal, Renewal::Over(_))
            && self.tokens().is_some_and(|tokens| tokens.refresh.is_some())
    }

    /// Whether a person signed it out.
    pub(crate) fn signed_out(&self) -> bool {
        matches!(&self.held, Held::Nothing(why) if why.code() == Code::SignedOut)
    }

    /// Whether nobody has signed in to it, as far as it knows.
    pub(crate) fn never_held(&self) -> bool {
        matches!(&self.held, Held::Nothing(why) if why.code() == Code::NotSignedIn)
    }

    /// Why a person is needed, for an ask where nobody is.
    fn nobody(&self) -> Problem {
        match (&self.held, &self.renewal) {
            (Held::Nothing(why), _) | (Held::Tokens(_), Renewal::Over(why)) => why.clone(),
            (Held::Tokens(_), Renewal::Due(_) | Renewal::WhenAsked) => Problem::NoRefreshToken,
        }
    }

    fn takes_too_long(&self) -> Problem {
        match &self.doing {
            Doing::BackingOff { fault, .. } | Doing::LostReply { fault, .. } => fault.clone(),
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::Blocked { .. }
            | Doing::Declined { .. }
            | Doing::SigningOut(_) => Problem::TakesTooLong,
        }
    }

    fn refresh(&mut self, cx: &mut Context<'_>) -> Vec<Step> {
        self.refresh_after(1, cx)
    }

    /// The same for somebody who asks. However often that is, it makes no pause between our own tries longer.
    fn refresh_for_an_ask(&mut self, cx: &mut Context<'_>) -> Vec<Step> {
        self.refresh_after(0, cx)
    }

    fn refresh_after(&mut self, tries: u32, cx: &mut Context<'_>) -> Vec<Step> {
        let (tries, after_loss) = match &self.doing {
            Doing::LostReply { last, .. } => (last.tries + tries, Loss::ReplyLost),
            Doing::BackingOff { last, .. } | Doing::Blocked { last, .. } => {
                (last.tries + tries, last.after_loss)
            }
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::Declined { .. }
            | Doing::SigningOut(_) => (1, Loss::None),
        };
        let attempt = cx.attempt(tries, after_loss);
        self.doing = Doing::Refreshing(attempt);
        vec![Step::Refresh(attempt)]
    }

    fn serve_all(&mut self) -> Vec<Step> {
        self.waiting.take().into_iter().map(Step::Serve).collect()
    }

    /// The tokens stay as they are: whoever wants newer ones is told why.
    fn fail_renewals(&mut self, problem: &Problem) -> Vec<Step> {
        let waiting = self.waiting.renewals().into_iter();
        waiting
            .map(|waiter| Step::Fail(waiter, problem.clone()))
            .collect()
    }

    /// A try came to nothing. Who wants a token gets the one that is held, while it is good.
    fn disappoint_all(&mut self, problem: &Problem, now: Now) -> Vec<Step> {
        if self.good(now).is_none() {
            return self.fail_all(problem);
        }
        let waiting = self.waiting.take().into_iter();
        waiting
            .map(|waiter| match waiter.wants {
                Wants::Credential(_) | Wants::Token => Step::Serve(waiter),
                Wants::SignIn | Wants::Renewal => Step::Fail(waiter, problem.clone()),
            })
            .collect()
    }

    fn fail_all(&mut self, problem: &Problem) -> Vec<Step> {
        self.waiting
            .take()
            .into_iter()
            .map(|waiter| Step::Fail(waiter, problem.clone()))
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
