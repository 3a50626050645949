//! Contexts: listed, and one made the current one.

mod shared;

use std::path::PathBuf;

use broker::broker::Broker;
use broker::contexts::{Context, ContextCommand, ContextWish, Kubeconfigs};
use broker::event::{Effect, Event, Kept, Reply};
use broker::problem::{Code, Problem};
use broker::settings::Settings;
use broker::texts::Language;
use broker::waiters::CallerId;

fn kubeconfigs() -> Kubeconfigs {
    let context = |name: &str, server: Option<&str>| Context {
        name: name.into(),
        server: server.map(Into::into),
        user: "keycloak-user".into(),
        namespace: None,
        file: "/home/u/.kube/config".into(),
        account: None,
    };
    Kubeconfigs {
        contexts: vec![
            context("dev", Some("https://dev")),
            context("prod-eu\u{1b}[2J", None),
        ],
        current: Some("dev".into()),
        file: PathBuf::from("/home/u/.kube/config"),
    }
}

fn handle(event: Event) -> Vec<Effect> {
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    broker.handle(event, shared::start())
}

fn asked(wish: ContextWish) -> Vec<Effect> {
    handle(Event::Contexts(Box::new(ContextCommand {
        caller: CallerId(1),
        asker: shared::asker(1, true),
        wish,
        kubeconfigs: kubeconfigs(),
    })))
}

fn said(effects: &[Effect]) -> String {
    effects
        .iter()
        .filter_map(|effect| {
            if let Effect::Reply(_, Reply::Out(text)) = effect {
                Some(text.clone())
            } else if let Effect::Reply(_, Reply::Refused(problem)) = effect {
                Some(problem.said(Language::En, true))
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn the_list_shows_the_current_one_and_its_file_and_nothing_that_steers_a_terminal() {
    let text = said(&asked(ContextWish::List { json: false }));
    assert_eq!(
        text,
        "* dev          https://dev  keycloak-user\n  prod-eu\u{fffd}[2J  -            keycloak-user\n\
         Current: dev, in /home/u/.kube/config.\n"
    );
    let json = said(&asked(ContextWish::List { json: true }));
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows[0]["current"], true);
    assert_eq!(rows[1]["server"], serde_json::Value::Null);
}

#[test]
fn a_switch_is_one_effect_and_its_outcome_is_told() {
    let effects = asked(ContextWish::Use {
        context: "dev".into(),
        json: false,
    });
    let [Effect::Edit(edit)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let told = |outcome| said(&handle(Event::Edited(edit.clone(), outcome)));
    assert_eq!(
        told(Ok(None)),
        "The current context is dev already, in /home/u/.kube/config.\n"
    );
    // Somebody else was quicker: the file's word is newer than what was listed.
    assert!(told(Ok(Some("staging".into()))).contains("staging"));
    let locked = Problem::new(
        Code::KubeconfigLocked,
        vec![("path", "/home/u/.kube/config.lock".into())],
    );
    assert!(told(Err(locked)).contains("delete that file"));
}

#[test]
fn a_name_that_is_not_there_changes_nothing_and_near_ones_are_named() {
    for (name, hint) in [("PROD", "prod-eu"), ("qa", "kubectl fob contexts")] {
        let effects = asked(ContextWish::Use {
            context: name.into(),
            json: false,
        });
        assert!(!effects.iter().any(|it| matches!(it, Effect::Edit(_))));
        assert!(said(&effects).contains(hint), "{effects:?}");
    }
}
