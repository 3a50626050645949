//! How an ask would have a person sign in is part of what is approved; and what nobody approved leaves nothing.

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

use broker::account::{AccountKey, ClientSettings, ListenAddress, Pkce};
use broker::asker::{Asker, Container, Desktop, Endpoint, Place, ProcessId};
use broker::broker::Broker;
use broker::command::{Command, Flags, Invocation, Which};
use broker::credential::ExecVersion;
use broker::event::{Ask, Commanded, Effect, Event, Kept, QuestionId, Reply};
use broker::found::{Files, Stanza};
use broker::manner::Manner;
use broker::problem::Code;
use broker::secret::ClientSecret;
use broker::settings::{Keep, Settings};
use broker::transaction::{AttemptId, SignInOutcome, SignInRequest, SignOutOutcome, Step};
use broker::trust::Answer;
use broker::view::QuestionView;
use broker::waiters::CallerId;
use shared::{asker, command, key, login, logout, servers, start, tokens};

struct World {
    broker: Broker,
    effects: Vec<Effect>,
    kept: Kept,
    writes: usize,
}

impl World {
    fn new(kept: Kept) -> Self {
        let mut world = Self {
            broker: Broker::new(kept.clone(), Settings::default(), 1),
            effects: Vec::new(),
            kept,
            writes: 0,
        };
        world.handle(Event::Desktop(Desktop::Unlocked));
        world
    }

    /// Somebody who allowed one server, as is usual, and is signed in.
    fn signed_in() -> Self {
        let mut world = Self::new(Kept::default());
        world.ask(1, asker(1, false), ClientSettings::default(), "own");
        let (attempt, _, question) = world.sign_in().unwrap();
        world.handle(Event::AnsweredOnPage(
            question.unwrap(),
            Answer::Always,
            vec![],
        ));
        world.signs_in(attempt);
        world
    }

    fn handle(&mut self, event: Event) {
        self.effects = self.broker.handle(event, start());
        for effect in &self.effects {
            if let Effect::Keep(kept) = effect {
                self.kept = (**kept).clone();
                self.writes += 1;
            }
        }
    }

    fn ask(&mut self, caller: u64, asker: Asker, settings: ClientSettings, server: &str) {
        self.handle(shared::ask(caller, asker, settings, server));
    }

    fn ask_of(&mut self, caller: u64, key: AccountKey, files: &[&str]) {
        let files: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
        self.handle(Event::Asked(Box::new(Ask {
            caller: CallerId(caller),
            asker: asker(u32::try_from(caller).unwrap(), false),
            account: Which::Flags(Arc::new(Flags::new(key, ClientSettings::default()))),
            version: ExecVersion::V1,
            by_client: false,
            servers: Arc::new(servers("s")),
            files: files.into(),
        })));
    }

    fn sign_in(&self) -> Option<(AttemptId, SignInRequest, Option<QuestionId>)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::SignIn(sign_in) => {
                Some((sign_in.attempt, sign_in.request.clone(), sign_in.question))
            }
            _ => None,
        })
    }

    fn signs_in(&mut self, attempt: AttemptId) {
        let tokens = tokens(1, Duration::from_secs(600), start());
        let outcome = SignInOutcome::SignedIn(tokens);
        self.handle(Event::SignedIn(key().id(), attempt, outcome));
    }

    fn logs_out(&mut self) {
        self.handle(command(90, asker(90, true), logout()));
        let attempt = self.effects.iter().find_map(|effect| match effect {
            Effect::SignOut(attempt, _) => Some(*attempt),
            _ => None,
        });
        let outcome = SignOutOutcome {
            revocation: Step::Done,
            provider_session: None,
        };
        self.handle(Event::SignedOut(key().id(), attempt.unwrap(), outcome));
    }

    /// How `kubectl fob login` signs in.
    fn login(&mut self) -> ClientSettings {
        self.handle(command(91, asker(91, true), login()));
        let (attempt, request, question) = self.sign_in().unwrap();
        assert_eq!(question, None);
        self.signs_in(attempt);
        request.settings
    }

    fn questions(&self) -> Vec<QuestionView> {
        self.broker.view(start()).questions
    }

    /// Answers the one question that waits, in the window.
    fn answer(&mut self, answer: Answer) {
        let [question] = self.questions().try_into().unwrap();
        self.in_window(Some(question.name), answer);
    }

    fn in_window(&mut self, question: Option<String>, answer: Answer) {
        self.command_in_window(Command::Answer {
            question,
            answer,
            others: vec![],
        });
    }

    fn command_in_window(&mut self, command: Command) {
        self.handle(Event::Commanded(Box::new(Commanded {
            caller: CallerId(92),
            asker: Asker {
                process: None,
                ..asker(92, false)
            },
            endpoint: Endpoint::Consent,
            invocation: Invocation::Do {
                command,
                json: false,
            },
        })));
    }

    fn served(&self, caller: u64) -> bool {
        let credential = |effect: &Effect| matches!(effect, Effect::Reply(to, Reply::Credential(..)) if to.0 == caller);
        self.effects.iter().any(credential)
    }

    fn refused(&self, caller: u64) -> Option<Code> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Reply(to, Reply::Refused(problem)) if to.0 == caller => Some(problem.code()),
            _ => None,
        })
    }
}

