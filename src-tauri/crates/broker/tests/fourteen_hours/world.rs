//! The world around the broker, in simulated time, and the rules that hold in it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use broker::account::ClientSettings;
use broker::asker::{Asker, Desktop, Place};
use broker::broker::Broker;
use broker::clock::{Moment, Now};
use broker::event::{Effect, Event, Found, Kept, Reply, SignIn};
use broker::problem::{Code, Problem};
use broker::session::StateWord;
use broker::settings::Settings;
use broker::texts::Language;
use broker::tokens::Tokens;
use broker::transaction::{AttemptId, RefreshOutcome, RefreshRequest, SignInOutcome};
use broker::waiters::CallerId;
use secrecy::ExposeSecret as _;

use crate::provider::{Answer, How, LIFE, Provider};
use crate::shared::{
    ask, asker, key, lost_reply, servers, session_ended, start, timed_out, tokens, unreachable,
};

/// Within this kubectl must say something.
const AT_MOST: Duration = Duration::from_secs(10);
/// A fault this shortly before an ask may still be what it is told.
const RECENT: Duration = Duration::from_secs(3);
const PAGE_OPEN: Duration = Duration::from_secs(180);

/// What is due at some moment.
#[derive(Debug)]
pub enum Due {
    /// One process that lasts, and asks every few seconds.
    K9s,
    /// A new process each time, without a terminal.
    Editor,
    /// The same, every five minutes.
    Cron,
    /// `kubectl __complete`, on a terminal.
    Tab,
    /// A person's kubectl, on a terminal of this computer.
    Kubectl,
    /// A person's kubectl, over ssh.
    Ssh,
    /// The screen.
    Screen(Desktop),
    /// The computer sleeps for so long.
    Sleep(Duration),
    /// The network is there again after a sleep.
    Network,
    /// Somebody sets the clock, by so many seconds.
    SetClock(i64),
    /// How the person is from now on.
    Mood(Mood),
    /// A reply came, or none.
    Refreshed(AttemptId, RefreshOutcome),
    /// A sign-in is over.
    SignedIn(AttemptId, SignInOutcome),
    /// A caller hangs up.
    HangUp(CallerId),
    /// Nobody asks any more.
    End,
}

/// What the person does with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Answers,
    Ignores,
    ByChance,
}

/// The world.
pub struct World {
    pub provider: Provider,
    pub chance: Chance,
    pub told: Told,
    /// When the provider ends the sessions that were begun before.
    pub maximum: Moment,
    broker: Broker,
    began: Now,
    now: Now,
    slept: Duration,
    due: BTreeMap<(Moment, u64), Due>,
    planned: u64,
    next: u64,
    asking: bool,
    desktop: Desktop,
    mood: Mood,
    refreshing: Option<AttemptId>,
    signing_in: Option<AttemptId>,
    /// When a sign-in was last under way.
    last_signing_in: Option<Moment>,
    /// When a request was last given up or its reply missed: it may have begun long before.
    last_fault: Option<Moment>,
    last_slept: Option<Moment>,
    /// Whether the broker knows of a session that lives.
    signed_in: bool,
    /// Pages that may open without a person's asking: one for each session that ends.
    pages_left: u32,
    owed: BTreeMap<CallerId, Owed>,
    ends: BTreeMap<String, Moment>,
}

/// Who is owed an answer.
struct Owed {
    at: Moment,
    slept: Duration,
    /// Nobody can sign in for it.
    alone: bool,
    tab: bool,
    error: Option<String>,
    token: bool,
}

/// What a night brought.
#[derive(Default)]
pub struct Told {
    pub asks: u64,
    pub tokens: u64,
    pub errors: BTreeMap<String, u64>,
    pub hung_up: u64,
    pub refreshes: u64,
    pub renewed: u64,
    pub unreachable: u64,
    pub lost: u64,
    pub ended: u64,
    pub pages: u64,
    pub pages_asked_for: u64,
    pub on_terminals: u64,
    pub declined: u64,
    pub told_at_once: u64,
    pub nobody: u64,
    pub tabs: u64,
    pub tabs_failed: u64,
    pub longest: Duration,
}

