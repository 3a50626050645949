//! What can happen, and what the world must do about it.

use std::sync::Arc;

pub use crate::accounts::account::{AtRest, KeptAccount, Restored};
pub use crate::callers::claims::SettleId;
pub use crate::pair::{Candidate, Servers};
pub use crate::question::QuestionId;
pub use crate::show::reply::Reply;

use crate::account::{AccountId, AccountKey, ClientSettings};
use crate::accounts::waiters::CallerId;
use crate::asker::{Asker, Desktop, Endpoint, ProcessId};
use crate::command::{Invocation, ScreenName, Which};
use crate::consent::trust::Approval;
use crate::credential::ExecVersion;
use crate::kubeconfigs::contexts::{ContextCommand, Edit};
use crate::kubeconfigs::found::Files;
use crate::pair::Pair;
use crate::problem::Problem;
use crate::question::Answer;
use crate::secret::ClientSecret;
use crate::settings::{Choice, Keep, Settings};
use crate::show::notes::Note;
use crate::show::view::View;
use crate::surroundings::plugin::Plugin;
use crate::transaction::{
    Announced, AttemptId, DiscoverRequest, Forget, RefreshOutcome, RefreshRequest, SignInOutcome,
    SignInRequest, SignOutOutcome, SignOutRequest, Taken,
};

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A credential plugin wants a token.
    Asked(Box<Ask>),
    /// A person's command.
    Commanded(Box<Commanded>),
    /// A person's command about contexts.
    Contexts(Box<ContextCommand>),
    /// The kubeconfigs that are looked at are others now.
    FilesChanged(Box<Files>),
    /// Whose plugin comes first on PATH was looked up; none: that is not to be told.
    Plugin(Option<Plugin>),
    /// A change of a kubeconfig ended: with the current context that it had before.
    Edited(Box<Edit>, Result<Option<String>, Problem>),
    /// What a caller said could not be understood, or not be looked into.
    Refused(CallerId, Problem),
    /// A line was typed after a prompt.
    Typed(CallerId, String),
    /// A caller hung up.
    Gone(CallerId),
    /// Somebody answered the question on our page.
    AnsweredOnPage(QuestionId, Answer, Vec<usize>),
    /// A page that asked one question alone is over without an answer, and why it was not asked; none: nobody answered
    /// in time.
    Unanswered(QuestionId, Option<Problem>),
    /// The window can't be shown, or ended.
    NoWindow,
    /// A refresh ended.
    Refreshed(AccountId, AttemptId, RefreshOutcome),
    /// Somebody has signed in to this account, and this is the origin where they did.
    SignedInAt(AccountId, AttemptId, String),
    /// A sign-in ended.
    SignedIn(AccountId, AttemptId, SignInOutcome),
    /// A sign-out ended.
    SignedOut(AccountId, AttemptId, SignOutOutcome),
    /// What rested of an account is forgotten, or still rests.
    Forgotten(AccountId, Result<(), Problem>),
    /// All that was to be written down or forgotten is so at rest; or why what is to be written down is not.
    Settled(SettleId, Option<Problem>),
    /// The vault gave what it has, and says how it rests. What waits for that goes on.
    Loaded(Vec<Restored>, Keep),
    /// Tokens rest otherwise than they did.
    Rests(Keep),
    /// The first start ever: what stands in the person's own kubeconfig.
    FirstStart(Vec<Found>),
    /// The settings were read.
    Settings(Settings),
    /// A provider was looked at.
    Discovered(CallerId, Result<Announced, Problem>),
    /// Everything at rest is gone, but for what these say.
    WasReset(Vec<Problem>),
    /// Kubefob is started with the desktop, or is not: the system's own word.
    Autostart(bool),
    /// A setting was written, or could not be.
    Chosen(CallerId, Result<(), Problem>),
    /// What is wrong with this resident itself, all of it: shown until the next such event says otherwise.
    Noticed(Vec<Problem>),
    /// A graphical login came, went, or was locked or unlocked.
    Desktop(Desktop),
    /// The desktop shows the tray's icon, or has no place for it.
    TrayHost(bool),
    /// A process that something was said for ended.
    Ended(ProcessId),
    /// The computer woke up.
    Resumed,
    /// The network changed.
    NetworkChanged,
    /// Something is due.
    Timeout,
}

impl Event {
    /// Who wants something by it.
    pub(crate) fn asks(&self) -> Option<CallerId> {
        if let Self::Asked(ask) = self {
            Some(ask.caller)
        } else if let Self::Commanded(commanded) = self {
            Some(commanded.caller)
        } else if let Self::Contexts(command) = self {
            Some(command.caller)
        } else {
            None
        }
    }

    /// Who waits for it to be handled, where that needs to know which tokens there are.
    pub(crate) fn waits_for_the_vault(&self) -> Option<CallerId> {
        let waits = if let Self::Commanded(commanded) = self {
            commanded.invocation.needs_tokens()
        } else if let Self::Contexts(command) = self {
            command.wish.needs_tokens()
        } else {
            matches!(self, Self::Asked(_))
        };
        self.asks().filter(|_| waits)
    }
}

