//! The resident, put together: what it finds at its start, and what runs until its end.

use std::collections::BTreeSet;
use std::ffi::OsString;

use broker::broker::Broker;
use broker::event::{AtRest, Event, Restored};
use broker::secret::RefreshToken;
use broker::session::Loss;
use tokio::net::UnixListener;
use wire::endpoint::Places;

use crate::clock;
use crate::desktop::Browser;
use crate::files::Files;
use crate::folders::Folders;
use crate::perform::{Performer, keep};
use crate::run::{self, Inbox, Message};
use crate::server::Server;
use crate::settings;
use crate::single::Claim;
use crate::store::{Store, Stored};
use crate::vault::{Content, Loaded, Record, Vault};

/// Runs the resident until it is told to end.
///
/// `environment` is the one that it was started with: it names the desktop.
///
/// # Errors
/// What the system refuses at the start.
pub async fn run(
    places: &Places,
    folders: &Folders,
    claim: Claim,
    environment: Vec<(OsString, OsString)>,
) -> anyhow::Result<()> {
    let (settings, problem) = settings::load(&folders.config);
    if let Some(problem) = problem {
        tracing::warn!(problem = problem.code.name(), "the defaults hold");
    }
    let store = Store::new(&folders.data);
    let (kept, first) = match store.load()? {
        Stored::Nothing => (Default::default(), true),
        Stored::Kept(kept) => (kept, false),
        Stored::SetAside(path) => {
            tracing::warn!(path = %path.display(), "accounts and trust were unreadable");
            (Default::default(), false)
        }
    };
    let files = Files::new(folders.home.clone());
    let vault = Vault::open(&folders.vault, folders.instance.as_deref(), settings.keep);
    let browser = Browser::new(settings.browser.clone().unwrap_or_default(), environment);
    let broker = Broker::new(kept, chosen(&settings), seed());

    let (inbox, messages) = run::inbox();
    inbox.event(Event::Desktop(browser.desktop()));
    if first {
        inbox.event(Event::FirstStart(files.first_start()));
    }
    let server = Server::new(inbox.clone(), files, *places.uid(), folders.home.clone());
    for listener in claim.listeners()? {
        tokio::spawn(server.clone().serve(UnixListener::from_std(listener)?));
    }
    tokio::spawn(watch_the_vault(vault.clone(), inbox.clone()));
    tokio::spawn(end_on_signal(inbox.clone()));
    tracing::info!(version = broker::commands::VERSION, "up");
    run::run(
        broker,
        Performer::new(inbox, vault, store, browser),
        messages,
    )
    .await?;
    drop(claim);
    tracing::info!("ended");
    Ok(())
}

fn chosen(settings: &settings::Settings) -> broker::settings::Settings {
    broker::settings::Settings {
        keep_fresh: settings.keep_fresh,
    }
}

/// For jitter alone: this process at this time.
fn seed() -> u64 {
    let now = clock::now();
    now.moment.0 ^ u64::from(std::process::id()).rotate_left(32) ^ now.wall.0.unsigned_abs()
}

/// Loads what rests, and again whenever the keyring may have come or been unlocked.
async fn watch_the_vault(vault: Vault, inbox: Inbox) {
    let mut known = BTreeSet::new();
    tell(vault.load().await, &mut known, &inbox);
    loop {
        vault.woken().await;
        if let Some(loaded) = vault.retry().await {
            tell(loaded, &mut known, &inbox);
        }
    }
}

fn tell(loaded: Loaded, known: &mut BTreeSet<String>, inbox: &Inbox) {
    for (path, problem) in &loaded.damaged {
        tracing::warn!(path = %path.display(), problem = problem.code.name(), "set aside");
    }
    let state = keep(&loaded.state);
    tracing::info!(?state, accounts = loaded.accounts.len(), "vault");
    let restored = loaded.accounts.into_iter().map(restored);
    let restored: Vec<_> = restored
        .filter(|one| known.insert(one.key.id().to_string()))
        .collect();
    inbox.event(Event::Loaded(restored, state));
}

/// A noted refresh of the very token that is kept was never heard of again.
fn restored(record: Record) -> Restored {
    let presented = record.attempt.map(|attempt| attempt.fingerprint);
    let at_rest = match record.content {
        Content::Secret(secret) => AtRest::Secret(secret),
        Content::Tokens(tokens) => {
            let kept = tokens.refresh.as_ref().map(RefreshToken::fingerprint);
            let loss = if presented.is_some() && presented == kept {
                Loss::ReplyLost
            } else {
                Loss::None
            };
            AtRest::Tokens(tokens, loss)
        }
    };
    Restored {
        key: record.key,
        at_rest,
    }
}

#[cfg(unix)]
async fn end_on_signal(inbox: Inbox) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hang_up)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
    ) else {
        return;
    };
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            // The shell that started us closes: we stay.
            _ = hang_up.recv() => {}
        }
    }
    inbox.send(Message::Stop);
}
