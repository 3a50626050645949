//! Linux: the Secret Service (gnome-keyring, KWallet, KeePassXC) on the session bus.
//!
//! The store of keyring-core unlocks what it finds locked, and blocks until the person has answered. So the
//! service is asked before, in calls that only look; and a prompt is a call of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::CredentialStore;
use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, MessageIterator};
use zbus::message::Type;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::{Found, System, Was, Watched};

const SERVICE: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const INTERFACE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BUS: &str = "org.freedesktop.DBus";

/// A service that the bus starts for us needs some time; one that hangs must not keep us.
const ANSWER: Duration = Duration::from_secs(20);

pub(super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    let refused = |error: zbus::Error| keyring_core::Error::PlatformFailure(Box::new(error));
    // It connects by itself, to whoever is there. Nobody takes the place of a bus of ours and gives it back.
    let before = whose(&bus().map_err(refused)?).map_err(refused)?;
    let store = zbus_secret_service_keyring_store::Store::new()?;
    let after = whose(&bus().map_err(refused)?).map_err(refused)?;
    if before == after {
        Ok(store)
    } else {
        Err(refused(foreign()))
    }
}

/// How the entry is called in the programs that show keyrings.
pub(super) fn modifiers() -> HashMap<&'static str, &'static str> {
    HashMap::from([("label", "Kubefob: the key of the kept tokens")])
}

/// What is there, without a prompt. None: an entry of ours, unlocked.
pub(super) fn before_reading(entry: &System) -> Option<Found> {
    look(entry).unwrap_or_else(|error| Some(Found::NoKeyring(error.to_string())))
}

fn look(entry: &System) -> zbus::Result<Option<Found>> {
    let bus = bus()?;
    let (unlocked, locked) = search(&bus, entry)?;
    if !locked.is_empty() {
        return Ok(Some(Found::Locked));
    }
    if !unlocked.is_empty() {
        return Ok(None);
    }
    // A locked wallet may not tell what it holds: only an unlocked one can lack our entry.
    let Some(collection) = default_collection(&bus)? else {
        return Ok(Some(Found::NoKeyring(
            "the Secret Service has no default collection".into(),
        )));
    };
    let reply = bus.call_method(
        Some(SERVICE),
        &collection,
        Some(PROPERTIES),
        "Get",
        &(COLLECTION, "Locked"),
    )?;
    let locked: OwnedValue = reply.body().deserialize()?;
    Ok(Some(if bool::try_from(locked)? {
        Found::Locked
    } else {
        Found::Absent
    }))
}

/// Listens to the bus until the service is unlocked, gets an entry, or comes or goes.
pub(super) fn watch(entry: &System, was: Was, prompt: bool) -> Watched {
    listen(entry, was, prompt).unwrap_or(Watched::Blind)
}

fn listen(entry: &System, was: Was, prompt: bool) -> zbus::Result<Watched> {
    let bus = bus()?;
    let messages = MessageIterator::from(&bus);
    for rule in [
        format!("type='signal',sender='{SERVICE}',interface='{PROPERTIES}'"),
        format!("type='signal',sender='{SERVICE}',interface='{INTERFACE}'"),
        format!("type='signal',sender='{SERVICE}',interface='{PROMPT}'"),
        format!(
            "type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{SERVICE}'"
        ),
    ] {
        bus.call_method(
            Some(BUS),
            "/org/freedesktop/DBus",
            Some(BUS),
            "AddMatch",
            &rule,
        )?;
    }
    // It may have changed before we listened. One that is not there is not looked at: that would start it.
    if service_is_there(&bus)? {
        let is = match look(entry)? {
            None | Some(Found::Absent | Found::Texts(_)) => Was::Useless,
            Some(Found::Locked) => Was::Locked,
            Some(Found::NoKeyring(_)) => Was::Gone,
        };
        if is != was || (is == Was::Locked && prompt && ask(&bus, entry)?) {
            return Ok(Watched::Changed);
        }
    } else if was != Was::Gone {
        return Ok(Watched::Changed);
    }
    for message in messages {
        let message = message?;
        if message.message_type() != Type::Signal {
            continue;
        }
        let header = message.header();
        let member = header.member().map_or("", |member| member.as_str());
        match member {
            // What a prompt ended with: the person's yes or no. After a no somebody may still unlock it otherwise.
            "Completed" => {
                let (dismissed, _): (bool, OwnedValue) = message.body().deserialize()?;
                if !dismissed {
                    return Ok(Watched::Changed);
                }
            }
            "PropertiesChanged" | "CollectionChanged" | "CollectionCreated"
            | "NameOwnerChanged" => return Ok(Watched::Changed),
            _ => {}
        }
    }
    Ok(Watched::Blind)
}

