//! `get-token`: from its flags to an account. They parse as spf13/pflag parses them, which clap
//! does not: `--flag value`, `--flag=value`, bare switches, in any order, the last one wins.

use std::sync::Arc;
use std::time::Duration;

use super::flags::{FLAGS, Is, Setting, Takes, find, nearest, shown, speaks, split};
use super::{Called, Dialect, value};
use crate::account::{AccountKey, ClientSettings, Grant, ListenAddress, Pkce, Tls, TokenKind};
use crate::command::{Flags, Which};
use crate::problem::Problem;
use crate::secret::ClientSecret;

/// Grants that kubelogin has and a later release brings here.
const LATER_GRANTS: [&str; 4] = [
    "authcode-keyboard",
    "password",
    "device-code",
    "client-credentials",
];

/// Reads the flags; none: help is wanted.
pub(super) fn parse(
    args: &[&str],
    dialect: Dialect,
    called: &Called<'_>,
) -> Result<Option<Which>, Problem> {
    let mut draft = Draft::default();
    let mut rest = args.iter().copied();
    // Whether the flag before is one whose value must not be shown: of a value that was split in
    // two, the second half stands there as a word.
    let mut secret = false;
    while let Some(arg) = rest.next() {
        let Some((name, given)) = split(arg) else {
            if arg == "--" {
                return match rest.next() {
                    Some(word) => Err(stray(word, secret)),
                    None => draft.finish(),
                };
            }
            return Err(stray(arg, secret));
        };
        let Some(flag) = find(name, dialect) else {
            return Err(unknown(arg, args, dialect));
        };
        let shown = shown(flag);
        let setting = match flag.is {
            Is::Ours(setting, _) | Is::Fobs(setting, _) => setting,
            Is::Later => return Err(Problem::FlagNotYet { flag: shown }),
            Is::Dropped(instead) => {
                return Err(Problem::FlagDropped {
                    flag: shown,
                    instead: instead.to_owned(),
                });
            }
            Is::DroppedKeyring => return Err(Problem::FlagDroppedKeyring { flag: shown }),
            Is::Azures => return Err(Problem::FlagOfAzure { flag: shown }),
        };
        if setting == Setting::Help {
            return Ok(None);
        }
        let given = match (given, flag.takes) {
            (Some(given), _) => given,
            (None, Takes::Switch) => "true",
            (None, Takes::Value) => match rest.next() {
                Some(given) => given,
                None => return Err(Problem::FlagNoValue { flag: shown }),
            },
        };
        secret = setting == Setting::ClientSecret;
        draft.set(setting, &shown, given, called)?;
    }
    draft.finish()
}

/// The help of `get-token`.
pub(super) fn help(dialect: Dialect) -> String {
    let program = dialect.program();
    let mut text = format!(
        "Gives kubectl a token, as an exec credential plugin.\n\n\
         Usage: {program} get-token --oidc-issuer-url=URL --oidc-client-id=ID [flags]\n"
    );
    if dialect == Dialect::Fob {
        text.push_str("       kubectl fob get-token --account=NAME\n");
    }
    text.push_str("\nFlags:\n");
    for flag in FLAGS.iter().filter(|flag| speaks(flag, dialect)) {
        let (Is::Ours(_, about) | Is::Fobs(_, about)) = flag.is else {
            continue;
        };
        text.push_str(&format!("  {:<30}{about}\n", shown(flag)));
    }
    if dialect == Dialect::Kubelogin {
        text.push_str("\n'kubectl fob help' lists the commands for people.\n");
    }
    text
}

fn stray(word: &str, secret: bool) -> Problem {
    let word = if secret { "****" } else { word };
    Problem::StrayWord {
        word: word.to_owned(),
    }
}

/// The problem with a flag that nobody knows. It names the flag, and nothing of its value.
fn unknown(arg: &str, args: &[&str], dialect: Dialect) -> Problem {
    let azures = args.iter().find_map(|arg| {
        let (name, _) = split(arg)?;
        find(name, dialect).filter(|flag| flag.is == Is::Azures)
    });
    if let Some(flag) = azures {
        return Problem::FlagOfAzure { flag: shown(flag) };
    }
    let (name, _) = arg.split_once('=').unwrap_or((arg, ""));
    let near = nearest(name.trim_start_matches('-'), dialect);
    // Of `-pVALUE` only the letter is a flag.
    let named = if near.is_some() || name.starts_with("--") {
        48
    } else {
        2
    };
    let named = name.chars().take(named).collect();
    match near {
        Some(near) => Problem::UnknownFlagNear {
            flag: named,
            near: shown(near),
        },
        None => Problem::UnknownFlag { flag: named },
    }
}

/// What the flags have said so far.
#[derive(Default)]
struct Draft {
    account: Option<String>,
    beside_account: Option<String>,
    issuer: String,
    client_id: String,
    client_secret: Option<ClientSecret>,
    scopes: Vec<String>,
    tls: Tls,
    listen: Option<Vec<ListenAddress>>,
    redirect_url: Option<String>,
    skip_open_browser: bool,
    pkce: Pkce,
    use_pkce: bool,
    timeout: Option<Duration>,
}

