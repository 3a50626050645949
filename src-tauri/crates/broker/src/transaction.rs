//! How each transaction with a provider can end. `provider` gives these, the session acts on them.

use crate::account::{AccountId, AccountKey, ClientSettings};
use crate::clock::Wall;
use crate::problem::{About, Code, Problem};
use crate::tokens::Tokens;

/// A refresh (RFC 6749 section 6), from the note in the vault to the sealed reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// New tokens, checked and at rest.
    Refreshed(Tokens),
    /// The provider renewed the session but gave no ID token (OIDC Core section 12.2 allows it):
    /// the session goes on, a token for kubectl does not.
    WithoutIdToken {
        /// The session's tokens with the newest refresh token.
        tokens: Tokens,
    },
    /// The provider was not reached, or said that it could not now: the refresh token was not
    /// used up.
    Unreachable(Problem),
    /// The request was sent and no reply came that could be read: the provider may have used the
    /// refresh token up.
    LostReply(Problem),
    /// The provider ended the session (`invalid_grant`).
    Ended(Problem),
    /// The provider refuses this client or this request, whoever asks; an administrator must act.
    Blocked(Problem),
}

/// A sign-in, from the listener to the sealed tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// Tokens, checked and at rest.
    SignedIn(Tokens),
    /// Somebody said no, or nobody answered: no further page until a person asks.
    Declined(Problem),
    /// The provider was not reached.
    Unreachable(Problem),
    /// The provider refuses this client or this request, or this computer can't do it.
    Blocked(Problem),
}

impl SignInOutcome {
    /// Whether an answer to the question on its page ended it: it says nothing of the account then.
    pub(crate) fn is_by_an_answer(&self) -> bool {
        const ANSWERED: [Code; 3] = [Code::TrustRefused, Code::QuestionOver, Code::AskerEnded];
        matches!(self, Self::Declined(problem) if ANSWERED.contains(&problem.code()))
    }
}

/// What became of an answer that was given on our page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It counts, and what it says for good is at rest.
    Counted,
    /// It counts until Kubefob ends: it is not at rest, and this is why.
    UntilEnd(Problem),
    /// There was nothing left to answer: it was answered elsewhere.
    Settled,
    /// The program that asked has ended: nothing came of it.
    AskerEnded,
}

/// What became of a sign-out, in facts to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOutOutcome {
    /// RFC 7009 revocation of the refresh token.
    pub revocation: Step,
    /// The provider's own session, where that was asked for.
    pub provider_session: Option<Step>,
}

/// What became of one step of a sign-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The provider did it.
    Done,
    /// There was nothing to do it with: no refresh token.
    Nothing,
    /// The provider announces no way to do it.
    NotOffered,
    /// It failed, and this is why.
    Failed(Problem),
}

/// One try to renew an account's tokens, or to sign in to it. Each has a number of its own, so
/// that a reply that comes late is known for what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u64);

/// All that a refresh needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshRequest {
    /// Whose tokens.
    pub account: AccountId,
    /// The account's key, for issuer, client and TLS.
    pub key: AccountKey,
    /// Proxies and so on, and the client secret to use; where it works it becomes the new tokens'.
    pub settings: ClientSettings,
    /// The tokens to renew; they have a refresh token.
    pub tokens: Tokens,
}

/// All that a sign-in needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRequest {
    /// Whose tokens.
    pub account: AccountId,
    /// The account's key, for issuer, client, scopes and TLS.
    pub key: AccountKey,
    /// Client secret, listen addresses, proxies and so on.
    pub settings: ClientSettings,
    /// A client secret that already worked, to be tried where the one in `settings` does not. The
    /// one that the provider accepts becomes the tokens'.
    pub known_secret: Option<crate::secret::ClientSecret>,
    /// Who was signed in before (`sub`): another one is an identity that a person must confirm.
    pub expected_subject: Option<String>,
    /// The origin where they did, which they need not be told again; none: it is not known.
    pub signed_in_at: Option<String>,
    /// The issuers of the person's other accounts: a sign-in at one of theirs is not this one's.
    pub other_issuers: Vec<String>,
    /// What the page asks before anything goes to the provider; none: the pair is trusted.
    pub question: Option<crate::question::Question>,
    /// What a page says that a problem is about.
    pub about: About,
    /// The language of the pages.
    pub language: crate::texts::Language,
    /// Whether a provider's page may be shown at all; `Silent` sends `prompt=none`.
    pub prompt: Prompting,
}

/// Whether the provider may show a page (OIDC Core section 3.1.2.1, `prompt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompting {
    /// As the provider sees fit.
    Allowed,
    /// `prompt=none`: the provider's own session must do.
    Silent,
}

/// A look at a provider, without consequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoverRequest {
    /// Issuer and TLS; nothing else of it is said to anybody.
    pub key: AccountKey,
    /// The ways to it.
    pub settings: ClientSettings,
}

/// What a provider announces, where it matters to whoever adds an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// PKCE with S256 (RFC 7636).
    pub pkce: bool,
    /// Revocation (RFC 7009).
    pub revocation: bool,
    /// An end of its own session (OIDC RP-Initiated Logout).
    pub end_session: bool,
}

/// A sign-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOutRequest {
    /// Whose tokens.
    pub account: AccountId,
    /// The account's key.
    pub key: AccountKey,
    /// Client secret, proxies and so on.
    pub settings: ClientSettings,
    /// The tokens to end.
    pub tokens: Option<Tokens>,
    /// End the provider's session too (OIDC RP-Initiated Logout, on the back channel).
    pub everywhere: bool,
    /// What goes from the disk.
    pub forget: Forget,
    /// When it was asked for.
    pub at: Wall,
}

/// How much of what rests of an account is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// The tokens. The client secret stays: the next sign-in needs it, also after a restart.
    Tokens,
    /// The client secret too.
    Everything,
}
