//! What tray, window and terminal show: the one contract of them all. No secret is ever in it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::problem::Code;
use crate::session::StateWord;
use crate::settings::Keep;
use crate::texts::{Language, clean};
use crate::trust::By;

/// Everything that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What is wrong with the resident itself.
    pub notices: Vec<ProblemView>,
}

/// A kubeconfig, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubeconfigView {
    /// Its path as people write it, `~` for the home folder.
    pub file: String,
    /// Its path.
    pub path: String,
    /// The current context.
    pub current: Option<String>,
    /// The contexts, by name.
    pub contexts: Vec<String>,
}

impl KubeconfigView {
    /// The same with every name inert, wherever it is shown.
    #[must_use]
    pub(crate) fn cleaned(&self) -> Self {
        Self {
            file: clean(&self.file),
            path: clean(&self.path),
            current: self.current.as_deref().map(clean),
            contexts: self.contexts.iter().map(|name| clean(name)).collect(),
        }
    }
}

/// One account, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What is wrong.
    pub problem: Option<ProblemView>,
}

/// What is wrong, in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemView {
    /// To branch on.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// One trusted pair, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct QuestionView {
    /// What to call it in a command.
    pub name: String,
    /// The account.
    pub account: String,
    /// The servers.
    pub servers: Vec<String>,
    /// The program that asked.
    pub asker: String,
    /// The file that names the servers.
    pub file: Option<String>,
}
