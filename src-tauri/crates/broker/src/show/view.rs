//! What tray, window and terminal show: the one contract of them all. No secret is ever in it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::accounts::account::LastUse;
use crate::accounts::session::StateWord;
use crate::asker::Desktop;
use crate::clock::Wall;
use crate::consent::trust::By;
use crate::kubeconfigs::kubeconfig::Kubeconfig;
use crate::manner::Change;
use crate::problem::{Code, Problem, Refusal};
use crate::question::{Longest, ServerLine, Vouched};
use crate::settings::{Keep, KeepFresh, Theme};
use crate::short::{address, listed};
use crate::stanza::{KubeconfigUser, Redirects};
use crate::surroundings::RestingPlaces;
use crate::surroundings::plugin::{Plugin, Whose};
use crate::surroundings::reach::TrayHost;
use crate::texts::{Language, clean, shortened, text};

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
    /// The names of questions that are over since whoever asked has ended, the newest last.
    pub askers_ended: Vec<String>,
    /// Where tokens rest.
    pub keep: Keep,
    /// The person's own kubeconfig, `~/.kube/config`; none where it can't be read.
    pub kubeconfig: Option<Arc<Kubeconfig>>,
    /// Other kubeconfigs, which askers had, the newest first.
    pub files: Vec<Arc<Kubeconfig>>,
    /// What kubeconfigs offer to sign in to, and is no account yet.
    pub found: Vec<FoundView>,
    /// Whose `kubectl-oidc_login` comes first on PATH; none: that is not known.
    pub plugin: Option<PluginView>,
    /// The language of its texts.
    pub language: Language,
    /// The language that a person chose; none: that of the desktop, and of whoever asks.
    pub chosen_language: Option<Language>,
    /// When tokens are renewed by themselves.
    pub keep_fresh: KeepFresh,
    /// How the window looks.
    pub theme: Theme,
    /// The redirect URIs of an account that is added; they are to be registered at its provider.
    #[cfg_attr(test, ts(type = "Array<string>"))]
    pub redirects: Redirects,
    /// What is wrong with the resident itself.
    pub notices: Vec<ProblemView>,
    /// Where things rest; none: nobody has said.
    pub places: Option<Arc<RestingPlaces>>,
    /// Whether there is a desktop, and somebody in front of it.
    pub desktop: Desktop,
    /// Whether it shows the tray's icon.
    pub tray: TrayHost,
    /// Whether Kubefob is started with it.
    pub autostart: bool,
}

/// How much a list of a view has, in bytes of JSON.
fn size(list: &impl Serialize) -> usize {
    serde_json::to_vec(list).map_or(0, |json| json.len())
}

impl View {
    /// The same with its longest list half as long, and a word that says so: for whoever can't be sent all of it.
    /// None: there is no list that could be shorter.
    #[must_use]
    pub fn shorter(&self) -> Option<Self> {
        let own = self.kubeconfig.as_ref();
        let lists = [
            (size(&self.accounts), self.accounts.len()),
            (size(&self.trusts), self.trusts.len()),
            (size(&self.questions), self.questions.len()),
            (
                own.map_or(0, |own| size(&own.contexts)),
                own.map_or(0, |own| own.contexts.len()),
            ),
            (size(&self.files), self.files.len()),
            (size(&self.found), self.found.len()),
        ];
        let places = lists.iter().zip(0..).filter(|((_, length), _)| *length > 0);
        let ((_, length), longest) = places.max_by_key(|((size, _), _)| *size)?;
        let half = length / 2;
        let mut cut = self.clone();
        match longest {
            0 => cut.accounts.truncate(half),
            1 => cut.trusts.truncate(half),
            2 => cut.questions.truncate(half),
            3 => {
                cut.kubeconfig = own.map(|own| {
                    let mut own = Kubeconfig::clone(own);
                    own.contexts.truncate(half);
                    Arc::new(own)
                });
            }
            4 => cut.files.truncate(half),
            _ => cut.found.truncate(half),
        }
        let said = |notice: &ProblemView| notice.code == Code::TooMuchToShow;
        if !cut.notices.iter().any(said) {
            let problem = Problem::TooMuchToShow;
            cut.notices.push(ProblemView::of(&problem, self.language));
        }
        Some(cut)
    }
}