/// All that a kubeconfig's flags can say of it.
fn otherwise() -> ClientSettings {
    ClientSettings {
        client_secret: Some(ClientSecret::new("theirs".into())),
        listen: port(9321),
        redirect_url: Some("http://localhost:9321/elsewhere".into()),
        skip_open_browser: true,
        pkce: Pkce::No,
        authentication_timeout: Duration::from_secs(2),
        ..ClientSettings::default()
    }
}

fn port(port: u16) -> Vec<ListenAddress> {
    vec![ListenAddress {
        host: "127.0.0.1".into(),
        port,
    }]
}

fn pkce(pkce: Pkce) -> ClientSettings {
    ClientSettings {
        pkce,
        ..ClientSettings::default()
    }
}

#[test]
fn what_nobody_approved_changes_no_sign_in() {
    for answer in [Some(Answer::No), None] {
        for server in ["own", "theirs"] {
            let mut world = World::signed_in();
            world.ask(2, asker(2, false), otherwise(), server);
            let [question] = world.questions().try_into().unwrap();
            let changes = question
                .changes
                .iter()
                .map(|change| format!("{} {} -> {}", change.flag, change.was, change.now));
            assert_eq!(
                changes.collect::<Vec<_>>(),
                [
                    "--oidc-redirect-url http://localhost:PORT -> http://localhost:9321/elsewhere",
                    "--oidc-pkce-method auto -> no",
                    "--skip-open-browser false -> true",
                    "--authentication-timeout-sec 180 -> 2",
                ]
            );
            if let Some(answer) = answer {
                world.answer(answer);
                let code = match server {
                    "own" => Code::SettingsRefused,
                    _ => Code::TrustRefused,
                };
                assert_eq!(world.refused(2), Some(code), "{:?}", world.effects);
                // The no is of this way to sign in, and of no other.
                world.ask(3, asker(3, false), ClientSettings::default(), "own");
                assert!(world.served(3), "{:?}", world.effects);
                world.ask(4, asker(2, false), otherwise(), server);
                assert_eq!(world.refused(4), Some(code), "asked once");
            }
            world.logs_out();
            let settings = world.login();
            assert_eq!(Manner::of(&settings), Manner::default());
            assert_eq!(settings.client_secret, None);
            let mut later = World::new(world.kept.clone());
            later.handle(Event::Loaded(vec![], Keep::Sealed));
            assert_eq!(Manner::of(&later.login()), Manner::default(), "restarted");
        }
    }
}

#[test]
fn another_port_of_this_computer_asks_nothing_and_is_used() {
    let mut world = World::signed_in();
    let other = ClientSettings {
        listen: port(9000),
        ..ClientSettings::default()
    };
    world.ask(2, asker(2, false), other, "own");
    assert!(world.served(2) && world.questions().is_empty());
    world.logs_out();
    assert_eq!(world.login().listen, port(9000));
}

