//! A session, walked by hand through what may become of it.

use super::*;
use crate::accounts::waiters::{Person, Wants};
use crate::clock::Wall;
use crate::secret::{BearerToken, RefreshToken};
use crate::tokens::Identity;
use crate::transaction::{RefreshOutcome, SignInOutcome};

pub(crate) fn tokens(obtained: i64, lifetime: i64) -> Tokens {
    Tokens {
        bearer: BearerToken::new(format!("bearer-{obtained}")),
        refresh: Some(RefreshToken::new(format!("refresh-{obtained}"))),
        identity: Identity {
            subject: "s".into(),
            name: "test".into(),
            groups: vec![],
        },
        obtained: Wall::from_seconds(obtained),
        expires: Wall::from_seconds(obtained + lifetime),
        skew_ms: 0,
        refresh_expires: None,
        signed_in: Wall::from_seconds(obtained),
        client_secret: None,
        client_authentication: None,
    }
}

fn waiter(caller: u64, person: Person) -> Waiter {
    Waiter {
        caller: CallerId(caller),
        wants: Wants::Token,
        person,
        until: None,
    }
}

/// A session, its clock and its chance, walked by hand.
struct Walk {
    session: Session,
    now: Now,
    jitter: Jitter,
    attempts: u64,
}

impl Walk {
    fn new() -> Self {
        Self {
            session: Session::empty(Problem::NotSignedIn),
            now: Now {
                wall: Wall::from_seconds(0),
                moment: Moment(0),
            },
            jitter: Jitter::new(3),
            attempts: 0,
        }
    }

    fn with_tokens(lifetime: i64) -> Self {
        let mut walk = Self::new();
        walk.with(|session, cx| session.restore(tokens(0, lifetime), Loss::None, cx));
        walk
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Session, Context<'_>) -> T) -> T {
        let cx = Context {
            now: self.now,
            jitter: &mut self.jitter,
            attempts: &mut self.attempts,
            keep_fresh: true,
        };
        act(&mut self.session, cx)
    }

    fn at(&mut self, seconds: u64) -> &mut Self {
        let from = Now {
            wall: Wall::from_seconds(0),
            moment: Moment(0),
        };
        self.now = from.after(std::time::Duration::from_secs(seconds));
        self
    }

    fn ask(&mut self, caller: u64, person: Person) -> Vec<Step> {
        self.with(|session, cx| session.ask(waiter(caller, person), cx))
    }

    fn attempt(&self) -> AttemptId {
        self.session.attempt().unwrap()
    }

    fn refreshed(&mut self, outcome: RefreshOutcome) -> Vec<Step> {
        let id = self.attempt();
        self.with(|session, cx| session.refreshed(id, outcome, cx))
    }
}

fn fault() -> Problem {
    Problem::Unreachable {
        host: "sso.example.com".into(),
        reason: "no route".into(),
    }
}

fn ended() -> RefreshOutcome {
    RefreshOutcome::Ended(Problem::SessionEnded {
        reason: "Session not active".into(),
    })
}

#[test]
fn a_page_that_everybody_left_is_opened_anew_for_a_person_who_asks() {
    let mut walk = Walk::new();
    walk.ask(1, Person::Present);
    walk.ask(2, Person::Present);
    let left = walk.attempt();
    walk.session.gone(CallerId(1));
    let steps = walk.ask(3, Person::Asking);
    assert!(matches!(steps[..], [Step::Tell(..)]), "one still waits");
    walk.session.gone(CallerId(2));
    walk.session.gone(CallerId(3));
    let steps = walk.ask(4, Person::Present);
    assert!(matches!(steps[..], [Step::Tell(..)]), "it may be a poll");
    let steps = walk.ask(5, Person::Asking);
    let [
        Step::Cancel(over),
        Step::SignIn(new),
        Step::Tell(..),
        Step::Tell(..),
    ] = steps[..]
    else {
        panic!("{steps:?}");
    };
    assert!(over == left && new.id != left);
    let steps = walk.ask(6, Person::Asking);
    assert!(matches!(steps[..], [Step::Tell(..)]), "{steps:?}");
}

