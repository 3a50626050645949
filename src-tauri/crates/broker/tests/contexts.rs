//! Contexts: listed, and one made the current one.

mod shared;

use std::path::PathBuf;
use std::time::Duration;

use broker::broker::Broker;
use broker::contexts::{Context, ContextCommand, ContextList, ContextWish, Edit};
use broker::event::{Effect, Event, Kept, Reply};
use broker::found::Files;
use broker::kubeconfig::Kubeconfig;
use broker::problem::Problem;
use broker::settings::Settings;
use broker::texts::Language;
use broker::waiters::CallerId;

fn kubeconfigs() -> ContextList {
    let context = |name: &str, server: Option<&str>| Context {
        name: name.into(),
        server: server.map(Into::into),
        user: "keycloak-user".into(),
        namespace: None,
        file: "/home/u/.kube/config".into(),
        account: None,
        kubelogin: false,
    };
    ContextList {
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

fn command(wish: ContextWish) -> Event {
    Event::Contexts(Box::new(ContextCommand {
        caller: CallerId(1),
        asker: shared::asker(1, true),
        wish,
        kubeconfigs: kubeconfigs(),
    }))
}

fn asked(wish: ContextWish) -> Vec<Effect> {
    handle(command(wish))
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
    let wish = ContextWish::Use {
        context: "dev".into(),
        json: false,
    };
    let effects = asked(wish.clone());
    let [Effect::Edit(edit)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let told = |outcome| {
        let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
        broker.handle(command(wish.clone()), shared::start());
        said(&broker.handle(Event::Edited(edit.clone(), outcome), shared::start()))
    };
    assert_eq!(
        told(Ok(None)),
        "The current context is dev already, in /home/u/.kube/config.\n"
    );
    // Somebody else was quicker: the file's word is newer than what was listed.
    assert!(told(Ok(Some("staging".into()))).contains("staging"));
    let locked = Problem::KubeconfigLocked {
        path: "/home/u/.kube/config.lock".into(),
    };
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

/// kubectl had read the file before we wrote it: what it puts back is said, for as long as it can matter.
#[test]
fn a_switch_that_another_program_undoes_is_told() {
    let written = |current: &str| {
        let own = Kubeconfig {
            file: "~/.kube/config".into(),
            path: "/home/u/.kube/config".into(),
            current: Some(current.into()),
            contexts: Vec::new(),
        };
        Event::FilesChanged(Box::new(Files {
            own: Some(own),
            ..Files::default()
        }))
    };
    let edit = Edit {
        caller: CallerId(1),
        file: "/home/u/.kube/config".into(),
        context: "prod".into(),
        previous: Some("dev".into()),
    };
    // Each event, and how many seconds after the switch; and whether it is told in the end.
    let after = |events: &[(&str, u64)], look: u64| {
        let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
        let start = shared::start();
        let later = |seconds| start.after(Duration::from_secs(seconds));
        let before = Ok(Some("dev".to_owned()));
        broker.handle(Event::Edited(Box::new(edit.clone()), before), start);
        for (current, seconds) in events {
            broker.handle(written(current), later(*seconds));
        }
        let notices = broker.view(later(look)).notices;
        notices.first().map(|notice| notice.message.clone())
    };
    let told = "Another program set the current context of /home/u/.kube/config back to dev, \
                just after Kubefob had set it to prod.";
    assert_eq!(after(&[("prod", 0), ("dev", 1)], 1).as_deref(), Some(told));
    // Nobody looked in between.
    assert_eq!(after(&[("dev", 1)], 1).as_deref(), Some(told));
    assert_eq!(after(&[("dev", 1), ("dev", 2)], 2).as_deref(), Some(told));
    for (events, look) in [
        (&[("prod", 0)][..], 1),
        // A person's own.
        (&[("prod", 0), ("staging", 1)], 1),
        (&[("prod", 0), ("dev", 60)], 60),
        // It is over.
        (&[("dev", 1), ("prod", 2)], 2),
        (&[("dev", 1)], 3600),
    ] {
        assert_eq!(after(events, look), None, "{events:?}");
    }
}

/// What is shown is taken back by itself: no question that is served makes a view, and none need come.
#[test]
fn enough_is_said_of_a_switch_that_was_undone() {
    let start = shared::start();
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    let edit = Edit {
        caller: CallerId(1),
        file: "/home/u/.kube/config".into(),
        context: "prod".into(),
        previous: None,
    };
    broker.handle(
        Event::Edited(Box::new(edit), Ok(Some("dev".to_owned()))),
        start,
    );
    let back = Kubeconfig {
        file: "~/.kube/config".into(),
        path: "/home/u/.kube/config".into(),
        current: Some("dev".into()),
        contexts: Vec::new(),
    };
    let notices = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Show(view)] => view.notices.len(),
        other => panic!("{other:?}"),
    };
    let files = Files {
        own: Some(back),
        ..Files::default()
    };
    let shown = broker.handle(Event::FilesChanged(Box::new(files)), start);
    assert_eq!(notices(shown), 1);
    let end = start.after(Duration::from_secs(600));
    assert_eq!(broker.poll_timeout(), Some(end.moment));
    assert_eq!(notices(broker.handle(Event::Timeout, end)), 0);
    assert_eq!(broker.poll_timeout(), None);
}
