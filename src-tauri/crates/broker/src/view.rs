//! What tray, window and terminal show: the one contract of them all. No secret is ever in it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::problem::{Code, Problem};
use crate::session::StateWord;
use crate::settings::{Keep, KeepFresh};
use crate::texts::{Language, clean};
use crate::trust::{By, ServerLine};

/// Everything that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct View {
    /// The accounts; those that need a person first.
    pub accounts: Vec<AccountView>,
    /// The pairs that are trusted for good.
    pub trusts: Vec<TrustView>,
    /// The questions that wait for an answer.
    pub questions: Vec<QuestionView>,
    /// Where tokens rest.
    pub keep: Keep,
    /// The person's own kubeconfig, `~/.kube/config`; none where it can't be read.
    pub kubeconfig: Option<Arc<KubeconfigView>>,
    /// The language of its texts.
    pub language: Language,
    /// The language that a person chose; none: that of the desktop, and of whoever asks.
    pub chosen_language: Option<Language>,
    /// When tokens are renewed by themselves.
    pub keep_fresh: KeepFresh,
    /// What is wrong with the resident itself.
    pub notices: Vec<ProblemView>,
    /// Where things rest; none: nobody has said.
    pub places: Option<Arc<PlacesView>>,
}

/// Where things rest, as people write it, `~` for the home folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PlacesView {
    /// The folder of sealed tokens.
    pub tokens: String,
    /// The settings file.
    pub settings: String,
    /// The folder of the program's log.
    pub log: String,
}

/// A kubeconfig, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct KubeconfigView {
    /// Its path as people write it, `~` for the home folder.
    pub file: String,
    /// Its path.
    pub path: String,
    /// The current context.
    pub current: Option<String>,
    /// The contexts, by name.
    pub contexts: Vec<ContextView>,
}

/// A context, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ContextView {
    /// Its name.
    pub name: String,
    /// The API server's address, where the cluster exists.
    pub server: Option<String>,
    /// The name of its user.
    pub user: String,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
    /// The id of the account that its user's `exec` makes, where it runs us.
    pub account: Option<String>,
}

impl KubeconfigView {
    /// The same with every name inert, wherever it is shown.
    #[must_use]
    pub(crate) fn cleaned(&self) -> Self {
        Self {
            file: clean(&self.file),
            path: clean(&self.path),
            current: self.current.as_deref().map(clean),
            contexts: self.contexts.iter().map(ContextView::cleaned).collect(),
        }
    }
}

impl ContextView {
    fn cleaned(&self) -> Self {
        Self {
            name: clean(&self.name),
            server: self.server.as_deref().map(clean),
            user: clean(&self.user),
            namespace: self.namespace.as_deref().map(clean),
            account: self.account.clone(),
        }
    }
}

/// One account, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AccountView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its issuer.
    pub issuer: String,
    /// Its client id.
    pub client_id: String,
    /// Its state.
    pub state: StateWord,
    /// Who is signed in.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
    /// When the token ends, on this computer's clock (milliseconds since the epoch).
    pub expires: Option<Wall>,
    /// When a person signed in.
    pub signed_in: Option<Wall>,
    /// Whether the token is renewed by itself.
    pub renews: bool,
    /// How far the provider's clock is from ours, in seconds, where that is more than a few.
    pub clock_off: Option<i64>,
    /// The programs that wait for it, oldest first.
    pub waiting: Vec<String>,
    /// What is wrong.
    pub problem: Option<ProblemView>,
}

/// What is wrong, in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProblemView {
    /// To branch on.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl ProblemView {
    /// A problem in a language.
    #[must_use]
    pub fn of(problem: &Problem, language: Language) -> Self {
        Self {
            code: problem.code,
            message: problem.message(language),
            hint: problem.hint(language),
        }
    }
}

impl ProblemView {
    /// Message, hint and code in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let Self {
            code,
            message,
            hint,
        } = self;
        format!("{message} {hint} [{}]", code.name())
    }
}

/// One trusted pair, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrustView {
    /// What to call it in a command.
    pub name: String,
    /// The account.
    pub account: String,
    /// The server's URL; none: a request that named none.
    pub server: Option<String>,
    /// How it came to be trusted.
    pub by: By,
    /// When.
    pub at: Wall,
    /// The contexts that led there.
    pub contexts: Vec<String>,
    /// The file that named it.
    pub file: Option<String>,
}

/// A question that waits, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct QuestionView {
    /// What to call it in a command.
    pub name: String,
    /// Whether the window is the place to answer it.
    pub in_window: bool,
    /// The account.
    pub account: String,
    /// Its issuer.
    pub issuer: String,
    /// Its client id.
    pub client_id: String,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// The servers that the request needs; all of them are approved together.
    pub servers: Vec<ServerLine>,
    /// The file's other servers of this account, to be ticked.
    pub others: Vec<ServerLine>,
    /// The program that asked.
    pub asker: String,
    /// The file that names the servers.
    pub file: Option<String>,
}

impl QuestionView {
    /// Its servers in a line.
    #[must_use]
    pub(crate) fn servers_line(&self) -> String {
        let servers: Vec<&str> = self
            .servers
            .iter()
            .map(|line| line.server.as_str())
            .collect();
        servers.join(", ")
    }
}

/// What whoever sent a command from tray or window is told of it, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Told {
    /// It is done.
    Done,
    /// An address to sign in at, good for one browser.
    Link {
        /// The address.
        url: String,
    },
    /// It is not done, and this is why.
    Refused {
        /// What is wrong.
        problem: ProblemView,
    },
}
