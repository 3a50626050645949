//! What time does to a session, and what else happens to it by itself.

use std::time::Duration;

use super::{Context, Doing, Held, Renewal, Session, Step};
use crate::accounts::schedule;
use crate::accounts::waiters::Wants;
use crate::clock::{Moment, Now};

impl Session {
    /// What is due by now.
    pub fn timeout(&mut self, mut cx: Context<'_>) -> Vec<Step> {
        let mut steps: Vec<Step> = self
            .waiting
            .overdue(cx.now.moment)
            .into_iter()
            .map(|waiter| match waiter.wants {
                // A renewal is waited for beside a token that is good.
                Wants::Credential(_) | Wants::Token if self.good(cx.now).is_some() => {
                    Step::Serve(waiter)
                }
                Wants::Credential(_) | Wants::Token | Wants::SignIn | Wants::Renewal => {
                    Step::Fail(waiter, self.takes_too_long())
                }
            })
            .collect();
        let due = self.due(cx.keep_fresh);
        if due.is_some_and(|due| due <= cx.now.moment) {
            if self.refreshable() {
                self.unasked = true;
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

    /// When a provider that is not reached is tried again, if that is done by itself.
    pub(crate) fn tries_again(&self, keep_fresh: bool) -> Option<Moment> {
        match &self.doing {
            Doing::BackingOff { .. } if self.refreshable() => self.due(keep_fresh),
            Doing::Idle
            | Doing::Refreshing(_)
            | Doing::SigningIn(..)
            | Doing::BackingOff { .. }
            | Doing::LostReply { .. }
            | Doing::Blocked { .. }
            | Doing::Declined { .. }
            | Doing::SigningOut(_) => None,
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

    pub(super) fn schedule(&mut self, cx: &mut Context<'_>) {
        if matches!(self.renewal, Renewal::Over(_)) {
            return;
        }
        self.renewal = match &self.held {
            Held::Tokens(tokens) if cx.keep_fresh && tokens.refresh.is_some() => {
                Renewal::Due(schedule::renew_at(tokens, self.unasked, cx.now, cx.jitter))
            }
            Held::Tokens(_) | Held::Nothing(_) => Renewal::WhenAsked,
        };
    }
}
