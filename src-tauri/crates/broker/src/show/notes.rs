//! What a person is told without having asked: that something needs them. Never what heals itself, nothing twice,
//! and nothing while nobody can see it.

use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::session::StateWord;
use crate::asker::Desktop;
use crate::command::{Command, ScreenName};
use crate::problem::Code;
use crate::show::menu::Action;
use crate::show::view::{AccountView, QuestionView, View};
use crate::texts::{Language, shortened, text};

/// How many characters a note's title and its text may have.
const LONGEST: (usize, usize) = (96, 480);

/// What a note is about. Of each there is one note at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// An account, by its id.
    Account(String),
    /// A question that waits, by its name.
    Question(String),
    /// The tray.
    Tray,
    /// What came of a click.
    Click,
}

/// Something that a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What about.
    pub about: About,
    /// What it is, in a few words.
    pub title: String,
    /// What there is to say of it.
    pub text: String,
    /// What a person can do about it at once, and how that is called. It approves nothing (threat 4): whoever
    /// forges a click on it has opened a page or a window.
    pub button: Option<(String, Action)>,
}

/// What is to be done with notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Tell this.
    Tell(Note),
    /// What was told about this is over.
    Over(About),
}

/// Where no icon shows: how to come back.
pub(crate) fn no_tray(language: Language) -> Note {
    let say = |key| text(language, key, &[]);
    Note {
        about: About::Tray,
        title: say("tray.no-host"),
        text: say("tray.no-host.text"),
        button: None,
    }
}

/// What was told so far.
#[derive(Debug, Default)]
pub struct Notes {
    known: BTreeMap<About, Known>,
    /// The accounts that were there before.
    accounts: BTreeSet<String>,
}

/// What a person knows of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// They are told, of this problem.
    Told(Option<Code>),
    /// They know, and need no word: they were told before, or it was so when the resident started.
    Heard(Option<Code>),
}

impl Notes {
    /// What is to be told, and what is over, now that this is shown. An account that was not there before says
    /// nothing: a resident that has just started tells only what happens from then on.
    pub fn update(&mut self, view: &View) -> Vec<Telling> {
        let needs = needs(view);
        let mut tellings = self.forget(view, &needs);
        for (code, note) in needs {
            let known = self.known.get(&note.about);
            if let Some(Known::Told(known) | Known::Heard(known)) = known
                && *known == code
            {
                continue;
            }
            if let About::Account(id) = &note.about
                && !self.accounts.contains(id)
            {
                self.known.insert(note.about, Known::Heard(code));
                continue;
            }
            match view.desktop {
                Desktop::Unlocked => {
                    self.known.insert(note.about.clone(), Known::Told(code));
                    tellings.push(Telling::Tell(note));
                }
                // Said when somebody is there, if it is still so.
                Desktop::None | Desktop::Locked => {}
            }
        }
        let accounts = view.accounts.iter();
        self.accounts = accounts.map(|account| account.id.clone()).collect();
        tellings
    }

    /// Takes back what is over. What a person has in hand is remembered: it may come to nothing.
    fn forget(&mut self, view: &View, needs: &[(Option<Code>, Note)]) -> Vec<Telling> {
        let mut over = Vec::new();
        self.known.retain(|about, known| {
            if needs.iter().any(|(_, note)| note.about == *about) {
                return true;
            }
            if let Known::Told(code) = *known {
                over.push(Telling::Over(about.clone()));
                *known = Known::Heard(code);
            }
            let account = |account: &&AccountView| *about == About::Account(account.id.clone());
            let account = view.accounts.iter().find(account);
            account.is_some_and(|account| account.state == StateWord::SigningIn)
        });
        over
    }
}

