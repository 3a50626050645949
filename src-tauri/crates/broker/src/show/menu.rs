//! The tray, as data: which of its five pictures, what it says of itself, and its menu. `platform` renders it.
//!
//! A menu label is one string, since hosts draw no second column. The menu approves nothing (threat 4): each of its
//! actions is a command that a terminal could send too.

use crate::accounts::session::StateWord;
use crate::clock::{Local, Wall};
use crate::command::{Command, ScreenName};
use crate::kubeconfigs::kubeconfig::Kubeconfig;
use crate::short;
use crate::show::report::state_key;
use crate::show::view::{AccountView, View};
use crate::texts::{Language, shortened, text};

/// How many contexts stand in the menu itself; the others are in a menu below it.
const CONTEXTS: usize = 8;

/// How many contexts stand in that one; whoever has more finds them in the window.
const MORE_CONTEXTS: usize = 100;

/// How many accounts and how many questions stand in the menu, and how many accounts in the tooltip. Those that need
/// a person come first.
const ACCOUNTS: usize = 16;
const QUESTIONS: usize = 4;

/// How many characters a line may have.
const LONGEST: usize = 96;

/// How many the host of a server may have that a question is about, and how many the account: together with what is
/// asked they stand in a line of their own length, since no part of it may be lost.
const BRIEFLY: (usize, usize) = (40, 20);
const QUESTION: usize = 144;

/// What the tray shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tray {
    /// Its picture.
    pub picture: Picture,
    /// What it says in a line, for the tooltip and for screen readers.
    pub tooltip: String,
    /// Its menu.
    pub menu: Vec<Item>,
    /// The language of its texts.
    pub language: Language,
}

/// The tray's pictures. They differ in outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// Nobody is signed in anywhere.
    SignedOut,
    /// All is well.
    SignedIn,
    /// Somebody signs in, or a token is being renewed.
    Renewing,
    /// A person has something to do.
    NeedsYou,
    /// A provider is not reached. It heals itself.
    CannotReach,
}

/// A line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A rule.
    Rule,
    /// Something to read.
    Note(String),
    /// Something to click.
    Act(String, Action),
    /// One of several, marked where it is the chosen one.
    Choice {
        /// What it says.
        label: String,
        /// Whether it is the chosen one.
        chosen: bool,
        /// What a click does.
        action: Action,
    },
    /// A menu of its own.
    Menu(String, Vec<Item>),
}

/// What a click does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Carries this command out.
    Command(Box<Command>),
    /// Ends the resident. Sessions are kept.
    Quit,
}

/// What the tray shows of a view, by the clock of whoever looks.
#[must_use]
pub fn tray(view: &View, local: Local) -> Tray {
    let language = view.language;
    Tray {
        language,
        picture: picture(view),
        tooltip: tooltip(view, language, local),
        menu: in_lines(menu(view, language, local)),
    }
}

/// What needs a person comes first, then what does not work, then what is under way.
fn picture(view: &View) -> Picture {
    let any = |words: &[StateWord]| {
        view.accounts
            .iter()
            .any(|account| words.contains(&account.state))
    };
    let needs = |account: &AccountView| account.state.needs_a_person();
    if view.accounts.iter().any(needs) || !view.questions.is_empty() {
        Picture::NeedsYou
    } else if any(&[StateWord::CannotReach]) {
        Picture::CannotReach
    } else if any(&[StateWord::Renewing, StateWord::SigningIn]) {
        Picture::Renewing
    } else if any(&[StateWord::SignedIn]) {
        Picture::SignedIn
    } else {
        Picture::SignedOut
    }
}

fn tooltip(view: &View, language: Language, local: Local) -> String {
    if view.accounts.is_empty() {
        return text(language, "terminal.no-accounts", &[]);
    }
    let mut lines: Vec<_> = view
        .accounts
        .iter()
        .take(ACCOUNTS)
        .map(|account| match fixed_end(account) {
            Some(end) => {
                let parameters = [
                    ("account", account_label(account, language)),
                    ("time", local.clock(end)),
                ];
                text(language, "tray.until", &parameters)
            }
            None => account_label(account, language),
        })
        .map(|line| shortened(&line, LONGEST))
        .collect();
    lines.extend(more_accounts(view, language));
    lines.join("\n")
}

