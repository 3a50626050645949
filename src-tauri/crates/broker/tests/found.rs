//! What kubeconfigs offer to sign in to, before anybody has asked by them.

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

use broker::account::{AccountId, AccountKey};
use broker::asker::Desktop;
use broker::broker::Broker;
use broker::command::{Command, Flags};
use broker::contexts::{Context, ContextCommand, ContextList, ContextWish};
use broker::event::{Effect, Event, Kept, Reply};
use broker::found::{Files, Stanza};
use broker::kubeconfig::Kubeconfig;
use broker::problem::Code;
use broker::settings::Settings;
use broker::waiters::CallerId;
use shared::{asker, command, key, start, with_secret};

fn stanza(issuer: &str, context: &str, file: &str) -> Stanza {
    let key = AccountKey {
        issuer: issuer.to_owned(),
        ..key()
    };
    Stanza {
        flags: Arc::new(Flags::new(key, with_secret(Some("s")))),
        contexts: vec![context.to_owned()],
        file: file.to_owned(),
        kubelogin: true,
    }
}

fn broker(stanzas: Vec<Stanza>) -> Broker {
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    broker.handle(Event::Desktop(Desktop::Unlocked), start());
    let files = Files {
        stanzas,
        ..Files::default()
    };
    broker.handle(Event::FilesChanged(Box::new(files)), start());
    broker
}

fn sign_in(broker: &mut Broker, account: Option<&str>) -> Vec<Effect> {
    let sign_in = Command::SignIn {
        account: account.map(str::to_owned),
        open_browser: true,
    };
    broker.handle(command(7, asker(7, true), sign_in), start())
}

/// The issuer that a sign-in was begun at, with the client secret that it has.
fn begun(effects: &[Effect]) -> Option<(String, bool)> {
    effects.iter().find_map(|effect| match effect {
        Effect::SignIn(sign_in) => {
            let request = &sign_in.request;
            assert_eq!(request.question, None, "signing in asks about no server");
            let has_secret = request.settings.client_secret.is_some();
            Some((request.key.issuer.clone(), has_secret))
        }
        _ => None,
    })
}

fn refused(effects: &[Effect]) -> Option<Code> {
    effects.iter().find_map(|effect| match effect {
        Effect::Reply(_, Reply::Refused(problem)) => Some(problem.code()),
        _ => None,
    })
}

#[test]
fn one_click_signs_in_to_what_a_kubeconfig_offers_and_trusts_no_server() {
    let mut broker = broker(vec![
        stanza("https://a", "dev", "~/.kube/config"),
        stanza("https://a", "prod", "~/work.yaml"),
        stanza("https://b", "other", "~/.kube/config"),
    ]);
    let view = broker.view(start());
    let [a, b] = view.found.as_slice() else {
        panic!("{:?}", view.found);
    };
    assert_eq!((a.contexts.len(), a.files.len(), b.files.len()), (2, 2, 1));
    assert!(view.accounts.is_empty() && a.kubelogin);

    let effects = sign_in(&mut broker, Some(&a.id));
    assert_eq!(begun(&effects), Some(("https://a".to_owned(), true)));
    let view = broker.view(start());
    assert_eq!(view.found.len(), 1, "it is an account now");
    assert!(view.accounts[0].is_new && view.trusts.is_empty());
}

#[test]
fn files_of_askers_are_known_after_a_restart() {
    let mut broker = broker(Vec::new());
    let other = Kubeconfig {
        file: "~/work.yaml".into(),
        path: "/home/u/work.yaml".into(),
        current: None,
        contexts: Vec::new(),
    };
    let files = Files {
        others: vec![other],
        ..Files::default()
    };
    let kept = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Keep(kept) => Some(kept.files.clone()),
            _ => None,
        })
    };
    let changed = Event::FilesChanged(Box::new(files.clone()));
    let effects = broker.handle(changed, start());
    assert_eq!(kept(&effects), Some(vec!["/home/u/work.yaml".to_owned()]));
    assert_eq!(broker.view(start()).files.len(), 1);
    let again = broker.handle(Event::FilesChanged(Box::new(files)), start());
    assert_eq!(kept(&again), None, "nothing is new");
    // What is written down for another reason before the files were looked at forgets none of them.
    let known = Kept {
        files: vec!["/home/u/work.yaml".to_owned()],
        ..Kept::default()
    };
    let mut later = Broker::new(known, Settings::default(), 1);
    let effects = later.handle(Event::FirstStart(Vec::new()), start());
    assert_eq!(kept(&effects), Some(vec!["/home/u/work.yaml".to_owned()]));
}

#[test]
fn a_login_without_a_name_takes_the_only_one_that_is_found() {
    let mut only = broker(vec![stanza("https://a", "dev", "f")]);
    let effects = sign_in(&mut only, None);
    assert_eq!(begun(&effects), Some(("https://a".to_owned(), true)));
    let mut several = broker(vec![
        stanza("https://a.example", "dev", "f"),
        stanza("https://b.example", "dev", "f"),
    ]);
    assert_eq!(
        refused(&sign_in(&mut several, None)),
        Some(Code::WhichAccount)
    );
    let by_host = sign_in(&mut several, Some("b.example"));
    assert_eq!(begun(&by_host).unwrap().0, "https://b.example");
    let nobody = sign_in(&mut broker(Vec::new()), None);
    assert_eq!(refused(&nobody), Some(Code::NoSuchAccount));
}

/// `kubectl fob login` without a name, in a shell whose current context is this one.
fn sign_in_where(broker: &mut Broker, context: &str, account: Option<AccountId>) -> Vec<Effect> {
    let current = Context {
        name: context.into(),
        server: None,
        user: "oidc".into(),
        namespace: None,
        file: "f".into(),
        account,
        kubelogin: false,
    };
    broker.handle(
        Event::Contexts(Box::new(ContextCommand {
            caller: CallerId(1),
            asker: asker(1, true),
            wish: ContextWish::SignIn {
                open_browser: true,
                json: false,
            },
            kubeconfigs: ContextList {
                contexts: vec![current],
                current: Some(context.into()),
                file: "f".into(),
            },
        })),
        start(),
    )
}

#[test]
fn a_login_without_a_name_is_for_the_current_context() {
    let stanzas = || {
        vec![
            stanza("https://a.example", "dev", "f"),
            stanza("https://b.example", "prod", "f"),
        ]
    };
    let id = |index: usize| Some(stanzas()[index].flags.id().clone());
    let mut several = broker(stanzas());
    let effects = sign_in_where(&mut several, "prod", id(1));
    assert_eq!(begun(&effects).unwrap().0, "https://b.example");
    // It is the only account that there is, and none of the current context.
    let effects = sign_in_where(&mut several, "dev", id(0));
    assert_eq!(begun(&effects).unwrap().0, "https://a.example");
    // A file that nobody was asked about yet chooses no provider; one that is not ours chooses nothing.
    let mut one = broker(vec![stanza("https://a.example", "dev", "f")]);
    let effects = sign_in_where(&mut one, "evil", id(1));
    assert_eq!(refused(&effects), Some(Code::ContextNotAsked));
    let effects = sign_in_where(&mut one, "static", None);
    assert_eq!(begun(&effects).unwrap().0, "https://a.example");
}
