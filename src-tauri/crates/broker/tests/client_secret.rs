//! The client secret: whose it is, how long it is kept, and which of two is used.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a surprise is a failed test"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "each test looks for one effect among many"
)]

mod shared;

use std::time::Duration;

use broker::asker::Desktop;
use broker::broker::Broker;
use broker::clock::Now;
use broker::command::Command;
use broker::event::{AtRest, Effect, Event, Kept, Restored};
use broker::secret::ClientSecret;
use broker::session::Loss;
use broker::settings::{Keep, Settings};
use broker::tokens::Tokens;
use broker::transaction::{
    AttemptId, Forget, RefreshOutcome, RefreshRequest, SignInOutcome, SignInRequest,
};
use broker::trust::Answer;
use shared::{ask, asker, command, key, login, logout, start, tokens, with_secret};

/// A broker, with what its world remembers of it across restarts.
struct World {
    broker: Broker,
    now: Now,
    effects: Vec<Effect>,
    kept: Kept,
    at_rest: Option<AtRest>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            broker: Broker::new(Kept::default(), Settings::default(), 1),
            now: start(),
            effects: Vec::new(),
            kept: Kept::default(),
            at_rest: None,
        };
        world.handle(Event::Desktop(Desktop::Unlocked));
        world
    }

    fn handle(&mut self, event: Event) {
        self.effects = self.broker.handle(event, self.now);
        for effect in &self.effects {
            match effect {
                Effect::Keep(kept) => self.kept = (**kept).clone(),
                Effect::KeepSecret(_, secret) if self.at_rest.is_none() => {
                    self.at_rest = Some(AtRest::Secret(secret.clone()));
                }
                Effect::Forget(_, forget) => self.at_rest = left(self.at_rest.take(), *forget),
                Effect::SignOut(_, request) => {
                    self.at_rest = left(self.at_rest.take(), request.forget);
                }
                _ => {}
            }
        }
    }

    fn restart(&mut self) {
        self.broker = Broker::new(self.kept.clone(), Settings::default(), 2);
        self.handle(Event::Desktop(Desktop::Unlocked));
        let restored = self.at_rest.clone().map(|at_rest| Restored {
            key: key(),
            at_rest,
        });
        self.handle(Event::Loaded(restored.into_iter().collect(), Keep::Sealed));
    }

    fn kubectl(&mut self, caller: u64, secret: Option<&str>) {
        let asker = asker(u32::try_from(caller).unwrap(), true);
        self.handle(ask(caller, asker, with_secret(secret), "s"));
    }

    fn login(&mut self, caller: u64) -> (AttemptId, SignInRequest) {
        self.handle(command(caller, asker(7, true), login()));
        self.sign_in()
    }

    fn sign_in(&self) -> (AttemptId, SignInRequest) {
        let sign_in = self.effects.iter().find_map(|effect| match effect {
            Effect::SignIn(sign_in) => Some((sign_in.attempt, sign_in.request.clone())),
            _ => None,
        });
        sign_in.unwrap_or_else(|| panic!("no sign-in in {:?}", self.effects))
    }

    fn refresh(&self) -> (AttemptId, RefreshRequest) {
        let refresh = self.effects.iter().find_map(|effect| match effect {
            Effect::Refresh(attempt, request) => Some((*attempt, (**request).clone())),
            _ => None,
        });
        refresh.unwrap_or_else(|| panic!("no refresh in {:?}", self.effects))
    }

    fn by(&self, secret: Option<&str>) -> Tokens {
        Tokens {
            client_secret: secret.map(|secret| ClientSecret::new(secret.into())),
            client_authentication: None,
            ..tokens(1, Duration::from_secs(60), self.now)
        }
    }

    fn signs_in(&mut self, attempt: AttemptId, secret: Option<&str>) {
        let tokens = self.by(secret);
        self.at_rest = Some(AtRest::Tokens(tokens.clone(), Loss::None));
        let outcome = SignInOutcome::SignedIn(tokens);
        self.handle(Event::SignedIn(key().id(), attempt, outcome));
    }

    /// From nothing to a session with a trusted server.
    fn signed_in(secret: Option<&str>) -> Self {
        let mut world = Self::new();
        world.kubectl(1, secret);
        let (attempt, _) = world.sign_in();
        world.approve();
        world.signs_in(attempt, secret);
        world
    }

    fn approve(&mut self) {
        let question = self.effects.iter().find_map(|effect| match effect {
            Effect::SignIn(sign_in) => sign_in.question,
            _ => None,
        });
        let question = question.unwrap_or_else(|| panic!("no question in {:?}", self.effects));
        self.handle(Event::AnsweredOnPage(question, Answer::Always, vec![]));
    }

    /// The minute passes, and the provider says no.
    fn ends(&mut self) {
        self.now = self.now.after(Duration::from_secs(100));
        self.handle(Event::Timeout);
        let (attempt, _) = self.refresh();
        let outcome = RefreshOutcome::Ended(shared::session_ended());
        self.handle(Event::Refreshed(key().id(), attempt, outcome));
    }
}

