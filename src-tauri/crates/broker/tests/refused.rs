//! An API server that says 401 to a token that is not over: client-go asks again before the expiry that it was told.

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

use std::sync::Arc;
use std::time::Duration;

use broker::account::ClientSettings;
use broker::asker::Desktop;
use broker::broker::Broker;
use broker::clock::Now;
use broker::command::Which;
use broker::event::{AtRest, Candidate, Effect, Event, Kept, Reply, Restored, Servers};
use broker::problem::Problem;
use broker::session::Loss;
use broker::settings::{Keep, Settings};
use broker::transaction::{AttemptId, RefreshOutcome};
use broker::trust::{Approval, By, Pair, Server};
use shared::{ask, asker, candidate, key, start, tokens};

const LIFE: Duration = Duration::from_secs(600);

/// Somebody is signed in, and two servers may have their tokens.
struct World {
    broker: Broker,
    now: Now,
    callers: u64,
}

impl World {
    fn new() -> Self {
        let approved = |candidate: Candidate| {
            let pair = Pair {
                account: key().id(),
                server: candidate.server,
            };
            let approval = Approval {
                at: start().wall,
                by: By::FirstStart,
                contexts: vec![],
                file: None,
                manners: vec![],
            };
            (pair, approval)
        };
        let kept = Kept {
            trusts: [candidate("prod"), candidate("dev"), other_way_to_prod()]
                .map(approved)
                .into(),
            ..Kept::default()
        };
        let mut broker = Broker::new(kept, Settings::default(), 1).with_sessions_at_rest();
        broker.handle(Event::Desktop(Desktop::Unlocked), start());
        let restored = Restored {
            key: key(),
            at_rest: AtRest::Tokens(tokens(1, LIFE, start()), Loss::None),
        };
        broker.handle(Event::Loaded(vec![restored], Keep::Sealed), start());
        Self {
            broker,
            now: start(),
            callers: 0,
        }
    }

    fn after(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    /// A process asks for a server; by client-go, or by hand.
    fn ask(&mut self, process: u32, server: &str, by_client: bool) -> Vec<Effect> {
        self.callers += 1;
        let asked = ask(
            self.callers,
            asker(process, false),
            ClientSettings::default(),
            server,
        );
        let Event::Asked(mut asked) = asked else {
            panic!("{asked:?}");
        };
        asked.by_client = by_client;
        self.broker.handle(Event::Asked(asked), self.now)
    }

    /// A process of client-go's asks by this stanza, for these servers.
    fn ask_for(&mut self, process: u32, needed: Vec<Candidate>) -> Vec<Effect> {
        self.callers += 1;
        let servers = Servers {
            needed,
            ..shared::servers("prod")
        };
        let asked = shared::ask_for(
            self.callers,
            asker(process, false),
            ClientSettings::default(),
            servers,
        );
        let Event::Asked(mut asked) = asked else {
            panic!("{asked:?}");
        };
        asked.by_client = true;
        self.broker.handle(Event::Asked(asked), self.now)
    }

    fn renewed(&mut self, attempt: AttemptId, outcome: RefreshOutcome) -> Vec<Effect> {
        let event = Event::Refreshed(key().id(), attempt, outcome);
        self.broker.handle(event, self.now)
    }

    fn refused_by(&self) -> Vec<String> {
        let view = self.broker.view(self.now);
        view.accounts[0].refused_by.clone()
    }
}

/// The same address, by another name in its certificate.
fn other_way_to_prod() -> Candidate {
    let Server::Known(known) = candidate("prod").server else {
        panic!("it is known");
    };
    let mut known = Arc::unwrap_or_clone(known);
    known.tls_server_name = Some("api.example.com".into());
    Candidate {
        server: Server::Known(Arc::new(known)),
        ..candidate("prod")
    }
}

/// The token that somebody is given.
fn token(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::Reply(_, Reply::Credential(_, token, _)) => Some(token.reveal()),
        _ => None,
    })
}

/// The refresh that is begun.
fn refresh(effects: &[Effect]) -> Option<AttemptId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Refresh(attempt, _) => Some(*attempt),
        _ => None,
    })
}

