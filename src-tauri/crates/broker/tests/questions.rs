//! Questions: what they are called, what settles them, with whom they go, and how many there may be.

#![allow(clippy::panic, reason = "a surprise is a failed test")]

mod shared;

use std::time::Duration;

use broker::account::ClientSettings;
use broker::asker::{Asker, Container, Desktop, Endpoint, Place, ProcessId};
use broker::broker::Broker;
use broker::clock::Now;
use broker::command::{Command, Invocation};
use broker::event::{
    AtRest, Commanded, Effect, Event, Kept, QuestionId, Reply, Restored, Servers, SettleId,
};
use broker::problem::{Code, Problem, Refusal};
use broker::session::Loss;
use broker::settings::{Keep, Settings};
use broker::texts::Language;
use broker::transaction::{AttemptId, SignInOutcome, Taken};
use broker::trust::{Answer, Approval, By, Longest, Pair, Server};
use broker::view::QuestionView;
use broker::waiters::CallerId;
use shared::{ask_for, asker, candidate, key, servers, start, tokens, unseen};

/// Somebody who is signed in, and what came of the last event.
struct Desk {
    broker: Broker,
    now: Now,
    effects: Vec<Effect>,
    /// Why nothing is written down.
    full: Option<Problem>,
}

impl Desk {
    fn new(desktop: Desktop) -> Self {
        Self::with(desktop, Kept::default())
    }

    fn with(desktop: Desktop, kept: Kept) -> Self {
        let mut desk = Self {
            broker: Broker::new(kept, Settings::default(), 1),
            now: start(),
            effects: Vec::new(),
            full: None,
        };
        desk.handle(Event::Desktop(desktop));
        let at_rest = AtRest::Tokens(tokens(1, Duration::from_secs(3_600), desk.now), Loss::None);
        let restored = Restored {
            key: key(),
            at_rest,
        };
        desk.handle(Event::Loaded(vec![restored], Keep::Sealed));
        desk
    }

    fn handle(&mut self, event: Event) {
        self.effects = self.broker.handle(event, self.now);
        if let Some(what) = self.settles() {
            let settled = Event::Settled(what, self.full.clone());
            self.effects.extend(self.broker.handle(settled, self.now));
        }
    }

    fn settles(&self) -> Option<SettleId> {
        self.effects.iter().find_map(|effect| {
            if let Effect::Settle(what) = effect {
                Some(*what)
            } else {
                None
            }
        })
    }

    fn ask(&mut self, caller: u64, asker: Asker, servers: Servers) {
        self.handle(ask_for(caller, asker, ClientSettings::default(), servers));
    }

    fn send(&mut self, caller: u64, endpoint: Endpoint, command: Command) {
        self.handle(Event::Commanded(Box::new(Commanded {
            caller: CallerId(caller),
            asker: asker(900, endpoint == Endpoint::Control),
            endpoint,
            invocation: Invocation::Do {
                command,
                json: false,
            },
        })));
    }

    /// `kubectl fob trust`, with or without a name.
    fn trust(&mut self, caller: u64, name: Option<&str>, answer: Option<Answer>) {
        let question = name.map(str::to_owned);
        let command = match answer {
            Some(answer) => Command::Answer {
                question,
                answer,
                others: vec![],
            },
            None => Command::Ask { question },
        };
        self.send(caller, Endpoint::Control, command);
    }

    fn in_window(&mut self, name: &str, answer: Answer, others: &[usize]) {
        let command = Command::Answer {
            question: Some(name.to_owned()),
            answer,
            others: others.to_vec(),
        };
        self.send(800, Endpoint::Consent, command);
    }

    fn questions(&self) -> Vec<QuestionView> {
        self.broker.view(self.now).questions
    }

    fn only(&self) -> QuestionView {
        match self.questions().as_slice() {
            [one] => one.clone(),
            several => panic!("{several:#?}"),
        }
    }

    fn has_token(&self, caller: u64) -> bool {
        self.effects.iter().any(
            |effect| matches!(effect, Effect::Reply(to, Reply::Credential(..)) if to.0 == caller),
        )
    }

    fn refusal(&self, caller: u64) -> Option<&Refusal> {
        self.effects.iter().find_map(|effect| {
            if let Effect::Reply(to, Reply::Refused(problem)) = effect
                && to.0 == caller
            {
                Some(problem.as_ref())
            } else {
                None
            }
        })
    }

    fn refused(&self, caller: u64) -> Option<Code> {
        self.refusal(caller).map(|problem| problem.code())
    }

