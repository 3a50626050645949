//! The tray: its picture, its tooltip and its menu.

use std::sync::Arc;

use broker::clock::{Local, Wall};
use broker::command::{Command, ScreenName};
use broker::kubeconfig::{ContextEntry, Kubeconfig};
use broker::menu::{Action, Item, Picture, Tray};
use broker::session::StateWord;
use broker::texts::Language;
use broker::trust::ServerLine;
use broker::view::{AccountView, QuestionView, View};

/// On 14 November 2023, in Seoul.
const SEOUL: Local = Local {
    now: Wall(1_699_940_000_000),
    ahead: |_| 9 * 3_600,
};

fn tray(view: &View) -> Tray {
    broker::menu::tray(view, SEOUL)
}

fn account(label: &str, state: StateWord) -> AccountView {
    AccountView {
        id: "0ba25d13a1f5".into(),
        label: label.into(),
        issuer: format!("https://{label}"),
        client_id: "kubernetes-client".into(),
        state,
        is_new: false,
        name: (state == StateWord::SignedIn).then(|| "test".to_owned()),
        groups: Vec::new(),
        expires: None,
        obtained: None,
        survives: None,
        tries_again: None,
        since: None,
        asked: None,
        signed_in: None,
        renews: true,
        clock_off: None,
        waiting: Vec::new(),
        refused_by: Vec::new(),
        problem: None,
    }
}

fn context(name: &str) -> ContextEntry {
    ContextEntry {
        name: name.to_owned(),
        server: None,
        user: "u".to_owned(),
        namespace: None,
        account: None,
        kubelogin: false,
    }
}

fn view(states: &[StateWord], contexts: &[&str]) -> View {
    View {
        accounts: states
            .iter()
            .map(|&state| account("login.acme.example", state))
            .collect(),
        kubeconfig: Some(Arc::new(Kubeconfig {
            file: "~/.kube/config".into(),
            path: "/home/u/.kube/config".into(),
            current: Some("dev".into()),
            contexts: contexts.iter().map(|&name| context(name)).collect(),
        })),
        ..View::default()
    }
}

/// The menu, a line each, as a host draws it.
fn drawn(items: &[Item], depth: usize) -> String {
    let indent = "  ".repeat(depth);
    items
        .iter()
        .map(|item| match item {
            Item::Rule => format!("{indent}--\n"),
            Item::Note(label) => format!("{indent}({label})\n"),
            Item::Act(label, _) => format!("{indent}{label}\n"),
            Item::Choice { label, chosen, .. } => {
                format!("{indent}{} {label}\n", if *chosen { '●' } else { '○' })
            }
            Item::Menu(label, items) => {
                format!("{indent}{label} >\n{}", drawn(items, depth + 1))
            }
        })
        .collect()
}

#[test]
fn the_picture_is_of_what_matters_most() {
    use StateWord as W;
    for (states, picture) in [
        (vec![], Picture::SignedOut),
        (vec![W::SignedOut], Picture::SignedOut),
        (vec![W::SignedOut, W::SignedIn], Picture::SignedIn),
        (vec![W::SignedIn, W::Renewing], Picture::Renewing),
        (vec![W::SigningIn], Picture::Renewing),
        (vec![W::Renewing, W::CannotReach], Picture::CannotReach),
        (vec![W::CannotReach, W::NeedsYou], Picture::NeedsYou),
        (vec![W::Refused], Picture::NeedsYou),
    ] {
        assert_eq!(tray(&view(&states, &[])).picture, picture, "{states:?}");
    }
}

#[test]
fn the_menu_names_the_file_who_is_signed_in_and_the_contexts() {
    let view = view(
        &[StateWord::NeedsYou, StateWord::SignedIn],
        &["dev", "odd\u{fffd}", "prod"],
    );
    let tray = tray(&view);
    assert_eq!(
        drawn(&tray.menu, 0),
        "\
(~/.kube/config: dev)
--
login.acme.example · needs you >
  Sign in
  Sign out
test · signed in >
  (login.acme.example)
  --
  Renew now
  Sign out
--
● dev
(odd\u{fffd})
○ prod
--
Open Kubefob
Settings
Quit (sessions are kept; the next kubectl starts it again)
"
    );
    assert_eq!(
        tray.tooltip,
        "login.acme.example · needs you\ntest · signed in"
    );
}