#[test]
fn a_token_that_is_refused_is_renewed_once_and_its_successor_not() {
    let mut world = World::new();
    assert_eq!(token(&world.ask(1, "prod", true)), Some("token-1"));
    world.after(10);
    let again = world.ask(1, "prod", true);
    assert_eq!(token(&again), None, "they wait for another");
    let attempt = refresh(&again).unwrap();
    // Others are served what is held, and a hundred more refusals begin nothing.
    assert_eq!(token(&world.ask(2, "dev", true)), Some("token-1"));
    for _ in 0..3 {
        assert_eq!(refresh(&world.ask(1, "prod", true)), None);
    }
    let renewed = RefreshOutcome::Refreshed(tokens(2, LIFE, world.now));
    assert_eq!(token(&world.renewed(attempt, renewed)), Some("token-2"));
    assert!(world.refused_by().is_empty());

    // The cluster says 401 to that too: it costs nothing more, and status says so.
    for _ in 0..30 {
        world.after(5);
        let again = world.ask(1, "prod", true);
        assert_eq!(refresh(&again), None);
        assert_eq!(token(&again), Some("token-2"));
    }
    assert_eq!(world.refused_by(), ["https://prod.example.com"]);
}

#[test]
fn where_it_can_t_be_renewed_the_held_token_is_served() {
    let fault = || Problem::Unreachable {
        host: "sso.example.com".into(),
        reason: "no route".into(),
    };
    let ended = || Problem::SessionEnded {
        reason: "it is over".into(),
    };
    for outcome in [
        RefreshOutcome::Unreachable(fault()),
        RefreshOutcome::Blocked(fault()),
        RefreshOutcome::Ended(ended()),
    ] {
        let mut world = World::new();
        world.ask(1, "prod", true);
        world.after(10);
        let attempt = refresh(&world.ask(1, "prod", true)).unwrap();
        let told = world.renewed(attempt, outcome);
        assert_eq!(token(&told), Some("token-1"), "{told:?}");
    }
    let mut world = World::new();
    world.ask(1, "prod", true);
    world.after(10);
    refresh(&world.ask(1, "prod", true)).unwrap();
    world.after(10);
    let silence = world.broker.handle(Event::Timeout, world.now);
    assert_eq!(token(&silence), Some("token-1"), "no reply came");
}

#[test]
fn only_the_same_process_and_cluster_before_the_end_is_a_refusal() {
    let mut world = World::new();
    world.ask(1, "prod", true);
    world.after(10);
    for (process, server, by_client) in [(2, "prod", true), (1, "dev", true), (1, "prod", false)] {
        let asked = world.ask(process, server, by_client);
        assert_eq!(token(&asked), Some("token-1"), "{process} {server}");
    }
    // A person's shell runs the plugin by hand, twice.
    let mut world = World::new();
    world.ask(1, "prod", false);
    assert_eq!(token(&world.ask(1, "prod", false)), Some("token-1"));
}

#[test]
fn a_cluster_that_always_refuses_costs_one_rotation_whatever_the_time() {
    let mut world = World::new();
    world.ask(1, "prod", true);
    world.after(5);
    let attempt = refresh(&world.ask(1, "prod", true)).unwrap();
    let mut number = 2;
    let mut renewed = RefreshOutcome::Refreshed(tokens(number, LIFE, world.now));
    world.renewed(attempt, renewed);
    // It asks every five seconds for four lives of a token. Each is renewed in its time, and never before.
    let (mut begun, mut rotations) = (world.now, 0);
    for _ in 0..480 {
        world.after(5);
        let Some(attempt) = refresh(&world.ask(1, "prod", true)) else {
            let refused = world.refused_by();
            assert_eq!(refused, ["https://prod.example.com"], "token {number}");
            continue;
        };
        let lived = world.now.moment.since(begun.moment);
        assert!(lived >= LIFE * 9 / 10, "token {number} after {lived:?}");
        (number, rotations, begun) = (number + 1, rotations + 1, world.now);
        renewed = RefreshOutcome::Refreshed(tokens(number, LIFE, world.now));
        world.renewed(attempt, renewed);
    }
    assert!(rotations <= 5, "{rotations}");
}

