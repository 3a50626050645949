//! All that can go wrong, in one table: what it means, its variant with its fields, its name.

use serde::{Deserialize, Serialize};

use crate::short;
use crate::texts::Parameters;

/// What a text names, as it stands in one.
trait Field {
    /// As people read it.
    fn shown(&self) -> String;
}

impl Field for String {
    fn shown(&self) -> String {
        self.clone()
    }
}

/// What follows another field, where there is something: it brings the space between them.
impl Field for Option<String> {
    fn shown(&self) -> String {
        self.as_ref()
            .map_or_else(String::new, |it| format!(" {it}"))
    }
}

/// How many.
impl Field for usize {
    fn shown(&self) -> String {
        short::count(*self)
    }
}

/// An HTTP status.
impl Field for u16 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

/// A bound.
impl Field for u64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $variant:ident $({ $($field:ident: $type:ty),* $(,)? })? = $name:literal,
    )*) => {
        /// What went wrong, with the fields that its texts name.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Problem {
            $($(#[$doc])* $variant $({ $(
                #[doc = concat!("What its texts name `{", stringify!($field), "}`.")]
                $field: $type,
            )* })?,)*
        }

        /// Every kind of thing that can go wrong. Its name is part of the contract with tray,
        /// window and scripts; its texts stand in `texts/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        pub enum Code { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that people copy out of an error.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl Problem {
            /// A problem of a code with fields that say nothing.
            #[cfg(test)]
            pub(super) fn of_code(code: Code) -> Self {
                match code {
                    $(Code::$variant => Self::$variant $({ $($field: Default::default(),)* })?,)*
                }
            }

            /// What kind of thing went wrong.
            #[must_use]
            pub fn code(&self) -> Code {
                match self { $(Self::$variant { .. } => Code::$variant,)* }
            }

            /// What its texts name, but for what it is about.
            pub(super) fn fields(&self) -> Parameters {
                match self {
                    $(Self::$variant $({ $($field),* })? => vec![
                        $($((stringify!($field), $field.shown()),)*)?
                    ],)*
                }
            }
        }
    };
}

