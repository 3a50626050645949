//! Accounts that a person adds, renames and removes.

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

use broker::account::{AccountKey, ClientSettings};
use broker::asker::{Asker, Desktop};
use broker::broker::Broker;
use broker::command::{Add, Command, Flags};
use broker::event::{Effect, Event, Kept, Reply};
use broker::found::{Files, Stanza};
use broker::problem::Code;
use broker::secret::ClientSecret;
use broker::settings::Settings;
use broker::tokens::Tokens;
use broker::transaction::{Announced, AttemptId, Forget, SignInOutcome, SignOutOutcome, Step};
use broker::view::Told;
use broker::waiters::CallerId;
use shared::{ask, asker, command, key, start, tokens};

const ANNOUNCED: Announced = Announced {
    pkce: true,
    revocation: true,
    end_session: false,
};

struct World {
    broker: Broker,
    effects: Vec<Effect>,
    kept: Kept,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            broker: Broker::new(Kept::default(), Settings::default(), 1),
            effects: Vec::new(),
            kept: Kept::default(),
        };
        world.handle(Event::Desktop(Desktop::Unlocked));
        world
    }

    fn handle(&mut self, event: Event) {
        self.effects = self.broker.handle(event, start());
        // The disk takes everything.
        if let Some(Effect::Settle(what)) = self
            .effects
            .iter()
            .find(|effect| matches!(effect, Effect::Settle(_)))
        {
            let settled = Event::Settled(*what, None);
            self.effects.extend(self.broker.handle(settled, start()));
        }
        for effect in &self.effects {
            if let Effect::Keep(kept) = effect {
                self.kept = (**kept).clone();
            }
        }
    }

    fn command(&mut self, caller: u64, wanted: Command) {
        self.handle(command(caller, asker(7, true), wanted));
    }

    /// What a caller is told, as tray and window are.
    fn told(&self, caller: u64) -> Vec<Told> {
        let of_it = self.effects.iter().filter_map(|effect| match effect {
            Effect::Reply(to, Reply::Outcome(told, _)) if to.0 == caller => Some((**told).clone()),
            _ => None,
        });
        of_it.collect()
    }

    fn refused(&self) -> Option<Code> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Reply(_, Reply::Refused(problem)) => Some(problem.code()),
            _ => None,
        })
    }

    fn sign_in(&self) -> Option<(AttemptId, Option<ClientSecret>)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::SignIn(sign_in) => Some((
                sign_in.attempt,
                sign_in.request.settings.client_secret.clone(),
            )),
            _ => None,
        })
    }

    /// An account that is added, and signed in to.
    fn signed_in() -> Self {
        let mut world = Self::new();
        world.command(1, add("https://sso.example.com", Some("hunter2")));
        world.handle(Event::Discovered(CallerId(1), Ok(ANNOUNCED)));
        let (attempt, secret) = world.sign_in().unwrap();
        let tokens = Tokens {
            client_secret: secret,
            client_authentication: None,
            ..tokens(1, Duration::from_secs(600), start())
        };
        let outcome = SignInOutcome::SignedIn(tokens);
        world.handle(Event::SignedIn(key().id(), attempt, outcome));
        world
    }
}

fn add(issuer: &str, secret: Option<&str>) -> Command {
    Command::Add(Add {
        issuer: format!(" {issuer} "),
        client_id: "c".to_owned(),
        client_secret: secret.map(|secret| ClientSecret::new(secret.to_owned())),
        scopes: Vec::new(),
        label: None,
        tls: Default::default(),
        sign_in: true,
        ask_secret: false,
    })
}

#[test]
fn a_provider_is_asked_first_and_its_answer_is_told() {
    let mut world = World::new();
    let issuer = "https://sso.example.com".to_owned();
    world.command(1, Command::Discover { issuer });
    let asked = world.effects.iter().find_map(|effect| match effect {
        Effect::Discover(caller, request) => Some((*caller, request.key.issuer.clone())),
        _ => None,
    });
    assert_eq!(
        asked,
        Some((CallerId(1), "https://sso.example.com".to_owned()))
    );
    world.handle(Event::Discovered(CallerId(1), Ok(ANNOUNCED)));
    let told = Told::Provider {
        pkce: true,
        revocation: true,
        end_session: false,
    };
    assert_eq!(world.told(1), [told]);
    assert!(
        world.broker.view(start()).accounts.is_empty(),
        "nothing is made of it"
    );
    for (issuer, code) in [
        ("http://sso.example.com", Code::NotHttps),
        ("sso.example.com", Code::IssuerForm),
        ("", Code::BadField),
        ("https://a\u{202e}b", Code::BadField),
    ] {
        world.command(
            2,
            Command::Discover {
                issuer: issuer.to_owned(),
            },
        );
        assert_eq!(world.refused(), Some(code), "{issuer}");
    }
}