    fn said(&self, caller: u64) -> String {
        let said = self.effects.iter().filter_map(|effect| {
            if let Effect::Reply(to, Reply::Out(text) | Reply::Prompt(text)) = effect
                && to.0 == caller
            {
                Some(text.as_str())
            } else {
                None
            }
        });
        said.collect()
    }

    fn page(&self) -> Option<QuestionId> {
        self.effects.iter().find_map(|effect| {
            if let Effect::AskPage(question, _) = effect {
                Some(*question)
            } else {
                None
            }
        })
    }

    fn sign_in(&self) -> Option<(AttemptId, Option<QuestionId>)> {
        self.effects.iter().find_map(|effect| {
            if let Effect::SignIn(sign_in) = effect {
                Some((sign_in.attempt, sign_in.question))
            } else {
                None
            }
        })
    }
}

fn both(one: &str, other: &str) -> Servers {
    let mut both = servers(one);
    both.needed.push(candidate(other));
    both
}

fn offering(one: &str, others: &[&str]) -> Servers {
    let mut offering = servers(one);
    offering.others = others.iter().map(|other| candidate(other)).collect();
    offering
}

const INIT: ProcessId = ProcessId {
    pid: 70,
    started: 3,
};

fn inside(pid: u32, first: ProcessId) -> Asker {
    Asker {
        place: Place::Container,
        container: Some(Container {
            namespace: (4, 26),
            first,
        }),
        ..asker(pid, false)
    }
}

// What it is called.

#[test]
fn a_question_is_called_after_what_it_asks() {
    let name = |servers: Servers| {
        let mut desk = Desk::new(Desktop::Unlocked);
        desk.ask(1, asker(1, false), servers);
        desk.only().name
    };
    // In another life of the resident, and after others.
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("b"));
    desk.ask(2, asker(2, false), servers("a"));
    assert_eq!(desk.questions()[1].name, name(servers("a")));
    assert_eq!(name(both("a", "b")), name(both("b", "a")));
    let all = [
        name(servers("a")),
        name(servers("b")),
        name(both("a", "b")),
        name(offering("a", &["b"])),
        name(offering("a", &["b", "c"])),
        name(offering("a", &["c", "b"])),
        name(unseen("a", &[])),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(one.len() == 24 && !all[..at].contains(one), "{all:?}");
    }
}

#[test]
fn of_several_none_is_answered_without_a_name() {
    for answer in [
        None,
        Some(Answer::Always),
        Some(Answer::Once),
        Some(Answer::No),
    ] {
        let mut desk = Desk::new(Desktop::None);
        desk.trust(9, None, answer);
        assert_eq!(desk.refused(9), Some(Code::NoQuestion));
        desk.ask(1, asker(1, false), servers("a"));
        desk.ask(2, asker(2, false), servers("b"));
        let before = desk.questions();
        assert_eq!(before.len(), 2);
        desk.trust(10, None, answer);
        assert_eq!(desk.refused(10), Some(Code::WhichQuestion));
        for question in &before {
            assert!(desk.said(10).contains(&question.name), "{}", desk.said(10));
        }
        assert_eq!(desk.questions(), before);
        assert!(desk.broker.view(desk.now).trusts.is_empty());
        desk.trust(11, Some("q1"), answer);
        assert_eq!(desk.refused(11), Some(Code::NoSuchQuestion));
    }
    // One alone is shown, or refused, without its name; a yes is to what was read.
    let mut desk = Desk::new(Desktop::None);
    desk.ask(1, asker(1, false), servers("a"));
    let name = desk.only().name;
    for answer in [Answer::Always, Answer::Once] {
        desk.trust(9, None, Some(answer));
        assert_eq!(desk.refused(9), Some(Code::WhichQuestion));
        assert!(desk.said(9).contains(&name), "{}", desk.said(9));
    }
    desk.trust(9, None, None);
    assert!(desk.said(9).contains("a.example.com"), "{}", desk.said(9));
    desk.handle(Event::Gone(CallerId(9)));
    desk.trust(9, None, Some(Answer::No));
    assert!(desk.refused(9).is_none() && desk.questions().is_empty());
    desk.ask(4, asker(4, false), servers("z"));
    desk.trust(9, Some(&desk.only().name), Some(Answer::Always));
    assert_eq!(desk.refused(9), None);
    assert_eq!(desk.broker.view(desk.now).trusts.len(), 1);
    desk.ask(2, asker(2, false), servers("b"));
    desk.ask(3, asker(3, false), servers("c"));
    let name = desk.questions()[0].name.clone();
    desk.trust(10, Some(&name), Some(Answer::Always));
    assert_eq!(desk.only().servers[0].server, "https://c.example.com");
}