#[test]
fn two_files_that_differ_are_asked_about_once_each_and_sign_in_each_in_its_way() {
    let mut world = World::signed_in();
    world.ask(2, asker(2, false), pkce(Pkce::S256), "own");
    assert!(!world.served(2));
    world.answer(Answer::Always);
    assert!(world.served(2));
    for (caller, method) in [(3, Pkce::Auto), (4, Pkce::S256), (5, Pkce::Auto)] {
        let settings = pkce(method);
        world.ask(caller, asker(1, false), settings, "own");
        assert!(world.served(caller), "{method:?}: {:?}", world.effects);
    }
    let mut later = World::new(world.kept.clone());
    later.handle(Event::Loaded(vec![], Keep::Sealed));
    for (caller, method) in [(3, Pkce::Auto), (4, Pkce::S256)] {
        later.ask(caller, asker(3, true), pkce(method), "own");
        let (attempt, request, question) = later.sign_in().unwrap();
        assert_eq!((request.settings.pkce, question), (method, None));
        let no = SignInOutcome::Declined(shared::timed_out());
        later.handle(Event::SignedIn(key().id(), attempt, no));
        // Another process: the same one would have asked before.
        later.handle(Event::Ended(ProcessId { pid: 3, started: 1 }));
        later.ask(caller + 10, asker(4, true), pkce(Pkce::No), "own");
        assert!(later.sign_in().is_none(), "{:?}", later.effects);
        later.handle(Event::Gone(CallerId(caller + 10)));
    }
}

#[test]
fn a_yes_to_one_command_changes_the_way_for_that_command_alone() {
    let mut world = World::signed_in();
    world.logs_out();
    world.ask(2, asker(2, true), pkce(Pkce::S256), "own");
    assert!(
        world.sign_in().is_none(),
        "it is asked before anything is said in that way"
    );
    world.answer(Answer::Once);
    let (attempt, request, _) = world.sign_in().unwrap();
    assert_eq!(request.settings.pkce, Pkce::S256);
    world.signs_in(attempt);
    world.ask(3, asker(2, true), pkce(Pkce::S256), "own");
    assert!(world.served(3));
    world.logs_out();
    assert_eq!(world.login().pkce, Pkce::Auto);
    world.handle(Event::Ended(ProcessId { pid: 2, started: 1 }));
    world.ask(4, asker(2, true), pkce(Pkce::S256), "own");
    assert!(!world.served(4) && world.questions().len() == 1);
}

#[test]
fn a_container_s_way_holds_for_every_process_in_it_and_ends_with_it() {
    // Alone, and with one beside it that is allowed for good, otherwise.
    for beside in [false, true] {
        a_container_s_way_holds(beside);
    }
}

fn a_container_s_way_holds(beside: bool) {
    let first = |pid| ProcessId { pid, started: 1 };
    let inside = |pid, container| Asker {
        place: Place::Container,
        container: Some(Container {
            namespace: (4, u64::from(container)),
            first: first(container),
        }),
        ..asker(pid, false)
    };
    let mut world = World::signed_in();
    let mut last = 100;
    let mut asks = |world: &mut World, asker, settings| {
        last += 1;
        let mut servers = shared::unseen("u", &[]);
        let own = beside.then(|| shared::candidate("own"));
        servers.needed.extend(own);
        world.handle(shared::ask_for(last, asker, settings, servers));
        last
    };
    let caller = asks(&mut world, inside(2, 50), otherwise());
    let [question] = world.questions().try_into().unwrap();
    assert!(!question.changes.is_empty(), "{question:?}");
    world.answer(Answer::Container);
    assert!(world.served(caller), "{:?}", world.effects);
    let caller = asks(&mut world, inside(3, 50), otherwise());
    assert!(world.served(caller), "another of its processes");
    world.handle(Event::Ended(first(3)));
    // Another way is another question, and a yes to one command no yes to the container.
    let caller = asks(&mut world, inside(4, 50), pkce(Pkce::S256));
    world.answer(Answer::Once);
    assert!(world.served(caller), "{:?}", world.effects);
    let caller = asks(&mut world, inside(4, 50), pkce(Pkce::S256));
    assert!(world.served(caller), "the same command");
    for ended in [false, true] {
        if ended {
            world.handle(Event::Ended(first(4)));
        }
        let caller = asks(&mut world, inside(5, 50), pkce(Pkce::S256));
        assert!(!world.served(caller) && world.questions().len() == 1);
        world.handle(Event::Gone(CallerId(caller)));
        assert!(world.questions().is_empty());
    }
    // A no to it takes nothing from the container.
    let caller = asks(&mut world, inside(6, 50), pkce(Pkce::No));
    world.answer(Answer::No);
    assert_eq!(world.refused(caller), Some(Code::SettingsRefused));
    let caller = asks(&mut world, inside(6, 50), otherwise());
    assert!(world.served(caller), "{:?}", world.effects);
    let caller = asks(&mut world, inside(7, 51), otherwise());
    assert!(!world.served(caller), "another container");
    world.handle(Event::Gone(CallerId(caller)));
    world.handle(Event::Ended(first(50)));
    let caller = asks(&mut world, inside(8, 50), otherwise());
    assert!(!world.served(caller), "it has ended");
    world.handle(Event::Gone(CallerId(caller)));
    world.logs_out();
    assert_eq!(Manner::of(&world.login()), Manner::default());
}

