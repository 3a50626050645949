//! Each effect, made true. A transaction is one task from its first byte to its report.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::account::{AccountId, AccountKey};
use broker::address_text;
use broker::clock::Moment;
use broker::command::ScreenName;
use broker::contexts::Edit;
use broker::event::{Address, AskPage, Effect, Event, Kept, QuestionId, Reply, SettleId, SignIn};
use broker::outcome::{
    AttemptId, DiscoverRequest, Forget, RefreshOutcome, RefreshRequest, SignOutRequest, Taken,
};
use broker::problem::Problem;
use broker::secret::ClientSecret;
use broker::settings::{Choice, Keep};
use broker::tokens::Tokens;
use broker::waiters::CallerId;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

use crate::clock;
use crate::desk::autostart::Autostart;
use crate::desk::browser::Browser;
use crate::hall::blocking::blocking;
use crate::hall::inbox::{Inbox, Listening, Message};
use crate::hall::line::Line;
use crate::hall::notices::{Notice, Notices};
use crate::hall::under_way::{Turn, UnderWay};
use crate::kubeconfigs::edit::set_current_context;
use crate::kubeconfigs::files::{self, Files};
use crate::os::processes;
use crate::own::log::States;
use crate::own::settings;
use crate::own::store::{self, Store, Wanted};
use crate::serve::front::Stage;
use crate::serve::window::{Pane, Window};
use crate::vault::{Record, State, Vault};

/// How long a client may take to hear that this resident ends.
const LISTENING: Duration = Duration::from_secs(2);

/// How long a reset waits for what is under way.
const CALM: Duration = Duration::from_secs(10);

/// How often callers wake a vault that can't keep what it has.
const WAKING: Duration = Duration::from_secs(5);

/// How many accounts' turns are kept before idle ones go.
const MOST_IDLE: usize = 128;

/// Performs effects.
pub(crate) struct Performer {
    inbox: Inbox,
    vault: Vault,
    browser: Browser,
    callers: HashMap<CallerId, Line>,
    listening: HashMap<AttemptId, Listening>,
    telling: HashMap<AttemptId, Vec<(CallerId, Address)>>,
    running: HashMap<AttemptId, AbortHandle>,
    pages: HashMap<QuestionId, AbortHandle>,
    /// The pages that wait to hear what came of an answer.
    taking: HashMap<QuestionId, oneshot::Sender<Taken>>,
    accounts: HashMap<AccountId, Arc<Mutex<Latest>>>,
    store: Store,
    keeping: mpsc::UnboundedSender<Wanted<Turn>>,
    /// What is being forgotten.
    forgetting: Vec<JoinHandle<()>>,
    under_way: UnderWay,
    /// Whose turn it is to change a kubeconfig.
    edits: Arc<Mutex<()>>,
    /// When the vault was last woken by a caller.
    woken: Moment,
    ending: bool,
    stage: Stage,
    logged: States,
    window: Window,
    files: Files,
    config: PathBuf,
    autostart: Autostart,
    /// What a reset deletes beside the vault.
    leftovers: Arc<[PathBuf]>,
}

/// The newest tokens of an account that a task brought: what a sign-out that was asked for in the
/// middle of a refresh must end. Whoever holds the lock is the one transaction of that account.
#[derive(Default)]
struct Latest(Option<Tokens>);