// What settles it.

#[test]
fn an_approval_settles_every_question_that_it_covers() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("a"));
    desk.ask(2, asker(2, false), offering("b", &["c"]));
    desk.ask(3, asker(3, false), both("a", "c"));
    desk.ask(4, asker(4, false), both("b", "d"));
    desk.ask(5, asker(5, false), offering("e", &["c"]));
    let before = desk.questions();
    assert_eq!(before.len(), 5);
    desk.in_window(&before[1].name, Answer::Always, &[0]);
    assert!(desk.has_token(2) && !desk.has_token(1), "its own");
    let after = desk.questions();
    let shown: Vec<Vec<&str>> = after
        .iter()
        .map(|one| {
            one.servers
                .iter()
                .map(|line| line.server.as_str())
                .collect()
        })
        .collect();
    // Of a and c the first is left, which somebody asks about already: it is one question now.
    assert_eq!(
        shown,
        [
            ["https://a.example.com"],
            ["https://d.example.com"],
            ["https://e.example.com"],
        ]
    );
    assert_ne!(after[1].name, before[3].name, "it is another question");
    assert!(after[2].others.is_empty() && after[2].name != before[4].name);
    desk.in_window(&before[3].name, Answer::Always, &[]);
    assert_eq!(
        desk.refused(800),
        Some(Code::NoSuchQuestion),
        "by its old name"
    );
    desk.in_window(&after[0].name, Answer::Always, &[]);
    assert!(desk.has_token(1) && desk.has_token(3));
    desk.in_window(&after[1].name, Answer::Once, &[]);
    assert!(desk.has_token(4));
    desk.in_window(&after[2].name, Answer::No, &[]);
    assert_eq!(desk.refused(5), Some(Code::TrustRefused));
    assert!(desk.questions().is_empty());
}

#[test]
fn this_command_is_the_one_that_was_shown() {
    let boxed = |pid| Asker {
        place: Place::Container,
        ..asker(pid, false)
    };
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("a"));
    desk.ask(2, asker(2, false), servers("a"));
    desk.ask(3, boxed(3), servers("a"));
    desk.ask(4, asker(1, false), servers("a"));
    let question = desk.only();
    desk.in_window(&question.name, Answer::Once, &[]);
    assert!(desk.has_token(1) && desk.has_token(4), "one process");
    assert!(!desk.has_token(2) && !desk.has_token(3));
    assert_eq!(
        desk.only().name,
        question.name,
        "whoever waited along is asked anew"
    );
    // The same command again has the place of the one that ended, on a page that can't change; another one has not.
    desk.in_window(&question.name, Answer::No, &[]);
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("a"));
    desk.handle(Event::NoWindow);
    desk.ask(2, boxed(2), servers("a"));
    desk.handle(Event::Ended(ProcessId { pid: 1, started: 1 }));
    let page = QuestionId(1);
    desk.handle(Event::AnsweredOnPage(page, Answer::Once, vec![]));
    assert!(!desk.has_token(2));
    assert!(
        desk.effects
            .contains(&Effect::Taken(page, Taken::AskerEnded)),
        "{:?}",
        desk.effects
    );
    assert!(desk.effects.contains(&Effect::AskWindow), "asked by itself");
}

#[test]
fn what_waits_for_kubectl_fob_trust_shrinks_too() {
    let mut desk = Desk::new(Desktop::None);
    desk.ask(1, asker(1, false), servers("a"));
    desk.ask(2, asker(2, false), both("a", "b"));
    let both_name = desk.questions()[1].name.clone();
    let name = desk.questions()[0].name.clone();
    desk.trust(9, Some(&name), Some(Answer::Always));
    let left = desk.only();
    assert!(left.servers.len() == 1 && left.name != both_name && !left.waits);
    desk.trust(10, Some(&both_name), Some(Answer::Always));
    assert_eq!(desk.refused(10), Some(Code::NoSuchQuestion));
}

#[test]
fn a_terminal_that_asks_goes_on_when_the_answer_came_elsewhere() {
    let mut desk = Desk::new(Desktop::None);
    desk.ask(1, asker(1, true), servers("a"));
    desk.ask(2, asker(2, true), both("a", "b"));
    assert!(desk.said(2).contains("https://b.example.com"));
    desk.handle(Event::Typed(CallerId(2), "y".into()));
    assert!(desk.has_token(2) && desk.has_token(1), "{:?}", desk.effects);
    assert!(desk.questions().is_empty());
}