impl World {
    pub fn new(seed: u64, settings: Settings) -> Self {
        let mut world = Self {
            provider: Provider::default(),
            chance: Chance(seed),
            told: Told::default(),
            maximum: Moment(u64::MAX),
            broker: Broker::new(Kept::default(), settings, seed),
            began: start(),
            now: start(),
            slept: Duration::ZERO,
            due: BTreeMap::new(),
            planned: 0,
            next: 0,
            asking: true,
            desktop: Desktop::Unlocked,
            mood: Mood::Answers,
            refreshing: None,
            signing_in: None,
            last_signing_in: None,
            last_fault: None,
            last_slept: None,
            signed_in: false,
            pages_left: 1,
            owed: BTreeMap::new(),
            ends: BTreeMap::new(),
        };
        world.handle(Event::Desktop(Desktop::Unlocked), Asks::Nobody);
        let candidate = servers("s").needed.remove(0);
        world.handle(
            Event::FirstStart(vec![Found {
                key: key(),
                settings: ClientSettings::default(),
                candidate,
                file: "~/.kube/config".into(),
            }]),
            Asks::Nobody,
        );
        world
    }

    /// The moment so long after the night began.
    pub fn at(&self, after: Duration) -> Moment {
        self.began.moment.after(after)
    }

    /// Plans something for so long after the night began.
    pub fn plan(&mut self, after: Duration, due: Due) {
        let at = self.at(after);
        self.plan_at(at, due);
    }

    fn plan_in(&mut self, wait: Duration, due: Due) {
        self.plan_at(self.now.moment.after(wait), due);
    }

    fn plan_at(&mut self, at: Moment, due: Due) {
        self.planned += 1;
        self.due.insert((at, self.planned), due);
    }

    /// Runs until everything is over.
    pub fn run(&mut self) {
        loop {
            let next = self.due.first_key_value().map(|((at, _), _)| *at);
            let alarm = self.broker.poll_timeout();
            match (alarm, next) {
                (Some(alarm), next) if next.is_none_or(|next| alarm <= next) => {
                    if next.is_none() && self.owed.is_empty() {
                        break;
                    }
                    self.pass_to(alarm);
                    self.handle(Event::Timeout, Asks::Nobody);
                    assert!(
                        self.broker.poll_timeout() > Some(self.now.moment)
                            || self.broker.poll_timeout().is_none(),
                        "what was due is not due again at once"
                    );
                }
                (_, Some(next)) => {
                    self.pass_to(next);
                    if let Some((_, due)) = self.due.pop_first() {
                        self.happen(due);
                    }
                }
                (_, None) => break,
            }
        }
        assert!(self.owed.is_empty(), "{} wait for ever", self.owed.len());
    }

    fn pass_to(&mut self, at: Moment) {
        self.now = self.now.after(at.since(self.now.moment));
        if self.signing_in.is_some() {
            self.last_signing_in = Some(self.now.moment);
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::K9s => self.asks(due, seconds(3), seconds(4), false),
            Due::Editor => self.asks(due, seconds(20), seconds(40), false),
            Due::Cron => self.asks(due, seconds(300), Duration::ZERO, false),
            Due::Tab => self.asks(due, seconds(60), minutes(8), true),
            Due::Kubectl => {
                // A person is only there while the screen is not locked.
                let wait = minutes(10) + self.chance.up_to(minutes(20));
                if self.asking {
                    self.plan_in(wait, Due::Kubectl);
                }
                if self.desktop == Desktop::Unlocked && self.mood != Mood::Ignores {
                    let kubectl = self.process(true);
                    self.ask(kubectl, Asks::Person);
                }
            }
            Due::Ssh => {
                let kubectl = Asker {
                    place: Place::Ssh,
                    ..self.process(true)
                };
                self.ask(kubectl, Asks::Person);
            }
            Due::Screen(desktop) => {
                self.desktop = desktop;
                self.handle(Event::Desktop(desktop), Asks::Nobody);
            }
            Due::Sleep(long) => self.sleep(long),
            Due::Network => self.handle(Event::NetworkChanged, Asks::Nobody),
            Due::SetClock(by) => {
                self.now.wall = self.now.wall.shifted(by * 1000);
                self.handle(Event::Timeout, Asks::Nobody);
            }
            Due::Mood(mood) => self.mood = mood,
            Due::Refreshed(attempt, outcome) => self.refreshed(attempt, outcome),
            Due::SignedIn(attempt, outcome) => self.signed_in(attempt, outcome),
            Due::HangUp(caller) => {
                if self.owed.remove(&caller).is_some() {
                    self.told.hung_up += 1;
                    self.handle(Event::Gone(caller), Asks::Nobody);
                }
            }
            Due::End => self.asking = false,
        }
    }