impl Performer {
    #[allow(
        clippy::too_many_arguments,
        reason = "all that effects are performed with"
    )]
    pub(crate) fn new(
        inbox: Inbox,
        vault: Vault,
        store: Store,
        browser: Browser,
        under_way: UnderWay,
        stage: Stage,
        window: Window,
        files: Files,
        config: PathBuf,
        autostart: Autostart,
        leftovers: Arc<[PathBuf]>,
        owed: Option<Box<Kept>>,
        notices: Notices,
    ) -> Self {
        let (keeping, wanted) = mpsc::unbounded_channel();
        let told = move |problem| notices.set(Notice::Accounts, problem);
        tokio::spawn(store.clone().keep_each(wanted, store::AGAIN, owed, told));
        Self {
            inbox,
            vault,
            browser,
            callers: HashMap::new(),
            listening: HashMap::new(),
            telling: HashMap::new(),
            running: HashMap::new(),
            pages: HashMap::new(),
            taking: HashMap::new(),
            accounts: HashMap::new(),
            store,
            keeping,
            forgetting: Vec::new(),
            under_way,
            edits: Arc::default(),
            stage,
            logged: States::default(),
            window,
            files,
            config,
            autostart,
            leftovers,
            woken: Moment(0),
            ending: false,
        }
    }

    /// Takes in what concerns the performer alone, and gives back what the broker must decide.
    pub(crate) fn hear(&mut self, message: Message) -> Option<Event> {
        match message {
            Message::Event(event) => return Some(*event),
            Message::Caller(caller, line) => {
                self.callers.insert(caller, line);
                self.wake_the_vault();
            }
            Message::Left(caller) => {
                self.callers.remove(&caller);
            }
            Message::Listening(attempt, listening) => {
                let waiting = self.telling.remove(&attempt).unwrap_or_default();
                for (caller, address) in waiting {
                    tell_address(self.callers.get_mut(&caller), &listening, address);
                }
                self.listening.insert(attempt, listening);
            }
            Message::Closed(attempt) => {
                self.listening.remove(&attempt);
                self.telling.remove(&attempt);
                self.running.remove(&attempt);
            }
            Message::Answered(question, answer, ticked, tell) => {
                self.taking.insert(question, tell);
                return Some(Event::Approved(question, answer, ticked));
            }
            Message::Ping(pong) => drop(pong.send(())),
            Message::Kept(account) => tracing::debug!(%account, "tokens at rest"),
            Message::Become(_) | Message::Stop => {}
        }
        None
    }

    pub(crate) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Reply(caller, reply) => self.reply(caller, reply),
            Effect::Refresh(attempt, request) => self.refresh(attempt, *request),
            Effect::SignIn(sign_in) => self.sign_in(*sign_in),
            Effect::AskPage(question, page) => self.ask_page(question, *page),
            Effect::Taken(question, taken) => {
                if let Some(page) = self.taking.remove(&question) {
                    let _ = page.send(taken);
                }
            }
            Effect::AskWindow => self.ask_window(),
            Effect::Open(caller, screen) => self.open(caller, screen),
            Effect::Tell(attempt, caller, address) => self.tell(attempt, caller, address),
            Effect::OpenAgain(attempt) => self.open_again(attempt),
            Effect::Cancel(attempt) => self.cancel(attempt),
            Effect::SignOut(attempt, request) => self.sign_out(attempt, *request),
            Effect::Forget(account, forget) => self.forget(account, forget),
            Effect::KeepSecret(key, secret) => self.keep_secret(*key, secret),
            Effect::Keep(kept) => {
                let turn = self.under_way.transaction();
                drop(self.keeping.send(Wanted::Keep(kept, turn)));
            }
            Effect::Settle(what) => self.settle(what),
            Effect::Edit(edit) => self.edit(edit),
            Effect::Discover(caller, request) => self.discover(caller, *request),
            Effect::Choose(caller, choice) => self.choose(caller, choice),
            Effect::Know(files) => {
                let seen = self.files.seen();
                seen.saw(files.iter().map(PathBuf::from));
            }
            Effect::Watch(process) => {
                let inbox = self.inbox.clone();
                tokio::spawn(async move {
                    if processes::ended(process.pid).await.is_ok() {
                        inbox.event(Event::Ended(process));
                    }
                });
            }
            Effect::Show(view) => {
                self.logged.changes(&view);
                self.stage.show(*view);
            }
            Effect::Reset(_) => self.reset(),
            Effect::Note(note) => self.stage.tell(*note),
        }
    }

    /// Somebody is there: what keeps tokens from the disk may be over by now.
    fn wake_the_vault(&mut self) {
        let now = clock::now().moment;
        if self.vault.is_restless() && now.since(self.woken) >= WAKING {
            self.woken = now;
            self.vault.wake();
        }
    }

    /// What is under way, its connections included.
    pub(crate) fn under_way(&self) -> &UnderWay {
        &self.under_way
    }

    /// Whether another program could go on where this one stands: nothing is under way, and what is to be kept
    /// rests.
    pub(crate) fn is_calm(&self) -> bool {
        self.under_way.counts().calm() && self.vault.rests() && self.store.rests()
    }

    /// Says once all that is to be kept or forgotten by now is so at rest, or why it is not. A disk that does not
    /// answer is no reason to keep anybody waiting.
    fn settle(&mut self, what: SettleId) {
        let (inbox, forgetting) = (self.inbox.clone(), std::mem::take(&mut self.forgetting));
        let (written, store) = (self.written(), self.store.clone());
        let turn = self.under_way.transaction();
        tokio::spawn(async move {
            let settled = async {
                for forgotten in forgetting {
                    // What came of it is told by an event of its own.
                    drop(forgotten.await);
                }
                written.await
            };
            let settled = tokio::time::timeout(CALM, settled).await;
            let problem = settled.unwrap_or_else(|_| Some(store.unanswered()));
            inbox.event(Event::Settled(what, problem));
            drop(turn);
        });
    }

    /// Why not all that is to be written down is so, after another try.
    fn written(&self) -> impl Future<Output = Option<Problem>> + use<> {
        let (asker, answer) = oneshot::channel();
        drop(self.keeping.send(Wanted::Settle(asker)));
        async { answer.await.ok().flatten() }
    }

    /// Tries once more what the disk did not take: the last time.
    pub(crate) async fn write_what_is_owed(&self) {
        if !self.store.rests() {
            drop(tokio::time::timeout(LISTENING, self.written()).await);
        }
    }

    /// Begins nothing any more that needs a person, and gives up what does.
    pub(crate) fn give_up_pages(&mut self) {
        self.ending = true;
        for attempt in self.running.keys().copied().collect::<Vec<_>>() {
            self.cancel(attempt);
        }
        for (_, page) in self.pages.drain() {
            page.abort();
        }
    }

    /// Tells everybody who still waits, and waits until they have heard it, but for those who don't listen.
    pub(crate) async fn dismiss(&mut self, problem: &Problem) {
        for (_, mut line) in self.callers.drain() {
            line.say(Reply::Refused(problem.clone().into()));
            line.say(Reply::Done(1));
        }
        let heard = self.under_way.until(|counts| counts.connections == 0);
        drop(tokio::time::timeout(LISTENING, heard).await);
    }

    /// One change after the other, as they were asked for: a crowd that tries one lock starves the unlucky.
    fn edit(&self, edit: Box<Edit>) {
        let (inbox, ours) = (self.inbox.clone(), self.files.ours().clone());
        let line = Arc::clone(&self.edits);
        let turn = self.under_way.transaction();
        tokio::spawn(async move {
            let first = line.lock_owned().await;
            let (file, context) = (edit.file.clone(), edit.context.clone());
            let change = blocking(move || set_current_context(&ours, &file, &context));
            let outcome = change.await.and_then(|outcome| outcome);
            inbox.event(Event::Edited(edit, outcome));
            drop(first);
            drop(turn);
        });
    }

    fn discover(&self, caller: CallerId, request: DiscoverRequest) {
        let inbox = self.inbox.clone();
        let turn = self.under_way.transaction();
        tokio::spawn(async move {
            let announced = async {
                let trusted = files::trusted(&request.key).await?;
                provider::announced(&request, &trusted, &clock::wall).await
            };
            inbox.event(Event::Discovered(caller, announced.await));
            drop(turn);
        });
    }

    /// Deletes all that rests, says what could not be, and ends.
    fn reset(&self) {
        let (inbox, vault) = (self.inbox.clone(), self.vault.clone());
        let store = self.store.clone();
        let (leftovers, autostart) = (self.leftovers.clone(), self.autostart.clone());
        let under_way = self.under_way.clone();
        tokio::spawn(async move {
            // Whoever writes now would write after it.
            let calm = under_way.until(|counts| counts.transactions == 0);
            drop(tokio::time::timeout(CALM, calm).await);
            let mut problems = vault.erase().await;
            let others = blocking(move || {
                let leftovers = leftovers.iter().map(|path| store::remove(path));
                let others = leftovers.chain([autostart.remove()]);
                let others = others.filter_map(Result::err);
                others.chain(store.empty()).collect::<Vec<_>>()
            });
            match others.await {
                Ok(others) => problems.extend(others),
                Err(problem) => problems.push(problem),
            }
            inbox.event(Event::WasReset(problems));
            inbox.send(Message::Stop);
        });
    }

    fn choose(&self, caller: CallerId, choice: Choice) {
        let (inbox, config) = (self.inbox.clone(), self.config.clone());
        let autostart = self.autostart.clone();
        let turn = self.under_way.transaction();
        tokio::spawn(async move {
            let written = match choice {
                Choice::Autostart { on } => {
                    let written = blocking(move || (autostart.set(on), autostart.is_on())).await;
                    written.and_then(|(outcome, is_on)| {
                        inbox.event(Event::Autostart(is_on));
                        outcome
                    })
                }
                // The folder's watch makes it hold.
                Choice::Language { .. } | Choice::KeepFresh { .. } | Choice::Theme { .. } => {
                    let written = blocking(move || settings::choose(&config, choice)).await;
                    written.and_then(|outcome| outcome)
                }
            };
            inbox.event(Event::Chosen(caller, written));
            drop(turn);
        });
    }

    fn reply(&mut self, caller: CallerId, reply: Reply) {
        let last = matches!(reply, Reply::Done(_));
        if let Some(line) = self.callers.get_mut(&caller) {
            line.say(reply);
        }
        if last {
            self.callers.remove(&caller);
        }
    }

    fn account(&mut self, account: &AccountId) -> Arc<Mutex<Latest>> {
        // Whoever asks may make up any number of them: what nobody uses and holds nothing is forgotten.
        if self.accounts.len() >= MOST_IDLE {
            self.accounts.retain(|_, latest| {
                Arc::strong_count(latest) > 1
                    || latest.try_lock().is_ok_and(|latest| latest.0.is_some())
            });
        }
        Arc::clone(self.accounts.entry(account.clone()).or_default())
    }

    fn refresh(&mut self, attempt: AttemptId, request: RefreshRequest) {
        let (inbox, vault) = (self.inbox.clone(), self.vault.clone());
        let account = self.account(&request.account);
        let turn = self.under_way.transaction();
        tokio::spawn(async move {
            let mut latest = account.lock().await;
            let outcome = refreshed(&request, &vault).await;
            if let RefreshOutcome::Refreshed(tokens) | RefreshOutcome::WithoutIdToken { tokens } =
                &outcome
            {
                latest.0 = Some(tokens.clone());
                seal(&vault, &request.key, tokens, &inbox).await;
            }
            drop(latest);
            inbox.event(Event::Refreshed(request.account, attempt, outcome));
            drop(turn);
        });
    }

    fn sign_in(&mut self, sign_in: SignIn) {
        if self.ending {
            return;
        }
        let turn = self.under_way.transaction();
        let SignIn {
            attempt,
            request,
            open_browser,
            question,
        } = sign_in;
        let (inbox, vault, browser) =
            (self.inbox.clone(), self.vault.clone(), self.browser.clone());
        let latest = self.account(&request.account);
        let task = tokio::spawn(async move {
            let (account, key) = (request.account.clone(), request.key.clone());
            let transaction = async {
                let trusted = files::trusted(&key).await?;
                let mut listening =
                    provider::listen(request, trusted, Arc::new(clock::wall)).await?;
                // Nobody is shown a page that can only fail.
                listening.reach().await?;
                announce(&listening, attempt, open_browser, &browser, &inbox);
                let answered = |answer, ticked| inbox.answer(question, answer, ticked);
                let sealing = |tokens: Tokens, origin: String| async {
                    inbox.event(Event::SignedInAt(account.clone(), attempt, origin));
                    latest.lock().await.0 = Some(tokens.clone());
                    vault.seal(Record::new(key.clone(), tokens)).await
                };
                Ok(listening.finish(answered, sealing).await)
            };
            let outcome = transaction.await.unwrap_or_else(provider::outcome);
            tell_keep(&vault, &inbox);
            inbox.send(Message::Closed(attempt));
            inbox.event(Event::SignedIn(account, attempt, outcome));
            drop(turn);
        });
        self.running.insert(attempt, task.abort_handle());
    }

    fn ask_page(&mut self, question: QuestionId, page: AskPage) {
        if self.ending {
            return;
        }
        let (inbox, browser) = (self.inbox.clone(), self.browser.clone());
        let turn = self.under_way.transaction();
        let task = tokio::spawn(async move {
            let asked = async {
                let trusted = files::trusted(&page.request.key).await?;
                let listening =
                    provider::listen(page.request, trusted, Arc::new(clock::wall)).await?;
                browser.open(&listening.tickets().mint())?;
                let answered = |answer, ticked| inbox.answer(Some(question), answer, ticked);
                Ok::<_, Problem>(listening.ask(answered).await)
            }
            .await;
            match asked {
                Ok(Some(_)) => {}
                Ok(None) => inbox.event(Event::Unanswered(question, None)),
                Err(problem) => inbox.event(Event::Unanswered(question, Some(problem))),
            }
            drop(turn);
        });
        self.pages.retain(|_, page| !page.is_finished());
        if let Some(left) = self.pages.insert(question, task.abort_handle()) {
            left.abort();
        }
    }

    fn ask_window(&self) {
        if self.ending {
            return;
        }
        if let Err(problem) = self.window.open(Pane::Consent) {
            tracing::info!(problem = problem.code().name(), "asked on a page instead");
            self.inbox.event(Event::NoWindow);
        }
    }

    fn open(&mut self, caller: CallerId, screen: Option<ScreenName>) {
        if let Err(problem) = self.window.open(Pane::Main { screen }) {
            self.reply(caller, Reply::Refused(problem.into()));
        }
        self.reply(caller, Reply::Done(0));
    }

    fn tell(&mut self, attempt: AttemptId, caller: CallerId, address: Address) {
        match self.listening.get(&attempt) {
            Some(listening) => tell_address(self.callers.get_mut(&caller), listening, address),
            None => {
                let waiting = self.telling.entry(attempt).or_default();
                waiting.push((caller, address));
            }
        }
    }

    /// One that does not listen yet opens its page by itself.
    fn open_again(&self, attempt: AttemptId) {
        if let Some(listening) = self.listening.get(&attempt)
            && let Err(problem) = self.browser.open(&listening.tickets.mint())
        {
            tracing::info!(problem = problem.code().name(), "no page");
        }
    }

    fn cancel(&mut self, attempt: AttemptId) {
        if let Some(task) = self.running.remove(&attempt) {
            task.abort();
        }
        self.listening.remove(&attempt);
        self.telling.remove(&attempt);
    }

    fn sign_out(&mut self, attempt: AttemptId, mut request: SignOutRequest) {
        let (inbox, vault) = (self.inbox.clone(), self.vault.clone());
        let account = self.account(&request.account);
        let turn = self.under_way.transaction();
        tokio::spawn(async move {
            let mut latest = account.lock().await;
            if let Some(newer) = latest.0.take() {
                request.tokens = Some(newer);
            }
            forgotten(&vault, &request.account, request.forget, &inbox).await;
            let outcome = match files::trusted(&request.key).await {
                Ok(trusted) => provider::sign_out(&request, &trusted, &clock::wall).await,
                Err(problem) => broker::outcome::SignOutOutcome {
                    revocation: broker::outcome::Step::Failed(problem),
                    provider_session: None,
                },
            };
            drop(latest);
            inbox.event(Event::SignedOut(request.account, attempt, outcome));
            drop(turn);
        });
    }

    fn forget(&mut self, account: AccountId, forget: Forget) {
        let (inbox, vault) = (self.inbox.clone(), self.vault.clone());
        let latest = self.account(&account);
        let turn = self.under_way.transaction();
        self.forgetting.retain(|under_way| !under_way.is_finished());
        self.forgetting.push(tokio::spawn(async move {
            let latest = latest.lock().await;
            forgotten(&vault, &account, forget, &inbox).await;
            drop(latest);
            drop(turn);
        }));
    }

    fn keep_secret(&mut self, key: AccountKey, secret: ClientSecret) {
        let vault = self.vault.clone();
        let turn = self.under_way.transaction();
        tokio::spawn(async move {
            if let Err(problem) = vault.keep_secret(key, secret).await {
                tracing::debug!(problem = problem.code().name(), "client secret not kept");
            }
            drop(turn);
        });
    }
}