codes! {
    // What was asked
    /// A flag that we do not know.
    UnknownFlag { flag: String } = "unknown-flag",
    /// A flag that we do not know and that looks like one that we do.
    UnknownFlagNear { flag: String, near: String } = "unknown-flag-near",
    /// A flag of the other program that is called kubelogin.
    FlagOfAzure { flag: String } = "flag-of-azure",
    /// A flag of kubelogin that a later release will know.
    FlagNotYet { flag: String } = "flag-not-yet",
    /// A flag that kubelogin dropped.
    FlagDropped { flag: String, instead: String } = "flag-dropped",
    /// A flag that kubelogin dropped and that nothing needs to replace.
    FlagDroppedKeyring { flag: String } = "flag-dropped-keyring",
    /// A flag without its value.
    FlagNoValue { flag: String } = "flag-no-value",
    /// A value that is none of those there are.
    FlagChoice { flag: String, choices: String } = "flag-choice",
    /// A value of the wrong form. The value itself is not named: it may be a secret that went astray.
    FlagForm { flag: String, example: String } = "flag-form",
    /// A number that is none, or out of bounds.
    FlagRange { flag: String, least: u64, most: u64 } = "flag-range",
    /// Two flags that do not go together.
    FlagBeside { flag: String, other: String } = "flag-beside",
    /// A mandatory flag is missing.
    FlagMissing { flag: String } = "flag-missing",
    /// A word where only flags may stand.
    StrayWord { word: String } = "stray-word",
    /// A command that we do not know.
    UnknownCommand { command: String } = "unknown-command",
    /// A command of kubelogin that a later release will know.
    CommandNotYet { command: String, instead: String } = "command-not-yet",
    /// A flag or word that a `kubectl fob` command does not take.
    NotUnderstood { command: String, word: String } = "not-understood",
    /// A `kubectl fob` command without something that it needs.
    Incomplete { command: String, missing: String } = "incomplete",
    /// A person's command, run as a credential plugin.
    PluginVerb { command: String } = "plugin-verb",
    /// A person's command, run in a container, or where it can't be told that it isn't.
    NotInContainers = "not-in-containers",
    /// An argument that is not UTF-8. `number` is counted from one.
    NotUtf8 { number: usize } = "not-utf8",
    /// KUBERNETES_EXEC_INFO is not what client-go writes.
    ExecInfo { reason: String } = "exec-info",
    /// An ExecCredential version that we do not speak.
    ExecVersion { version: String } = "exec-version",
    /// No account of that name.
    NoSuchAccount { name: String } = "no-such-account",
    /// Several accounts would fit.
    WhichAccount { names: String } = "which-account",
    /// Another account has that name already.
    LabelTaken { name: String } = "label-taken",
    /// An account stays, since nobody said that it is to go.
    NotRemoved = "not-removed",
    /// A field that is empty, too long or has characters that nobody can see.
    BadField { field: String } = "bad-field",
    /// What somebody typed as a provider's address is none.
    IssuerForm = "issuer-form",
    /// No trust of that name.
    NoSuchTrust { name: String } = "no-such-trust",
    /// No context of that name.
    NoSuchContext { name: String } = "no-such-context",
    /// No context of that name, but others that contain it.
    NoSuchContextNear { name: String, near: String } = "no-such-context-near",
    /// The account of the current context is none that anybody was asked about.
    ContextNotAsked { context: String } = "context-not-asked",
    /// A kubeconfig's lock is held. `path` is the lock's.
    KubeconfigLocked { path: String } = "kubeconfig-locked",
    /// A kubeconfig that is not changed.
    KubeconfigNotChanged { path: String, reason: String } = "kubeconfig-not-changed",
    /// A switch of ours that another program undid.
    SwitchUndone { path: String, previous: String, context: String } = "switch-undone",

    // Who may
    /// A pair that is not trusted, and nobody to ask.
    NotTrusted { server: String, account: String, command: String } = "not-trusted",
    /// The same, of a server that can't be seen: it can be allowed where somebody can be asked.
    NotTrustedUnseen { account: String } = "not-trusted-unseen",
    /// The same, from a container.
    NotTrustedContainer { account: String, command: String } = "not-trusted-container",
    /// An answer that would hold longer than is allowed for a server that can't be seen.
    NotForGood = "not-for-good",
    /// A person closed the question without an answer.
    QuestionClosed { server: String, account: String } = "question-closed",
    /// Nobody answered the question in time.
    QuestionUnanswered {
        server: String,
        account: String,
        command: String,
    } = "question-unanswered",
    /// The same, of a server that can't be seen.
    QuestionUnansweredUnseen { account: String } = "question-unanswered-unseen",
    /// Nobody answered in time whether a trusted pair may have another way to sign in.
    SettingsUnanswered {
        account: String,
        settings: String,
        command: String,
    } = "settings-unanswered",
    /// A question that is over: it was answered elsewhere.
    QuestionOver = "question-over",
    /// A question that is over, since the program that asked has ended.
    AskerEnded = "asker-ended",
    /// A question that stands on a page or on another terminal already.
    AskedElsewhere = "asked-elsewhere",
    /// No question of that name waits.
    NoSuchQuestion { name: String } = "no-such-question",
    /// No question waits at all.
    NoQuestion = "no-question",
    /// Several questions wait, and none was named.
    WhichQuestion { count: usize } = "which-question",
    /// Approvals for servers that can't be seen, which an older version kept for good, are over.
    UnseenDropped { count: usize } = "unseen-dropped",
    /// A person said no to this pair.
    TrustRefused { account: String, server: String } = "trust-refused",
    /// A person said no to a server that can't be seen.
    TrustRefusedUnseen { account: String } = "trust-refused-unseen",
    /// The servers of this request can't be told apart and one was refused.
    TrustRefusedSeveral { server: String, account: String } = "trust-refused-several",
    /// The request may be for more servers than a person can be asked about at once.
    TooManyServers { count: usize, account: String } = "too-many-servers",
    /// A trusted pair, and a way to sign in that was not approved with it.
    SettingsNotAllowed {
        account: String,
        settings: String,
        command: String,
    } = "settings-not-allowed",
    /// A person said no to this way to sign in.
    SettingsRefused { account: String, settings: String } = "settings-refused",
    /// As many questions wait as may.
    TooManyWait = "too-many-wait",
    /// The asker is shell completion, which never asks.
    CompletionNeverAsks = "completion-never-asks",

    // What the provider or the network did
    /// No connection to the provider.
    Unreachable { host: String, reason: String } = "unreachable",
    /// TLS at the provider failed.
    TlsFailed { host: String, reason: String } = "tls-failed",
    /// TLS failed, and the asker sets SSL_CERT_FILE, which is not used.
    TlsFailedOwnCa { host: String, reason: String } = "tls-failed-own-ca",
    /// The provider answered, but with a fault of its own.
    ProviderFault { host: String, answer: String } = "provider-fault",
    /// A reply was due and did not come, or was not readable.
    LostReply { reason: String } = "lost-reply",
    /// The provider was not reached in the time that a waiting command has.
    TakesTooLong = "takes-too-long",
    /// The issuer is not https (loopback apart).
    NotHttps { url: String } = "not-https",
    /// A URL from the provider that we do not follow.
    BadUrl { url: String, reason: String } = "bad-url",
    /// Discovery names another issuer.
    WrongIssuer { found: String, expected: String } = "wrong-issuer",
    /// Discovery would have codes and refresh tokens sent elsewhere than where people sign in. The last two are
    /// origins.
    TokensElsewhere { issuer: String, authorization: String, token: String } = "tokens-elsewhere",
    /// Discovery would have people sign in at another account's provider, and its redirects don't name the issuer.
    /// `authorization` is an origin, `other` that account's issuer.
    SignInElsewhere { issuer: String, authorization: String, other: String } = "sign-in-elsewhere",
    /// Discovery would have tokens ended elsewhere than where they come from. The last two are origins.
    EndElsewhere { issuer: String, endpoint: String, token: String } = "end-elsewhere",
    /// There is no OpenID provider at this address.
    NoDiscovery { url: String, status: u16 } = "no-discovery",
    /// Discovery can't be understood.
    BadDiscovery { url: String, reason: String } = "bad-discovery",
    /// The provider does not know this client or its secret.
    ClientRefused { client: String, error: String } = "client-refused",
    /// The provider refuses the request.
    RequestRefused {
 error: String,
 description: Option<String> } = "request-refused",
    /// A reply without an ID token.
    NoIdToken { host: String } = "no-id-token",
    /// A token that does not check.
    BadToken { reason: String } = "bad-token",
    /// The provider ended the session. `reason` is its own word.
    SessionEnded { reason: String } = "session-ended",
    /// The session ended after a reply of the provider's was lost.
    SessionEndedAfterLostReply { reason: String } = "session-ended-after-lost-reply",
    /// The bearer token ran out and there is no refresh token.
    NoRefreshToken = "no-refresh-token",
    /// The provider renews the session without ID tokens.
    RefreshWithoutIdToken = "refresh-without-id-token",

    // Signing in
    /// Nobody has signed in yet.
    NotSignedIn = "not-signed-in",
    /// A person signed out.
    SignedOut = "signed-out",
    /// Nobody finished the sign-in in time.
    SignInTimedOut { redirect: String } = "sign-in-timed-out",
    /// A sign-in was begun, and then the provider was not reached.
    SignInBrokeOff { host: String, reason: String } = "sign-in-broke-off",
    /// The sign-in was cancelled.
    SignInCancelled = "sign-in-cancelled",
    /// The person, or the provider, refused.
    SignInRefused {
 error: String,
 description: Option<String> } = "sign-in-refused",
    /// Every listen address is taken.
    PortsTaken { addresses: String } = "ports-taken",
    /// The first listen address was taken and another is used.
    OtherPort { redirect: String } = "other-port",
    /// The listen address is not loopback.
    ListenNotLoopback { address: String } = "listen-not-loopback",
    /// No desktop to show the window on.
    NoDesktop = "no-desktop",
    /// The window has no such screen.
    NoSuchScreen = "no-such-screen",
    /// A person thought better of a reset.
    NotReset = "not-reset",
    /// Starting with the desktop can't be switched.
    AutostartFailed { path: String, reason: String } = "autostart-failed",
    /// The desktop's screen is locked: no window is shown there.
    ScreenLocked = "screen-locked",
    /// A view is too large for a window, and is sent to it cut.
    TooMuchToShow = "too-much-to-show",
    /// The window can't be shown.
    NoWindow { reason: String } = "no-window",
    /// A browser could not be opened.
    NoBrowser { reason: String } = "no-browser",
    /// The callback's state, cookie, host or issuer is not ours.
    ForeignCallback { reason: String } = "foreign-callback",
    /// Another person signed in than before.
    OtherPerson { now: String, before: String } = "other-person",
    /// A start page that was visited by another browser.
    TicketUsed = "ticket-used",
    /// A page was opened by a program of which it can't be told whose it is.
    VisitorUnknown = "visitor-unknown",
    /// `--oidc-pkce-method=no` where PKCE could be had.
    PkceNeeded = "pkce-needed",

    // This computer
    /// A file that can't be used.
    BadFile { path: String, reason: String } = "bad-file",
    /// A kubeconfig of the asker's that kubectl could not load either.
    BadKubeconfig { path: String, reason: String } = "bad-kubeconfig",
    /// A kubeconfig that just now can't be looked at: too many open files, no memory, a disk that does not answer.
    CannotLook { path: String, reason: String } = "cannot-look",
    /// Tokens can't be written.
    CannotKeep { path: String, reason: String } = "cannot-keep",
    /// A setting can't be written.
    SettingsUnwritten { path: String, reason: String } = "settings-unwritten",
    /// Something that was to be forgotten can't be removed.
    CannotForget { path: String, reason: String } = "cannot-forget",
    /// What was done is not written down.
    OnlyUntilEnd { path: String, reason: String } = "only-until-end",
    /// Accounts and trust can't be written down.
    AccountsUnwritten { path: String, reason: String } = "accounts-unwritten",
    /// Accounts and trust were set aside, since they could not be used.
    AccountsSetAside { path: String, reason: String, aside: String } = "accounts-set-aside",
    /// Accounts and trust were there once and are gone.
    AccountsLost { path: String } = "accounts-lost",
    /// Accounts and trust can't be used, nor be set aside.
    AccountsUnused { path: String, reason: String } = "accounts-unused",
    /// The keyring is locked.
    KeyringLocked = "keyring-locked",
    /// There is no keyring.
    NoKeyring = "no-keyring",
    /// The keyring has no key for sealed tokens that exist.
    KeyLost = "key-lost",
    /// A sealed file is damaged.
    VaultDamaged { path: String } = "vault-damaged",
    /// The settings file is of a newer version, or not readable.
    BadSettings { path: String, reason: String } = "bad-settings",
    /// There is no log.
    NoLog { path: String, reason: String } = "no-log",
    /// Another program was installed, and this one goes on since its tokens would be lost.
    UpgradeWaits = "upgrade-waits",
    /// Another program was installed and can't take over.
    UpgradeFailed { path: String, reason: String } = "upgrade-failed",
    /// The resident was told to end while this waited.
    Ending = "ending",
    /// Too many questions at once.
    Busy = "busy",
    /// The client speaks a protocol that we do not.
    BadClient = "bad-client",
    /// Something that must not happen.
    Internal { reason: String } = "internal",
}