    /// An asker asks, and again after a while.
    fn asks(&mut self, due: Due, least: Duration, more: Duration, tab: bool) {
        if !self.asking {
            return;
        }
        let mut asker = self.process(tab);
        if matches!(due, Due::K9s) {
            asker.process = shared_process();
            asker.program = "k9s".into();
        }
        asker.completion = tab;
        let wait = least + self.chance.up_to(more);
        self.plan_in(wait, due);
        self.ask(asker, Asks::Nobody);
    }

    fn process(&mut self, terminal: bool) -> Asker {
        self.next += 1;
        asker(10_000 + u32::try_from(self.next).unwrap(), terminal)
    }

    fn ask(&mut self, asker: Asker, asks: Asks) {
        self.next += 1;
        let caller = CallerId(self.next);
        let tab = asker.completion;
        let here = asker.place == Place::Here && self.desktop == Desktop::Unlocked;
        self.owed.insert(
            caller,
            Owed {
                at: self.now.moment,
                slept: self.slept,
                alone: tab || !(here || asker.foreground),
                tab,
                error: None,
                token: false,
            },
        );
        self.told.asks += 1;
        self.told.tabs += u64::from(tab);
        if self.chance.percent(2) {
            let patience = seconds(1) + self.chance.up_to(seconds(5));
            self.plan_in(patience, Due::HangUp(caller));
        }
        let asks = if tab { Asks::Tab } else { asks };
        let event = ask(caller.0, asker, ClientSettings::default(), "s");
        self.handle(event, asks);
    }

    /// A hundred at one instant, after a refusal.
    fn a_hundred(&mut self, code: Code) {
        let mut said = Vec::new();
        for _ in 0..100 {
            let asker = self.process(false);
            self.next += 1;
            let caller = self.next;
            let event = ask(caller, asker, ClientSettings::default(), "s");
            let effects = self.broker.handle(event, self.now);
            let replies: Vec<_> = effects
                .iter()
                .filter_map(|effect| match effect {
                    Effect::Reply(to, Reply::Refused(problem)) if to.0 == caller => {
                        Some(problem.said(Language::En, false))
                    }
                    Effect::Reply(to, Reply::Done(1)) if to.0 == caller => Some("done".into()),
                    Effect::Show(_) => None,
                    other => panic!("after a refusal: {other:?}"),
                })
                .collect();
            let [text, done] = <[String; 2]>::try_from(replies).expect("an error, and the end");
            assert_eq!(done, "done");
            assert_eq!(code_in(&text), code.name(), "{text}");
            said.push(text);
        }
        said.dedup();
        assert_eq!(said.len(), 1, "the same for each: {said:?}");
        self.told.told_at_once += 1;
    }

    /// While the computer sleeps nothing happens. A request under way has no reply, and the network
    /// is not there at once.
    fn sleep(&mut self, long: Duration) {
        let wakes = self.now.moment.after(long);
        let frozen: Vec<_> = {
            let later = self.due.split_off(&(wakes, 0));
            std::mem::replace(&mut self.due, later)
                .into_values()
                .collect()
        };
        self.pass_to(wakes);
        self.slept += long;
        self.last_slept = Some(wakes);
        self.provider.goes_away(crate::provider::Away {
            from: wakes,
            until: wakes.after(seconds(4)),
            how: How::Refuses,
        });
        for due in frozen {
            let due = match due {
                Due::Refreshed(attempt, outcome) => {
                    let cut = match outcome {
                        RefreshOutcome::Unreachable(fault) => RefreshOutcome::Unreachable(fault),
                        _ => RefreshOutcome::LostReply(lost_reply()),
                    };
                    Due::Refreshed(attempt, cut)
                }
                Due::SignedIn(attempt, SignInOutcome::SignedIn(_) | SignInOutcome::Declined(_)) => {
                    let silence = timed_out();
                    Due::SignedIn(attempt, SignInOutcome::Declined(silence))
                }
                other => other,
            };
            let wait = self.chance.up_to(seconds(3));
            self.plan_in(wait, due);
        }
        self.plan_in(seconds(5), Due::Network);
        self.handle(Event::Resumed, Asks::Nobody);
    }

