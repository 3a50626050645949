//! What the broker's tests have in common: an account, somebody who asks, tokens.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test program uses a part of it"
)]

use std::sync::Arc;
use std::time::Duration;

use broker::account::{AccountKey, ClientSettings, Grant, Proxies, Tls, TokenKind};
use broker::asker::{Asker, Endpoint, Place, ProcessId};
use broker::clock::{Moment, Now, Wall};
use broker::command::{Command, Flags, Invocation, Which};
use broker::credential::ExecVersion;
use broker::event::{Ask, Candidate, Commanded, Event, Servers};
use broker::problem::Problem;
use broker::secret::{BearerToken, ClientSecret, RefreshToken};
use broker::texts::Language;
use broker::tokens::{Identity, Tokens};
use broker::trust::Server;
use broker::waiters::CallerId;
use kubeconfig::{CertificateAuthority, ServerKey};

pub fn key() -> AccountKey {
    AccountKey {
        issuer: "https://sso.example.com".into(),
        client_id: "c".into(),
        scopes: vec![],
        grant: Grant::AuthorizationCode,
        token_kind: TokenKind::Id,
        tls: Tls::default(),
        name: None,
    }
}

pub fn with_secret(secret: Option<&str>) -> ClientSettings {
    ClientSettings {
        client_secret: secret.map(|secret| ClientSecret::new(secret.into())),
        ..ClientSettings::default()
    }
}

/// A kubectl: at a terminal in front of somebody, or without one.
pub fn asker(pid: u32, foreground: bool) -> Asker {
    Asker {
        process: Some(ProcessId { pid, started: 1 }),
        program: "kubectl".into(),
        arguments: None,
        place: Place::Here,
        container: None,
        foreground,
        types: foreground,
        terminal: foreground,
        completion: false,
        proxies: Proxies::default(),
        own_ca: false,
        language: Language::En,
    }
}

/// A server, as a kubeconfig describes it.
pub fn candidate(name: &str) -> Candidate {
    Candidate {
        server: Server::Known(Arc::new(ServerKey {
            url: format!("https://{name}.example.com"),
            ca: CertificateAuthority::System,
            insecure_skip_tls_verify: false,
            proxy_url: None,
            tls_server_name: None,
        })),
        contexts: vec![],
        file: None,
    }
}

pub fn servers(name: &str) -> Servers {
    Servers {
        needed: vec![candidate(name)],
        others: vec![],
        claims: vec![],
    }
}

/// One that can't be seen, of which files say something.
pub fn unseen(name: &str, claims: &[&str]) -> Servers {
    Servers {
        needed: vec![Candidate {
            server: Server::Unknown(name.into()),
            contexts: vec![],
            file: None,
        }],
        others: vec![],
        claims: claims.iter().map(|&claim| claim.to_owned()).collect(),
    }
}

pub fn ask(caller: u64, asker: Asker, settings: ClientSettings, server: &str) -> Event {
    ask_for(caller, asker, settings, servers(server))
}

pub fn ask_for(caller: u64, asker: Asker, settings: ClientSettings, servers: Servers) -> Event {
    Event::Asked(Box::new(Ask {
        caller: CallerId(caller),
        asker,
        account: Which::Flags(Arc::new(Flags::new(key(), settings))),
        version: ExecVersion::V1,
        by_client: false,
        servers: Arc::new(servers),
        files: Arc::new([]),
    }))
}

pub fn command(caller: u64, asker: Asker, command: Command) -> Event {
    Event::Commanded(Box::new(Commanded {
        caller: CallerId(caller),
        asker,
        endpoint: Endpoint::Control,
        invocation: Invocation::Do {
            command,
            json: false,
        },
    }))
}

pub fn login() -> Command {
    Command::SignIn {
        account: None,
        open_browser: true,
    }
}

pub fn logout() -> Command {
    Command::SignOut {
        account: None,
        everywhere: false,
    }
}

/// Some afternoon, some hours after the computer started.
pub fn start() -> Now {
    Now {
        wall: Wall::from_seconds(1_800_000_000),
        moment: Moment(10_000_000),
    }
}

/// Tokens that came now and live so long; `number` tells them from others.
pub fn tokens(number: u64, life: Duration, now: Now) -> Tokens {
    Tokens {
        bearer: BearerToken::new(format!("token-{number}")),
        refresh: Some(RefreshToken::new(format!("refresh-{number}"))),
        identity: Identity {
            subject: "s".into(),
            name: "n".into(),
            groups: vec![],
        },
        obtained: now.wall,
        expires: now.wall.after(life),
        skew_ms: 0,
        refresh_expires: None,
        signed_in: now.wall,
        client_secret: None,
        client_authentication: None,
    }
}

/// The host of [`key`].
fn host() -> String {
    "sso.example.com".into()
}

/// The provider can't be reached.
pub fn unreachable() -> Problem {
    let reason = "no route".into();
    Problem::Unreachable {
        host: host(),
        reason,
    }
}

/// A reply of the provider's was lost.
pub fn lost_reply() -> Problem {
    let reason = "it did not answer in time".into();
    Problem::LostReply { reason }
}

/// The provider ended the session.
pub fn session_ended() -> Problem {
    let reason = "Session not active".into();
    Problem::SessionEnded { reason }
}

/// The provider does not take the client.
pub fn client_refused() -> Problem {
    Problem::ClientRefused {
        client: key().client_id,
        error: "invalid_client".into(),
    }
}

/// Nobody finished a sign-in.
pub fn timed_out() -> Problem {
    let redirect = "http://localhost:8000".into();
    Problem::SignInTimedOut { redirect }
}

/// Somebody said no on the page of a sign-in.
pub fn trust_refused() -> Problem {
    Problem::TrustRefused {
        account: host(),
        server: "https://a.example".into(),
    }
}
