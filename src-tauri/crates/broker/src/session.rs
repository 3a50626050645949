//! One account's session: what it holds and what is being done about it.
//!
//! Two facts, [`Held`] and [`Doing`]. Whatever `Doing` says, a good token is served. At most one
//! attempt is under way; everybody who comes meanwhile joins it. Only the provider's word ends a
//! session, never a network fault.

mod word;

use std::time::Duration;

use crate::clock::{Moment, Now};
use crate::outcome::{AttemptId, RefreshOutcome, SignInOutcome};
use crate::problem::{Code, Problem};
use crate::schedule::{self, Jitter};
use crate::tokens::Tokens;
use crate::waiters::{CallerId, Person, Waiter, Waiters};

pub use word::{StateWord, problem, word};

/// A session.
#[derive(Debug)]
pub struct Session {
    held: Held,
    doing: Doing,
    waiting: Waiters,
    renewal: Renewal,
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

    /// Somebody wants a token, or to be signed in.
    pub fn ask(&mut self, mut waiter: Waiter, mut cx: Context<'_>) -> Vec<Step> {
        if self.good(cx.now).is_some() {
            return vec![Step::Serve(waiter)];
        }
        let person = waiter.person;
        match &self.doing {
            Doing::Refreshing(_) => {
                waiter.until = Some(cx.now.moment.after(schedule::PATIENCE));
                self.waiting.join(waiter);
                Vec::new()
            }
            Doing::SigningIn(attempt, _) => {
                if person == Person::Absent {
                    return vec![Step::Fail(waiter, self.nobody())];
                }
                let tell = Step::Tell(attempt.id, waiter.caller);
                self.waiting.join(waiter);
                vec![tell]
            }
            Doing::SigningOut(_) => {
                let refusal = Problem::plain(Code::SignedOut);
                vec![Step::Fail(waiter, refusal)]
            }
            Doing::Idle => self.begin(waiter, &mut cx),
            // The second try is due within seconds, and is not hurried: whoever asks joins it.
            Doing::LostReply { .. } if self.refreshable() => {
                waiter.until = Some(cx.now.moment.after(schedule::PATIENCE));
                self.waiting.join(waiter);
                Vec::new()
            }
            // It was a sign-in that did not get as far as a page: no try of ours helps.
            Doing::BackingOff { .. } if person == Person::Absent && !self.refreshable() => {
                vec![Step::Fail(waiter, self.nobody())]
            }
            Doing::BackingOff { fault, last, .. } | Doing::LostReply { fault, last, .. } => {
                let too_soon = cx.now.moment.since(last.began) < schedule::ASK_AGAIN;
                if too_soon && person != Person::Asking {
                    return vec![Step::Fail(waiter, fault.clone())];
                }
                self.begin(waiter, &mut cx)
            }
            Doing::Blocked { refusal, .. } => match person {
                Person::Asking => self.begin(waiter, &mut cx),
                Person::Absent | Person::Present => vec![Step::Fail(waiter, refusal.clone())],
            },
            Doing::Declined { refusal } => match person {
                Person::Asking => self.begin(waiter, &mut cx),
                Person::Absent | Person::Present => vec![Step::Fail(waiter, refusal.clone())],
            },
        }
    }

    fn begin(&mut self, mut waiter: Waiter, cx: &mut Context<'_>) -> Vec<Step> {
        if self.refreshable() {
            waiter.until = Some(cx.now.moment.after(schedule::PATIENCE));
            self.waiting.join(waiter);
            return self.refresh(cx);
        }
        if self.signed_out() && waiter.person != Person::Asking {
            return vec![Step::Fail(waiter, Problem::plain(Code::SignedOut))];
        }
        self.waiting.join(waiter);
        self.ask_a_person(cx)
    }

    /// No token can be had without somebody: those who wait with a person behind them get one
    /// page together, the others an answer.
    fn ask_a_person(&mut self, cx: &mut Context<'_>) -> Vec<Step> {
        let why = self.nobody();
        let mut steps: Vec<Step> = self
            .waiting
            .unattended()
            .into_iter()
            .map(|waiter| Step::Fail(waiter, why.clone()))
            .collect();
        if self.waiting.is_empty() {
            return steps;
        }
        self.waiting.wait_for_a_person();
        let attempt = cx.attempt(1, Loss::None);
        let before = match std::mem::replace(&mut self.doing, Doing::Idle) {
            Doing::Declined { refusal } => Some(refusal),
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::SigningOut(_) => None,
        };
        self.doing = Doing::SigningIn(attempt, before);
        steps.push(Step::SignIn(attempt));
        steps.extend(
            self.waiting
                .iter()
                .map(|waiter| Step::Tell(attempt.id, waiter.caller)),
        );
        steps
    }