#[test]
fn one_that_does_not_answer_makes_no_account() {
    let mut world = World::new();
    world.command(1, add("https://sso.example.com", Some("hunter2")));
    let fault = Err(shared::unreachable());
    world.handle(Event::Discovered(CallerId(1), fault));
    assert_eq!(world.refused(), Some(Code::Unreachable));
    assert!(world.broker.view(start()).accounts.is_empty());
    // Whoever hung up meanwhile gets nothing.
    world.command(2, add("https://sso.example.com", None));
    world.handle(Event::Gone(CallerId(2)));
    world.handle(Event::Discovered(CallerId(2), Ok(ANNOUNCED)));
    assert!(world.broker.view(start()).accounts.is_empty());
}

#[test]
fn an_added_account_signs_in_with_its_secret_and_shows_it_nowhere() {
    let mut world = World::new();
    world.command(1, add("https://sso.example.com", Some("hunter2")));
    world.handle(Event::Discovered(CallerId(1), Ok(ANNOUNCED)));
    let kept = world
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::KeepSecret(..)));
    assert!(kept, "it goes to the vault: {:?}", world.effects);
    let (_, secret) = world.sign_in().unwrap();
    assert_eq!(secret, Some(ClientSecret::new("hunter2".to_owned())));
    let [
        Told::Added {
            account,
            known,
            stanza,
        },
    ] = &world.told(1)[..]
    else {
        panic!("{:?}", world.effects);
    };
    assert_eq!((account.as_str(), *known), (key().id().as_str(), false));
    assert!(stanza.command.contains("--oidc-client-id=c"));
    let everything = format!(
        "{:?} {:?} {}",
        world.effects,
        world.broker,
        serde_json::to_string(&(&world.kept, world.broker.view(start()))).unwrap()
    );
    assert!(!everything.contains("hunter2"), "{everything}");
}

#[test]
fn a_terminal_is_asked_for_the_secret_without_showing_it() {
    let mut world = World::new();
    let Command::Add(wanted) = add("https://sso.example.com", None) else {
        panic!("it is one");
    };
    let wanted = Command::Add(Add {
        ask_secret: true,
        ..wanted
    });
    world.command(1, wanted.clone());
    let asks = |effect: &Effect| matches!(effect, Effect::Reply(_, Reply::Secret(_)));
    assert!(world.effects.iter().any(asks), "{:?}", world.effects);
    world.handle(Event::Typed(CallerId(1), "hunter2".to_owned()));
    world.handle(Event::Discovered(CallerId(1), Ok(ANNOUNCED)));
    let (_, secret) = world.sign_in().unwrap();
    assert_eq!(secret, Some(ClientSecret::new("hunter2".to_owned())));
    let script = Asker {
        terminal: false,
        ..asker(8, false)
    };
    world.handle(command(2, script, wanted));
    assert_eq!(world.refused(), Some(Code::BadField));
}

#[test]
fn what_its_stanza_asks_for_is_this_account() {
    let world = World::signed_in();
    let flags = Flags::new(key(), ClientSettings::default());
    assert_eq!(
        flags.id().as_str(),
        world.broker.view(start()).accounts[0].id
    );
}

#[test]
fn one_that_is_there_already_is_said_and_its_new_secret_is_tried() {
    let mut world = World::signed_in();
    world.command(2, add("https://sso.example.com", Some("newer")));
    let [Told::Added { known: true, .. }] = &world.told(2)[..] else {
        panic!("{:?}", world.effects);
    };
    assert_eq!(world.broker.view(start()).accounts.len(), 1);
    let discovers = |effect: &Effect| matches!(effect, Effect::Discover(..));
    assert!(!world.effects.iter().any(discovers));
}

#[test]
fn its_secret_outlives_a_sign_out_though_no_server_is_trusted() {
    let mut world = World::signed_in();
    world.command(2, shared::logout());
    let forget = world.effects.iter().find_map(|effect| match effect {
        Effect::SignOut(_, request) => Some(request.forget),
        _ => None,
    });
    assert_eq!(forget, Some(Forget::Tokens));
}

#[test]
fn a_name_is_free_and_can_be_read() {
    let mut world = World::signed_in();
    world.command(2, add("https://other.example.com", None));
    world.handle(Event::Discovered(CallerId(2), Ok(ANNOUNCED)));
    let rename = |label: &str| Command::Rename {
        account: key().id().to_string(),
        label: label.to_owned(),
    };
    for (label, code) in [
        ("other.example.com", Some(Code::LabelTaken)),
        (" ", Some(Code::BadField)),
        ("a\nb", Some(Code::BadField)),
        ("a\u{202e}b", Some(Code::BadField)),
        (&"x".repeat(65), Some(Code::BadField)),
        ("sso.example.com", None),
        (" 회사 ", None),
    ] {
        world.command(3, rename(label));
        assert_eq!(world.refused(), code, "{label:?}");
    }
    let labels: Vec<_> = world
        .kept
        .accounts
        .iter()
        .map(|kept| kept.label.as_str())
        .collect();
    assert!(labels.contains(&"회사"), "{labels:?}");
    // What is said of it calls it so, too.
    let account = "other.example.com".to_owned();
    let label = "lab".to_owned();
    world.command(4, Command::Rename { account, label });
    let view = world.broker.view(start());
    let problems = view
        .accounts
        .iter()
        .filter_map(|account| account.problem.as_ref());
    let said: Vec<_> = problems.map(|problem| problem.message.clone()).collect();
    assert!(
        said.iter().all(|said| !said.contains("other.example.com")),
        "{said:?}"
    );
    assert!(said.iter().any(|said| said.contains("lab")), "{said:?}");
    assert_eq!(
        world.kept.accounts[0].key.name, None,
        "its key is as it was"
    );
}

