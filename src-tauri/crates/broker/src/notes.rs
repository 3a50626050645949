//! What a person is told without having asked: that something needs them. Never what heals itself, and nothing twice.

use crate::texts::{Language, text};
use crate::view::{AccountView, QuestionView, View};

/// What is new in a view and needs a person, a text each. An account that was not shown before says nothing: a
/// resident that has just started tells only what happens from then on.
#[must_use]
pub fn notes(before: &View, after: &View) -> Vec<String> {
    let language = after.language;
    let needs = |account: &AccountView| account.state.needs_a_person();
    let newly = |account: &&AccountView| {
        let known = before.accounts.iter().find(|known| known.id == account.id);
        needs(account) && known.is_some_and(|known| !needs(known))
    };
    let accounts = after.accounts.iter().filter(newly).map(|account| {
        let what = account.problem.as_ref().map(|problem| &problem.message);
        let what = what.cloned().unwrap_or_default();
        let parameters = [("account", account.label.clone()), ("what", what)];
        text(language, "tray.needs-you", &parameters)
    });
    let questions = after.questions.iter().filter(|question| {
        let known = |known: &QuestionView| known.name == question.name;
        !before.questions.iter().any(known)
    });
    let questions = questions.map(|question| waits(question, language));
    accounts.chain(questions).collect()
}

/// That a question waits, and how to answer it.
pub(crate) fn waits(question: &QuestionView, language: Language) -> String {
    let parameters = [
        ("servers", question.servers_line()),
        ("name", question.name.clone()),
    ];
    let key = if question.in_window {
        "tray.question-in-window"
    } else {
        "tray.question"
    };
    text(language, key, &parameters)
}
