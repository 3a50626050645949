//! A question of trust in the window: where it is asked, whose answer counts, and what becomes of it without one.

#![allow(clippy::panic, reason = "a surprise is a failed test")]

mod shared;

use std::time::Duration;

use broker::account::ClientSettings;
use broker::asker::{Asker, Desktop, Endpoint};
use broker::broker::Broker;
use broker::clock::{Local, Now, Wall};
use broker::command::{Command, Invocation, ScreenName};
use broker::event::{Commanded, Effect, Event, Kept, Reply};
use broker::menu::{Action, Item, tray};
use broker::problem::Code;
use broker::settings::Settings;
use broker::transaction::SignInOutcome;
use broker::trust::{Answer, By};
use broker::view::View;
use broker::waiters::CallerId;
use shared::{ask, asker, key, start, tokens};

const UTC: Local = Local {
    now: Wall(0),
    ahead: |_| 0,
};

/// Somebody is signed in at a desktop, and a kubectl of theirs wants a token for a new server.
struct Desk {
    broker: Broker,
    now: Now,
    effects: Vec<Effect>,
}

impl Desk {
    fn asked() -> Self {
        let mut desk = Self {
            broker: Broker::new(Kept::default(), Settings::default(), 1),
            now: start(),
            effects: Vec::new(),
        };
        desk.handle(Event::Desktop(Desktop::Unlocked));
        desk.handle(ask(1, asker(1, false), ClientSettings::default(), "own"));
        let mut begun = None;
        for effect in &desk.effects {
            if let Effect::SignIn(sign_in) = effect {
                begun = Some((sign_in.attempt, sign_in.question));
            }
        }
        let Some((attempt, Some(question))) = begun else {
            panic!("{:?}", desk.effects)
        };
        desk.handle(Event::AnsweredOnPage(question, Answer::Always, vec![]));
        let tokens = tokens(1, Duration::from_secs(3_600), desk.now);
        let signed_in = SignInOutcome::SignedIn(tokens);
        desk.handle(Event::SignedIn(key().id(), attempt, signed_in));
        desk.handle(ask(2, asker(2, false), ClientSettings::default(), "new"));
        assert!(
            desk.effects.contains(&Effect::AskWindow),
            "{:?}",
            desk.effects
        );
        desk
    }

    fn handle(&mut self, event: Event) {
        self.effects = self.broker.handle(event, self.now);
    }

    fn view(&self) -> View {
        self.broker.view(self.now)
    }

    /// Whoever sits at the desktop sends it: by the window that was started, or as anybody can.
    fn send(&mut self, endpoint: Endpoint, command: Command) {
        let person = Asker {
            process: None,
            ..asker(9, false)
        };
        self.handle(Event::Commanded(Box::new(Commanded {
            caller: CallerId(9),
            asker: person,
            endpoint,
            invocation: Invocation::Do {
                command,
                json: false,
            },
        })));
    }

    fn answer(&mut self, endpoint: Endpoint, answer: Answer) {
        let asked = self.view().questions;
        let command = Command::Answer {
            question: asked.first().map(|question| question.name.clone()),
            answer,
            others: vec![],
        };
        self.send(endpoint, command);
    }

    fn has_token(&self, caller: u64) -> bool {
        self.effects.iter().any(
            |effect| matches!(effect, Effect::Reply(to, Reply::Credential(..)) if to.0 == caller),
        )
    }

    fn refusal(&self, caller: u64) -> Option<Code> {
        self.effects.iter().find_map(|effect| {
            if let Effect::Reply(to, Reply::Refused(problem)) = effect
                && to.0 == caller
            {
                Some(problem.code())
            } else {
                None
            }
        })
    }
}

#[test]
fn a_terminal_says_that_the_window_asks_and_where_it_asks_instead() {
    let said = |effects: &[Effect]| -> Vec<(u64, String)> {
        let said = effects.iter().filter_map(|effect| {
            if let Effect::Reply(caller, Reply::Say(text)) = effect {
                Some((caller.0, text.clone()))
            } else {
                None
            }
        });
        said.collect()
    };
    let mut desk = Desk::asked();
    assert_eq!(said(&desk.effects), []);
    let settings = ClientSettings::default();
    desk.handle(ask(3, asker(3, true), settings, "new"));
    let window = "Kubefob asks you in its window.\n";
    assert_eq!(said(&desk.effects), [(3, window.into())]);
    desk.handle(Event::NoWindow);
    let page = "Kubefob asks you in your browser.\n";
    assert_eq!(said(&desk.effects), [(3, page.into())]);
}

#[test]
fn the_window_opens_at_a_screen_that_it_has() {
    let mut desk = Desk::asked();
    for (sent, screen) in [
        (r#"{"do":"open"}"#, None),
        (r#"{"do":"open","screen":null}"#, None),
        (
            r#"{"do":"open","screen":"settings"}"#,
            Some(ScreenName::Settings),
        ),
    ] {
        desk.send(Endpoint::Control, serde_json::from_str(sent).unwrap());
        let open = Effect::Open(CallerId(9), screen);
        assert!(desk.effects.contains(&open), "{sent}: {:?}", desk.effects);
    }
    let sent = r#"{"do":"open","screen":"palette"}"#;
    desk.send(Endpoint::Control, serde_json::from_str(sent).unwrap());
    assert_eq!(desk.refusal(9), Some(Code::NoSuchScreen));
    assert!(
        !desk
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Open(..)))
    );
}