fn left(at_rest: Option<AtRest>, forget: Forget) -> Option<AtRest> {
    match (forget, at_rest?) {
        (Forget::Everything, _) => None,
        (Forget::Tokens, AtRest::Tokens(tokens, _)) => tokens.client_secret.map(AtRest::Secret),
        (Forget::Tokens, AtRest::Secret(secret)) => Some(AtRest::Secret(secret)),
    }
}

fn secret(text: &str) -> Option<ClientSecret> {
    Some(ClientSecret::new(text.into()))
}

#[test]
fn an_ended_session_s_client_can_be_signed_in_after_a_restart() {
    let mut world = World::signed_in(Some("s"));
    world.ends();
    world.restart();
    let (attempt, request) = world.login(20);
    assert_eq!(request.settings.client_secret, secret("s"));
    let refusal = SignInOutcome::Declined(shared::timed_out());
    world.handle(Event::SignedIn(key().id(), attempt, refusal));
    world.restart();
    let (_, request) = world.login(21);
    assert_eq!(request.settings.client_secret, secret("s"), "declined");
}

#[test]
fn a_secret_that_never_worked_is_kept_where_no_other_is() {
    let mut world = World::new();
    world.kubectl(1, Some("s"));
    let (attempt, _) = world.sign_in();
    world.approve();
    let refusal = SignInOutcome::Declined(shared::timed_out());
    world.handle(Event::SignedIn(key().id(), attempt, refusal));
    assert_eq!(world.at_rest, None, "not before its server is trusted");
    world.kubectl(2, Some("s"));
    world.restart();
    assert_eq!(world.login(20).1.settings.client_secret, secret("s"));
}

#[test]
fn a_changed_secret_is_tried_and_kept_when_it_works() {
    let mut world = World::signed_in(Some("old"));
    world.kubectl(2, Some("new"));
    world.now = world.now.after(Duration::from_secs(100));
    world.handle(Event::Timeout);
    let (attempt, request) = world.refresh();
    assert_eq!(request.settings.client_secret, secret("old"), "it works");
    let blocked = RefreshOutcome::Blocked(shared::client_refused());
    world.handle(Event::Refreshed(key().id(), attempt, blocked));

    world.kubectl(3, Some("newer"));
    let (attempt, request) = world.refresh();
    assert_eq!(request.settings.client_secret, secret("newer"));
    let tokens = world.by(Some("newer"));
    world.handle(Event::Refreshed(
        key().id(),
        attempt,
        RefreshOutcome::Refreshed(tokens.clone()),
    ));
    world.at_rest = Some(AtRest::Tokens(tokens, Loss::None));

    // At a sign-in both are at hand: the newest of the flags first, the one that worked second.
    world.kubectl(4, Some("wrong"));
    world.ends();
    let (_, request) = world.login(20);
    assert_eq!(request.settings.client_secret, secret("wrong"));
    assert_eq!(request.known_secret, secret("newer"));
    world.restart();
    let (_, request) = world.login(21);
    assert_eq!(request.settings.client_secret, secret("newer"));
}

#[test]
fn a_client_that_became_public_keeps_no_secret() {
    let mut world = World::signed_in(Some("s"));
    world.ends();
    let (attempt, _) = world.login(20);
    world.signs_in(attempt, None);
    world.ends();
    world.restart();
    assert_eq!(world.login(21).1.settings.client_secret, None);
}

#[test]
fn signing_out_keeps_it_while_a_server_is_trusted() {
    let mut world = World::signed_in(Some("s"));
    world.handle(command(20, asker(7, true), logout()));
    let Some(Effect::SignOut(_, request)) = world
        .effects
        .iter()
        .find(|effect| matches!(effect, Effect::SignOut(..)))
    else {
        panic!("{:?}", world.effects)
    };
    assert_eq!(request.forget, Forget::Tokens);
    world.restart();
    assert_eq!(world.login(21).1.settings.client_secret, secret("s"));
}

#[test]
fn the_last_server_s_trust_takes_it_along() {
    let untrust = |world: &mut World| {
        let name = world.broker.view(world.now).trusts[0].name.clone();
        let untrust = Command::Untrust { name };
        world.handle(command(30, asker(7, true), untrust));
    };
    // Nobody is signed in: at once.
    let mut world = World::signed_in(Some("s"));
    world.ends();
    untrust(&mut world);
    assert_eq!(world.at_rest, None);
    assert_eq!(world.login(31).1.settings.client_secret, None);

    // A session lives by it: with the sign-out.
    let mut world = World::signed_in(Some("s"));
    untrust(&mut world);
    assert!(matches!(world.at_rest, Some(AtRest::Tokens(..))));
    world.handle(command(31, asker(7, true), logout()));
    assert_eq!(world.at_rest, None);
    world.restart();
    assert_eq!(world.login(32).1.settings.client_secret, None);
}