    fn handle(&mut self, event: Event, asks: Asks) {
        let effects = self.broker.handle(event, self.now);
        for effect in effects {
            match effect {
                Effect::Reply(caller, reply) => self.reply(caller, reply),
                Effect::Refresh(attempt, request) => self.refresh(attempt, &request),
                Effect::SignIn(sign_in) => self.sign_in(&sign_in, asks),
                Effect::AskPage(..) | Effect::AskWindow => panic!("every server is trusted"),
                Effect::Cancel(_)
                | Effect::SignOut(..)
                | Effect::Edit(_)
                | Effect::Open(..)
                | Effect::Settle(_)
                | Effect::OpenAgain(_) => {
                    panic!("nobody asked for that")
                }
                Effect::Forget(..)
                | Effect::KeepSecret(..)
                | Effect::Taken(..)
                | Effect::Tell(..)
                | Effect::Keep(_)
                | Effect::Choose(..)
                | Effect::Discover(..)
                | Effect::Know(_)
                | Effect::Watch(_)
                | Effect::Note(_)
                | Effect::Reset(_)
                | Effect::Show(_) => {}
            }
        }
    }

    fn refresh(&mut self, attempt: AttemptId, request: &RefreshRequest) {
        assert_eq!(
            (self.refreshing, self.signing_in),
            (None, None),
            "one attempt at a time"
        );
        self.refreshing = Some(attempt);
        self.told.refreshes += 1;
        let shown = number(&request.tokens);
        let quick = Duration::from_millis(80) + self.chance.up_to(Duration::from_millis(400));
        // Now and then a request or its reply is lost.
        let (lost_before, lost_after) = (self.chance.percent(1), self.chance.percent(1));
        let lost = || RefreshOutcome::LostReply(lost_reply());
        let away = || RefreshOutcome::Unreachable(unreachable());
        let (wait, outcome) = if lost_before && self.provider.away(self.now.moment).is_none() {
            (seconds(15), lost())
        } else {
            match self.provider.refresh(shown, self.now.moment) {
                Answer::Tokens(_) if lost_after => (seconds(15), lost()),
                Answer::Tokens(number) => {
                    let tokens = self.tokens(number);
                    (quick, RefreshOutcome::Refreshed(tokens))
                }
                Answer::Ended => {
                    let why = session_ended();
                    (quick, RefreshOutcome::Ended(why))
                }
                Answer::Away(How::Refuses) => (quick, away()),
                Answer::Away(How::Silent) => (seconds(15), away()),
            }
        };
        self.plan_in(wait, Due::Refreshed(attempt, outcome));
    }

    fn refreshed(&mut self, attempt: AttemptId, outcome: RefreshOutcome) {
        self.refreshing = None;
        match &outcome {
            RefreshOutcome::Refreshed(_) => self.told.renewed += 1,
            RefreshOutcome::Unreachable(_) => {
                self.told.unreachable += 1;
                self.last_fault = Some(self.now.moment);
            }
            RefreshOutcome::LostReply(_) => {
                self.told.lost += 1;
                self.last_fault = Some(self.now.moment);
            }
            RefreshOutcome::Ended(_) => {
                self.told.ended += 1;
                self.signed_in = false;
                self.pages_left = 1;
            }
            RefreshOutcome::WithoutIdToken { .. } | RefreshOutcome::Blocked(_) => {
                panic!("not this provider")
            }
        }
        self.handle(Event::Refreshed(key().id(), attempt, outcome), Asks::Nobody);
    }