/// An account that a kubeconfig's users make, once a person signs in to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FoundView {
    /// The id that it will have, by which it is signed in to.
    pub id: String,
    /// Its issuer.
    pub issuer: String,
    /// Its client id.
    pub client_id: String,
    /// The contexts that use it.
    pub contexts: Vec<String>,
    /// The kubeconfigs that name it.
    pub files: Vec<String>,
    /// Whether one of them calls us by kubelogin's name.
    pub kubelogin: bool,
}

/// Whose plugin comes first on PATH, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PluginView {
    /// Whose it is.
    pub is: Whose,
    /// Its path; none: there is none.
    pub path: Option<String>,
    /// The program whose PATH was looked at; none: this desktop's.
    pub on: Option<String>,
    /// The command that makes it ours; none: it is.
    pub remedy: Option<String>,
}

impl PluginView {
    /// As it is shown.
    pub(crate) fn of(plugin: &Plugin) -> Self {
        Self {
            is: plugin.whose(),
            path: plugin.first.as_ref().map(|first| clean(&first.shown)),
            on: plugin.on.as_deref().map(clean),
            remedy: plugin.remedy().as_deref().map(clean),
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
    /// Whether nobody has ever signed in to it.
    pub is_new: bool,
    /// Who is signed in, or was until the session ended.
    pub name: Option<String>,
    /// Their groups.
    pub groups: Vec<String>,
    /// When the token ends, on this computer's clock (milliseconds since the epoch).
    pub expires: Option<Wall>,
    /// When the token came.
    pub obtained: Option<Wall>,
    /// When a person signed in.
    pub signed_in: Option<Wall>,
    /// Whether the token is renewed by itself.
    pub renews: bool,
    /// For how many seconds without a renewal the provider keeps the session, where it says so.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub survives: Option<u64>,
    /// When the provider is tried again, where it is not reached and that is done by itself.
    pub tries_again: Option<Wall>,
    /// Since when it is as its problem says.
    pub since: Option<Wall>,
    /// Who was seen to be given a token of it, and when; of many one is noted now and then.
    pub asked: Option<LastUse>,
    /// How far the provider's clock is from ours, in seconds, where that is more than a few.
    pub clock_off: Option<i64>,
    /// The programs that wait for it, oldest first.
    pub waiting: Vec<String>,
    /// The API servers that refuse its tokens however fresh they are.
    pub refused_by: Vec<String>,
    /// What is wrong.
    pub problem: Option<ProblemView>,
}

impl AccountView {
    /// Who it is: a person where one is known, else what it is called.
    #[must_use]
    pub(crate) fn who(&self) -> &str {
        self.name.as_ref().unwrap_or(&self.label)
    }
}

/// What became of a step of a sign-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum StepView {
    /// The provider did it.
    Done,
    /// There was nothing to do it with.
    Nothing,
    /// The provider announces no way to do it.
    NotOffered,
    /// It failed, and this is why.
    Failed {
        /// Why.
        problem: ProblemView,
    },
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
        Self::told(&problem.clone().into(), language)
    }

