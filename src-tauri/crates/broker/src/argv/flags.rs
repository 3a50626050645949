//! kubelogin's flags, as a table of ours, and how pflag and cobra tell them from words.
//!
//! A new flag is a row of [`FLAGS`] and an arm of `Draft::set` in `get_token.rs`.

use super::Dialect;

/// A flag.
pub(super) struct Flag {
    /// Its name, without dashes.
    pub(super) name: &'static str,
    /// Whether it takes a value.
    pub(super) takes: Takes,
    /// Whose it is.
    pub(super) is: Is,
}

/// Whether a flag takes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Always; the next argument, if none is given with it.
    Value,
    /// Only after `=`.
    Switch,
}

/// What a flag is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// Known; what the help says of it.
    Ours(Setting, &'static str),
    /// Known to `kubectl fob get-token` alone.
    Fobs(Setting, &'static str),
    /// kubelogin's, and of a later release here.
    Later,
    /// kubelogin had it once; what to use instead.
    Dropped(&'static str),
    /// kubelogin had it once; nothing is needed instead.
    DroppedKeyring,
    /// Azure's kubelogin has it, which shares the name and the command `get-token`.
    Azures,
}

/// What a flag of ours sets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    Account,
    AuthenticationTimeout,
    CertificateAuthority,
    CertificateAuthorityData,
    ClientId,
    ClientSecret,
    ExtraScope,
    GrantType,
    Help,
    IssuerUrl,
    ListenAddress,
    PkceMethod,
    RedirectUrl,
    SkipOpenBrowser,
    UsePkce,
    Verbosity,
}

const fn value(name: &'static str, is: Is) -> Flag {
    Flag {
        name,
        takes: Takes::Value,
        is,
    }
}

const fn switch(name: &'static str, is: Is) -> Flag {
    Flag {
        name,
        takes: Takes::Switch,
        is,
    }
}

const fn ours(setting: Setting, about: &'static str) -> Is {
    Is::Ours(setting, about)
}

const fn fobs(setting: Setting, about: &'static str) -> Is {
    Is::Fobs(setting, about)
}

/// Every flag that is known to somebody.
#[rustfmt::skip] // one row, one flag
pub(super) const FLAGS: &[Flag] = &[
    value("account", fobs(Setting::Account, "An account by its name, instead of all the others")),
    value("oidc-issuer-url", ours(Setting::IssuerUrl, "Issuer URL of the provider (mandatory)")),
    value("oidc-client-id", ours(Setting::ClientId, "Client id at the provider (mandatory)")),
    value("oidc-client-secret", ours(Setting::ClientSecret, "Client secret at the provider")),
    value("oidc-extra-scope",
        ours(Setting::ExtraScope, "Scopes beside openid; repeatable or comma-separated")),
    value("oidc-redirect-url",
        ours(Setting::RedirectUrl, "Redirect URL to send instead of http://localhost:PORT")),
    value("oidc-pkce-method", ours(Setting::PkceMethod, "PKCE: auto, no or S256 (auto)")),
    switch("oidc-use-pkce", ours(Setting::UsePkce, "The same as --oidc-pkce-method=S256")),
    value("certificate-authority",
        ours(Setting::CertificateAuthority, "PEM file of the provider's authority, instead of the system's; repeatable")),
    value("certificate-authority-data",
        ours(Setting::CertificateAuthorityData, "The same as base64; repeatable")),
    value("grant-type", ours(Setting::GrantType, "How to sign in: auto or authcode (auto)")),
    value("listen-address",
        ours(Setting::ListenAddress, "Where the browser comes back to, tried in order (127.0.0.1:8000,127.0.0.1:18000)")),
    switch("skip-open-browser",
        ours(Setting::SkipOpenBrowser, "Say the address instead of opening a browser")),
    value("authentication-timeout-sec",
        ours(Setting::AuthenticationTimeout, "Seconds that a person has to sign in (180)")),
    value("v", ours(Setting::Verbosity, "Accepted as kubelogin does, and not needed")),
    switch("help", ours(Setting::Help, "This text")),
    // kubelogin v1.36.3, in the order of its own help
    switch("oidc-use-access-token", Is::Later),
    value("oidc-request-header", Is::Later),
    switch("force-refresh", Is::Later),
    value("token-cache-dir", Is::Later),
    value("token-cache-storage", Is::Later),
    switch("insecure-skip-tls-verify", Is::Later),
    switch("tls-renegotiation-once", Is::Later),
    switch("tls-renegotiation-freely", Is::Later),
    value("browser-command", Is::Later),
    value("local-server-cert", Is::Later),
    value("local-server-key", Is::Later),
    value("open-url-after-authentication", Is::Later),
    value("oidc-auth-request-extra-params", Is::Later),
    value("username", Is::Later),
    value("password", Is::Later),
    // gone since 1.31, 1.35 and 1.32
    value("listen-port", Is::Dropped("--listen-address")),
    value("oidc-redirect-url-hostname", Is::Dropped("--oidc-redirect-url")),
    switch("force-keyring", Is::DroppedKeyring),
    switch("no-keyring", Is::DroppedKeyring),
    // Azure/kubelogin
    value("server-id", Is::Azures),
    value("login", Is::Azures),
    value("tenant-id", Is::Azures),
    value("environment", Is::Azures),
    value("authority-host", Is::Azures),
    value("federated-token-file", Is::Azures),
];

/// Whether an argument is a flag, to pflag: `-` alone is a word.
pub(super) fn is_flag(arg: &str) -> bool {
    split(arg).is_some()
}

/// Whether the next argument is this one's value, when the command's name is looked for (cobra's
/// `stripFlags`: what it does not know takes a value).
pub(super) fn value_follows(arg: &str) -> bool {
    split(arg).is_some_and(|(name, given)| {
        let takes = find(name, Dialect::Kubelogin).map_or(Takes::Value, |flag| flag.takes);
        given.is_none() && takes == Takes::Value
    })
}

/// A flag's name and the value that is given with it; none for a word.
pub(super) fn split(arg: &str) -> Option<(&str, Option<&str>)> {
    if let Some(long) = arg.strip_prefix("--") {
        let (name, given) = match long.split_once('=') {
            Some((name, given)) => (name, Some(given)),
            None => (long, None),
        };
        return (!long.is_empty()).then_some((name, given));
    }
    let short = arg.strip_prefix('-').filter(|short| !short.is_empty())?;
    if let Some(level) = short.strip_prefix('v') {
        let given = level.strip_prefix('=').unwrap_or(level);
        return Some(("v", (!level.is_empty()).then_some(given)));
    }
    Some((if short == "h" { "help" } else { "" }, Some("")))
}

/// Whether a command line knows a flag.
pub(super) fn speaks(flag: &Flag, dialect: Dialect) -> bool {
    match flag.is {
        Is::Fobs(..) => dialect == Dialect::Fob,
        Is::Ours(..) | Is::Later | Is::Dropped(_) | Is::DroppedKeyring | Is::Azures => true,
    }
}

/// The flag of a name.
pub(super) fn find(name: &str, dialect: Dialect) -> Option<&'static Flag> {
    FLAGS
        .iter()
        .find(|flag| flag.name == name && speaks(flag, dialect))
}

/// A flag as it is written.
pub(super) fn shown(flag: &Flag) -> String {
    let dashes = if flag.name.len() == 1 { "-" } else { "--" };
    format!("{dashes}{}", flag.name)
}

/// The flag that was probably meant: two letters away at most, or cut short.
pub(super) fn nearest(name: &str, dialect: Dialect) -> Option<&'static Flag> {
    let known = FLAGS
        .iter()
        .filter(|flag| speaks(flag, dialect) && flag.name.len() > 1);
    let cut_short = |flag: &Flag| name.len() > 5 && flag.name.starts_with(name);
    known
        .map(|flag| {
            (
                if cut_short(flag) {
                    2
                } else {
                    distance(name, flag.name)
                },
                flag,
            )
        })
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, flag)| flag)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (index, letter) in left.chars().take(64).enumerate() {
        let mut next = vec![index + 1];
        for ((other, above_left), above) in right.chars().zip(&row).zip(row.iter().skip(1)) {
            let beside = next.last().copied().unwrap_or_default();
            let change = above_left + usize::from(letter != other);
            next.push(change.min(above + 1).min(beside + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