#[test]
fn who_has_short_lives_lets_a_cluster_that_takes_tokens_again_be_trusted_too() {
    let mut world = World::new();
    // Each kubectl asks, is refused, asks again and ends.
    world.ask(1, "prod", true);
    let attempt = refresh(&world.ask(1, "prod", true)).unwrap();
    let renewed = RefreshOutcome::Refreshed(tokens(2, LIFE, world.now));
    world.renewed(attempt, renewed);
    world.ask(2, "prod", true);
    world.ask(2, "prod", true);
    assert_eq!(world.refused_by(), ["https://prod.example.com"]);
    // The next token, renewed in its time, is taken: no kubectl asks twice.
    world.after(599);
    let attempt = refresh(&world.ask(3, "prod", true)).unwrap();
    let renewed = RefreshOutcome::Refreshed(tokens(3, LIFE, world.now));
    world.renewed(attempt, renewed);
    assert_eq!(world.refused_by(), ["https://prod.example.com"]);
    world.after(599);
    world.broker.handle(Event::Timeout, world.now);
    assert!(world.refused_by().is_empty(), "{:?}", world.refused_by());
}

#[test]
fn who_seldom_asks_and_was_refused_has_taken_nothing() {
    let mut world = World::new();
    world.ask(1, "prod", true);
    let attempt = refresh(&world.ask(1, "prod", true)).unwrap();
    let mut number = 2;
    let renewed = RefreshOutcome::Refreshed(tokens(number, LIFE, world.now));
    world.renewed(attempt, renewed);
    // Another cluster takes what it is given, and asks when it must; the one that refuses is asked of now and then.
    let mut begun = world.now;
    for turn in 1..=480 {
        world.after(5);
        let mut asked = world.ask(2 + turn, "dev", true);
        if turn % 40 == 0 {
            asked.extend(world.ask(1, "prod", true));
        }
        let Some(attempt) = refresh(&asked) else {
            continue;
        };
        let lived = world.now.moment.since(begun.moment);
        assert!(lived >= LIFE * 9 / 10, "token {number} after {lived:?}");
        (number, begun) = (number + 1, world.now);
        let renewed = RefreshOutcome::Refreshed(tokens(number, LIFE, world.now));
        world.renewed(attempt, renewed);
    }
    assert_eq!(world.refused_by(), ["https://prod.example.com"]);
}

#[test]
fn two_stanzas_of_a_process_are_two_clients() {
    let mut world = World::new();
    world.ask(1, "prod", true);
    // The other one names the account.
    world.callers += 1;
    let asked = ask(
        world.callers,
        asker(1, false),
        ClientSettings::default(),
        "prod",
    );
    let Event::Asked(mut asked) = asked else {
        panic!("{asked:?}");
    };
    asked.by_client = true;
    asked.account = Which::Named("sso.example.com".into());
    let told = world.broker.handle(Event::Asked(asked), world.now);
    assert_eq!(token(&told), Some("token-1"), "{told:?}");
}

#[test]
fn what_refuses_is_named_once_and_as_far_as_it_is_known() {
    let mut world = World::new();
    let one = |server: Candidate| vec![server];
    let clients = [
        one(candidate("prod")),
        one(other_way_to_prod()),
        vec![candidate("prod"), candidate("dev")],
    ];
    // Each asks until it was refused with a token and its successor.
    for number in 2..8 {
        for (process, needed) in (1..).zip(&clients) {
            let told = world.ask_for(process, needed.clone());
            if let Some(attempt) = refresh(&told) {
                let renewed = tokens(number, LIFE, world.now);
                world.renewed(attempt, RefreshOutcome::Refreshed(renewed));
            }
        }
    }
    let several = "One of https://prod.example.com, https://dev.example.com";
    assert_eq!(world.refused_by(), [several, "https://prod.example.com"]);
}