/// How many accounts there are beyond those that are shown.
fn more_accounts(view: &View, language: Language) -> Option<String> {
    let more = view.accounts.len().checked_sub(ACCOUNTS + 1)? + 1;
    let parameters = [("count", short::count(more))];
    Some(text(language, "tray.more-accounts", &parameters))
}

/// The same, each label short enough for a menu.
fn in_lines(items: Vec<Item>) -> Vec<Item> {
    let short = |label: &str| shortened(label, LONGEST);
    let items = items.into_iter().map(|item| match item {
        Item::Rule => Item::Rule,
        Item::Note(label) => Item::Note(short(&label)),
        Item::Act(label, Action::Command(it)) if matches!(*it, Command::Ask { .. }) => {
            Item::Act(shortened(&label, QUESTION), Action::Command(it))
        }
        Item::Act(label, action) => Item::Act(short(&label), action),
        Item::Choice {
            label,
            chosen,
            action,
        } => Item::Choice {
            label: short(&label),
            chosen,
            action,
        },
        Item::Menu(label, items) => Item::Menu(short(&label), in_lines(items)),
    });
    items.collect()
}

/// `test · signed in`, or `login.acme.example · needs you` where nobody's name is known.
fn account_label(account: &AccountView, language: Language) -> String {
    let who = account.who();
    format!("{who} · {}", text(language, state_key(account.state), &[]))
}

fn menu(view: &View, language: Language, local: Local) -> Vec<Item> {
    let say = |key: &str| text(language, key, &[]);
    let mut items = Vec::new();
    if let Some(kubeconfig) = &view.kubeconfig {
        let current = kubeconfig.current.clone();
        let current = current.unwrap_or_else(|| say("tray.no-context"));
        items.push(Item::Note(format!("{}: {current}", kubeconfig.file)));
        items.push(Item::Rule);
    }
    for question in view.questions.iter().take(QUESTIONS) {
        // Where it is answered is not here.
        let ask = Action::Command(Box::new(Command::Ask {
            question: Some(question.name.clone()),
        }));
        let servers = question.servers_briefly(BRIEFLY.0, language);
        let waits = question.waits(servers, BRIEFLY.1, language);
        items.push(Item::Act(waits, ask));
    }
    let open = |screen| Action::Command(Box::new(Command::Open { screen }));
    if view.questions.len() > QUESTIONS {
        let more = short::count(view.questions.len() - QUESTIONS);
        let more = text(language, "tray.more-questions", &[("count", more)]);
        items.push(Item::Act(more, open(Some(ScreenName::Accounts))));
    }
    for account in view.accounts.iter().take(ACCOUNTS) {
        let label = account_label(account, language);
        items.push(Item::Menu(label, account_menu(account, language, local)));
    }
    if view.accounts.is_empty() {
        items.push(Item::Note(say("terminal.no-accounts")));
    }
    if let Some(more) = more_accounts(view, language) {
        items.push(Item::Act(more, open(Some(ScreenName::Accounts))));
    }
    items.push(Item::Rule);
    if let Some(kubeconfig) = &view.kubeconfig
        && !kubeconfig.contexts.is_empty()
    {
        contexts(kubeconfig, language, &mut items);
        items.push(Item::Rule);
    }
    items.push(Item::Act(say("tray.open"), open(None)));
    let settings = open(Some(ScreenName::Settings));
    items.push(Item::Act(say("tray.settings"), settings));
    items.push(Item::Act(say("tray.quit"), Action::Quit));
    items
}