#[test]
fn a_first_ask_opens_one_page_and_the_others_join() {
    let mut walk = Walk::new();
    let steps = walk.ask(1, Person::Present);
    assert!(
        matches!(steps[..], [Step::SignIn(_), Step::Tell(_, CallerId(1))]),
        "{steps:?}"
    );
    let steps = walk.ask(2, Person::Present);
    assert!(
        matches!(steps[..], [Step::Tell(_, CallerId(2))]),
        "{steps:?}"
    );
    let steps = walk.ask(3, Person::Absent);
    assert!(matches!(steps[..], [Step::Fail(_, _)]), "{steps:?}");
    let id = walk.attempt();
    let steps =
        walk.with(|session, cx| session.signed_in(id, SignInOutcome::SignedIn(tokens(0, 60)), cx));
    assert!(
        matches!(steps[..], [Step::Serve(_), Step::Serve(_)]),
        "{steps:?}"
    );
}

#[test]
fn a_token_is_renewed_ahead_and_served_meanwhile() {
    let mut walk = Walk::with_tokens(60);
    let due = walk.session.next(true).unwrap();
    assert!((40_000..46_000).contains(&due.0), "{due:?}");
    let steps = walk.at(46).with(Session::timeout);
    assert!(matches!(steps[..], [Step::Refresh(_)]), "{steps:?}");
    assert!(matches!(walk.ask(1, Person::Absent)[..], [Step::Serve(_)]));
    assert!(
        walk.refreshed(RefreshOutcome::Refreshed(tokens(46, 60)))
            .is_empty()
    );
    assert!(matches!(
        walk.at(80).ask(2, Person::Absent)[..],
        [Step::Serve(_)]
    ));
}

#[test]
fn a_token_that_nobody_asks_for_is_not_renewed_at_every_turn() {
    let life_ends_at_once = |obtained, lifetime| Tokens {
        refresh_expires: Some(Wall::from_seconds(obtained + 1)),
        ..tokens(obtained, lifetime)
    };
    for (lifetime, shown) in [
        (1, tokens as fn(i64, i64) -> Tokens),
        (4, tokens),
        (3600, life_ends_at_once),
    ] {
        let mut walk = Walk::new();
        walk.with(|session, cx| session.restore(shown(0, lifetime), Loss::None, cx));
        // The first one after an ask comes as its life has it.
        let mut at = walk.session.next(true).unwrap().0.div_ceil(1000);
        assert!(at < 4, "{at}");
        for _ in 0..20 {
            let steps = walk.at(at).with(Session::timeout);
            assert!(matches!(steps[..], [Step::Refresh(_)]), "{steps:?}");
            let fresh = shown(i64::try_from(at).unwrap(), lifetime);
            walk.refreshed(RefreshOutcome::Refreshed(fresh));
            let next = walk.session.next(true).unwrap();
            assert_eq!(next, Moment((at + 10) * 1000), "{lifetime}");
            at += 10;
        }
        let now = at - 10;
        assert!(walk.ask(1, Person::Absent).len() == 1);
        // Whoever asks again has it renewed ahead again, or at once.
        let soon = walk.session.next(true).unwrap();
        let at_once = walk.session.attempt().is_some();
        assert!(at_once || soon < Moment((now + 4) * 1000), "{soon:?}");
    }
}

