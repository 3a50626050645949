//! What can happen, and what the world must do about it.

use std::sync::Arc;

use crate::account::{AccountId, AccountKey, ClientSettings};
use crate::asker::{Asker, Desktop, Endpoint, ProcessId};
use crate::clock::Wall;
use crate::command::{Invocation, ScreenName, Which};
use crate::contexts::{ContextCommand, Edit};
use crate::credential::{ExecVersion, TokenFacts};
use crate::found::Files;
use crate::manner::Rest;
use crate::notes::Note;
use crate::outcome::{
    Announced, AttemptId, DiscoverRequest, Forget, RefreshOutcome, RefreshRequest, SignInOutcome,
    SignInRequest, SignOutOutcome, SignOutRequest, Taken,
};
use crate::plugin::Plugin;
use crate::problem::{Problem, Refusal};
use crate::secret::{BearerToken, ClientSecret};
use crate::session::Loss;
use crate::settings::{Choice, Keep, Settings};
use crate::tokens::Tokens;
use crate::trust::{Answer, Approval, Pair, Server};
use crate::view::{AskedView, Told, View};
use crate::waiters::CallerId;

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
    Answered(CallerId, String),
    /// A caller hung up.
    Gone(CallerId),
    /// Somebody answered the question on our page.
    Approved(QuestionId, Answer, Vec<usize>),
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
    /// The vault gave what it has.
    Loaded(Vec<Restored>, Keep),
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
    /// For which servers, as far as the resident found out.
    pub servers: Arc<Servers>,
    /// The asker's kubeconfigs, by their paths, as far as they are in sight.
    pub files: Arc<[String]>,
}

/// The servers that a question may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// All of these must be trusted.
    pub needed: Vec<Candidate>,
    /// The file set's other servers that use the account.
    pub others: Vec<Candidate>,
    /// Where that can't be believed, the addresses that whoever asks has in its own files. They word the question.
    pub claims: Vec<String>,
}

/// A server and the contexts that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The server.
    pub server: Server,
    /// Names of contexts.
    pub contexts: Vec<String>,
    /// The kubeconfig that names it.
    pub file: Option<String>,
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

/// What the vault had of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Whose.
    pub key: AccountKey,
    /// What.
    pub at_rest: AtRest,
}

/// What rests of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtRest {
    /// Tokens, and whether a refresh was noted and not followed by a reply.
    Tokens(Tokens, Loss),
    /// The client secret alone: nobody is signed in.
    Secret(ClientSecret),
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

/// What a caller is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// For standard output.
    Out(String),
    /// A credential, for standard output.
    Credential(ExecVersion, BearerToken, Wall),
    /// The token for a person, for standard output: alone, or with what there is to say of it.
    Token(BearerToken, Option<TokenFacts>),
    /// What was asked for: data for tray and window, for standard output in words.
    Outcome(Box<Told>, String),
    /// What happens meanwhile, for standard error.
    Say(String),
    /// What is wrong.
    Refused(Box<Refusal>),
    /// A question to be answered with one line.
    Prompt(String),
    /// The same, and what is typed is not shown.
    Secret(String),
    /// The end, with an exit code.
    Done(u8),
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

/// A question that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

/// Something that is told once it is at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettleId(pub u64);

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

/// An account as it is written down.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KeptAccount {
    /// What it is.
    pub key: AccountKey,
    /// What people call it.
    pub label: String,
    /// Where it listens.
    pub listen: Vec<crate::account::ListenAddress>,
    /// Its fixed redirect URI.
    pub redirect_url: Option<String>,
    /// How else it signs in; none: an earlier version wrote this.
    #[serde(default)]
    pub rest: Option<Rest>,
    /// Whether a person signed it out.
    pub signed_out: bool,
    /// Whether a kubeconfig uses it.
    pub named: bool,
    /// Whether a person added it.
    #[serde(default)]
    pub added: bool,
    /// Who was seen to be given a token of it, and when; of many one is noted now and then.
    #[serde(default)]
    pub asked: Option<AskedView>,
    /// Who was signed in last (`sub`), until a person signs out. No secret.
    #[serde(default)]
    pub subject: Option<String>,
    /// The origin where they signed in last.
    #[serde(default)]
    pub signed_in_at: Option<String>,
    /// What they are called.
    #[serde(default)]
    pub name: Option<String>,
}
