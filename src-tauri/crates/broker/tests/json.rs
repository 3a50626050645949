//! What each command tells a program. `docs/json.md` is held to it; with KUBEFOB_WRITE=1 that file is written anew.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a surprise is a failed test, which may read and write the tree"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "each test looks for one effect among many"
)]

mod shared;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use broker::account::ClientSettings;
use broker::argv::fob::grammar;
use broker::argv::{Called, parse};
use broker::asker::{Asker, Desktop, Endpoint, Place};
use broker::broker::Broker;
use broker::command::Invocation;
use broker::contexts::{Context, ContextCommand, ContextList, ContextWish};
use broker::credential::render_token;
use broker::event::{Commanded, Effect, Event, Kept, Reply};
use broker::settings::{Keep, Settings};
use broker::transaction::{Announced, RefreshOutcome, SignInOutcome, SignOutOutcome, Step};
use broker::trust::Answer;
use broker::waiters::CallerId;
use serde_json::Value;
use shared::{ask, asker, key, start, tokens};

const LIFE: Duration = Duration::from_secs(300);

/// Somebody at a desktop, and what the world does for the broker.
struct World {
    broker: Broker,
    callers: u64,
}

impl World {
    /// Somebody who has signed in, and said yes to one server; another waits for an answer.
    fn new() -> Self {
        let mut world = Self {
            broker: Broker::new(Kept::default(), Settings::default(), 1),
            callers: 100,
        };
        world.handle(Event::Desktop(Desktop::Unlocked));
        world.handle(Event::Rests(Keep::Sealed));
        let effects = world.handle(ask(1, asker(1, true), ClientSettings::default(), "prod"));
        let (attempt, question) = effects
            .iter()
            .find_map(|effect| match effect {
                Effect::SignIn(sign_in) => Some((sign_in.attempt, sign_in.question)),
                _ => None,
            })
            .unwrap();
        world.handle(Event::AnsweredOnPage(
            question.unwrap(),
            Answer::Always,
            vec![],
        ));
        let outcome = SignInOutcome::SignedIn(tokens(1, LIFE, start()));
        world.handle(Event::SignedIn(key().id(), attempt, outcome));
        world.handle(ask(2, asker(2, false), ClientSettings::default(), "new"));
        world
    }

    /// Handles an event, and has the world do at once what it is asked for.
    fn handle(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = self.broker.handle(event, start());
        let mut index = 0;
        while let Some(effect) = effects.get(index) {
            let then = match effect {
                Effect::Settle(what) => Some(Event::Settled(*what, None)),
                Effect::Edit(edit) => {
                    let before = Ok(Some("staging".to_owned()));
                    Some(Event::Edited(edit.clone(), before))
                }
                Effect::SignOut(attempt, request) => {
                    let ended = SignOutOutcome {
                        revocation: Step::Done,
                        provider_session: request.everywhere.then_some(Step::NotOffered),
                    };
                    Some(Event::SignedOut(request.account.clone(), *attempt, ended))
                }
                Effect::Refresh(attempt, request) => {
                    let renewed = RefreshOutcome::Refreshed(tokens(2, LIFE, start()));
                    Some(Event::Refreshed(request.account.clone(), *attempt, renewed))
                }
                Effect::Discover(caller, _) => {
                    let announced = Announced {
                        pkce: true,
                        revocation: true,
                        end_session: true,
                    };
                    Some(Event::Discovered(*caller, Ok(announced)))
                }
                _ => None,
            };
            index += 1;
            effects.extend(
                then.into_iter()
                    .flat_map(|event| self.broker.handle(event, start())),
            );
        }
        effects
    }

    /// What a command tells on standard output.
    fn told(&mut self, words: &str) -> Value {
        self.callers += 1;
        let caller = CallerId(self.callers);
        let words = words.split(' ').skip(2).map(str::to_owned);
        let words: Vec<String> = words.chain(["--json".to_owned()]).collect();
        let event = match words.first().map(String::as_str) {
            Some("contexts") => contexts(caller, ContextWish::List { json: true }),
            Some("use") => {
                let context = "prod".to_owned();
                contexts(
                    caller,
                    ContextWish::Use {
                        context,
                        json: true,
                    },
                )
            }
            _ => {
                // Over ssh a terminal may answer.
                let place = Place::Ssh;
                Event::Commanded(Box::new(Commanded {
                    caller,
                    asker: Asker {
                        place,
                        ..asker(9, true)
                    },
                    endpoint: Endpoint::Control,
                    invocation: called(&words),
                }))
            }
        };
        let effects = self.handle(event);
        let out = effects.iter().find_map(|effect| match effect {
            Effect::Reply(to, reply) if *to == caller => said(reply),
            _ => None,
        });
        let out = out.unwrap_or_else(|| panic!("{words:?}: {effects:?}"));
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}

fn called(words: &[String]) -> Invocation {
    let args: Vec<Vec<u8>> = words.iter().map(|word| word.clone().into_bytes()).collect();
    let called = Called {
        program: b"kubectl-fob",
        args: &args,
        cwd: Path::new("/"),
        home: Path::new("/"),
        exec_info: None,
    };
    parse(&called).unwrap_or_else(|problem| panic!("{words:?}: {problem:?}"))
}

fn said(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Out(text) | Reply::Outcome(_, text) => Some(text.clone()),
        Reply::Token(token, facts) => Some(render_token(token, facts.as_ref())),
        _ => None,
    }
}