#[test]
fn a_network_fault_never_ends_a_session() {
    let mut walk = Walk::with_tokens(60);
    walk.at(100);
    assert!(matches!(
        walk.ask(1, Person::Present)[..],
        [Step::Refresh(_)]
    ));
    let steps = walk.refreshed(RefreshOutcome::Unreachable(fault()));
    assert!(matches!(&steps[..], [Step::Fail(_, problem)] if problem.code() == Code::Unreachable));
    // Five runs of the same kubectl within a second are answered at once, without a try each.
    assert!(matches!(
        walk.ask(2, Person::Present)[..],
        [Step::Fail(_, _)]
    ));
    assert!(matches!(
        walk.at(103).ask(3, Person::Absent)[..],
        [Step::Refresh(_)]
    ));
    let steps = walk.refreshed(RefreshOutcome::Refreshed(tokens(103, 60)));
    assert!(matches!(steps[..], [Step::Serve(_)]), "{steps:?}");
}

#[test]
fn asks_make_no_pause_longer() {
    let mut walk = Walk::with_tokens(60);
    // Away for 100 s, and asked for every 5.
    for at in (100..200).step_by(5) {
        if walk.at(at).ask(at, Person::Absent).len() == 1 && walk.session.attempt().is_some() {
            walk.refreshed(RefreshOutcome::Unreachable(fault()));
        }
        if walk.session.next(true).unwrap() <= Moment(at * 1000) {
            walk.with(Session::timeout);
            walk.refreshed(RefreshOutcome::Unreachable(fault()));
        }
    }
    let next = walk.session.next(true).unwrap();
    assert!(next <= Moment((200 + 30) * 1000), "{next:?}");
    // By itself it tries less and less often.
    for _ in 0..10 {
        let due = walk.session.next(true).unwrap().0.div_ceil(1000);
        walk.at(due).with(Session::timeout);
        walk.refreshed(RefreshOutcome::Unreachable(fault()));
    }
    let now = walk.session.next(true).unwrap().0;
    let due = walk.now.moment.0;
    assert!(now - due >= 300_000, "{}", now - due);
}

#[test]
fn a_provider_that_hangs_is_told_of_within_ten_seconds() {
    let mut walk = Walk::with_tokens(60);
    assert!(matches!(
        walk.at(100).ask(1, Person::Absent)[..],
        [Step::Refresh(_)]
    ));
    assert_eq!(walk.session.next(true), Some(Moment(109_000)));
    let steps = walk.at(109).with(Session::timeout);
    assert!(matches!(&steps[..], [Step::Fail(_, problem)] if problem.code() == Code::TakesTooLong));
}

#[test]
fn a_lost_reply_is_tried_once_more_and_then_told() {
    let mut walk = Walk::with_tokens(60);
    walk.at(100).ask(1, Person::Absent);
    assert!(
        walk.refreshed(RefreshOutcome::LostReply(fault()))
            .is_empty(),
        "it waits on"
    );
    let steps = walk.at(102).with(Session::timeout);
    assert!(matches!(steps[..], [Step::Refresh(_)]), "{steps:?}");
    let steps = walk.refreshed(ended());
    assert!(
        matches!(&steps[..], [Step::Forget, Step::Fail(_, problem)]
            if problem.code() == Code::SessionEndedAfterLostReply),
        "{steps:?}"
    );
}

#[test]
fn an_ended_session_opens_one_page_for_whoever_waits() {
    let mut walk = Walk::with_tokens(60);
    walk.at(100).ask(1, Person::Present);
    walk.ask(2, Person::Absent);
    let steps = walk.refreshed(ended());
    assert!(
        matches!(
            steps[..],
            [
                Step::Forget,
                Step::Fail(
                    Waiter {
                        caller: CallerId(2),
                        ..
                    },
                    _
                ),
                Step::SignIn(_),
                Step::Tell(_, CallerId(1))
            ]
        ),
        "{steps:?}"
    );
}

#[test]
fn a_session_that_ends_early_still_serves_its_token_and_remembers_why() {
    let mut walk = Walk::with_tokens(60);
    walk.at(46).with(Session::timeout);
    walk.refreshed(ended());
    assert!(matches!(walk.ask(1, Person::Absent)[..], [Step::Serve(_)]));
    let steps = walk.at(70).ask(2, Person::Absent);
    assert!(matches!(&steps[..], [Step::Fail(_, problem)] if problem.code() == Code::SessionEnded));
    assert_eq!(word(&walk.session, walk.now), StateWord::NeedsYou);
}