#[test]
fn what_is_allowed_for_good_is_said_to_be_so_where_it_is_written() {
    let full = Problem::AccountsUnwritten {
        path: "/a".into(),
        reason: "it is full".into(),
    };
    let until_end = full.clone().until_end();
    for full in [None, Some(full)] {
        let mut desk = Desk::new(Desktop::Unlocked);
        desk.full.clone_from(&full);
        desk.ask(1, asker(1, false), servers("a"));
        desk.handle(Event::NoWindow);
        let page = desk.page().unwrap();
        desk.handle(Event::AnsweredOnPage(page, Answer::Always, vec![]));
        let taken = full
            .as_ref()
            .map_or(Taken::Counted, |_| Taken::UntilEnd(until_end.clone()));
        assert!(desk.effects.contains(&Effect::Taken(page, taken)));
        assert!(desk.has_token(1));

        let mut desk = Desk::new(Desktop::None);
        desk.full.clone_from(&full);
        desk.ask(1, asker(1, true), servers("a"));
        desk.handle(Event::Typed(CallerId(1), "y".into()));
        assert!(desk.has_token(1), "it is served all the same");
        let told = desk.effects.iter().any(|effect| {
            matches!(effect, Effect::Reply(CallerId(1), Reply::Say(text)) if text.contains("[only-until-end]"))
        });
        assert_eq!(told, full.is_some(), "{:?}", desk.effects);
        // Nothing is for good: nothing is written.
        desk.ask(2, asker(2, true), servers("b"));
        desk.handle(Event::Typed(CallerId(2), "o".into()));
        assert!(desk.has_token(2) && desk.settles().is_none());
    }
}

#[test]
fn a_page_is_told_that_it_was_answered_elsewhere() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("a"));
    desk.handle(Event::NoWindow);
    let page = desk.page().unwrap();
    desk.ask(2, asker(2, false), offering("b", &["a"]));
    let name = desk.questions()[1].name.clone();
    desk.in_window(&name, Answer::Always, &[0]);
    assert!(desk.has_token(1) && desk.has_token(2));
    desk.handle(Event::AnsweredOnPage(page, Answer::No, vec![]));
    assert!(desk.effects.contains(&Effect::Taken(page, Taken::Settled)));
    desk.ask(3, asker(3, false), servers("a"));
    assert!(desk.has_token(3), "that no is to nothing");
}

#[test]
fn a_no_on_the_page_of_a_sign_in_fails_nobody_else() {
    let trusted = Pair {
        account: key().id(),
        server: candidate("own").server,
    };
    let approval = Approval {
        at: start().wall,
        by: By::Window,
        contexts: vec![],
        file: None,
        manners: vec![],
    };
    let kept = Kept {
        trusts: vec![(trusted, approval)],
        ..Kept::default()
    };
    let mut desk = Desk {
        broker: Broker::new(kept, Settings::default(), 1),
        now: start(),
        effects: Vec::new(),
        full: None,
    };
    desk.handle(Event::Desktop(Desktop::Unlocked));
    desk.ask(1, asker(1, false), servers("hostile"));
    let (attempt, question) = desk.sign_in().unwrap();
    let question = question.unwrap();
    // It joins the sign-in that is under way.
    desk.ask(2, asker(2, false), servers("own"));
    assert_eq!(desk.refused(2), None);
    desk.handle(Event::AnsweredOnPage(question, Answer::No, vec![]));
    let no = shared::trust_refused();
    desk.handle(Event::SignedIn(
        key().id(),
        attempt,
        SignInOutcome::Declined(no),
    ));
    assert_eq!(desk.refused(1), Some(Code::TrustRefused));
    assert_eq!(desk.refused(2), None, "{:?}", desk.effects);
    let (attempt, question) = desk.sign_in().unwrap();
    assert_eq!(question, None, "a page of its own, without a question");
    let tokens = tokens(2, Duration::from_secs(600), desk.now);
    desk.handle(Event::SignedIn(
        key().id(),
        attempt,
        SignInOutcome::SignedIn(tokens),
    ));
    assert!(desk.has_token(2));
}

#[test]
fn a_no_to_several_servers_locks_none_of_them_out() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), both("hostile", "new"));
    let name = desk.only().name;
    desk.in_window(&name, Answer::No, &[]);
    assert_eq!(desk.refused(1), Some(Code::TrustRefusedSeveral));
    desk.ask(2, asker(2, false), servers("new"));
    assert_eq!(desk.refused(2), None);
    assert!(desk.only().in_window, "it is asked about");
    desk.ask(3, asker(3, false), both("hostile", "new"));
    assert_eq!(
        desk.refused(3),
        Some(Code::TrustRefusedSeveral),
        "the no holds"
    );
}