/// Tells a caller an address of its own. Where nobody reads, nothing is said that a browser shows already.
fn tell_address(line: Option<&mut Line>, listening: &Listening, address: Address) {
    let Some(line) = line else {
        return;
    };
    if address == Address::IfNotShown && listening.opened {
        return;
    }
    let asker = line.asker();
    let mut text = String::new();
    if asker.terminal {
        for problem in [&listening.browser, &other_port(listening)]
            .into_iter()
            .flatten()
        {
            text.push_str(&format!("Kubefob: {}\n", problem.line(asker.language)));
        }
    }
    let url = listening.tickets.mint();
    text.push_str(&address_text(asker, &url, &listening.ports));
    text.push('\n');
    line.say_address(url, text);
}

/// Forgets, and says what came of it.
async fn forgotten(vault: &Vault, account: &AccountId, forget: Forget, inbox: &Inbox) {
    let done = match forget {
        Forget::Tokens => vault.forget_tokens(account).await,
        Forget::Everything => vault.forget(account).await,
    };
    if let Err(problem) = &done {
        tracing::warn!(problem = problem.code().name(), "tokens not forgotten");
    }
    inbox.event(Event::Forgotten(account.clone(), done));
}

/// The refresh itself: noted before it is sent.
async fn refreshed(request: &RefreshRequest, vault: &Vault) -> RefreshOutcome {
    let Some(token) = &request.tokens.refresh else {
        return RefreshOutcome::Ended(Problem::NoRefreshToken);
    };
    // A note that can't be written costs the knowledge that a reply was lost, not the session.
    let noted = vault
        .note_attempt(&request.account, &token.fingerprint(), clock::wall())
        .await;
    if let Err(problem) = noted {
        tracing::debug!(problem = problem.code().name(), "attempt not noted");
    }
    match files::trusted(&request.key).await {
        Ok(trusted) => provider::refresh(request, &trusted, &clock::wall).await,
        Err(problem) => RefreshOutcome::Blocked(problem),
    }
}