#[test]
fn a_person_signs_in_again_before_a_token_that_nothing_renews_has_run_out() {
    let mut walk = Walk::with_tokens(60);
    walk.at(50).with(Session::timeout);
    walk.refreshed(ended());
    let steps = walk.with(|session, cx| session.sign_in(waiter(1, Person::Asking), cx));
    assert!(
        matches!(steps[..], [Step::SignIn(_), Step::Tell(_, CallerId(1))]),
        "{steps:?}"
    );
    let steps = walk.ask(2, Person::Absent);
    assert!(matches!(steps[..], [Step::Serve(_)]), "{steps:?}");
}

#[test]
fn after_a_refusal_only_a_person_opens_the_next_page() {
    let mut walk = Walk::new();
    walk.ask(1, Person::Present);
    let id = walk.attempt();
    let refusal = Problem::SignInTimedOut {
        redirect: "http://localhost:8000".into(),
    };
    walk.with(|session, cx| session.signed_in(id, SignInOutcome::Declined(refusal), cx));
    for caller in 2..102 {
        let steps = walk.ask(caller, Person::Present);
        assert!(matches!(&steps[..], [Step::Fail(_, p)] if p.code() == Code::SignInTimedOut));
    }
    assert!(matches!(
        walk.ask(200, Person::Asking)[..],
        [Step::SignIn(_), Step::Tell(..)]
    ));
}

#[test]
fn a_refusal_outlives_a_try_that_came_to_no_page() {
    let mut walk = Walk::new();
    walk.ask(1, Person::Present);
    let id = walk.attempt();
    let refusal = SignInOutcome::Declined(Problem::SignInRefused {
        error: "access_denied".into(),
        description: None,
    });
    walk.with(|session, cx| session.signed_in(id, refusal, cx));
    walk.ask(2, Person::Asking);
    let id = walk.attempt();
    let steps =
        walk.with(|session, cx| session.signed_in(id, SignInOutcome::Unreachable(fault()), cx));
    assert!(matches!(&steps[..], [Step::Fail(_, p)] if p.code() == Code::Unreachable));
    let steps = walk.at(60).ask(3, Person::Present);
    assert!(matches!(&steps[..], [Step::Fail(_, p)] if p.code() == Code::SignInRefused));
}

#[test]
fn a_dead_refresh_token_is_not_shown_again() {
    let mut walk = Walk::with_tokens(60);
    walk.at(46).with(Session::timeout);
    walk.refreshed(ended());
    // Its token runs out, and the sign-in that follows comes to no page.
    walk.at(70).ask(1, Person::Present);
    let id = walk.attempt();
    walk.with(|session, cx| session.signed_in(id, SignInOutcome::Unreachable(fault()), cx));
    assert_eq!(word(&walk.session, walk.now), StateWord::NeedsYou);
    let due = walk.session.next(true).unwrap();
    walk.at(due.0 / 1000 + 1).with(Session::timeout);
    assert_eq!(walk.session.next(true), None);
    let steps = walk.ask(2, Person::Absent);
    assert!(matches!(&steps[..], [Step::Fail(_, p)] if p.code() == Code::SessionEnded));
    assert!(matches!(
        walk.ask(3, Person::Present)[..],
        [Step::SignIn(_), Step::Tell(..)]
    ));
}

#[test]
fn signing_out_answers_everybody_and_asks_nobody_again() {
    let mut walk = Walk::with_tokens(60);
    walk.at(100).ask(1, Person::Present);
    let steps = walk.with(Session::sign_out);
    assert!(
        matches!(&steps[..], [Step::Fail(..), Step::SignOut(_, Some(_))]),
        "{steps:?}"
    );
    let id = walk.attempt();
    walk.session.signed_out_now(id);
    let steps = walk.ask(2, Person::Present);
    assert!(matches!(&steps[..], [Step::Fail(_, p)] if p.code() == Code::SignedOut));
}