    /// A person wants a page, whatever is held: another try, or another identity.
    pub fn sign_in(&mut self, waiter: Waiter, mut cx: Context<'_>) -> Vec<Step> {
        match &self.doing {
            Doing::SigningIn(attempt, _) => {
                let tell = Step::Tell(attempt.id, waiter.caller);
                self.waiting.join(waiter);
                vec![tell]
            }
            Doing::Refreshing(_) | Doing::SigningOut(_) => self.ask(waiter, cx),
            Doing::Idle
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. } => {
                // A token that nothing renews any more is no reason to wait for its end.
                if self.good(cx.now).is_some() && !matches!(self.renewal, Renewal::Over(_)) {
                    return vec![Step::Serve(waiter)];
                }
                self.waiting.join(waiter);
                self.ask_a_person(&mut cx)
            }
        }
    }

    /// What the vault had: tokens, and whether a refresh was under way when the resident ended.
    pub fn restore(&mut self, tokens: Tokens, loss: Loss, mut cx: Context<'_>) {
        if self.attempt().is_some() || self.tokens().is_some() {
            return;
        }
        self.held = Held::Tokens(tokens);
        self.schedule(&mut cx);
        self.doing = match loss {
            Loss::None => Doing::Idle,
            Loss::ReplyLost => Doing::LostReply {
                until: cx.now.moment,
                fault: Problem::new(
                    Code::LostReply,
                    vec![
                        ("host", String::new()),
                        ("reason", "Kubefob was restarted".to_owned()),
                    ],
                ),
                last: cx.attempt(1, Loss::None),
            },
        };
    }

    /// A refresh ended. One that was given up long ago changes nothing.
    pub fn refreshed(
        &mut self,
        id: AttemptId,
        outcome: RefreshOutcome,
        mut cx: Context<'_>,
    ) -> Vec<Step> {
        let Doing::Refreshing(attempt) = self.doing else {
            return Vec::new();
        };
        if attempt.id != id {
            return Vec::new();
        }
        match outcome {
            RefreshOutcome::Refreshed(tokens) => self.hold(tokens, &mut cx),
            RefreshOutcome::WithoutIdToken { tokens } => {
                self.held = Held::Tokens(tokens);
                self.renewal = Renewal::Over(Problem::plain(Code::RefreshWithoutIdToken));
                self.doing = Doing::Idle;
                if self.good(cx.now).is_some() {
                    self.serve_all()
                } else {
                    self.ask_a_person(&mut cx)
                }
            }
            RefreshOutcome::Unreachable(fault) => self.back_off(fault, attempt, &mut cx),
            RefreshOutcome::LostReply(fault) => match attempt.after_loss {
                Loss::None => {
                    // Whoever waits goes on waiting: the second try is due at once.
                    let until = cx.now.moment.after(schedule::LOST_REPLY);
                    self.doing = Doing::LostReply {
                        until,
                        fault,
                        last: attempt,
                    };
                    Vec::new()
                }
                Loss::ReplyLost => self.back_off(fault, attempt, &mut cx),
            },
            RefreshOutcome::Ended(why) => {
                let why = match attempt.after_loss {
                    Loss::None => why,
                    Loss::ReplyLost => Problem {
                        code: Code::SessionEndedAfterLostReply,
                        ..why
                    },
                };
                self.doing = Doing::Idle;
                let mut steps = vec![Step::Forget];
                // A bearer token that is still good goes on being served; what is over is its
                // renewal.
                if self.good(cx.now).is_some() {
                    self.renewal = Renewal::Over(why);
                    steps.extend(self.serve_all());
                } else {
                    self.held = Held::Nothing(why);
                    self.renewal = Renewal::WhenAsked;
                    steps.extend(self.ask_a_person(&mut cx));
                }
                steps
            }
            RefreshOutcome::Blocked(refusal) => {
                let until = schedule::blocked(attempt.tries, cx.now, cx.jitter);
                let steps = self.fail_all(&refusal);
                self.doing = Doing::Blocked {
                    until,
                    refusal,
                    last: attempt,
                };
                steps
            }
        }
    }

    /// A sign-in ended. One that was given up long ago changes nothing.
    pub fn signed_in(
        &mut self,
        id: AttemptId,
        outcome: SignInOutcome,
        mut cx: Context<'_>,
    ) -> Vec<Step> {
        let Doing::SigningIn(attempt, before) = &self.doing else {
            return Vec::new();
        };
        if attempt.id != id {
            return Vec::new();
        }
        let (attempt, before) = (*attempt, before.clone());
        match outcome {
            SignInOutcome::SignedIn(tokens) => {
                self.renewal = Renewal::WhenAsked;
                self.hold(tokens, &mut cx)
            }
            // No page was shown: the next ask may try again, unless only a person may.
            SignInOutcome::Unreachable(fault) => match before {
                Some(refusal) => {
                    self.doing = Doing::Declined { refusal };
                    self.fail_all(&fault)
                }
                None => self.back_off(fault, attempt, &mut cx),
            },
            SignInOutcome::Declined(refusal) | SignInOutcome::Blocked(refusal) => {
                let steps = self.fail_all(&refusal);
                self.doing = Doing::Declined { refusal };
                steps
            }
        }
    }

    /// A person gives a sign-in up.
    pub fn cancel(&mut self) -> Vec<Step> {
        let Doing::SigningIn(attempt, _) = self.doing else {
            return Vec::new();
        };
        let refusal = Problem::plain(Code::SignInCancelled);
        let mut steps = vec![Step::Cancel(attempt.id)];
        steps.extend(self.fail_all(&refusal));
        self.doing = Doing::Declined { refusal };
        steps
    }

    /// A person signs out. A refresh that is under way is finished first, by whoever performs
    /// both: its new tokens are the ones to end.
    pub fn sign_out(&mut self, mut cx: Context<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Doing::SigningIn(attempt, _) = self.doing {
            steps.push(Step::Cancel(attempt.id));
        }
        let gone = Problem::plain(Code::SignedOut);
        let tokens = match std::mem::replace(&mut self.held, Held::Nothing(gone.clone())) {
            Held::Tokens(tokens) => Some(Box::new(tokens)),
            Held::Nothing(_) => None,
        };
        steps.extend(self.fail_all(&gone));
        self.renewal = Renewal::WhenAsked;
        let attempt = cx.attempt(1, Loss::None);
        self.doing = Doing::SigningOut(attempt.id);
        steps.push(Step::SignOut(attempt.id, tokens));
        steps
    }

    /// The tokens were ended, or could not be.
    pub fn signed_out_now(&mut self, id: AttemptId) {
        if self.doing == Doing::SigningOut(id) {
            self.doing = Doing::Idle;
        }
    }

    /// The network changed, or the computer woke: what waits for that is tried at once.
    pub fn try_now(&mut self, mut cx: Context<'_>) -> Vec<Step> {
        match self.doing {
            Doing::BackingOff { .. } | Doing::LostReply { .. } if self.refreshable() => {
                self.refresh(&mut cx)
            }
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. }
            | Doing::SigningOut(_) => Vec::new(),
        }
    }

    /// Another client secret came with an ask: worth a try where the old one is refused.
    pub fn other_secret(&mut self, mut cx: Context<'_>) -> Vec<Step> {
        match self.doing {
            Doing::Blocked { .. } if self.refreshable() => self.refresh(&mut cx),
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. }
            | Doing::SigningOut(_) => Vec::new(),
        }
    }

    /// Somebody set this computer's clock: times on it move along.
    pub fn clock_set(&mut self, by_ms: i64, mut cx: Context<'_>) {
        if let Held::Tokens(tokens) = &mut self.held {
            tokens.obtained = tokens.obtained.shifted(by_ms);
            tokens.expires = tokens.expires.shifted(by_ms);
            tokens.refresh_expires = tokens.refresh_expires.map(|end| end.shifted(by_ms));
            tokens.skew_ms -= by_ms;
        }
        self.schedule(&mut cx);
    }

    /// Whether it is renewed by itself was changed.
    pub fn keep_fresh(&mut self, mut cx: Context<'_>) {
        self.schedule(&mut cx);
    }

    /// A caller hung up.
    pub fn gone(&mut self, caller: CallerId) {
        self.waiting.remove(caller);
    }

    /// What is due by now.
    pub fn timeout(&mut self, mut cx: Context<'_>) -> Vec<Step> {
        let mut steps: Vec<Step> = self
            .waiting
            .overdue(cx.now.moment)
            .into_iter()
            .map(|waiter| Step::Fail(waiter, self.takes_too_long()))
            .collect();
        let due = self.due(cx.keep_fresh);
        if due.is_some_and(|due| due <= cx.now.moment) {
            if self.refreshable() {
                steps.extend(self.refresh(&mut cx));
            } else {
                // A sign-in that was not reached. A renewal that is over stays so: the refresh token
                // is dead, whatever became of the sign-in.
                self.doing = Doing::Idle;
            }
        }
        steps
    }

    /// When something is next due.
    #[must_use]
    pub fn next(&self, keep_fresh: bool) -> Option<Moment> {
        [self.due(keep_fresh), self.waiting.next()]
            .into_iter()
            .flatten()
            .min()
    }

    /// When the token ends, if it is good and nothing renews it: then another word is said of the session.
    pub(crate) fn ends(&self, now: Now) -> Option<Moment> {
        match (&self.doing, &self.held) {
            (Doing::Idle, Held::Tokens(tokens))
                if schedule::good(tokens, now) && !self.refreshable() =>
            {
                let end = now.moment_of(tokens.expires);
                Some(end.max(now.moment.after(Duration::from_secs(1))))
            }
            (
                Doing::Idle
                | Doing::Refreshing(_)
                | Doing::SigningIn(..)
                | Doing::SigningOut(_)
                | Doing::BackingOff { .. }
                | Doing::LostReply { .. }
                | Doing::Blocked { .. }
                | Doing::Declined { .. },
                Held::Nothing(_) | Held::Tokens(_),
            ) => None,
        }
    }

    /// When its own next try is due.
    fn due(&self, keep_fresh: bool) -> Option<Moment> {
        match &self.doing {
            Doing::Idle => match &self.renewal {
                Renewal::Due(at) => Some(*at),
                Renewal::WhenAsked | Renewal::Over(_) => None,
            },
            Doing::BackingOff { until, .. } => keep_fresh.then_some(*until),
            Doing::LostReply { until, .. } | Doing::Blocked { until, .. } => Some(*until),
            Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::Declined { .. }
            | Doing::SigningOut(_) => None,
        }
    }

    /// Whether the tokens can be renewed without a person.
    pub(crate) fn refreshable(&self) -> bool {
        !matches!(self.renewal, Renewal::Over(_))
            && self.tokens().is_some_and(|tokens| tokens.refresh.is_some())
    }

    /// Whether a person signed it out.
    pub(crate) fn signed_out(&self) -> bool {
        matches!(&self.held, Held::Nothing(why) if why.code == Code::SignedOut)
    }

    /// Why a person is needed, for an ask where nobody is.
    fn nobody(&self) -> Problem {
        match (&self.held, &self.renewal) {
            (Held::Nothing(why), _) | (Held::Tokens(_), Renewal::Over(why)) => why.clone(),
            (Held::Tokens(_), Renewal::Due(_) | Renewal::WhenAsked) => {
                Problem::plain(Code::NoRefreshToken)
            }
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
            | Doing::SigningOut(_) => Problem::plain(Code::TakesTooLong),
        }
    }

    fn refresh(&mut self, cx: &mut Context<'_>) -> Vec<Step> {
        let (tries, after_loss) = match &self.doing {
            Doing::LostReply { last, .. } => (last.tries + 1, Loss::ReplyLost),
            Doing::BackingOff { last, .. } | Doing::Blocked { last, .. } => {
                (last.tries + 1, last.after_loss)
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

    /// The provider was not reached: whoever waits is told, and there is another try later.
    fn back_off(&mut self, fault: Problem, last: Attempt, cx: &mut Context<'_>) -> Vec<Step> {
        let steps = self.fail_all(&fault);
        self.doing = Doing::BackingOff {
            until: schedule::back_off(last.tries, cx.now, cx.jitter),
            fault,
            last,
        };
        steps
    }

    fn hold(&mut self, tokens: Tokens, cx: &mut Context<'_>) -> Vec<Step> {
        self.doing = Doing::Idle;
        let usable = schedule::good(&tokens, cx.now);
        self.held = Held::Tokens(tokens);
        self.schedule(cx);
        if usable {
            self.serve_all()
        } else {
            // A token that is over when it comes (a life of seconds, a reply that took minutes).
            self.fail_all(&Problem::plain(Code::TakesTooLong))
        }
    }

    fn schedule(&mut self, cx: &mut Context<'_>) {
        if matches!(self.renewal, Renewal::Over(_)) {
            return;
        }
        self.renewal = match &self.held {
            Held::Tokens(tokens) if cx.keep_fresh && tokens.refresh.is_some() => {
                Renewal::Due(schedule::renew_at(tokens, cx.now, cx.jitter))
            }
            Held::Tokens(_) | Held::Nothing(_) => Renewal::WhenAsked,
        };
    }

    fn serve_all(&mut self) -> Vec<Step> {
        self.waiting.take().into_iter().map(Step::Serve).collect()
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
