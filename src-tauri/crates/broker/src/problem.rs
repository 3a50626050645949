//! What went wrong, as a code with parameters. The message and the hint are texts, made when
//! somebody is there to read them.

use serde::{Deserialize, Serialize};

use crate::short;
use crate::texts::{Language, Parameters, clean, text};

/// What went wrong: a code that programs branch on, and what to fill into its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing went wrong.
    pub code: Code,
    /// What the texts of that code name.
    pub parameters: Parameters,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
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
    };
}

codes! {
    // What was asked
    /// A flag that we do not know; `flag`.
    UnknownFlag = "unknown-flag",
    /// A flag that we do not know and that looks like one that we do; `flag`, `near`.
    UnknownFlagNear = "unknown-flag-near",
    /// A flag of the other program that is called kubelogin; `flag`.
    FlagOfAzure = "flag-of-azure",
    /// A flag of kubelogin that a later release will know; `flag`.
    FlagNotYet = "flag-not-yet",
    /// A flag that kubelogin dropped; `flag`, `instead`.
    FlagDropped = "flag-dropped",
    /// A flag that kubelogin dropped and that nothing needs to replace; `flag`.
    FlagDroppedKeyring = "flag-dropped-keyring",
    /// A flag without its value; `flag`.
    FlagNoValue = "flag-no-value",
    /// A value that is none of those there are; `flag`, `choices`.
    FlagChoice = "flag-choice",
    /// A value of the wrong form; `flag`, `example`. The value itself is not named: it may be
    /// a secret that went astray.
    FlagForm = "flag-form",
    /// A number that is none, or out of bounds; `flag`, `least`, `most`.
    FlagRange = "flag-range",
    /// Two flags that do not go together; `flag`, `other`.
    FlagBeside = "flag-beside",
    /// A mandatory flag is missing; `flag`.
    FlagMissing = "flag-missing",
    /// A word where only flags may stand; `word`.
    StrayWord = "stray-word",
    /// A command that we do not know; `command`.
    UnknownCommand = "unknown-command",
    /// A command of kubelogin that a later release will know; `command`, `instead`.
    CommandNotYet = "command-not-yet",
    /// A flag or word that a `kubectl fob` command does not take; `command`, `word`.
    NotUnderstood = "not-understood",
    /// A `kubectl fob` command without something that it needs; `command`, `missing`.
    Incomplete = "incomplete",
    /// A person's command, run as a credential plugin; `command`.
    PluginVerb = "plugin-verb",
    /// A person's command, run in a container, or where it can't be told that it isn't.
    NotInContainers = "not-in-containers",
    /// An argument that is not UTF-8; `number`, counted from one.
    NotUtf8 = "not-utf8",
    /// KUBERNETES_EXEC_INFO is not what client-go writes; `reason`.
    ExecInfo = "exec-info",
    /// An ExecCredential version that we do not speak; `version`.
    ExecVersion = "exec-version",
    /// No account of that name; `name`.
    NoSuchAccount = "no-such-account",
    /// Several accounts would fit; `names`.
    WhichAccount = "which-account",
    /// Another account has that name already; `name`.
    LabelTaken = "label-taken",
    /// An account stays, since nobody said that it is to go; ``.
    NotRemoved = "not-removed",
    /// A field that is empty, too long or has characters that nobody can see; `field`.
    BadField = "bad-field",
    /// What somebody typed as a provider's address is none; ``.
    IssuerForm = "issuer-form",
    /// No trust of that name; `name`.
    NoSuchTrust = "no-such-trust",
    /// No context of that name; `name`.
    NoSuchContext = "no-such-context",
    /// No context of that name, but others that contain it; `name`, `near`.
    NoSuchContextNear = "no-such-context-near",
    /// A kubeconfig's lock is held; `path`, the lock's.
    KubeconfigLocked = "kubeconfig-locked",
    /// A kubeconfig that is not changed; `path`, `reason`.
    KubeconfigNotChanged = "kubeconfig-not-changed",
    /// A switch of ours that another program undid; `path`, `context`, `previous`.
    SwitchUndone = "switch-undone",

    // Who may
    /// A pair that is not trusted, and nobody to ask; `account`, `server`, `command`.
    NotTrusted = "not-trusted",
    /// The same, of a server that can't be seen: it can be allowed where somebody can be asked; `account`.
    NotTrustedUnseen = "not-trusted-unseen",
    /// The same, from a container; `account`, `command`.
    NotTrustedContainer = "not-trusted-container",
    /// An answer that would hold longer than is allowed for a server that can't be seen; ``.
    NotForGood = "not-for-good",
    /// A person closed the question without an answer; `account`, `server`.
    QuestionClosed = "question-closed",
    /// A question that is over: it was answered elsewhere; ``.
    QuestionOver = "question-over",
    /// A question that is over, since the program that asked has ended; ``.
    AskerEnded = "asker-ended",
    /// A question that stands on a page or on another terminal already; ``.
    AskedElsewhere = "asked-elsewhere",
    /// No question of that name waits; `name`.
    NoSuchQuestion = "no-such-question",
    /// No question waits at all; ``.
    NoQuestion = "no-question",
    /// Several questions wait, and none was named; `count`.
    WhichQuestion = "which-question",
    /// Approvals for servers that can't be seen, which an older version kept for good, are over; `count`.
    UnseenDropped = "unseen-dropped",
    /// A person said no to this pair; `account`, `server`.
    TrustRefused = "trust-refused",
    /// A person said no to a server that can't be seen; `account`.
    TrustRefusedUnseen = "trust-refused-unseen",
    /// The servers of this request can't be told apart and one was refused; `account`, `server`.
    TrustRefusedSeveral = "trust-refused-several",
    /// The request may be for more servers than a person can be asked about at once; `account`, `count`.
    TooManyServers = "too-many-servers",
    /// A trusted pair, and a way to sign in that was not approved with it; `account`, `settings`, `command`.
    SettingsNotAllowed = "settings-not-allowed",
    /// A person said no to this way to sign in; `account`, `settings`.
    SettingsRefused = "settings-refused",
    /// As many questions wait as may; ``.
    TooManyWait = "too-many-wait",
    /// A person must sign in and nobody is there; `account`.
    NobodyThere = "nobody-there",
    /// The asker is shell completion, which never asks; `account`.
    CompletionNeverAsks = "completion-never-asks",

    // What the provider or the network did
    /// No connection to the provider; `host`, `reason`.
    Unreachable = "unreachable",
    /// TLS at the provider failed; `host`, `reason`.
    TlsFailed = "tls-failed",
    /// TLS failed, and the asker sets SSL_CERT_FILE, which is not used; `host`, `reason`.
    TlsFailedOwnCa = "tls-failed-own-ca",
    /// The provider answered, but with a fault of its own; `host`, `status`.
    ProviderFault = "provider-fault",
    /// A reply was due and did not come, or was not readable; `host`, `reason`.
    LostReply = "lost-reply",
    /// The provider was not reached in the time that a waiting command has; `host`.
    TakesTooLong = "takes-too-long",
    /// The issuer is not https (loopback apart); `url`.
    NotHttps = "not-https",
    /// A URL from the provider that we do not follow; `url`, `reason`.
    BadUrl = "bad-url",
    /// Discovery names another issuer; `expected`, `found`.
    WrongIssuer = "wrong-issuer",
    /// Discovery would have codes and refresh tokens sent elsewhere than where people sign in; `issuer`,
    /// `authorization` and `token`, origins.
    TokensElsewhere = "tokens-elsewhere",
    /// Discovery would have people sign in at another account's provider, and its redirects don't name the issuer;
    /// `issuer`, `authorization`, an origin, and `other`, that account's issuer.
    SignInElsewhere = "sign-in-elsewhere",
    /// Discovery would have tokens ended elsewhere than where they come from; `issuer`, `token` and `endpoint`,
    /// origins.
    EndElsewhere = "end-elsewhere",
    /// There is no OpenID provider at this address; `url`, `status`.
    NoDiscovery = "no-discovery",
    /// Discovery can't be understood; `url`, `reason`.
    BadDiscovery = "bad-discovery",
    /// The provider does not know this client or its secret; `client`, `error`.
    ClientRefused = "client-refused",
    /// The provider refuses the request; `error`, `description`.
    RequestRefused = "request-refused",
    /// A reply without an ID token; `host`.
    NoIdToken = "no-id-token",
    /// A token that does not check; `reason`.
    BadToken = "bad-token",
    /// The provider ended the session; `reason` is its own word.
    SessionEnded = "session-ended",
    /// The session ended after a reply of the provider's was lost; `reason`.
    SessionEndedAfterLostReply = "session-ended-after-lost-reply",
    /// The bearer token ran out and there is no refresh token; ``.
    NoRefreshToken = "no-refresh-token",
    /// The provider renews the session without ID tokens; ``.
    RefreshWithoutIdToken = "refresh-without-id-token",

    // Signing in
    /// Nobody has signed in yet; `account`.
    NotSignedIn = "not-signed-in",
    /// A person signed out; `account`.
    SignedOut = "signed-out",
    /// Nobody finished the sign-in in time; `redirect`.
    SignInTimedOut = "sign-in-timed-out",
    /// A sign-in was begun, and then the provider was not reached; `host`, `reason`.
    SignInBrokeOff = "sign-in-broke-off",
    /// The sign-in was cancelled.
    SignInCancelled = "sign-in-cancelled",
    /// The person, or the provider, refused; `error`, `description`.
    SignInRefused = "sign-in-refused",
    /// Every listen address is taken; `addresses`.
    PortsTaken = "ports-taken",
    /// The first listen address was taken and another is used; `redirect`.
    OtherPort = "other-port",
    /// The listen address is not loopback; `address`.
    ListenNotLoopback = "listen-not-loopback",
    /// No desktop to show the window on; ``.
    NoDesktop = "no-desktop",
    /// The window has no such screen; ``.
    NoSuchScreen = "no-such-screen",
    /// A person thought better of a reset; ``.
    NotReset = "not-reset",
    /// Starting with the desktop can't be switched; `path`, `reason`.
    AutostartFailed = "autostart-failed",
    /// The desktop's screen is locked: no window is shown there; ``.
    ScreenLocked = "screen-locked",
    /// A view is too large for a window, and is sent to it cut; ``.
    TooMuchToShow = "too-much-to-show",
    /// The window can't be shown; `reason`.
    NoWindow = "no-window",
    /// A browser could not be opened; `reason`.
    NoBrowser = "no-browser",
    /// The callback's state, cookie, host or issuer is not ours; `reason`.
    ForeignCallback = "foreign-callback",
    /// Another person signed in than before; `before`, `now`.
    OtherPerson = "other-person",
    /// A start page that was visited by another browser; ``.
    TicketUsed = "ticket-used",
    /// A page was opened by a program of which it can't be told whose it is; ``.
    VisitorUnknown = "visitor-unknown",
    /// `--oidc-pkce-method=no` where PKCE could be had; ``.
    PkceNeeded = "pkce-needed",

    // This computer
    /// A file that can't be used; `path`, `reason`.
    BadFile = "bad-file",
    /// A kubeconfig of the asker's that kubectl could not load either; `path`, `reason`.
    BadKubeconfig = "bad-kubeconfig",
    /// A kubeconfig that just now can't be looked at: too many open files, no memory, a disk that does not answer;
    /// `path`, `reason`.
    CannotLook = "cannot-look",
    /// Tokens can't be written; `path`, `reason`.
    CannotKeep = "cannot-keep",
    /// A setting can't be written; `path`, `reason`.
    SettingsUnwritten = "settings-unwritten",
    /// Something that was to be forgotten can't be removed; `path`, `reason`.
    CannotForget = "cannot-forget",
    /// What was done is not written down; `path`, `reason`.
    OnlyUntilEnd = "only-until-end",
    /// Accounts and trust can't be written down; `path`, `reason`.
    AccountsUnwritten = "accounts-unwritten",
    /// Accounts and trust were set aside, since they could not be used; `path`, `reason`, `aside`.
    AccountsSetAside = "accounts-set-aside",
    /// Accounts and trust were there once and are gone; `path`.
    AccountsLost = "accounts-lost",
    /// Accounts and trust can't be used, nor be set aside; `path`, `reason`.
    AccountsUnused = "accounts-unused",
    /// The keyring is locked; ``.
    KeyringLocked = "keyring-locked",
    /// There is no keyring; ``.
    NoKeyring = "no-keyring",
    /// The keyring has no key for sealed tokens that exist; ``.
    KeyLost = "key-lost",
    /// A sealed file is damaged; `path`.
    VaultDamaged = "vault-damaged",
    /// The settings file is of a newer version, or not readable; `path`, `reason`.
    BadSettings = "bad-settings",
    /// There is no log; `path`, `reason`.
    NoLog = "no-log",
    /// Another program was installed, and this one goes on since its tokens would be lost; ``.
    UpgradeWaits = "upgrade-waits",
    /// Another program was installed and can't take over; `path`, `reason`.
    UpgradeFailed = "upgrade-failed",
    /// The resident was told to end while this waited; ``.
    Ending = "ending",
    /// Too many questions at once.
    Busy = "busy",
    /// The client speaks a protocol that we do not.
    BadClient = "bad-client",
    /// Something that must not happen; `reason`.
    Internal = "internal",
}