/// Asks for the keyring to be unlocked: true if that took no prompt. The prompt lives as long as `bus`.
fn ask(bus: &Connection, entry: &System) -> zbus::Result<bool> {
    let (_, mut locked) = search(bus, entry)?;
    if locked.is_empty() {
        locked.extend(default_collection(bus)?);
    }
    let reply = bus.call_method(Some(SERVICE), ROOT, Some(INTERFACE), "Unlock", &(&locked,))?;
    let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = reply.body().deserialize()?;
    if prompt.as_str() == "/" {
        return Ok(true);
    }
    bus.call_method(Some(SERVICE), &prompt, Some(PROMPT), "Prompt", &"")?;
    Ok(false)
}

/// The session bus, if it is this user's own.
fn bus() -> zbus::Result<Connection> {
    let bus = Builder::session()?.method_timeout(ANSWER).build()?;
    let (uid, _) = whose(&bus)?;
    if is_own_bus(uid) {
        Ok(bus)
    } else {
        Err(foreign())
    }
}

/// User and process that serve a bus.
fn whose(bus: &Connection) -> zbus::Result<(Option<u32>, Option<u32>)> {
    let peer = zbus::block_on(bus.inner().peer_creds())?;
    Ok((peer.unix_user_id(), peer.process_id()))
}

fn foreign() -> zbus::Error {
    zbus::Error::Failure("the session bus is another user's".to_owned())
}

/// Whether a bus that this user serves can be a session bus of ours: this user's or root's, who can read our memory
/// anyway. Where our bus has ended, anybody may be at its address who may make a socket there.
#[must_use]
pub fn is_own_bus(uid: Option<wire::os::Uid>) -> bool {
    uid.is_some_and(|uid| uid == 0 || wire::os::uid().is_ok_and(|us| us == uid))
}

/// The entries of ours: those that can be read, and those behind a lock.
fn search(
    bus: &Connection,
    entry: &System,
) -> zbus::Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>)> {
    let attributes = HashMap::from([("service", entry.service), ("username", &entry.user)]);
    let reply = bus.call_method(
        Some(SERVICE),
        ROOT,
        Some(INTERFACE),
        "SearchItems",
        &(attributes,),
    )?;
    reply.body().deserialize()
}

fn default_collection(bus: &Connection) -> zbus::Result<Option<OwnedObjectPath>> {
    let reply = bus.call_method(
        Some(SERVICE),
        ROOT,
        Some(INTERFACE),
        "ReadAlias",
        &"default",
    )?;
    let path: OwnedObjectPath = reply.body().deserialize()?;
    Ok(Some(path).filter(|path| path.as_str() != "/"))
}

fn service_is_there(bus: &Connection) -> zbus::Result<bool> {
    let reply = bus.call_method(
        Some(BUS),
        "/org/freedesktop/DBus",
        Some(BUS),
        "NameHasOwner",
        &SERVICE,
    )?;
    reply.body().deserialize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_counts_if_it_is_ours() {
        let us = wire::os::uid().unwrap();
        for (uid, own) in [
            (Some(us), true),
            (Some(0), true),
            (Some(us + 4711), false),
            (None, false),
        ] {
            assert_eq!(is_own_bus(uid), own, "{uid:?}");
        }
    }
}
