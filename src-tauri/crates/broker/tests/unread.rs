//! What a person is asked can be read: it is bounded, more than anybody reads is not asked, and a terminal says where
//! to look.

#![allow(clippy::panic, reason = "a surprise is a failed test")]

mod shared;

use std::sync::Arc;

use broker::account::ClientSettings;
use broker::asker::{Asker, Desktop};
use broker::broker::Broker;
use broker::command::{Flags, Which};
use broker::credential::ExecVersion;
use broker::event::{Ask, Candidate, Effect, Event, Kept, Reply, Servers};
use broker::problem::Code;
use broker::settings::Settings;
use broker::view::View;
use broker::waiters::CallerId;
use shared::{asker, key, start};

/// Somebody asks for so many servers, each reached by so many contexts, and the file has as many others.
fn ask(caller: u64, asker: Asker, servers: usize, contexts: usize) -> Event {
    let candidate = |name: String| Candidate {
        server: shared::candidate(&name).server,
        contexts: (0..contexts)
            .map(|number| format!("context-{number}-{}", "x".repeat(250)))
            .collect(),
        file: Some("/".repeat(4_000)),
    };
    let needed = (0..servers).map(|number| candidate(format!("needed-{number}")));
    let others = (0..servers).map(|number| candidate(format!("other-{number}")));
    let settings = ClientSettings::default();
    Event::Asked(Box::new(Ask {
        caller: CallerId(caller),
        asker,
        account: Which::Flags(Arc::new(Flags::new(key(), settings))),
        version: ExecVersion::V1,
        by_client: false,
        servers: Arc::new(Servers {
            needed: needed.collect(),
            others: others.collect(),
            claims: vec![],
        }),
        files: Arc::new([]),
    }))
}

fn broker(desktop: Desktop) -> Broker {
    let mut broker = Broker::new(Kept::default(), Settings::default(), 1);
    broker.handle(Event::Desktop(desktop), start());
    broker
}

fn refusal(effects: &[Effect]) -> Option<Code> {
    effects.iter().find_map(|effect| {
        if let Effect::Reply(_, Reply::Refused(problem)) = effect {
            Some(problem.code())
        } else {
            None
        }
    })
}

fn said(effects: &[Effect]) -> Vec<(u64, &str)> {
    let said = effects.iter().filter_map(|effect| {
        if let Effect::Reply(caller, Reply::Say(text)) = effect {
            Some((caller.0, text.trim()))
        } else {
            None
        }
    });
    said.collect()
}

#[test]
fn more_servers_than_anybody_reads_are_not_asked_about() {
    for (count, refused) in [(20, None), (21, Some(Code::TooManyServers))] {
        for desktop in [Desktop::Unlocked, Desktop::None] {
            let mut broker = broker(desktop);
            let effects = broker.handle(ask(1, asker(1, true), count, 1), start());
            assert_eq!(refusal(&effects), refused, "{count} {desktop:?}");
            let questions = broker.view(start()).questions;
            assert_eq!(questions.len(), usize::from(refused.is_none()));
        }
    }
}

#[test]
fn what_is_asked_is_bounded_and_says_how_much_more_there_is() {
    let mut broker = broker(Desktop::None);
    let effects = broker.handle(ask(1, asker(1, true), 20, 3_000), start());
    let prompt = effects.iter().find_map(|effect| {
        if let Effect::Reply(_, Reply::Prompt(prompt)) = effect {
            Some(prompt)
        } else {
            None
        }
    });
    let prompt = prompt.unwrap_or_else(|| panic!("{effects:?}"));
    assert!(prompt.contains("and 2,997 more"), "{prompt}");
    assert!(prompt.len() < 12_000, "{}", prompt.len());
    let view = broker.view(start());
    let [question] = view.questions.as_slice() else {
        panic!("{view:?}")
    };
    assert_eq!((question.servers.len(), question.others.len()), (20, 20));
    assert_eq!((question.more, question.others[0].more), (0, 2_997));
    let json = serde_json::to_string(&view).unwrap();
    assert!(json.len() < 32_000, "{}", json.len());
}

#[test]
fn a_terminal_says_once_where_the_question_is() {
    let mut broker = broker(Desktop::Unlocked);
    let effects = broker.handle(ask(1, asker(1, true), 1, 1), start());
    let page = "Kubefob asks you in your browser.";
    assert_eq!(said(&effects), [(1, page)], "{effects:?}");
    // Whoever joins is told too; a program without a terminal has one line alone, for how it ends.
    let effects = broker.handle(ask(2, asker(2, true), 1, 1), start());
    assert_eq!(said(&effects), [(2, page)]);
    let effects = broker.handle(ask(3, asker(3, false), 1, 1), start());
    assert_eq!(said(&effects), []);
}

#[test]
fn a_view_that_is_too_large_loses_the_ends_of_its_longest_lists() {
    let mut broker = broker(Desktop::None);
    for caller in 0..60 {
        let server = usize::try_from(caller).unwrap() % 20 + 1;
        broker.handle(ask(caller, asker(1, false), server, 3), start());
    }
    let mut view = broker.view(start());
    let size = |view: &View| serde_json::to_vec(view).unwrap().len();
    let whole = size(&view);
    while let Some(cut) = view.shorter() {
        view = cut;
        assert_eq!(view.notices.len(), 1);
        assert_eq!(view.notices[0].code, Code::TooMuchToShow);
    }
    assert!(
        whole > 100_000 && size(&view) < 2_000,
        "{whole} {}",
        size(&view)
    );
}
