//! What callers and people want of a session.

use super::{Context, Doing, Held, Loss, Renewal, Session, Step};
use crate::accounts::schedule;
use crate::accounts::waiters::{CallerId, Person, Waiter};
use crate::problem::Problem;

impl Session {
    /// Somebody wants a token, or to be signed in.
    pub fn ask(&mut self, mut waiter: Waiter, mut cx: Context<'_>) -> Vec<Step> {
        if std::mem::take(&mut self.unasked) {
            self.schedule(&mut cx);
        }
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
                let attempt = attempt.id;
                self.waiting.join(waiter);
                if self.is_left() && person == Person::Asking {
                    // Its page may have been closed, or stand at somebody else's question.
                    let mut steps = vec![Step::Cancel(attempt)];
                    steps.extend(self.ask_a_person(&mut cx));
                    return steps;
                }
                vec![Step::Tell(attempt, waiter.caller)]
            }
            Doing::SigningOut(_) => {
                let refusal = Problem::SignedOut;
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
            return self.refresh_for_an_ask(cx);
        }
        if self.signed_out() && waiter.person != Person::Asking {
            return vec![Step::Fail(waiter, Problem::SignedOut)];
        }
        self.waiting.join(waiter);
        self.ask_a_person(cx)
    }

    /// No token can be had without somebody: those who wait with a person behind them get one
    /// page together, the others an answer.
    pub(super) fn ask_a_person(&mut self, cx: &mut Context<'_>) -> Vec<Step> {
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
            Doing::SigningIn(_, before) => before,
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::SigningOut(_) => None,
        };
        self.doing = Doing::SigningIn(attempt, before);
        self.left = false;
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
                    let mut steps = vec![Step::Serve(waiter)];
                    // What could not be renewed is tried again for a person, who may be looking at that.
                    if !matches!(self.doing, Doing::Idle) && self.refreshable() {
                        steps.extend(self.refresh_for_an_ask(&mut cx));
                    }
                    return steps;
                }
                self.waiting.join(waiter);
                self.ask_a_person(&mut cx)
            }
        }
    }

    /// A person wants newer tokens than those that are held, without a page: what the provider says of them now.
    pub fn renew(&mut self, mut waiter: Waiter, mut cx: Context<'_>) -> Vec<Step> {
        match &self.doing {
            Doing::SigningOut(_) => vec![Step::Fail(waiter, Problem::SignedOut)],
            Doing::SigningIn(..) => {
                self.waiting.join(waiter);
                Vec::new()
            }
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. }
                if !self.refreshable() =>
            {
                vec![Step::Fail(waiter, self.nobody())]
            }
            // Who waits for a reply gets what it brings.
            Doing::Refreshing(_) | Doing::LostReply { .. } => {
                waiter.until = Some(cx.now.moment.after(schedule::PATIENCE));
                self.waiting.join(waiter);
                Vec::new()
            }
            Doing::Idle
            | Doing::BackingOff { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. } => {
                waiter.until = Some(cx.now.moment.after(schedule::PATIENCE));
                self.waiting.join(waiter);
                self.refresh_for_an_ask(&mut cx)
            }
        }
    }

    /// An API server refused the token that is held and good: it is renewed, and whoever asks waits for that. Where it can't
    /// be, they get what is held.
    pub fn refused(&mut self, mut waiter: Waiter, mut cx: Context<'_>) -> Vec<Step> {
        match &self.doing {
            Doing::Idle if self.refreshable() => {
                waiter.until = Some(cx.now.moment.after(schedule::PATIENCE));
                self.waiting.join(waiter);
                self.refresh_for_an_ask(&mut cx)
            }
            // What is under way brings another, or says why there is none.
            Doing::Refreshing(_) => {
                waiter.until = Some(cx.now.moment.after(schedule::PATIENCE));
                self.waiting.join(waiter);
                Vec::new()
            }
            Doing::Idle
            | Doing::SigningIn(..)
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. }
            | Doing::SigningOut(_) => self.ask(waiter, cx),
        }
    }

    /// A person gives a sign-in up.
    pub fn cancel(&mut self) -> Vec<Step> {
        let Doing::SigningIn(attempt, _) = self.doing else {
            return Vec::new();
        };
        let refusal = Problem::SignInCancelled;
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
        let gone = Problem::SignedOut;
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

    /// A caller hung up.
    pub fn gone(&mut self, caller: CallerId) {
        let somebody_waited = !self.waiting.is_empty();
        self.waiting.remove(caller);
        self.left |= somebody_waited && self.waiting.is_empty();
    }
}