// With whom it goes.

#[test]
fn a_question_goes_with_the_last_who_asks_it() {
    for by_its_process in [false, true] {
        let mut desk = Desk::new(Desktop::Unlocked);
        desk.ask(1, asker(1, false), servers("a"));
        let first = ProcessId { pid: 1, started: 1 };
        assert!(desk.effects.contains(&Effect::Watch(first)));
        let named = Asker {
            program: "k9s".into(),
            ..asker(2, false)
        };
        desk.ask(2, named, servers("a"));
        let question = desk.only();
        assert_eq!(question.asker, "kubectl");
        let gone = |caller: u64| {
            if by_its_process {
                let pid = u32::try_from(caller).unwrap();
                Event::Ended(ProcessId { pid, started: 1 })
            } else {
                Event::Gone(CallerId(caller))
            }
        };
        desk.handle(gone(1));
        assert_eq!(
            desk.refused(1).is_some(),
            by_its_process,
            "its plugin is told"
        );
        assert_eq!(desk.only().asker, "k9s", "who waits is named");
        desk.handle(gone(2));
        let view = desk.broker.view(desk.now);
        assert!(view.questions.is_empty());
        assert_eq!(view.askers_ended, std::slice::from_ref(&question.name));
        desk.in_window(&question.name, Answer::Always, &[]);
        assert_eq!(desk.refused(800), Some(Code::AskerEnded));
        assert!(desk.broker.view(desk.now).trusts.is_empty());
        desk.ask(3, asker(3, false), servers("a"));
        assert!(desk.only().in_window, "it is asked anew");
    }
}

#[test]
fn a_page_whose_asker_has_ended_approves_nothing_and_serves_the_next_who_asks_the_same() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("a"));
    desk.handle(Event::NoWindow);
    let page = desk.page().unwrap();
    desk.handle(Event::Gone(CallerId(1)));
    assert!(desk.questions().is_empty(), "nobody waits");
    // Ctrl-C and the same command again: the page that is open is as good as another.
    desk.ask(2, asker(2, false), servers("a"));
    assert_eq!(desk.page(), None);
    assert!(desk.only().waits);
    desk.handle(Event::Gone(CallerId(2)));
    desk.handle(Event::AnsweredOnPage(page, Answer::Always, vec![]));
    assert!(
        desk.effects
            .contains(&Effect::Taken(page, Taken::AskerEnded))
    );
    assert!(desk.broker.view(desk.now).trusts.is_empty());
    desk.ask(3, asker(3, false), servers("a"));
    assert!(desk.only().in_window);
}

#[test]
fn a_person_who_asks_again_has_a_page_that_is_open() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, true), servers("a"));
    desk.handle(Event::NoWindow);
    let page = desk.page().unwrap();
    desk.ask(2, asker(2, true), servers("a"));
    assert_eq!(desk.page(), None, "one tab for all who wait");
    desk.handle(Event::Gone(CallerId(1)));
    desk.handle(Event::Gone(CallerId(2)));
    // The tab was closed, Ctrl-C, and the same command again.
    desk.ask(3, asker(3, true), servers("a"));
    assert_eq!(desk.page(), Some(page));
    desk.handle(Event::AnsweredOnPage(page, Answer::Always, vec![]));
    assert!(desk.has_token(3));
}

#[test]
fn a_question_that_nobody_answered_says_so_and_is_no_sign_in_that_timed_out() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, true), servers("a"));
    desk.handle(Event::NoWindow);
    let page = desk.page().unwrap();
    desk.handle(Event::Unanswered(page, None));
    let name = desk.only().name;
    let refusal = desk.refusal(1).unwrap();
    assert_eq!(refusal.code(), Code::QuestionUnanswered);
    assert_eq!(
        refusal.message(Language::En),
        "Nobody answered whether https://a.example.com may have tokens of sso.example.com."
    );
    let hint = refusal.hint(Language::En);
    let command = format!("kubectl fob trust {name}");
    assert!(hint.contains(&command), "{hint}");
    assert!(desk.page().is_none(), "it waits for a person");
    // What the hint says works: the next command asks anew, and so does the other one.
    desk.ask(2, asker(2, true), servers("a"));
    desk.handle(Event::NoWindow);
    let page = desk.page().unwrap();
    desk.handle(Event::Unanswered(page, None));
    desk.trust(9, Some(&name), None);
    desk.in_window(&name, Answer::Always, &[]);
    desk.ask(3, asker(3, false), servers("a"));
    assert!(desk.has_token(3), "{:?}", desk.effects);
    // One that could not be asked says why not.
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, true), servers("a"));
    desk.handle(Event::NoWindow);
    let page = desk.page().unwrap();
    let taken = Problem::PortsTaken {
        addresses: "localhost:0".into(),
    };
    desk.handle(Event::Unanswered(page, Some(taken)));
    assert_eq!(desk.refused(1), Some(Code::PortsTaken));
}

