//! What a person is told without having asked: that something needs them. Never what heals itself, and nothing twice.

use crate::session::StateWord;
use crate::texts::text;
use crate::view::{AccountView, View};

/// What is new in a view and needs a person, a text each. An account that was not shown before says nothing: a
/// resident that has just started tells only what happens from then on.
#[must_use]
pub fn notes(before: &View, after: &View) -> Vec<String> {
    let language = after.language;
    let needs = |account: &AccountView| match account.state {
        StateWord::NeedsYou | StateWord::Refused => true,
        StateWord::SignedOut
        | StateWord::SigningIn
        | StateWord::SignedIn
        | StateWord::Renewing
        | StateWord::CannotReach => false,
    };
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
        let known = |known: &crate::view::QuestionView| known.name == question.name;
        !before.questions.iter().any(known)
    });
    let questions = questions.map(|question| {
        let parameters = [
            ("servers", question.servers.join(", ")),
            ("name", question.name.clone()),
        ];
        text(language, "tray.question", &parameters)
    });
    accounts.chain(questions).collect()
}