#[test]
fn one_answer_settles_the_questions_with_its_way_to_sign_in_alone() {
    let mut world = World::signed_in();
    let both = || {
        let mut both = servers("s");
        both.needed.push(shared::candidate("t"));
        both
    };
    for (caller, settings) in [
        (2, ClientSettings::default()),
        (3, pkce(Pkce::S256)),
        (4, pkce(Pkce::No)),
    ] {
        let asker = asker(u32::try_from(caller).unwrap(), false);
        world.handle(shared::ask_for(caller, asker, settings, servers("s")));
    }
    let of_both = shared::ask_for(5, asker(5, false), pkce(Pkce::S256), both());
    world.handle(of_both);
    let questions = world.questions();
    let mut names: Vec<_> = questions.iter().map(|question| &question.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4, "a way to sign in is part of the name");
    let named = |caller: usize| Some(questions[caller - 2].name.clone());
    world.in_window(named(3), Answer::Always);
    assert!(world.served(3) && !world.served(2) && !world.served(4) && !world.served(5));
    let left = world.questions();
    assert_eq!(left.len(), 3);
    assert_eq!(left[2].servers.len(), 1, "one of both is left");
    let changes = &left[1].changes;
    assert_eq!((&*changes[0].was, &*changes[0].now), ("S256", "no"));
    world.in_window(named(2), Answer::No);
    assert_eq!(world.refused(2), Some(Code::SettingsRefused));
    assert_eq!(world.questions().len(), 2, "a no is of its way alone");
    // Closed: the same is not asked again at once, but another way is.
    let command = Command::Leave { question: named(4) };
    world.command_in_window(command);
    assert_eq!(world.refused(4), Some(Code::QuestionClosed));
    world.ask(6, asker(4, false), pkce(Pkce::No), "s");
    assert_eq!(world.refused(6), Some(Code::QuestionClosed));
    world.ask(
        7,
        asker(4, false),
        ClientSettings {
            skip_open_browser: true,
            ..pkce(Pkce::No)
        },
        "s",
    );
    assert!(world.refused(7).is_none() && world.questions().len() == 2);
}

#[test]
fn what_waits_for_kubectl_fob_trust_keeps_its_way_to_sign_in() {
    let mut world = World::signed_in();
    world.handle(Event::Desktop(Desktop::None));
    for (caller, method) in [(2, Pkce::S256), (3, Pkce::No)] {
        let asker = asker(u32::try_from(caller).unwrap(), false);
        world.ask(caller, asker, pkce(method), "s");
        assert_eq!(world.refused(caller), Some(Code::NotTrusted));
    }
    let [first, other] = world.questions().try_into().unwrap();
    let answer = Command::Answer {
        question: Some(first.name),
        answer: Answer::Always,
        others: vec![],
    };
    world.handle(command(9, asker(9, true), answer));
    let [left] = world.questions().try_into().unwrap();
    assert_eq!(left.name, other.name);
    world.ask(4, asker(4, false), pkce(Pkce::S256), "s");
    assert!(world.served(4));
    world.ask(5, asker(5, false), pkce(Pkce::No), "s");
    assert_eq!(world.refused(5), Some(Code::SettingsNotAllowed));
    assert_eq!(world.questions().len(), 1, "the same one");
}