/// What needs a person, each with the problem that it is.
fn needs(view: &View) -> Vec<(Option<Code>, Note)> {
    let language = view.language;
    let accounts = view.accounts.iter();
    let accounts = accounts.filter(|account| account.state.needs_a_person());
    let accounts = accounts.map(|account| {
        let code = account.problem.as_ref().map(|problem| problem.code);
        (code, of_account(account, language))
    });
    let questions = view.questions.iter();
    let questions = questions.map(|question| (None, of_question(question, language)));
    let short = |(code, note): (Option<Code>, Note)| {
        let title = shortened(&note.title, LONGEST.0);
        let text = shortened(&note.text, LONGEST.1);
        (
            code,
            Note {
                title,
                text,
                ..note
            },
        )
    };
    accounts.chain(questions).map(short).collect()
}

fn of_account(account: &AccountView, language: Language) -> Note {
    let sign_in = || Command::SignIn {
        account: Some(account.id.clone()),
        open_browser: true,
    };
    // What the provider refuses is read before it is tried again.
    let (key, command) = match account.state {
        StateWord::Refused => {
            let screen = Some(ScreenName::Accounts);
            ("tray.open", Command::Open { screen })
        }
        StateWord::NeedsYou
        | StateWord::SignedOut
        | StateWord::SigningIn
        | StateWord::SignedIn
        | StateWord::Renewing
        | StateWord::CannotReach => ("tray.sign-in", sign_in()),
    };
    let what = account
        .problem
        .as_ref()
        .map(|problem| problem.message.as_str());
    // Which of a person's accounts it is.
    let which = account.name.as_ref().map(|_| account.label.as_str());
    let said: Vec<&str> = which.into_iter().chain(what).collect();
    Note {
        about: About::Account(account.id.clone()),
        title: text(
            language,
            "tray.needs-you",
            &[("account", account.who().to_owned())],
        ),
        text: said.join(" · "),
        button: Some((text(language, key, &[]), act(command))),
    }
}

fn of_question(question: &QuestionView, language: Language) -> Note {
    let ask = Command::Ask {
        question: Some(question.name.clone()),
    };
    Note {
        about: About::Question(question.name.clone()),
        title: text(
            language,
            if question.waits {
                "tray.asks"
            } else {
                "tray.asked"
            },
            &[("asker", question.asker.clone())],
        ),
        text: question.waits(question.servers_line(language), LONGEST.0 / 2, language),
        button: Some((text(language, "tray.answer", &[]), act(ask))),
    }
}