#[test]
fn only_an_end_that_is_fixed_has_a_time() {
    let note = |renews, survives, language| {
        let mut view = view(&[StateWord::SignedIn], &[]);
        view.language = language;
        view.accounts[0].expires = Some(Wall::from_seconds(1_700_000_000));
        view.accounts[0].renews = renews;
        view.accounts[0].survives = survives;
        drawn(&tray(&view).menu, 0)
    };
    for (renews, survives, expected) in [
        (true, None, "(Renews by itself)"),
        (
            true,
            Some(1_800),
            "(Renews by itself, survives 30 min asleep)",
        ),
        (
            true,
            Some(36_000),
            "(Renews by itself, survives 10 h asleep)",
        ),
        (
            true,
            Some(2_592_000),
            "(Renews by itself, survives 30 days asleep)",
        ),
        (false, None, "(Signed in until 2023-11-15 07:13)"),
    ] {
        let menu = note(renews, survives, Language::En);
        assert!(menu.contains(expected), "{menu}");
    }
    let korean = note(true, Some(1_800), Language::Ko);
    assert!(korean.contains("절전 30분까지 유지됩니다"), "{korean}");
}

#[test]
fn a_fixed_end_is_told_by_the_clock_of_whoever_looks() {
    let told = |expires, state, language| {
        let mut view = view(&[state], &[]);
        view.language = language;
        view.accounts[0].name = Some("test".into());
        view.accounts[0].renews = false;
        view.accounts[0].expires = Some(Wall::from_seconds(expires));
        tray(&view).tooltip
    };
    let (today, tomorrow) = (1_699_950_600, 1_699_993_800);
    let (en, ko) = (Language::En, Language::Ko);
    for (expires, state, language, expected) in [
        (
            today,
            StateWord::SignedIn,
            en,
            "test · signed in until 17:30",
        ),
        (today, StateWord::SignedIn, ko, "test · 로그인됨, 17:30까지"),
        (
            tomorrow,
            StateWord::SignedIn,
            en,
            "test · signed in until 2023-11-15 05:30",
        ),
        (today, StateWord::NeedsYou, en, "test · needs you"),
    ] {
        assert_eq!(told(expires, state, language), expected);
    }
}

#[test]
fn a_long_name_loses_its_middle_and_is_switched_to_all_the_same() {
    let long = format!("arn:{}:eu-1", "x".repeat(4_000));
    let menu = tray(&view(&[StateWord::SignedIn], &["dev", &long])).menu;
    let entry = menu.iter().find_map(|item| match item {
        Item::Choice {
            label,
            chosen: false,
            action: Action::Command(command),
        } => Some((label, command)),
        Item::Choice { .. } | Item::Rule | Item::Note(_) | Item::Act(..) | Item::Menu(..) => None,
    });
    let Some((label, command)) = entry else {
        panic!("{menu:?}");
    };
    assert!(label.starts_with("arn:xxx") && label.ends_with("xxx:eu-1"));
    assert_eq!(label.chars().count(), 96);
    assert!(matches!(&**command, Command::Use { context, .. } if *context == long));
}

