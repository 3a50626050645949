//! What became of an attempt.

use super::{Attempt, Context, Doing, Held, Loss, Renewal, Session, Step};
use crate::accounts::schedule;
use crate::accounts::waiters::CallerId;
use crate::problem::Problem;
use crate::tokens::Tokens;
use crate::transaction::{AttemptId, RefreshOutcome, SignInOutcome};

impl Session {
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
                fault: Problem::LostReply {
                    reason: "Kubefob was restarted".to_owned(),
                },
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
                self.renewal = Renewal::Over(Problem::RefreshWithoutIdToken);
                self.doing = Doing::Idle;
                let mut steps = self.fail_renewals(&Problem::RefreshWithoutIdToken);
                steps.extend(if self.good(cx.now).is_some() {
                    self.serve_all()
                } else {
                    self.ask_a_person(&mut cx)
                });
                steps
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
                    Loss::ReplyLost => why.after_lost_reply(),
                };
                self.doing = Doing::Idle;
                let mut steps = vec![Step::Forget];
                steps.extend(self.fail_renewals(&why));
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
                let steps = self.disappoint_all(&refusal, cx.now);
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

    /// A sign-in ended by an answer to the question that stood on its page. It says nothing of the account: all is as it
    /// was before, and those who waited are given back, to be looked at one by one.
    pub fn set_aside(&mut self, id: AttemptId) -> Vec<CallerId> {
        let Doing::SigningIn(attempt, before) = &self.doing else {
            return Vec::new();
        };
        if attempt.id != id {
            return Vec::new();
        }
        self.doing = match before.clone() {
            Some(refusal) => Doing::Declined { refusal },
            None => Doing::Idle,
        };
        let waiting = self.waiting.take().into_iter();
        waiting.map(|waiter| waiter.caller).collect()
    }

    /// The tokens were ended, or could not be.
    pub fn signed_out_now(&mut self, id: AttemptId) {
        if self.doing == Doing::SigningOut(id) {
            self.doing = Doing::Idle;
        }
    }

    /// The provider was not reached: whoever waits is told, and there is another try later.
    fn back_off(&mut self, fault: Problem, last: Attempt, cx: &mut Context<'_>) -> Vec<Step> {
        let steps = self.disappoint_all(&fault, cx.now);
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
            self.fail_all(&Problem::TakesTooLong)
        }
    }
}