/// What the world must do.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Say this to a caller.
    Reply(CallerId, Reply),
    /// Renew tokens: note the attempt, send, seal, report once.
    Refresh(AttemptId, Box<RefreshRequest>),
    /// Sign in: from the listener to the sealed tokens.
    SignIn(Box<SignIn>),
    /// Say to the page that asked what became of the answer that was given there.
    Taken(QuestionId, Taken),
    /// Ask one question on our page, without a sign-in; a page that asks it already is over.
    AskPage(QuestionId, Box<AskPage>),
    /// Show the window with the questions that are asked there.
    AskWindow,
    /// Show the window, at this screen of it, and say to this caller whether it shows.
    Open(CallerId, Option<ScreenName>),
    /// Tell a caller the address of a start page of its own.
    Tell(AttemptId, CallerId, Address),
    /// Open another start page of a sign-in that is under way.
    OpenAgain(AttemptId),
    /// Give an attempt up.
    Cancel(AttemptId),
    /// End tokens at the provider, after whatever is under way for that account.
    SignOut(AttemptId, Box<SignOutRequest>),
    /// Forget what rests of an account.
    Forget(AccountId, Forget),
    /// Keep a client secret, where none is kept of that account.
    KeepSecret(Box<AccountKey>, ClientSecret),
    /// Write down accounts and trust.
    Keep(Box<Kept>),
    /// Say once all that was to be kept or forgotten before this is so at rest, or why it is not.
    Settle(SettleId),
    /// Change a kubeconfig: lock, read, edit, write, report once.
    Edit(Box<Edit>),
    /// Look at a provider, and say to the broker what it announces.
    Discover(CallerId, Box<DiscoverRequest>),
    /// Write a setting down, and say to this caller how that went.
    Choose(CallerId, Choice),
    /// Know these kubeconfigs: what is in them may be shown and offered from now on.
    Know(Arc<[String]>),
    /// Look out for the end of a process.
    Watch(ProcessId),
    /// Show this.
    Show(Box<View>),
    /// Delete all that rests, then end; this caller is told.
    Reset(CallerId),
    /// Tell a person this, now.
    Note(Box<Note>),
}

/// A credential plugin's question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// By which number it is answered.
    pub caller: CallerId,
    /// Who asks.
    pub asker: Asker,
    /// Of which account.
    pub account: Which,
    /// In which version to answer.
    pub version: ExecVersion,
    /// Whether a client library runs the plugin, as client-go does: it says so by KUBERNETES_EXEC_INFO, and keeps what it
    /// is given until the expiry that it is told.
    pub by_client: bool,
    /// For which servers, as far as the resident found out.
    pub servers: Arc<Servers>,
    /// The asker's kubeconfigs, by their paths, as far as they are in sight.
    pub files: Arc<[String]>,
}

/// A person's command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commanded {
    /// By which number it is answered.
    pub caller: CallerId,
    /// Who asks.
    pub asker: Asker,
    /// The way by which it came.
    pub endpoint: Endpoint,
    /// What for.
    pub invocation: Invocation,
}

/// A context of the person's own kubeconfig that uses us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The account that its flags make.
    pub key: AccountKey,
    /// What its flags say besides.
    pub settings: ClientSettings,
    /// Its server, and the contexts that lead there.
    pub candidate: Candidate,
    /// The file.
    pub file: String,
}

/// When the address of a start page is worth a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Only where no browser shows the page.
    IfNotShown,
    /// Whatever a browser shows.
    Wanted,
}

/// A sign-in to perform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Its number.
    pub attempt: AttemptId,
    /// What the provider part needs.
    pub request: SignInRequest,
    /// Whether a browser is opened.
    pub open_browser: bool,
    /// The question on its page, by number.
    pub question: Option<QuestionId>,
}

/// A question that is asked on our page alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskPage {
    /// As for a sign-in, which is not made; its `question` is there.
    pub request: SignInRequest,
}

/// What is written down, without secrets.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// The accounts.
    pub accounts: Vec<KeptAccount>,
    /// The pairs that are trusted for good.
    pub trusts: Vec<(Pair, Approval)>,
    /// Whether a person was told that no icon shows.
    #[serde(default)]
    pub told_of_no_tray: bool,
    /// The kubeconfigs that askers had, the newest first.
    #[serde(default)]
    pub files: Vec<String>,
}

impl Kept {
    /// What is trusted for good; and, where servers that can't be seen were among it, that this is over.
    pub(crate) fn trusts(&self) -> (Vec<(Pair, Approval)>, Option<Problem>) {
        let unseen = self
            .trusts
            .iter()
            .filter(|(pair, _)| !pair.server.is_seen());
        let unseen = unseen.count();
        let dropped = (unseen > 0).then_some(Problem::UnseenDropped { count: unseen });
        (with_manners(self.trusts.clone(), &self.accounts), dropped)
    }
}

/// What an earlier version wrote down says nothing of ways to sign in: each pair was approved with its account's.
fn with_manners(
    mut trusts: Vec<(Pair, Approval)>,
    accounts: &[KeptAccount],
) -> Vec<(Pair, Approval)> {
    for account in accounts {
        let manner = account.manner();
        let id = account.key.id();
        let of_it = |(pair, approval): &&mut (Pair, Approval)| {
            pair.account == id && approval.manners.is_empty()
        };
        for (_, approval) in trusts.iter_mut().filter(of_it) {
            approval.manners.push(manner.clone());
        }
    }
    trusts
}