fn contexts(caller: CallerId, wish: ContextWish) -> Event {
    let context = |name: &str| Context {
        name: name.to_owned(),
        server: Some(format!("https://{name}.example.com")),
        user: "oidc".to_owned(),
        namespace: Some("shop".to_owned()),
        file: "~/.kube/config".to_owned(),
        account: Some(key().id()),
        kubelogin: false,
    };
    Event::Contexts(Box::new(ContextCommand {
        caller,
        asker: asker(1, true),
        wish,
        kubeconfigs: ContextList {
            contexts: vec![context("prod"), context("staging")],
            current: Some("staging".to_owned()),
            file: "/home/me/.kube/config".into(),
        },
    }))
}

/// The commands that take `--json`, in an order in which each has something to tell.
const COMMANDS: &[&str] = &[
    "kubectl fob status",
    "kubectl fob accounts",
    "kubectl fob token",
    "kubectl fob trusts",
    "kubectl fob trusts --pending",
    "kubectl fob trust QUESTION --always",
    "kubectl fob untrust APPROVAL",
    "kubectl fob contexts",
    "kubectl fob use prod",
    "kubectl fob add https://other.example.com kubernetes --no-login",
    "kubectl fob stanza sso.example.com",
    "kubectl fob rename sso.example.com work",
    "kubectl fob login work",
    "kubectl fob renew work",
    "kubectl fob logout work --everywhere",
    "kubectl fob remove other.example.com --yes",
    "kubectl fob version",
];

#[test]
fn the_document_has_what_each_command_tells() {
    let mut world = World::new();
    let mut document = String::from(HEAD);
    for command in COMMANDS {
        let view = world.broker.view(start());
        let question = view.questions.first().map(|one| one.name.clone());
        let approval = view.trusts.first().map(|one| one.name.clone());
        let typed = command
            .replace("QUESTION", &question.unwrap_or_default())
            .replace("APPROVAL", &approval.unwrap_or_default());
        let told = world.told(&typed);
        for key in keys(&told) {
            assert!(!key.contains(['_', '-']), "{command}: {key}");
        }
        let json = serde_json::to_string_pretty(&told).unwrap();
        let json = json.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        write!(
            document,
            "\n## `{command} --json`\n\n```json\n{json}\n```\n"
        )
        .unwrap();
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/json.md");
    if std::env::var_os("KUBEFOB_WRITE").is_some() {
        std::fs::write(&file, &document).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        written, document,
        "KUBEFOB_WRITE=1 cargo test -p broker --test json writes docs/json.md anew"
    );
}

/// Every verb that takes `--json` is in the document.
#[test]
fn no_command_is_left_out() {
    let takes_json = |verb: &&clap::Command| {
        let mut arguments = verb.get_arguments();
        arguments.any(|argument| argument.get_long() == Some("json"))
    };
    for verb in grammar().get_subcommands().filter(takes_json) {
        let verb = verb.get_name();
        let told = |command: &&str| command.split(' ').nth(2) == Some(verb);
        assert!(COMMANDS.iter().any(told), "{verb}");
    }
}

fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| std::iter::once(key.clone()).chain(keys(value)))
            .collect(),
        Value::Array(values) => values.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}

const HEAD: &str = "\
# What `--json` tells

The shape of each command's JSON, by an example. A test (`src-tauri/crates/broker/tests/json.rs`) holds this file to what
the commands tell. Keys are in camelCase, as Kubernetes writes them. A time is in milliseconds since the Unix epoch, on this
computer's clock. `null`: there is none, or it is not known. New keys may come; those that are here stay. A command that
fails tells nothing on standard output; its error goes to standard error, with a code in brackets, and its exit code is 1.
";