impl Problem {
    /// A problem with what its texts name.
    #[must_use]
    pub fn new(code: Code, parameters: Parameters) -> Self {
        Self { code, parameters }
    }

    /// A problem whose texts name nothing.
    #[must_use]
    pub fn plain(code: Code) -> Self {
        Self::new(code, Vec::new())
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
        let parameters = self.parameters.iter();
        let parameters: Parameters = parameters
            .map(|(name, value)| (*name, short::parameter(value)))
            .collect();
        let key = format!("{}.{part}", self.code.name());
        text(language, &key, &parameters)
    }

    /// Message, hint and code in one line, for a standard error that nobody may be reading.
    #[must_use]
    pub fn line(&self, language: Language) -> String {
        format!(
            "{} {} [{}]",
            self.message(language),
            self.hint(language),
            self.code.name()
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
                self.code.name()
            )
        } else {
            format!("kubefob: {}\n", self.line(language))
        }
    }

    /// The parameter of a name, cleaned, and no longer than a person reads.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| clean(&short::parameter(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_message_and_a_hint_in_each_language() {
        for code in Code::ALL {
            for language in [Language::En, Language::Ko] {
                let problem = Problem::plain(*code);
                assert_ne!(
                    problem.message(language),
                    format!("{}.message", code.name())
                );
                assert_ne!(problem.hint(language), format!("{}.hint", code.name()));
            }
        }
    }
}