#[test]
fn a_yes_in_the_window_is_remembered_as_the_window_s() {
    let mut desk = Desk::asked();
    assert!(desk.view().questions[0].in_window);
    desk.answer(Endpoint::Consent, Answer::Always);
    assert!(desk.has_token(2), "{:?}", desk.effects);
    assert!(desk.view().questions.is_empty());
    assert!(
        desk.view()
            .trusts
            .iter()
            .any(|trust| trust.by == By::Window)
    );
}

#[test]
fn a_question_names_whose_account_it_is_and_a_sign_out_forgets_them() {
    let mut desk = Desk::asked();
    let view = desk.view();
    let who = view.questions[0].who.clone();
    assert!(who.is_some() && who == view.accounts[0].name);
    assert_eq!(view.questions[0].account, view.accounts[0].label);
    let sign_out = Command::SignOut {
        account: None,
        everywhere: false,
    };
    desk.send(Endpoint::Control, sign_out);
    assert_eq!(desk.view().accounts[0].name, None);
}

#[test]
fn once_is_for_the_process_that_asked_and_ends_with_it() {
    let mut desk = Desk::asked();
    desk.answer(Endpoint::Consent, Answer::Once);
    assert!(desk.has_token(2), "{:?}", desk.effects);
    desk.handle(ask(3, asker(2, false), ClientSettings::default(), "new"));
    assert!(desk.has_token(3), "the same process");
    desk.handle(ask(4, asker(4, false), ClientSettings::default(), "new"));
    assert!(desk.effects.contains(&Effect::AskWindow), "another one");
}

#[test]
fn a_no_holds_for_ten_minutes() {
    let mut desk = Desk::asked();
    desk.answer(Endpoint::Consent, Answer::No);
    assert_eq!(desk.refusal(2), Some(Code::TrustRefused));
    desk.handle(ask(3, asker(3, false), ClientSettings::default(), "new"));
    assert_eq!(desk.refusal(3), Some(Code::TrustRefused));
    desk.now = desk.now.after(Duration::from_secs(601));
    desk.handle(ask(4, asker(4, false), ClientSettings::default(), "new"));
    assert!(
        desk.effects.contains(&Effect::AskWindow),
        "{:?}",
        desk.effects
    );
}

#[test]
fn nobody_else_s_answer_counts_nor_one_that_nobody_can_see() {
    let mut desk = Desk::asked();
    desk.answer(Endpoint::Control, Answer::Always);
    assert!(
        desk.effects.contains(&Effect::AskWindow),
        "it is shown again"
    );
    assert!(desk.view().questions[0].in_window && !desk.has_token(2));
    desk.handle(Event::Desktop(Desktop::Locked));
    desk.answer(Endpoint::Consent, Answer::Always);
    assert!(desk.view().questions[0].in_window && !desk.has_token(2));
    assert!(
        desk.view()
            .trusts
            .iter()
            .all(|trust| trust.by != By::Window)
    );
}

#[test]
fn without_a_window_a_page_asks() {
    let mut desk = Desk::asked();
    desk.handle(Event::NoWindow);
    let pages = desk.effects.iter();
    let pages = pages.filter(|effect| matches!(effect, Effect::AskPage(..)));
    assert_eq!(pages.count(), 1, "{:?}", desk.effects);
    assert!(!desk.view().questions[0].in_window);
    desk.handle(Event::NoWindow);
    assert_eq!(desk.effects, [], "once");
}

#[test]
fn left_alone_it_waits_for_a_person() {
    let mut desk = Desk::asked();
    let Some(due) = desk.broker.poll_timeout() else {
        panic!("nothing is due");
    };
    desk.now = desk.now.after(due.since(desk.now.moment));
    desk.handle(Event::Timeout);
    assert_eq!(
        desk.refusal(2),
        Some(Code::QuestionUnanswered),
        "{:?}",
        desk.effects
    );
    desk.handle(ask(3, asker(3, false), ClientSettings::default(), "new"));
    assert_eq!(desk.refusal(3), Some(Code::NotTrusted), "not by itself");
    let question = desk.view().questions[0].name.clone();
    let asks = Command::Ask {
        question: Some(question),
    };
    let clicks =
        |item: &Item| matches!(item, Item::Act(_, Action::Command(command)) if **command == asks);
    assert!(tray(&desk.view(), UTC).menu.iter().any(clicks));
    desk.send(Endpoint::Control, asks.clone());
    assert!(
        desk.effects.contains(&Effect::AskWindow),
        "{:?}",
        desk.effects
    );
}

#[test]
fn closed_it_is_asked_anew_by_the_next_command() {
    let leave = || Command::Leave { question: None };
    let mut desk = Desk::asked();
    desk.send(Endpoint::Control, leave());
    assert_eq!(desk.refusal(2), None, "nobody else closes it");
    assert!(desk.view().questions[0].in_window);
    desk.send(Endpoint::Consent, leave());
    assert_eq!(desk.refusal(2), Some(Code::QuestionClosed));
    assert!(desk.view().questions.is_empty() && desk.view().trusts.len() == 1);
    // kubectl asks several times for one command.
    desk.handle(ask(3, asker(2, false), ClientSettings::default(), "new"));
    assert_eq!(desk.refusal(3), Some(Code::QuestionClosed));
    desk.handle(ask(4, asker(4, false), ClientSettings::default(), "new"));
    assert!(desk.effects.contains(&Effect::AskWindow), "another command");
    desk.send(Endpoint::Consent, leave());
    desk.now = desk.now.after(Duration::from_secs(60));
    desk.handle(ask(5, asker(4, false), ClientSettings::default(), "new"));
    assert!(
        desk.effects.contains(&Effect::AskWindow),
        "a program that goes on running, a while later"
    );
}
