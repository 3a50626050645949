//! What went wrong: a variant with the fields that its texts name. The message and the hint are
//! texts, made when somebody is there to read them, with what they are about.

mod about;
mod codes;
#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;

pub use about::{About, Refusal};
pub use codes::{Code, Problem};

use crate::texts::Language;

impl Problem {
    /// With what it is about.
    #[must_use]
    pub fn of(self, about: About) -> Refusal {
        Refusal {
            problem: self,
            about,
        }
    }

    /// What happened, in one sentence.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        Refusal::from(self.clone()).message(language)
    }

    /// What to do about it, in one or two sentences.
    #[must_use]
    pub fn hint(&self, language: Language) -> String {
        Refusal::from(self.clone()).hint(language)
    }

    /// Message, hint and code in one line, for a standard error that nobody may be reading.
    #[must_use]
    pub fn line(&self, language: Language) -> String {
        Refusal::from(self.clone()).line(language)
    }

    /// What a command line says of it. On a terminal more than one line is welcome.
    #[must_use]
    pub fn said(&self, language: Language, terminal: bool) -> String {
        Refusal::from(self.clone()).said(language, terminal)
    }

    /// The parameter of a name, cleaned, and no longer than a person reads.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        Refusal::from(self.clone()).parameter(name)
    }

    /// The same for an asker that sets SSL_CERT_FILE, where it fails by a certificate.
    #[must_use]
    pub fn with_own_ca(self) -> Self {
        if let Self::TlsFailed { host, reason } = self {
            Self::TlsFailedOwnCa { host, reason }
        } else {
            self
        }
    }

    /// The end of a session, after a reply of the provider's was lost.
    #[must_use]
    pub fn after_lost_reply(self) -> Self {
        if let Self::SessionEnded { reason } = self {
            Self::SessionEndedAfterLostReply { reason }
        } else {
            self
        }
    }

    /// The same of a question that somebody was asked, and nobody answered in time.
    #[must_use]
    pub fn unanswered(self) -> Self {
        if let Self::NotTrusted {
            server,
            account,
            command,
        } = self
        {
            Self::QuestionUnanswered {
                server,
                account,
                command,
            }
        } else if let Self::NotTrustedUnseen { account }
        | Self::NotTrustedContainer { account, .. } = self
        {
            Self::QuestionUnansweredUnseen { account }
        } else if let Self::SettingsNotAllowed {
            account,
            settings,
            command,
        } = self
        {
            Self::SettingsUnanswered {
                account,
                settings,
                command,
            }
        } else {
            self
        }
    }

    /// What an answer is told, when it could not be written down.
    #[must_use]
    pub fn until_end(self) -> Self {
        if let Self::AccountsUnwritten { path, reason } = self {
            Self::OnlyUntilEnd { path, reason }
        } else {
            self
        }
    }
}