#[test]
fn a_clock_that_is_set_moves_the_tokens_along() {
    let mut walk = Walk::with_tokens(60);
    walk.now.wall = Wall::from_seconds(600);
    walk.with(|session, cx| session.clock_set(600_000, cx));
    assert!(walk.session.good(walk.now).is_some());
    assert_eq!(walk.session.tokens().unwrap().skew_ms, -600_000);
}

/// `kubectl fob renew`.
fn renew(walk: &mut Walk, caller: u64) -> Vec<Step> {
    let waiter = Waiter {
        wants: Wants::Renewal,
        ..waiter(caller, Person::Absent)
    };
    walk.with(|session, cx| session.renew(waiter, cx))
}

#[test]
fn a_renewal_refreshes_a_good_token_which_is_served_meanwhile() {
    let mut walk = Walk::with_tokens(600);
    let steps = renew(&mut walk, 1);
    assert!(matches!(steps[..], [Step::Refresh(_)]), "{steps:?}");
    assert!(matches!(walk.ask(2, Person::Absent)[..], [Step::Serve(_)]));
    assert!(renew(&mut walk, 3).is_empty(), "it joins the one under way");
    let steps = walk.refreshed(RefreshOutcome::Refreshed(tokens(1, 600)));
    let told: Vec<_> = steps
        .iter()
        .filter_map(|step| {
            if let Step::Serve(waiter) = step {
                Some((waiter.caller.0, waiter.wants))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(told, [(1, Wants::Renewal), (3, Wants::Renewal)]);
}

#[test]
fn a_renewal_that_fails_says_why_and_opens_no_page() {
    for outcome in [ended(), RefreshOutcome::Unreachable(fault())] {
        let mut walk = Walk::with_tokens(600);
        renew(&mut walk, 1);
        let steps = walk.refreshed(outcome);
        let failed = |step: &Step| matches!(step, Step::Fail(waiter, _) if waiter.caller.0 == 1);
        assert!(steps.iter().any(failed), "{steps:?}");
        let opens = |step: &Step| matches!(step, Step::SignIn(_));
        assert!(!steps.iter().any(opens), "{steps:?}");
        assert!(matches!(walk.ask(2, Person::Absent)[..], [Step::Serve(_)]));
    }
    let mut nobody = Walk::new();
    let steps = renew(&mut nobody, 1);
    assert!(
        matches!(&steps[..], [Step::Fail(_, problem)] if problem.code() == Code::NotSignedIn),
        "{steps:?}"
    );
}

/// An account that nothing keeps fresh stays as its last try left it: who signs in has it tried again.
#[test]
fn a_person_who_signs_in_has_a_failed_renewal_tried_again() {
    let mut walk = Walk::with_tokens(600);
    renew(&mut walk, 1);
    walk.refreshed(RefreshOutcome::Unreachable(fault()));
    assert_eq!(word(&walk.session, walk.now), StateWord::CannotReach);
    let signs_in = Waiter {
        wants: Wants::SignIn,
        ..waiter(2, Person::Asking)
    };
    let steps = walk.with(|session, cx| session.sign_in(signs_in, cx));
    assert!(
        matches!(steps[..], [Step::Serve(_), Step::Refresh(_)]),
        "{steps:?}"
    );
}

#[test]
fn a_token_that_nothing_ever_renewed_says_so_when_it_is_over() {
    let mut walk = Walk::new();
    let alone = Tokens {
        refresh: None,
        ..tokens(0, 60)
    };
    walk.with(|session, cx| session.restore(alone, Loss::None, cx));
    assert_eq!(problem(&walk.session, walk.now), None);
    walk.at(61);
    assert_eq!(word(&walk.session, walk.now), StateWord::NeedsYou);
    let why = problem(&walk.session, walk.now);
    assert_eq!(why, Some(Problem::NoRefreshToken));
}