#[test]
fn an_upgrade_asks_nothing_new() {
    let mut world = World::signed_in();
    for account in &mut world.kept.accounts {
        account.rest = None;
    }
    for (_, approval) in &mut world.kept.trusts {
        approval.manners.clear();
    }
    let mut later = World::new(world.kept);
    later.handle(Event::Loaded(vec![], Keep::Sealed));
    later.ask(2, asker(2, true), pkce(Pkce::S256), "own");
    let (_, request, question) = later.sign_in().unwrap();
    assert_eq!((request.settings.pkce, question), (Pkce::S256, None));
    // From then on that is it.
    assert_eq!(
        later.kept.trusts[0].1.manners,
        [Manner::of(&pkce(Pkce::S256))]
    );
    later.ask(3, asker(3, false), pkce(Pkce::No), "own");
    assert_eq!(later.questions().len(), 1);
}

#[test]
fn a_thousand_identities_that_nobody_approved_leave_nothing() {
    let mut world = World::signed_in();
    world.handle(Event::Desktop(Desktop::None));
    let before = world.writes;
    let identity = |number: u64| AccountKey {
        issuer: format!("https://{number}.example.com"),
        ..key()
    };
    for number in 0..1_000 {
        world.ask_of(100 + number, identity(number), &[]);
        assert_eq!(world.refused(100 + number), Some(Code::NotTrusted));
    }
    let view = world.broker.view(start());
    assert_eq!(view.accounts.len(), 1, "the person's own");
    assert!(view.questions.len() <= 64, "{}", view.questions.len());
    assert_eq!(world.writes, before, "nothing was written down");
    // Each of those that wait is a few lines.
    assert!(format!("{:?}", world.broker).len() < 64 * 3_500);

    // With somebody at each of them there is a limit too, and it is said.
    world.handle(Event::Desktop(Desktop::Unlocked));
    let mut told = 0;
    for number in 0..200 {
        world.ask_of(5_000 + number, identity(5_000 + number), &[]);
        told += usize::from(world.refused(5_000 + number) == Some(Code::TooManyWait));
    }
    assert!(told >= 130, "{told}");
    assert_eq!(world.broker.view(start()).accounts.len(), 1);
    world.ask(3, asker(3, false), ClientSettings::default(), "own");
    assert!(world.served(3));
}

#[test]
fn a_refused_ask_leaves_neither_account_nor_offer() {
    let theirs = AccountKey {
        issuer: "https://theirs.example.com".into(),
        ..key()
    };
    let mut world = World::signed_in();
    world.ask_of(2, theirs.clone(), &["/tmp/theirs"]);
    let (attempt, _, question) = world.sign_in().unwrap();
    assert_eq!(
        world.broker.view(start()).accounts.len(),
        1,
        "it is nobody's yet"
    );
    world.handle(Event::AnsweredOnPage(question.unwrap(), Answer::No, vec![]));
    let no = SignInOutcome::Declined(shared::trust_refused());
    world.handle(Event::SignedIn(theirs.id(), attempt, no));
    assert!(world.refused(2).is_some());
    let known = |effect: &Effect| matches!(effect, Effect::Know(_));
    assert!(!world.effects.iter().any(known), "{:?}", world.effects);
    let view = world.broker.view(start());
    assert_eq!(
        (view.accounts.len(), view.found.len(), view.questions.len()),
        (1, 0, 0)
    );
    assert_eq!(world.kept.accounts.len(), 1);
    let sign_in = Command::SignIn {
        account: Some("theirs.example.com".into()),
        open_browser: true,
    };
    world.handle(command(3, asker(3, true), sign_in));
    assert_eq!(world.refused(3), Some(Code::NoSuchAccount));

    // What is approved is known, as what the person's own file names is.
    world.ask_of(
        4,
        AccountKey {
            client_id: "d".into(),
            ..theirs.clone()
        },
        &["/tmp/approved"],
    );
    let (_, _, question) = world.sign_in().unwrap();
    world.handle(Event::AnsweredOnPage(
        question.unwrap(),
        Answer::Always,
        vec![],
    ));
    assert_eq!(world.broker.view(start()).accounts.len(), 2);
    let own = Stanza {
        flags: Arc::new(Flags::new(theirs, ClientSettings::default())),
        contexts: vec!["c".into()],
        file: "~/.kube/config".into(),
        kubelogin: false,
    };
    let files = Files {
        stanzas: vec![own],
        ..Files::default()
    };
    world.handle(Event::FilesChanged(Box::new(files)));
    assert_eq!(world.broker.view(start()).found.len(), 1);
}