#[test]
fn a_question_keeps_its_server_in_sight_and_there_are_few() {
    let host = format!(
        "https://{}evil.example:6443/",
        "api.acme.example.".repeat(300)
    );
    let question = |number: usize| QuestionView {
        name: format!("0ba25d1{number}"),
        in_window: number == 1,
        waits: true,
        longest: broker::trust::Longest::Always,
        claims: vec![],
        account: "a".repeat(4_000),
        who: None,
        issuer: "https://login.acme.example".into(),
        client_id: "kubernetes".into(),
        scopes: Vec::new(),
        vouched: Default::default(),
        servers: (0..20)
            .map(|_| ServerLine {
                server: broker::short::address(&host, 160),
                ..ServerLine::default()
            })
            .collect(),
        others: Vec::new(),
        more: 0,
        asker: "kubectl".into(),
        file: None,
        new_issuer: false,
        changes: vec![],
    };
    let mut view = view(&[StateWord::SignedIn], &[]);
    view.questions = (0..7).map(question).collect();
    let menu = tray(&view).menu;
    let asks = menu.iter().filter_map(|item| match item {
        Item::Act(label, Action::Command(it)) if matches!(**it, Command::Ask { .. }) => Some(label),
        Item::Choice { .. } | Item::Rule | Item::Note(_) | Item::Act(..) | Item::Menu(..) => None,
    });
    let asks: Vec<&String> = asks.collect();
    assert_eq!(asks.len(), 4, "{menu:?}");
    for asks in asks {
        assert!(asks.contains("evil.example:6443 and 19 more"), "{asks}");
        assert!(
            !asks.contains('\u{fffd}') && asks.chars().count() <= 144,
            "{asks}"
        );
    }
    let more = "3 more questions wait for your answer";
    assert!(
        menu.iter()
            .any(|item| matches!(item, Item::Act(label, _) if label == more))
    );
}

#[test]
fn a_great_many_accounts_are_sixteen_and_a_number() {
    let mut view = view(&[StateWord::SignedIn; 2_000], &[]);
    let Tray { menu, tooltip, .. } = tray(&view);
    assert_eq!(
        menu.iter()
            .filter(|item| matches!(item, Item::Menu(..)))
            .count(),
        16
    );
    let more = "1,984 more accounts";
    assert!(
        menu.iter()
            .any(|item| matches!(item, Item::Act(label, _) if label == more))
    );
    assert_eq!(tooltip.lines().count(), 17);
    assert_eq!(tooltip.lines().last(), Some(more));
    view.accounts.truncate(16);
    assert!(!tray(&view).tooltip.contains("more"));
}

#[test]
fn many_contexts_fold_and_the_current_one_stays_in_sight() {
    let names: Vec<String> = (0..30)
        .map(|number| format!("a{number:02}"))
        .chain(["dev".to_owned()])
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let menu = {
        let mut view = view(&[], &names);
        view.language = Language::Ko;
        tray(&view).menu
    };
    let shown = menu
        .iter()
        .filter(|item| matches!(item, Item::Choice { .. }))
        .count();
    assert_eq!(shown, 8);
    assert!(
        menu.iter()
            .any(|item| matches!(item, Item::Choice { chosen: true, .. }))
    );
    let Some(Item::Menu(label, rest)) = menu.iter().find(|item| matches!(item, Item::Menu(..)))
    else {
        panic!("{menu:?}");
    };
    assert_eq!((label.as_str(), rest.len()), ("다른 컨텍스트 23개", 23));
}

#[test]
fn a_click_switches_that_file_or_opens_a_screen_and_none_approves() {
    let menu = tray(&view(&[StateWord::NeedsYou], &["dev", "prod"])).menu;
    fn commands(items: &[Item], found: &mut Vec<Command>) {
        for item in items {
            match item {
                Item::Act(_, Action::Command(command))
                | Item::Choice {
                    action: Action::Command(command),
                    ..
                } => {
                    found.push((**command).clone());
                }
                Item::Menu(_, items) => commands(items, found),
                Item::Rule
                | Item::Note(_)
                | Item::Act(_, Action::Quit)
                | Item::Choice {
                    action: Action::Quit,
                    ..
                } => {}
            }
        }
    }
    let mut found = Vec::new();
    commands(&menu, &mut found);
    assert!(found.contains(&Command::Use {
        context: "prod".into(),
        kubeconfig: Some("/home/u/.kube/config".into()),
    }));
    assert!(found.contains(&Command::Open {
        screen: Some(ScreenName::Settings),
    }));
    assert!(
        !found
            .iter()
            .any(|command| matches!(command, Command::Answer { .. }))
    );
}
