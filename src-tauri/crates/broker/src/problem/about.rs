//! What a problem is about, and how somebody is told it.

use super::{Code, Problem};
use crate::shell::quoted;
use crate::short;
use crate::texts::{Language, Parameters, clean, text};

/// What a problem is about, where its maker can't know that: a session does not know what its account is called, and
/// it may be called otherwise since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    account: Option<String>,
    host: Option<String>,
    /// What to call the account in a command.
    name: Option<String>,
}

impl About {
    /// An account, by its label, and its provider's host.
    #[must_use]
    pub fn account(label: &str, host: String) -> Self {
        Self {
            account: Some(label.to_owned()),
            host: Some(host),
            name: Some(label.to_owned()),
        }
    }

    /// With another name for commands, where the label means several accounts or can't be typed.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..self
        }
    }

    /// A command about it, as it works in a shell. Without a name it is about the only account.
    fn command(&self, verb: &str) -> String {
        let name = self.name.as_deref().map(word);
        let words = [Some(format!("kubectl fob {verb}")), name];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// What a text names of it. It overrules the fields: they are older.
    pub(super) fn known(&self) -> Parameters {
        let known = [("account", &self.account), ("host", &self.host)];
        let known = known.into_iter();
        known
            .filter_map(|(name, value)| Some((name, value.clone()?)))
            .chain(["login", "logout"].map(|verb| (verb, self.command(verb))))
            .collect()
    }

    /// What stands for it where nobody knows it: no text shows an open brace.
    pub(super) fn unknown(language: Language) -> Parameters {
        vec![
            ("account", text(language, "about.account", &[])),
            ("host", text(language, "about.host", &[])),
        ]
    }
}

/// A word for a shell, to stand in a command between single quotes of ours: between double ones, where it has blanks
/// and nothing that means something there.
fn word(text: &str) -> String {
    let means = |char: char| char.is_control() || "\"$`\\!'".contains(char);
    let bare = quoted(text);
    let word = if bare == text || text.chars().any(means) {
        bare
    } else {
        format!("\"{text}\"")
    };
    if word.starts_with('-') {
        format!("-- {word}")
    } else {
        word
    }
}

/// A problem with what it is about, as somebody is told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What went wrong.
    pub problem: Problem,
    /// What it is about.
    pub about: About,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        problem.of(About::default())
    }
}

impl From<Problem> for Box<Refusal> {
    fn from(problem: Problem) -> Self {
        Self::new(problem.into())
    }
}

impl Refusal {
    /// What kind of thing went wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.problem.code()
    }

    /// What happened, in one sentence.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        self.text("message", language)
    }

    /// What to do about it, in one or two sentences.
    #[must_use]
    pub fn hint(&self, language: Language) -> String {
        self.text("hint", language)
    }

    fn text(&self, part: &str, language: Language) -> String {
        let named = self.named();
        let unknown = About::unknown(language);
        let parameters = named.iter().chain(&unknown);
        let parameters: Parameters = parameters
            .map(|(name, value)| (*name, short::parameter(value)))
            .collect();
        let key = format!("{}.{part}", self.code().name());
        text(language, &key, &parameters)
    }

    fn named(&self) -> Parameters {
        let mut named = self.about.known();
        named.extend(self.problem.fields());
        named
    }

    /// Message, hint and code in one line, for a standard error that nobody may be reading.
    #[must_use]
    pub fn line(&self, language: Language) -> String {
        format!(
            "{} {} [{}]",
            self.message(language),
            self.hint(language),
            self.code().name()
        )
    }

    /// What a command line says of it. On a terminal more than one line is welcome.
    #[must_use]
    pub fn said(&self, language: Language, terminal: bool) -> String {
        if terminal {
            format!(
                "kubefob: {}\n         {}  [{}]\n",
                self.message(language),
                self.hint(language),
                self.code().name()
            )
        } else {
            format!("kubefob: {}\n", self.line(language))
        }
    }

    /// The parameter of a name, cleaned, and no longer than a person reads.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.named()
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| clean(&short::parameter(value)))
    }
}
