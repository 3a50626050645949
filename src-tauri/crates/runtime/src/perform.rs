//! Each effect, made true. A transaction is one task from its first byte to its report.

mod accounts;
mod address;
mod ask_page;
mod callers;
mod choose;
mod discover;
mod edit;
mod forget;
mod keep;
mod refresh;
mod reset;
mod rest;
mod sign_in;
mod sign_out;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::clock::Moment;
use broker::command::ScreenName;
use broker::event::{Effect, Event, Kept, Reply, SignIn};
use broker::problem::Problem;
use broker::waiters::CallerId;

use self::accounts::Accounts;
use self::ask_page::Pages;
use self::callers::Callers;
use self::edit::Edits;
use self::forget::Forgetting;
use self::keep::Keeping;
use self::sign_in::SignIns;
use crate::clock;
use crate::desk::autostart::Autostart;
use crate::desk::browser::Browser;
use crate::hall::inbox::{Inbox, Message};
use crate::hall::notices::Notices;
use crate::hall::under_way::UnderWay;
use crate::kubeconfigs::files::Files;
use crate::own::log::States;
use crate::own::store::Store;
use crate::serve::front::Stage;
use crate::serve::window::{Pane, Window};
use crate::vault::Vault;

pub(crate) use self::rest::keep;

/// How long a client may take to hear that this resident ends.
const LISTENING: Duration = Duration::from_secs(2);

/// How long a reset waits for what is under way.
const CALM: Duration = Duration::from_secs(10);

/// How often callers wake a vault that can't keep what it has.
const WAKING: Duration = Duration::from_secs(5);

/// What most tasks are done with.
pub(crate) struct Hands {
    pub(crate) inbox: Inbox,
    pub(crate) vault: Vault,
    pub(crate) browser: Browser,
    pub(crate) under_way: UnderWay,
}

/// What a setting and a reset change beside the vault.
pub(crate) struct Belongings {
    /// The folder of the settings.
    pub(crate) config: PathBuf,
    pub(crate) autostart: Autostart,
    /// What a reset deletes beside the vault.
    pub(crate) leftovers: Arc<[PathBuf]>,
}

/// Performs effects.
pub(crate) struct Performer {
    hands: Hands,
    belongings: Belongings,
    callers: Callers,
    accounts: Accounts,
    sign_ins: SignIns,
    pages: Pages,
    keeping: Keeping,
    forgetting: Forgetting,
    edits: Edits,
    files: Files,
    stage: Stage,
    window: Window,
    logged: States,
    /// When the vault was last woken by a caller.
    woken: Moment,
    ending: bool,
}

impl Performer {
    /// `owed` is what the disk has not taken yet.
    pub(crate) fn new(
        hands: Hands,
        belongings: Belongings,
        (store, owed): (Store, Option<Box<Kept>>),
        files: Files,
        stage: Stage,
        window: Window,
        notices: Notices,
    ) -> Self {
        Self {
            hands,
            belongings,
            callers: Callers::default(),
            accounts: Accounts::default(),
            sign_ins: SignIns::default(),
            pages: Pages::default(),
            keeping: Keeping::new(store, owed, notices),
            forgetting: Forgetting::default(),
            edits: Edits::new(files.ours().clone()),
            files,
            stage,
            window,
            logged: States::default(),
            woken: Moment(0),
            ending: false,
        }
    }

    /// Takes in what concerns the performer alone, and gives back what the broker must decide.
    pub(crate) fn hear(&mut self, message: Message) -> Option<Event> {
        match message {
            Message::Event(event) => return Some(*event),
            Message::Caller(caller, line) => {
                self.callers.came(caller, line);
                self.wake_the_vault();
            }
            Message::Left(caller) => self.callers.left(caller),
            Message::Listening(attempt, listening) => {
                self.sign_ins.listens(attempt, listening, &mut self.callers);
            }
            Message::Closed(attempt) => self.sign_ins.closed(attempt),
            Message::Answered(question, answer, ticked, tell) => {
                self.pages.answered(question, tell);
                return Some(Event::AnsweredOnPage(question, answer, ticked));
            }
            Message::Ping(pong) => drop(pong.send(())),
            Message::Kept(account) => tracing::debug!(%account, "tokens at rest"),
            Message::Become(_) | Message::Stop => {}
        }
        None
    }