#[test]
fn what_nobody_answered_is_named_as_far_as_it_is_seen() {
    for (servers, expected) in [
        (unseen("u", &[]), Code::QuestionUnansweredUnseen),
        (servers("a"), Code::QuestionUnanswered),
    ] {
        let mut desk = Desk::new(Desktop::Unlocked);
        desk.ask(1, asker(1, true), servers);
        desk.handle(Event::NoWindow);
        let page = desk.page().unwrap();
        desk.handle(Event::Unanswered(page, None));
        assert_eq!(desk.refused(1), Some(expected));
    }
}

#[test]
fn whoever_was_refused_since_nobody_was_there_can_be_answered_for_a_while() {
    let mut desk = Desk::new(Desktop::None);
    desk.ask(1, asker(1, false), servers("a"));
    assert_eq!(desk.refused(1), Some(Code::NotTrusted));
    desk.handle(Event::Ended(ProcessId { pid: 1, started: 1 }));
    let question = desk.only();
    assert!(!question.waits, "nobody is said to wait");
    // Nothing is left for which it could be allowed once.
    desk.trust(9, Some(&question.name), Some(Answer::Once));
    assert_eq!(desk.refused(9), Some(Code::AskerEnded));
    desk.trust(10, None, None);
    assert!(
        desk.said(10).contains("y = always, N = no"),
        "{}",
        desk.said(10)
    );
    desk.handle(Event::Typed(CallerId(10), "n".into()));
    desk.now = desk.now.after(Duration::from_secs(3_600));
    desk.ask(2, asker(2, false), servers("a"));
    desk.now = desk.now.after(Duration::from_secs(24 * 3_600));
    desk.handle(Event::Timeout);
    assert!(desk.questions().is_empty(), "not for ever");
}

#[test]
fn what_was_taken_up_is_over_when_whoever_asked_has_ended() {
    let mut desk = Desk::new(Desktop::None);
    let in_ssh = Asker {
        place: Place::Ssh,
        ..asker(1, true)
    };
    desk.ask(1, in_ssh, servers("a"));
    let name = desk.only().name;
    desk.trust(9, Some(&name), None);
    assert_eq!(desk.refused(9), Some(Code::AskedElsewhere));
    desk.handle(Event::Gone(CallerId(1)));
    assert!(desk.questions().is_empty());
    desk.trust(10, Some(&name), None);
    assert!(desk.refused(10).is_some());
}

// A server that can't be seen.

#[test]
fn what_can_t_be_seen_is_allowed_once_alone() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), unseen("u", &[]));
    let question = desk.only();
    assert_eq!(question.longest, Longest::Once);
    for answer in [Answer::Always, Answer::Container] {
        desk.in_window(&question.name, answer, &[]);
        assert_eq!(desk.refused(800), Some(Code::NotForGood));
    }
    desk.in_window(&question.name, Answer::Once, &[]);
    assert!(desk.has_token(1));
    desk.ask(2, asker(2, false), unseen("u", &[]));
    assert!(
        !desk.has_token(2) && desk.only().in_window,
        "another process"
    );
    // The page knows no other yes, and one that it was made to send is the shortest.
    desk.handle(Event::NoWindow);
    let page = desk.page().unwrap();
    desk.handle(Event::AnsweredOnPage(page, Answer::Always, vec![]));
    assert!(desk.has_token(2) && desk.broker.view(desk.now).trusts.is_empty());
    desk.ask(3, asker(3, false), unseen("u", &[]));
    assert!(!desk.has_token(3));
    let name = desk.only().name;
    desk.in_window(&name, Answer::No, &[]);
    let refusal = desk.refusal(3).unwrap();
    assert_eq!(refusal.code(), Code::TrustRefusedUnseen);
    let said = refusal.line(broker::texts::Language::En);
    assert!(said.contains("provideClusterInfo: true"), "{said}");

    desk.ask(3, asker(3, false), unseen("u", &[]));
    assert_eq!(desk.refused(3), Some(Code::TrustRefusedUnseen));
    let asked = desk.questions().len();
    desk.ask(4, asker(4, false), unseen("u", &[]));
    assert_eq!(
        desk.questions().len(),
        asked + 1,
        "another program is asked"
    );
}