fn act(command: Command) -> Action {
    Action::Command(Box::new(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::view::ProblemView;

    fn account(state: StateWord, code: Option<Code>) -> AccountView {
        AccountView {
            id: "0ba2".into(),
            label: "login.acme.example".into(),
            issuer: "https://login.acme.example".into(),
            client_id: "kubernetes".into(),
            state,
            is_new: false,
            name: None,
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
            problem: code.map(|code| ProblemView {
                code,
                message: "It ended.".into(),
                hint: String::new(),
            }),
        }
    }

    fn view(desktop: Desktop, state: StateWord, code: Option<Code>) -> View {
        View {
            accounts: vec![account(state, code)],
            desktop,
            ..View::default()
        }
    }

    fn question(name: &str) -> QuestionView {
        QuestionView {
            name: name.into(),
            in_window: true,
            waits: true,
            longest: crate::consent::trust::Longest::Always,
            claims: Vec::new(),
            account: "login.acme.example".into(),
            who: None,
            issuer: "https://login.acme.example".into(),
            client_id: "kubernetes".into(),
            scopes: Vec::new(),
            vouched: Default::default(),
            servers: Vec::new(),
            others: Vec::new(),
            more: 0,
            asker: "kubectl".into(),
            file: None,
            new_issuer: false,
            changes: vec![],
        }
    }

    /// What is told of a row of views, a word each.
    fn told(notes: &mut Notes, view: &View) -> String {
        let tellings = notes.update(view).into_iter();
        let words: Vec<_> = tellings
            .map(|telling| match telling {
                Telling::Tell(note) => {
                    let button = note.button.map(|(label, _)| label).unwrap_or_default();
                    format!("{} [{button}]", note.title)
                }
                Telling::Over(about) => format!("over: {about:?}"),
            })
            .collect();
        words.join("; ")
    }

    use Code::{ClientRefused, SessionEnded, SignInTimedOut};
    use Desktop::{Locked, Unlocked};
    use StateWord::{CannotReach, NeedsYou, Refused, Renewing, SignedIn, SigningIn};

    const SIGN_IN: &str = "login.acme.example needs you [Sign in]";
    const OVER: &str = "over: Account(\"0ba2\")";

    #[test]
    fn what_needs_a_person_is_told_once_and_taken_back_when_it_is_over() {
        let mut notes = Notes::default();
        for (state, code, expected) in [
            (SignedIn, None, ""),
            (Renewing, None, ""),
            (CannotReach, None, ""),
            (NeedsYou, Some(SessionEnded), SIGN_IN),
            (NeedsYou, Some(SessionEnded), ""),
            (SigningIn, None, OVER),
            (NeedsYou, Some(SessionEnded), ""),
            (SigningIn, None, ""),
            (NeedsYou, Some(SignInTimedOut), SIGN_IN),
            (SigningIn, None, OVER),
            (SignedIn, None, ""),
            (NeedsYou, Some(SessionEnded), SIGN_IN),
            (
                Refused,
                Some(ClientRefused),
                "login.acme.example needs you [Open Kubefob]",
            ),
            (SignedIn, None, OVER),
        ] {
            let shown = view(Unlocked, state, code);
            assert_eq!(told(&mut notes, &shown), expected, "{state:?} {code:?}");
        }
    }

    #[test]
    fn nothing_is_told_while_nobody_can_see_it_and_then_only_what_is_still_so() {
        for nobody in [Locked, Desktop::None] {
            let mut notes = Notes::default();
            for (desktop, state, code, expected) in [
                (nobody, SignedIn, None, ""),
                (nobody, NeedsYou, Some(SessionEnded), ""),
                (Unlocked, NeedsYou, Some(SessionEnded), SIGN_IN),
                (nobody, NeedsYou, Some(SessionEnded), ""),
                (Unlocked, NeedsYou, Some(SessionEnded), ""),
                (Unlocked, SignedIn, None, OVER),
                (nobody, NeedsYou, Some(SessionEnded), ""),
                (nobody, SignedIn, None, ""),
                (Unlocked, SignedIn, None, ""),
            ] {
                let shown = view(desktop, state, code);
                assert_eq!(told(&mut notes, &shown), expected, "{desktop:?} {state:?}");
            }
        }
    }

    #[test]
    fn how_things_were_at_the_start_is_not_told() {
        let mut notes = Notes::default();
        let ended = view(Unlocked, NeedsYou, Some(SessionEnded));
        assert_eq!(told(&mut notes, &View::default()), "");
        assert_eq!(told(&mut notes, &ended), "");
        assert_eq!(told(&mut notes, &ended), "");
    }

    #[test]
    fn a_person_is_named_first_and_the_account_after() {
        let mut notes = Notes::default();
        let mut shown = view(Unlocked, SignedIn, None);
        shown.accounts[0].name = Some("test".into());
        notes.update(&shown);
        shown.accounts[0] = account(NeedsYou, Some(SessionEnded));
        shown.accounts[0].name = Some("test".into());
        let told = notes.update(&shown);
        let Some(Telling::Tell(note)) = told.first() else {
            panic!("{told:?}")
        };
        assert_eq!(note.title, "test needs you");
        assert_eq!(note.text, "login.acme.example · It ended.");
    }

    #[test]
    fn each_question_is_told_once() {
        let mut notes = Notes::default();
        let mut shown = view(Unlocked, SignedIn, None);
        shown.questions = vec![question("ab12")];
        let one = "kubectl waits for your answer [Answer…]";
        assert_eq!(told(&mut notes, &shown), one);
        shown.questions.push(question("cd34"));
        assert_eq!(told(&mut notes, &shown), one);
        assert_eq!(told(&mut notes, &shown), "");
        shown.questions.remove(0);
        assert_eq!(told(&mut notes, &shown), "over: Question(\"ab12\")");
    }
}