#[test]
fn whoever_signs_in_by_themselves_joins_no_sign_in_that_nobody_approved() {
    let mut world = World::new(Kept::default());
    let own = Stanza {
        flags: Arc::new(Flags::new(key(), ClientSettings::default())),
        contexts: vec!["c".into()],
        file: "~/.kube/config".into(),
        kubelogin: false,
    };
    let files = Files {
        stanzas: vec![own],
        ..Files::default()
    };
    world.handle(Event::FilesChanged(Box::new(files)));
    world.ask(2, asker(2, false), otherwise(), "theirs");
    let (theirs, request, _) = world.sign_in().unwrap();
    assert_eq!(request.settings.pkce, Pkce::No, "its page says so");
    world.handle(command(3, asker(3, true), login()));
    assert!(world.effects.contains(&Effect::Cancel(theirs)));
    assert_eq!(world.refused(2), Some(Code::SignInCancelled));
    let (attempt, request, question) = world.sign_in().unwrap();
    assert_eq!(Manner::of(&request.settings), Manner::default());
    assert_eq!((request.settings.client_secret, question), (None, None));
    world.signs_in(attempt);
    assert_eq!(world.broker.view(start()).trusts, []);
}

#[test]
fn files_are_known_once_what_they_ask_for_may_be_had() {
    let mut world = World::signed_in();
    let known = |world: &World| {
        world.effects.iter().find_map(|effect| match effect {
            Effect::Know(files) => Some(files.to_vec()),
            _ => None,
        })
    };
    world.ask_of(2, key(), &["/work/config"]);
    assert_eq!(known(&world), None, "{:?}", world.effects);
    world.answer(Answer::Once);
    assert_eq!(known(&world), Some(vec!["/work/config".to_owned()]));
}

#[test]
fn what_was_said_of_an_account_goes_with_it() {
    for signed_in in [true, false] {
        let mut world = World::signed_in();
        world.ask(2, asker(2, false), ClientSettings::default(), "once");
        world.answer(Answer::Once);
        assert!(world.served(2));
        world.ask(3, asker(3, false), ClientSettings::default(), "waits");
        if !signed_in {
            world.logs_out();
        }
        let account = key().host();
        let remove = Command::Remove {
            account,
            ask_first: false,
        };
        world.handle(command(4, asker(4, false), remove));
        assert_eq!(world.questions(), []);
        if signed_in {
            assert_eq!(world.refused(3), Some(Code::SignedOut));
            // It is asked for while it is signed out, and answered even then.
            let attempt = world.effects.iter().find_map(|effect| match effect {
                Effect::SignOut(attempt, _) => Some(*attempt),
                _ => None,
            });
            world.ask(5, asker(2, false), ClientSettings::default(), "once");
            assert!(!world.served(5));
            world.answer(Answer::Always);
            let outcome = SignOutOutcome {
                revocation: Step::Done,
                provider_session: None,
            };
            world.handle(Event::SignedOut(key().id(), attempt.unwrap(), outcome));
        }
        let view = world.broker.view(start());
        assert!(view.accounts.is_empty() && view.trusts.is_empty());
        world.ask(6, asker(2, false), ClientSettings::default(), "once");
        let (_, _, question) = world.sign_in().unwrap();
        assert!(question.is_some(), "the yes to that command went with it");
    }
}