#[test]
fn without_anybody_there_what_can_t_be_seen_leaves_no_question() {
    let mut desk = Desk::new(Desktop::None);
    desk.ask(1, asker(1, false), unseen("u", &[]));
    let said = desk
        .refusal(1)
        .map(|one| one.line(broker::texts::Language::En));
    let said = said.unwrap();
    assert!(said.contains("provideClusterInfo: true"), "{said}");
    assert!(desk.questions().is_empty());
    desk.ask(2, asker(2, true), unseen("u", &[]));
    let said = desk.said(2);
    assert!(said.contains("y = this command only, N = no"), "{said}");
    assert!(said.contains("provideClusterInfo: true"), "{said}");
    desk.handle(Event::Typed(CallerId(2), "always".into()));
    assert!(desk.has_token(2) && desk.broker.view(desk.now).trusts.is_empty());
    desk.ask(3, asker(3, true), unseen("u", &[]));
    assert!(!desk.has_token(3));
}

#[test]
fn a_container_is_allowed_until_it_ends() {
    let says = &["https://prod.example.com"];
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, inside(1, INIT), unseen("u", says));
    let question = desk.only();
    assert_eq!(question.longest, Longest::Container);
    assert_eq!(question.claims, says);
    desk.in_window(&question.name, Answer::Always, &[]);
    assert_eq!(desk.refused(800), Some(Code::NotForGood));
    desk.in_window(&question.name, Answer::Container, &[]);
    assert!(desk.has_token(1) && desk.effects.contains(&Effect::Watch(INIT)));
    let kept = |effect: &Effect| matches!(effect, Effect::Keep(kept) if !kept.trusts.is_empty());
    assert!(!desk.effects.iter().any(kept), "in memory alone");
    desk.ask(2, inside(2, INIT), unseen("u", says));
    assert!(desk.has_token(2), "another process of the container");
    let another = ProcessId { started: 4, ..INIT };
    for (caller, asker, servers) in [
        (3, inside(3, INIT), unseen("u2", says)),
        (4, inside(4, another), unseen("u", says)),
        (5, asker(5, false), unseen("u", says)),
    ] {
        desk.ask(caller, asker, servers);
        assert!(!desk.has_token(caller), "{caller}");
    }
    desk.handle(Event::Ended(INIT));
    desk.ask(6, inside(6, INIT), unseen("u", says));
    assert!(!desk.has_token(6), "it has ended");
    // What kubectl names itself is like any other.
    desk.ask(7, inside(7, another), servers("named"));
    let named = desk.questions();
    let named = named.iter().find(|one| one.longest == Longest::Always);
    let named = named.unwrap().name.clone();
    desk.in_window(&named, Answer::Always, &[]);
    assert!(desk.has_token(7));
}

#[test]
fn a_container_that_nobody_was_asked_about_can_be_allowed_from_outside_while_it_lives() {
    let mut desk = Desk::new(Desktop::None);
    desk.ask(1, inside(1, INIT), unseen("u", &[]));
    let said = desk
        .refusal(1)
        .map(|one| one.line(broker::texts::Language::En));
    let said = said.unwrap();
    let name = desk.only().name;
    let command = format!("kubectl fob trust {name} --container");
    assert!(
        said.contains(&command) && said.contains("provideClusterInfo"),
        "{said}"
    );
    desk.trust(9, Some(&name), Some(Answer::Container));
    assert_eq!(desk.refused(9), None);
    desk.ask(2, inside(2, INIT), unseen("u", &[]));
    assert!(desk.has_token(2));
    desk.ask(3, inside(3, INIT), unseen("other", &[]));
    assert_eq!(desk.questions().len(), 1);
    desk.handle(Event::Ended(INIT));
    assert!(desk.questions().is_empty(), "it goes with its container");
}