    pub(crate) fn perform(&mut self, effect: Effect) {
        let hands = &self.hands;
        match effect {
            Effect::Reply(caller, reply) => self.callers.reply(caller, reply),
            Effect::Refresh(attempt, request) => {
                let account = self.accounts.turn(&request.account);
                refresh::refresh(hands, account, attempt, *request);
            }
            Effect::SignIn(sign_in) => self.sign_in(*sign_in),
            Effect::AskPage(question, page) => {
                if !self.ending {
                    self.pages.ask(hands, question, *page);
                }
            }
            Effect::Taken(question, taken) => self.pages.taken(question, taken),
            Effect::AskWindow => self.ask_window(),
            Effect::Open(caller, screen) => self.open(caller, screen),
            Effect::Tell(attempt, caller, address) => {
                self.sign_ins
                    .tell(attempt, caller, address, &mut self.callers);
            }
            Effect::OpenAgain(attempt) => self.sign_ins.open_again(hands, attempt),
            Effect::Cancel(attempt) => self.sign_ins.cancel(attempt),
            Effect::SignOut(attempt, request) => {
                let account = self.accounts.turn(&request.account);
                sign_out::sign_out(hands, account, attempt, *request);
            }
            Effect::Forget(account, forget) => {
                let latest = self.accounts.turn(&account);
                self.forgetting.forget(hands, latest, account, forget);
            }
            Effect::KeepSecret(key, secret) => keep::keep_secret(hands, *key, secret),
            Effect::Keep(kept) => self.keeping.keep(hands, kept),
            Effect::Settle(what) => self.keeping.settle(hands, what, self.forgetting.take()),
            Effect::Edit(edit) => self.edits.edit(hands, edit),
            Effect::Discover(caller, request) => discover::discover(hands, caller, *request),
            Effect::Choose(caller, choice) => {
                choose::choose(hands, &self.belongings, caller, choice);
            }
            Effect::Know(files) => self.files.seen().saw(files.iter().map(PathBuf::from)),
            Effect::Watch(process) => watch::watch(hands, process),
            Effect::Show(view) => {
                self.logged.changes(&view);
                self.stage.show(*view);
            }
            Effect::Reset(_) => reset::reset(hands, self.keeping.store(), &self.belongings),
            Effect::Note(note) => self.stage.tell(*note),
        }
    }

    fn sign_in(&mut self, sign_in: SignIn) {
        if self.ending {
            return;
        }
        let latest = self.accounts.turn(&sign_in.request.account);
        self.sign_ins.begin(&self.hands, latest, sign_in);
    }

    fn ask_window(&self) {
        if self.ending {
            return;
        }
        if let Err(problem) = self.window.open(Pane::Consent) {
            tracing::info!(problem = problem.code().name(), "asked on a page instead");
            self.hands.inbox.event(Event::NoWindow);
        }
    }

    fn open(&mut self, caller: CallerId, screen: Option<ScreenName>) {
        if let Err(problem) = self.window.open(Pane::Main { screen }) {
            self.callers.reply(caller, Reply::Refused(problem.into()));
        }
        self.callers.reply(caller, Reply::Done(0));
    }

    /// Somebody is there: what keeps tokens from the disk may be over by now.
    fn wake_the_vault(&mut self) {
        let now = clock::now().moment;
        if self.hands.vault.is_restless() && now.since(self.woken) >= WAKING {
            self.woken = now;
            self.hands.vault.wake();
        }
    }

    /// What is under way, its connections included.
    pub(crate) fn under_way(&self) -> &UnderWay {
        &self.hands.under_way
    }

    /// Whether another program could go on where this one stands: nothing is under way, and what is to be kept
    /// rests.
    pub(crate) fn is_calm(&self) -> bool {
        self.hands.under_way.counts().calm()
            && self.hands.vault.rests()
            && self.keeping.store().rests()
    }

    /// Tries once more what the disk did not take: the last time.
    pub(crate) async fn write_what_is_owed(&self) {
        self.keeping.write_what_is_owed().await;
    }

    /// Begins nothing any more that needs a person, and gives up what does.
    pub(crate) fn give_up_pages(&mut self) {
        self.ending = true;
        self.sign_ins.give_up();
        self.pages.give_up();
    }

    /// Tells everybody who still waits, and waits until they have heard it, but for those who don't listen.
    pub(crate) async fn dismiss(&mut self, problem: &Problem) {
        self.callers.dismiss(problem);
        let under_way = &self.hands.under_way;
        let heard = under_way.until(|counts| counts.connections == 0);
        drop(tokio::time::timeout(LISTENING, heard).await);
    }
}