    fn sign_in(&mut self, sign_in: &SignIn, asks: Asks) {
        let attempt = sign_in.attempt;
        assert_eq!(
            (self.refreshing, self.signing_in),
            (None, None),
            "one attempt at a time"
        );
        assert!(asks != Asks::Tab, "a TAB asks nobody");
        if sign_in.open_browser {
            assert_eq!(
                self.desktop,
                Desktop::Unlocked,
                "no page under a locked screen"
            );
        }
        self.signing_in = Some(attempt);
        self.last_signing_in = Some(self.now.moment);
        // `sign_in.rs`, `reach`: nobody is shown a page that can only fail.
        if let Some(how) = self.provider.away(self.now.moment) {
            let wait = match how {
                How::Refuses => seconds(1),
                How::Silent => seconds(15),
            };
            let fault = SignInOutcome::Unreachable(unreachable());
            return self.plan_in(wait, Due::SignedIn(attempt, fault));
        }
        if asks == Asks::Person {
            self.told.pages_asked_for += u64::from(sign_in.open_browser);
        } else {
            assert!(sign_in.open_browser, "a terminal is a person's");
            assert_eq!(self.pages_left, 1, "a second page for one ended session");
        }
        self.pages_left = 0;
        self.told.pages += u64::from(sign_in.open_browser);
        self.told.on_terminals += u64::from(!sign_in.open_browser);
        let refused = || Problem::SignInRefused {
            error: "access_denied".into(),
            description: None,
        };
        let broke_off = || Problem::SignInBrokeOff {
            host: key().host(),
            reason: "no route".into(),
        };
        let why = match self.mood {
            Mood::Answers => None,
            Mood::Ignores => Some(timed_out()),
            Mood::ByChance if self.chance.percent(60) => None,
            Mood::ByChance if self.chance.percent(30) => Some(refused()),
            Mood::ByChance if self.chance.percent(50) => Some(broke_off()),
            Mood::ByChance => Some(timed_out()),
        };
        let takes = seconds(5) + self.chance.up_to(seconds(40));
        let (wait, outcome) = match why {
            None => {
                let ends = if self.now.moment < self.maximum {
                    self.maximum
                } else {
                    self.maximum.after(minutes(10 * 60))
                };
                let number = self.provider.signs_in(ends);
                // It is obtained when the page is done.
                let done = self.now.after(takes);
                let tokens = tokens(number, LIFE, done);
                self.ends
                    .insert(tokens.bearer.reveal().into(), done.moment.after(LIFE));
                (takes, SignInOutcome::SignedIn(tokens))
            }
            Some(why @ Problem::SignInTimedOut { .. }) => (PAGE_OPEN, SignInOutcome::Declined(why)),
            Some(why) => (takes, SignInOutcome::Declined(why)),
        };
        self.plan_in(wait, Due::SignedIn(attempt, outcome));
    }

    fn signed_in(&mut self, attempt: AttemptId, outcome: SignInOutcome) {
        self.signing_in = None;
        self.last_signing_in = Some(self.now.moment);
        let refused = match &outcome {
            SignInOutcome::SignedIn(_) => {
                self.signed_in = true;
                None
            }
            SignInOutcome::Declined(why) => {
                self.told.declined += 1;
                Some(why.code())
            }
            SignInOutcome::Unreachable(_) => {
                self.last_fault = Some(self.now.moment);
                None
            }
            SignInOutcome::Blocked(_) => panic!("not this provider"),
        };
        self.handle(Event::SignedIn(key().id(), attempt, outcome), Asks::Nobody);
        if let Some(code) = refused {
            self.a_hundred(code);
        }
    }

    fn tokens(&mut self, number: u64) -> Tokens {
        let tokens = tokens(number, LIFE, self.now);
        let end = self.now.moment.after(LIFE);
        self.ends.insert(tokens.bearer.reveal().into(), end);
        tokens
    }

    fn reply(&mut self, caller: CallerId, reply: Reply) {
        let owed = self.owed.get_mut(&caller).expect("an answer to nobody");
        match reply {
            Reply::Credential(_, token, expiry) => {
                let end = self.ends[token.reveal()];
                assert!(end > self.now.moment, "no token is served past its end");
                assert!(
                    self.now.moment_of(expiry) <= end.after(seconds(1)),
                    "nor said to live longer"
                );
                owed.token = true;
            }
            Reply::Refused(problem) => owed.error = Some(problem.said(Language::En, false)),
            Reply::Done(_) => self.done(caller),
            Reply::Out(_)
            | Reply::Outcome(..)
            | Reply::Token(..)
            | Reply::Say(_)
            | Reply::Prompt(_)
            | Reply::Secret(_) => {
                panic!("{reply:?}")
            }
        }
    }