impl Draft {
    fn set(
        &mut self,
        setting: Setting,
        flag: &str,
        given: &str,
        called: &Called<'_>,
    ) -> Result<(), Problem> {
        if !matches!(setting, Setting::Account | Setting::Verbosity) {
            self.beside_account.get_or_insert_with(|| flag.to_owned());
        }
        match setting {
            Setting::Account => self.account = Some(value::plain(flag, given, "work")?),
            Setting::IssuerUrl => self.issuer = given.to_owned(),
            Setting::ClientId => self.client_id = value::plain(flag, given, "kubernetes")?,
            Setting::ClientSecret => {
                self.client_secret =
                    (!given.is_empty()).then(|| ClientSecret::new(given.to_owned()));
            }
            Setting::ExtraScope => {
                let scopes = value::list(flag, given, "email,groups")?;
                self.scopes.extend(scopes);
            }
            Setting::CertificateAuthority => {
                self.tls.ca_files.push(value::path(flag, given, called)?);
            }
            Setting::CertificateAuthorityData if given.is_empty() => {
                return Err(Problem::FlagNoValue {
                    flag: flag.to_owned(),
                });
            }
            Setting::CertificateAuthorityData => self.tls.ca_data.push(given.to_owned()),
            Setting::ListenAddress => {
                let addresses = value::list(flag, given, "127.0.0.1:8000,127.0.0.1:18000")?
                    .iter()
                    .map(|address| value::listen(flag, address))
                    .collect::<Result<Vec<_>, _>>()?;
                self.listen.get_or_insert_default().extend(addresses);
            }
            Setting::RedirectUrl => self.redirect_url = value::redirect(flag, given)?,
            Setting::SkipOpenBrowser => self.skip_open_browser = value::switch(flag, given)?,
            Setting::GrantType => match given {
                "auto" | "authcode" => {}
                later if LATER_GRANTS.contains(&later) => {
                    return Err(Problem::FlagNotYet {
                        flag: format!("{flag}={later}"),
                    });
                }
                _ => return Err(value::choice(flag, "auto, authcode")),
            },
            Setting::PkceMethod => self.pkce = value::pkce(flag, given)?,
            Setting::UsePkce => self.use_pkce = value::switch(flag, given)?,
            Setting::AuthenticationTimeout => self.timeout = Some(value::seconds(flag, given)?),
            Setting::Verbosity => {
                given.parse::<i32>().map_err(|_| value::form(flag, "1"))?;
            }
            Setting::Help => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Option<Which>, Problem> {
        if let Some(account) = self.account {
            let flag = "--account".to_owned();
            if account.is_empty() {
                return Err(Problem::FlagNoValue { flag });
            }
            return match self.beside_account {
                Some(other) => Err(Problem::FlagBeside { flag, other }),
                None => Ok(Some(Which::Named(account))),
            };
        }
        for (given, flag) in [
            (&self.issuer, "--oidc-issuer-url"),
            (&self.client_id, "--oidc-client-id"),
        ] {
            if given.is_empty() {
                return Err(Problem::FlagMissing {
                    flag: flag.to_owned(),
                });
            }
        }
        let otherwise = ClientSettings::default();
        let key = AccountKey {
            issuer: value::issuer("--oidc-issuer-url", &self.issuer)?,
            client_id: self.client_id,
            scopes: scopes(&self.scopes),
            grant: Grant::AuthorizationCode,
            token_kind: TokenKind::Id,
            tls: Tls {
                ca_files: sorted(self.tls.ca_files),
                ca_data: sorted(self.tls.ca_data),
            },
            name: None,
        };
        let settings = ClientSettings {
            client_secret: self.client_secret,
            listen: match self.listen {
                Some(none) if none.is_empty() => any_port(),
                Some(addresses) => addresses,
                None => otherwise.listen,
            },
            redirect_url: self.redirect_url,
            skip_open_browser: self.skip_open_browser,
            pkce: if self.use_pkce { Pkce::S256 } else { self.pkce },
            authentication_timeout: self.timeout.unwrap_or(otherwise.authentication_timeout),
            proxies: otherwise.proxies,
            known_proxies: otherwise.known_proxies,
            provider_origins: otherwise.provider_origins,
        };
        Ok(Some(Which::Flags(Arc::new(Flags::new(key, settings)))))
    }
}

/// What kubelogin's listener does with an empty list.
fn any_port() -> Vec<ListenAddress> {
    vec![ListenAddress {
        host: "127.0.0.1".into(),
        port: 0,
    }]
}

/// The scopes of an account's key. A value with blanks counts as several, since the provider is
/// sent all of them joined by blanks (RFC 6749 section 3.3); `openid` is sent anyway.
pub(super) fn scopes(given: &[String]) -> Vec<String> {
    let scopes = given
        .iter()
        .flat_map(|scope| scope.split_ascii_whitespace())
        .filter(|scope| *scope != "openid")
        .map(str::to_owned);
    sorted(scopes.collect())
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items.dedup();
    items
}