#[test]
fn a_removed_account_is_signed_out_and_forgotten_and_whoever_waits_is_told() {
    let mut world = World::signed_in();
    let stanza = Stanza {
        flags: Arc::new(Flags::new(key(), ClientSettings::default())),
        contexts: vec!["dev".to_owned()],
        file: "~/.kube/config".to_owned(),
        kubelogin: false,
    };
    world.handle(Event::FilesChanged(Box::new(Files {
        stanzas: vec![stanza],
        ..Files::default()
    })));
    world.handle(ask(2, asker(2, false), ClientSettings::default(), "new"));
    assert_eq!(world.broker.view(start()).questions.len(), 1);

    let account = key().id().to_string();
    world.command(
        3,
        Command::Remove {
            account,
            ask_first: false,
        },
    );
    assert_eq!(
        world.refused(),
        Some(Code::SignedOut),
        "kubectl, which waited"
    );
    let (attempt, forget) = world
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::SignOut(attempt, request) => Some((*attempt, request.forget)),
            _ => None,
        })
        .unwrap();
    assert_eq!(forget, Forget::Everything);
    let outcome = SignOutOutcome {
        revocation: Step::Done,
        provider_session: None,
    };
    world.handle(Event::SignedOut(key().id(), attempt, outcome));
    let [
        Told::Removed {
            contexts,
            revocation,
        },
    ] = &world.told(3)[..]
    else {
        panic!("{:?}", world.effects);
    };
    assert_eq!(contexts, &["dev"]);
    assert!(revocation.is_some());
    let view = world.broker.view(start());
    assert!(view.accounts.is_empty() && view.questions.is_empty() && view.trusts.is_empty());
    assert_eq!(view.found.len(), 1, "its kubeconfig offers it again");
    assert!(world.kept.accounts.is_empty());
    // A late word changes nothing.
    let late = SignInOutcome::SignedIn(tokens(2, Duration::from_secs(60), start()));
    world.handle(Event::SignedIn(key().id(), attempt, late));
    assert!(world.broker.view(start()).accounts.is_empty());
}

#[test]
fn a_terminal_is_asked_before_and_nobody_is_asked_without_one() {
    for (line, stays) in [("n", 1), ("", 1), ("y", 0)] {
        let mut world = World::new();
        world.command(1, add("https://sso.example.com", None));
        world.handle(Event::Discovered(CallerId(1), Ok(ANNOUNCED)));
        world.command(
            9,
            Command::Cancel {
                account: key().host(),
            },
        );
        let remove = Command::Remove {
            account: key().host(),
            ask_first: true,
        };
        world.command(2, remove.clone());
        let asks = |effect: &Effect| matches!(effect, Effect::Reply(_, Reply::Prompt(_)));
        assert!(world.effects.iter().any(asks), "{:?}", world.effects);
        world.handle(Event::Typed(CallerId(2), line.to_owned()));
        assert_eq!(world.broker.view(start()).accounts.len(), stays, "{line:?}");
        let script = Asker {
            terminal: false,
            ..asker(8, false)
        };
        world.handle(command(3, script, remove));
        let expected = if stays == 1 {
            Code::Incomplete
        } else {
            Code::NoSuchAccount
        };
        assert_eq!(world.refused(), Some(expected));
    }
}

#[test]
fn kubectl_uses_it_once_it_was_given_a_token() {
    let mut world = World::signed_in();
    assert_eq!(world.broker.view(start()).accounts[0].asked, None);
    world.handle(ask(2, asker(2, false), ClientSettings::default(), "new"));
    assert_eq!(
        world.broker.view(start()).accounts[0].asked,
        None,
        "it only asked"
    );
    let question = world.broker.view(start()).questions[0].name.clone();
    let answer = Command::Answer {
        question: Some(question),
        answer: broker::trust::Answer::Always,
        others: Vec::new(),
    };
    let wanted = broker::event::Commanded {
        caller: CallerId(3),
        asker: asker(7, true),
        endpoint: broker::asker::Endpoint::Consent,
        invocation: broker::command::Invocation::Do {
            command: answer,
            json: false,
        },
    };
    world.handle(Event::Commanded(Box::new(wanted)));
    let asked = world.broker.view(start()).accounts[0]
        .asked
        .clone()
        .unwrap();
    assert_eq!((asked.by.as_str(), asked.at), ("kubectl", start().wall));
    assert_eq!(world.kept.accounts[0].asked, Some(asked));
    let _: &AccountKey = &world.kept.accounts[0].key;
}