    /// A problem with what it is about, in a language.
    #[must_use]
    pub fn told(refusal: &Refusal, language: Language) -> Self {
        Self {
            code: refusal.code(),
            message: refusal.message(language),
            hint: refusal.hint(language),
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
    /// The proxy that its tokens go through.
    pub proxy: Option<String>,
    /// The certificate authority that its kubeconfig brings: a file, or the beginning of a digest. Another one at the same
    /// address is another server.
    pub authority: Option<String>,
    /// The name that its certificate must have, if not the address's.
    pub server_name: Option<String>,
    /// Its certificate is not checked.
    pub skips_tls: bool,
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
    /// Whether somebody waits for it; if not, whoever asked was refused, since nobody could answer.
    pub waits: bool,
    /// What the account is called.
    pub account: String,
    /// Whose it is, where that is known.
    pub who: Option<String>,
    /// Its issuer.
    pub issuer: String,
    /// Its client id.
    pub client_id: String,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// Who vouches for the issuer, beside those whom the system trusts.
    pub vouched: Vouched,
    /// The servers that the request needs; all of them are approved together.
    pub servers: Vec<ServerLine>,
    /// The file's other servers of this account, to be ticked.
    pub others: Vec<ServerLine>,
    /// How many more of them there are, which are asked about when they are needed.
    pub more: usize,
    /// The program that asked.
    pub asker: String,
    /// The file that names the servers.
    pub file: Option<String>,
    /// Nobody uses an account at this issuer: it may be anybody's.
    pub new_issuer: bool,
    /// In what it would have the person sign in otherwise than was approved.
    pub changes: Vec<Change>,
    /// The longest that a yes may hold.
    pub longest: Longest,
    /// Where the servers can't be seen, those that the files of whoever asks name: no evidence.
    pub claims: Vec<String>,
}

impl QuestionView {
    /// Who would be known to the servers: a person where one is known, else the account.
    #[must_use]
    pub(crate) fn who(&self) -> &str {
        self.who.as_ref().unwrap_or(&self.account)
    }

    /// That a question about these servers waits, and how to answer it; the account in so many characters.
    #[must_use]
    pub(crate) fn waits(&self, servers: String, most: usize, language: Language) -> String {
        let parameters = [
            ("servers", servers),
            ("account", shortened(self.who(), most)),
            ("name", self.name.clone()),
        ];
        let key = if self.in_window {
            "tray.question-in-window"
        } else {
            "tray.question"
        };
        text(language, key, &parameters)
    }

    /// Its first servers in a line, and how many more there are.
    #[must_use]
    pub(crate) fn servers_line(&self, language: Language) -> String {
        crate::question::servers_line(&self.servers, language)
    }

    /// Its servers where there is hardly room for one: the first, by its host.
    #[must_use]
    pub(crate) fn servers_briefly(&self, most: usize, language: Language) -> String {
        let brief = |line: &ServerLine| {
            let shown = match line.server.split_once("://") {
                Some((_, rest)) => address(rest, most),
                None => shortened(&line.server, most),
            };
            shown.trim_end_matches('/').to_owned()
        };
        let first: Vec<String> = self.servers.iter().take(1).map(brief).collect();
        listed(&first, self.servers.len() - first.len(), language)
    }
}

/// What whoever sent a command from tray or window is told of it, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Told {
    /// It is done.
    Done,
    /// A provider answers, and this is what it announces.
    Provider {
        /// PKCE.
        pkce: bool,
        /// Revocation of tokens.
        revocation: bool,
        /// An end of its own session.
        end_session: bool,
    },
    /// The account that was to be added.
    Added {
        /// Its id.
        account: String,
        /// It was there already.
        known: bool,
        /// How a kubeconfig uses it.
        stanza: KubeconfigUser,
    },
    /// Somebody is signed out, and this is what that came to.
    SignedOut {
        /// Revocation of the tokens.
        revocation: StepView,
        /// The end of the provider's own session, where that was asked for.
        provider_session: Option<StepView>,
    },
    /// An account is removed.
    Removed {
        /// The contexts that still name it: a question from there makes it again.
        contexts: Vec<String>,
        /// Revocation of its tokens; none: it had none.
        revocation: Option<StepView>,
    },
    /// How a kubeconfig uses an account.
    Stanza {
        /// How.
        stanza: KubeconfigUser,
    },
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