async fn seal(vault: &Vault, key: &AccountKey, tokens: &Tokens, inbox: &Inbox) {
    match vault.seal(Record::new(key.clone(), tokens.clone())).await {
        Ok(()) => inbox.send(Message::Kept(key.id())),
        Err(problem) => tracing::warn!(problem = problem.code().name(), "tokens in memory alone"),
    }
    tell_keep(vault, inbox);
}

/// Where tokens rest is said when it changes.
fn tell_keep(vault: &Vault, inbox: &Inbox) {
    inbox.event(Event::Rests(keep(&vault.state())));
}

fn announce(
    listening: &provider::Listening,
    attempt: AttemptId,
    open_browser: bool,
    browser: &Browser,
    inbox: &Inbox,
) {
    let tickets = listening.tickets();
    let opened = open_browser.then(|| browser.open(&tickets.mint()));
    let redirect = listening.redirect_uri();
    let mut ports = vec![listening.start_port(), port_of(redirect)];
    ports.dedup();
    inbox.send(Message::Listening(
        attempt,
        Listening {
            ports,
            other_port: listening.other_port().then(|| redirect.to_owned()),
            opened: matches!(opened, Some(Ok(()))),
            browser: opened.and_then(Result::err),
            tickets,
        },
    ));
}

fn port_of(redirect: &str) -> u16 {
    url::Url::parse(redirect)
        .ok()
        .and_then(|url| url.port_or_known_default())
        .unwrap_or(0)
}

fn other_port(listening: &Listening) -> Option<Problem> {
    let redirect = listening.other_port.clone()?;
    Some(Problem::OtherPort { redirect })
}

/// A vault's state, as it is shown.
pub(crate) fn keep(state: &State) -> Keep {
    match state {
        State::Unread => Keep::Unknown,
        State::Sealed => Keep::Sealed,
        State::Plain => Keep::Plain,
        State::MemoryLocked => Keep::MemoryLocked,
        State::MemoryNoKeyring(_) => Keep::MemoryNoKeyring,
        State::MemoryKeyLost => Keep::MemoryKeyLost,
        State::MemoryCannotKeep(_) => Keep::MemoryNoDisk,
    }
}