    fn done(&mut self, caller: CallerId) {
        let owed = self.owed.remove(&caller).unwrap();
        let waited = self.now.moment.since(owed.at) - (self.slept - owed.slept);
        let waits_for_a_person =
            !owed.alone && (self.signing_in.is_some() || self.last_signing_in >= Some(owed.at));
        if !waits_for_a_person {
            assert!(waited <= AT_MOST, "kubectl hung for {waited:?}");
            self.told.longest = self.told.longest.max(waited);
        }
        if owed.token {
            self.told.tokens += 1;
            return;
        }
        let text = owed.error.as_ref().expect("a token or an error");
        let code = code_in(text);
        let since = Moment(
            owed.at
                .0
                .saturating_sub(u64::try_from(RECENT.as_millis()).unwrap()),
        );
        let recently = |at: Option<Moment>| at.is_some_and(|at| at >= since);
        let excuses: &[&str] = match code {
            "unreachable" | "takes-too-long" | "lost-reply" => {
                let fault = self.provider.was_away(since, self.now.moment)
                    || recently(self.last_fault)
                    || recently(self.last_slept)
                    || self.refreshing.is_some();
                assert!(fault, "{text} while the provider was there");
                &[]
            }
            "session-ended" | "session-ended-after-lost-reply" | "not-signed-in" => {
                assert!(!self.signed_in, "{text} while somebody is signed in");
                &["alone"]
            }
            "completion-never-asks" => &["tab"],
            "sign-in-timed-out" | "sign-in-refused" | "sign-in-broke-off" => {
                assert!(!self.signed_in, "{text} while somebody is signed in");
                &[]
            }
            other => panic!("{other}: {text}"),
        };
        for excuse in excuses {
            match *excuse {
                "tab" => assert!(owed.tab, "{text}"),
                _ => assert!(owed.alone, "{text} though somebody could be asked"),
            }
        }
        if !self.signed_in && owed.alone && self.signing_in.is_none() {
            self.told.nobody += u64::from(!owed.tab);
            let view = self.broker.view(self.now);
            let account = &view.accounts[0];
            assert_eq!(account.state, StateWord::NeedsYou, "it is shown: {text}");
            assert!(account.problem.is_some());
        }
        self.told.tabs_failed += u64::from(owed.tab);
        *self.told.errors.entry(code.into()).or_default() += 1;
    }
}

/// Who an event comes from, as far as a page depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// A person's own new command.
    Person,
    /// A TAB.
    Tab,
    /// Neither.
    Nobody,
}

fn shared_process() -> Option<broker::asker::ProcessId> {
    asker(4000, false).process
}

#[allow(
    clippy::disallowed_methods,
    reason = "the provider looks at what it is shown"
)]
fn number(tokens: &Tokens) -> u64 {
    let refresh = tokens.refresh.as_ref().expect("something to refresh with");
    let shown = refresh.expose_secret();
    shown.strip_prefix("refresh-").unwrap().parse().unwrap()
}

/// The code that every error ends with.
fn code_in(text: &str) -> &str {
    let (_, code) = text
        .trim_end()
        .rsplit_once('[')
        .expect("an error has a code");
    code.strip_suffix(']').expect("an error has a code")
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub fn minutes(count: u64) -> Duration {
    seconds(count * 60)
}

/// What happens by chance (SplitMix64), the same for a seed each time.
pub struct Chance(u64);

impl Chance {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn percent(&mut self, of_hundred: u64) -> bool {
        self.draw() % 100 < of_hundred
    }

    pub fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap();
        Duration::from_millis(self.draw() % (most + 1))
    }
}

impl Told {
    pub fn add(&mut self, other: &Self) {
        for (code, count) in &other.errors {
            *self.errors.entry(code.clone()).or_default() += count;
        }
        for (mine, theirs) in [
            (&mut self.asks, other.asks),
            (&mut self.tokens, other.tokens),
            (&mut self.hung_up, other.hung_up),
            (&mut self.refreshes, other.refreshes),
            (&mut self.renewed, other.renewed),
            (&mut self.unreachable, other.unreachable),
            (&mut self.lost, other.lost),
            (&mut self.ended, other.ended),
            (&mut self.pages, other.pages),
            (&mut self.pages_asked_for, other.pages_asked_for),
            (&mut self.on_terminals, other.on_terminals),
            (&mut self.declined, other.declined),
            (&mut self.told_at_once, other.told_at_once),
            (&mut self.nobody, other.nobody),
            (&mut self.tabs, other.tabs),
            (&mut self.tabs_failed, other.tabs_failed),
        ] {
            *mine += theirs;
        }
        self.longest = self.longest.max(other.longest);
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} asks ({} by TAB): {} tokens, errors {:?}, {} hung up; {} refreshes: {} renewed, \
             {} unreachable, {} lost, {} ended; {} pages ({} that a person asked for), {} sign-ins on \
             a terminal, {} declined, each told to 100 at once; longest wait {:?}",
            self.asks,
            self.tabs,
            self.tokens,
            self.errors,
            self.hung_up,
            self.refreshes,
            self.renewed,
            self.unreachable,
            self.lost,
            self.ended,
            self.pages,
            self.pages_asked_for,
            self.on_terminals,
            self.declined,
            self.longest,
        )
    }
}