#[test]
fn what_an_older_version_allowed_unseen_is_over_and_that_is_said() {
    let approval = Approval {
        at: start().wall,
        by: By::Terminal,
        contexts: vec![],
        file: None,
        manners: vec![],
    };
    let pair = |server| Pair {
        account: key().id(),
        server,
    };
    let kept = Kept {
        trusts: vec![
            (pair(Server::Unknown("u".into())), approval.clone()),
            (pair(candidate("a").server), approval),
        ],
        ..Kept::default()
    };
    let mut desk = Desk::with(Desktop::Unlocked, kept);
    let written = desk.effects.iter().find_map(|effect| {
        if let Effect::Keep(kept) = effect {
            Some((**kept).clone())
        } else {
            None
        }
    });
    let written = written.unwrap();
    assert_eq!(written.trusts.len(), 1, "the other stays");
    let notices = desk.broker.view(desk.now).notices;
    assert!(notices.len() == 1 && notices[0].code == Code::UnseenDropped);
    assert!(notices[0].message.contains(": 1."), "{notices:?}");
    desk.ask(1, asker(1, false), unseen("u", &[]));
    assert!(!desk.has_token(1));
    desk.ask(2, asker(2, false), servers("a"));
    assert!(desk.has_token(2));
    let next = Desk::with(Desktop::Unlocked, written);
    assert!(next.broker.view(next.now).notices.is_empty(), "once");
}

// How many there may be.

#[test]
fn of_thousands_a_bounded_number_waits_and_all_are_answered() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("trusted"));
    let name = desk.only().name;
    desk.in_window(&name, Answer::Always, &[]);
    let mut busy = 0;
    for number in 10..2_010_u64 {
        let pid = u32::try_from(number).unwrap();
        desk.ask(number, asker(pid, false), servers(&format!("s{number}")));
        busy += usize::from(desk.refused(number) == Some(Code::Busy));
    }
    assert_eq!((desk.questions().len(), busy), (64, 2_000 - 64));
    desk.ask(20_000, asker(2, false), servers("trusted"));
    assert!(desk.has_token(20_000));
    // Who sits at a terminal is asked all the same.
    desk.ask(20_001, asker(3, true), servers("mine"));
    assert_eq!(desk.refused(20_001), None);
    let mine = |one: &QuestionView| one.servers[0].server == "https://mine.example.com";
    assert!(desk.questions().iter().any(mine) && desk.questions().len() == 64);
    // And those that nobody waits for.
    let mut desk = Desk::new(Desktop::None);
    for number in 10..2_010_u64 {
        let pid = u32::try_from(number).unwrap();
        desk.ask(number, asker(pid, false), servers(&format!("s{number}")));
        assert_eq!(desk.refused(number), Some(Code::NotTrusted));
    }
    assert_eq!(desk.questions().len(), 64);
}

#[test]
fn a_question_names_the_file_of_what_it_asks_about() {
    let mut desk = Desk::new(Desktop::Unlocked);
    let in_file = |name: &str, file: &str| {
        let mut servers = servers(name);
        servers.needed[0].file = Some(file.to_owned());
        servers
    };
    desk.ask(1, asker(5, false), in_file("own", "/own"));
    let own = desk.only();
    assert_eq!(own.file.as_deref(), Some("/own"));
    desk.in_window(&own.name, Answer::Always, &[]);
    let mut both = in_file("own", "/own");
    both.needed.extend(in_file("evil", "/evil").needed);
    desk.ask(2, asker(6, false), both.clone());
    assert_eq!(desk.only().file.as_deref(), Some("/evil"));
    both.needed.extend(in_file("third", "/third").needed);
    desk.ask(3, asker(7, false), both);
    let files: Vec<_> = desk
        .questions()
        .into_iter()
        .filter_map(|question| question.file)
        .collect();
    assert!(files.contains(&"/evil, /third".to_owned()), "{files:?}");
}

/// `kubectl fob trust NAME --no` in a script, beside a desktop: nothing is given, so nobody need be asked.
#[test]
fn a_no_counts_at_once_from_anywhere() {
    let mut desk = Desk::new(Desktop::Unlocked);
    desk.ask(1, asker(1, false), servers("a"));
    let name = desk.only().name;
    let command = |answer| Command::Answer {
        question: Some(name.clone()),
        answer,
        others: vec![],
    };
    let piped = |caller: u64, answer| {
        Event::Commanded(Box::new(Commanded {
            caller: CallerId(caller),
            asker: asker(900, false),
            endpoint: Endpoint::Control,
            invocation: Invocation::Do {
                command: command(answer),
                json: false,
            },
        }))
    };
    desk.handle(piped(2, Answer::Always));
    assert!(!desk.has_token(1), "a yes is a person's");
    assert_eq!(desk.only().name, name);
    desk.handle(piped(3, Answer::No));
    assert_eq!(desk.refused(1), Some(Code::TrustRefused));
    assert!(
        desk.effects
            .contains(&Effect::Reply(CallerId(3), Reply::Done(0)))
    );
    assert!(desk.questions().is_empty());
}