fn account_menu(account: &AccountView, language: Language, local: Local) -> Vec<Item> {
    let say = |key: &str| text(language, key, &[]);
    let mut items = Vec::new();
    // Beside a name, the label says where.
    if account.name.is_some() {
        items.push(Item::Note(account.label.clone()));
    }
    if let Some(expires) = account.expires {
        items.push(Item::Note(lasts(account, expires, language, local)));
    }
    if let Some(problem) = &account.problem {
        items.push(Item::Note(problem.message.clone()));
    }
    if !items.is_empty() {
        items.push(Item::Rule);
    }
    let named = Some(account.id.clone());
    let sign_in = || {
        Action::Command(Box::new(Command::SignIn {
            account: named.clone(),
            open_browser: true,
        }))
    };
    let renew = || {
        Action::Command(Box::new(Command::Renew {
            account: named.clone(),
        }))
    };
    let sign_out = || {
        Action::Command(Box::new(Command::SignOut {
            account: named.clone(),
            everywhere: false,
        }))
    };
    match account.state {
        StateWord::SignedOut => items.push(Item::Act(say("tray.sign-in"), sign_in())),
        StateWord::NeedsYou | StateWord::Refused => {
            items.push(Item::Act(say("tray.sign-in"), sign_in()));
            items.push(Item::Act(say("tray.sign-out"), sign_out()));
        }
        StateWord::SigningIn => {
            items.push(Item::Act(say("tray.open-again"), sign_in()));
            items.push(Item::Act(say("tray.sign-out"), sign_out()));
        }
        StateWord::SignedIn => {
            if account.renews {
                items.push(Item::Act(say("tray.renew"), renew()));
            }
            items.push(Item::Act(say("tray.sign-out"), sign_out()));
        }
        StateWord::Renewing | StateWord::CannotReach => {
            items.push(Item::Act(say("tray.sign-out"), sign_out()));
        }
    }
    items
}

/// A clock time only for an end that is fixed: what renews by itself has none that a person need know.
fn lasts(account: &AccountView, expires: Wall, language: Language, local: Local) -> String {
    match (account.renews, account.survives) {
        (true, Some(seconds)) => {
            let parameters = [("time", span(seconds, language))];
            text(language, "tray.survives", &parameters)
        }
        (true, None) => text(language, "tray.renews", &[]),
        (false, _) => text(language, "tray.ends", &[("time", local.clock(expires))]),
    }
}

/// The end of a session that nothing renews, while it lasts.
fn fixed_end(account: &AccountView) -> Option<Wall> {
    match account.state {
        StateWord::SignedIn if !account.renews => account.expires,
        StateWord::SignedIn
        | StateWord::SignedOut
        | StateWord::SigningIn
        | StateWord::Renewing
        | StateWord::CannotReach
        | StateWord::NeedsYou
        | StateWord::Refused => None,
    }
}

/// A span of time in its largest unit that is not too coarse, as the window says it (`ui/src/phrases.ts`, `lasting`).
fn span(seconds: u64, language: Language) -> String {
    let minutes = seconds / 60;
    let hours = minutes / 60;
    let (key, count) = if minutes < 120 {
        ("terminal.minutes", minutes)
    } else if hours < 48 {
        ("terminal.hours", hours)
    } else {
        ("terminal.days", hours / 24)
    };
    text(language, key, &[("count", count.to_string())])
}

/// The contexts in the file's order of names, the current one always among the first.
fn contexts(kubeconfig: &Kubeconfig, language: Language, items: &mut Vec<Item>) {
    let choice = |name: &String| {
        if name.contains(char::REPLACEMENT_CHARACTER) {
            // It was cleaned: what the file has is another name.
            return Item::Note(name.clone());
        }
        Item::Choice {
            label: name.clone(),
            chosen: kubeconfig.current.as_ref() == Some(name),
            action: Action::Command(Box::new(Command::Use {
                context: name.clone(),
                kubeconfig: Some(kubeconfig.path.clone()),
            })),
        }
    };
    let is_current = |name: &&String| kubeconfig.current.as_ref() == Some(*name);
    let all = || kubeconfig.contexts.iter().map(|context| &context.name);
    let mut names: Vec<&String> = all().filter(is_current).collect();
    names.extend(all().filter(|name| !is_current(name)));
    let (shown, rest) = names.split_at(names.len().min(CONTEXTS));
    let mut shown = shown.to_vec();
    shown.sort();
    items.extend(shown.into_iter().map(choice));
    if !rest.is_empty() {
        let more = text(
            language,
            "tray.more-contexts",
            &[("count", short::count(rest.len()))],
        );
        let (below, left) = rest.split_at(rest.len().min(MORE_CONTEXTS));
        let mut below: Vec<Item> = below.iter().copied().map(choice).collect();
        if !left.is_empty() {
            let parameters = [("count", short::count(left.len()))];
            let screen = Some(ScreenName::Contexts);
            below.push(Item::Act(
                text(language, "tray.more-contexts", &parameters),
                Action::Command(Box::new(Command::Open { screen })),
            ));
        }
        items.push(Item::Menu(more, below));
    }
}
