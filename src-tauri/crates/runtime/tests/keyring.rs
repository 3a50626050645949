//! The vault with a real gnome-keyring, on a session bus of its own: seen there, locked, unlocked, hung, lost,
//! come late, not there at all.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod shared;

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use broker::problem::Code;
use runtime::settings::Keep;
use runtime::vault::{Loaded, State, Vault};
use shared::{again, missing, names, record, role};
use zbus::blocking::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const PROGRAMS: [&str; 3] = ["dbus-run-session", "gnome-keyring-daemon", "secret-tool"];
const PASSWORD: &str = "open sesame";

/// A bus that starts no service by itself.
const BARE: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"#;

#[test]
fn a_key_rests_in_the_keyring_and_what_befalls_it_is_mended() {
    if role().is_none() {
        return in_a_session("a_key_rests_in_the_keyring_and_what_befalls_it_is_mended");
    }
    let home = home();
    let daemon = Daemon::start();
    let folder = home.join("vault");
    let first = Place::new(&folder, None);
    assert_eq!(first.load().state, State::Sealed);
    first.seal("c", "r1").unwrap();

    // Seen there, by another program.
    let found = secret_tool(&["search", "--all", "service", "kubefob"]);
    let found = String::from_utf8_lossy(&[found.stdout, found.stderr].concat()).into_owned();
    assert!(found.contains("attribute.username = vault\n"), "{found}");
    assert!(found.contains("label = Kubefob"), "{found}");
    let key = lookup("vault");
    assert_eq!(key.len(), 64);
    nothing_holds(&folder, &key);
    println!("seen in gnome-keyring: service kubefob, username vault");

    // An instance has an entry of its own.
    let instance = Place::new(&home.join("instance"), Some("/tmp/demo"));
    instance.seal("c", "i1").unwrap();
    assert_ne!(lookup("vault:/tmp/demo"), key);
    println!("an instance of its own has an entry of its own");

    // Locked: nothing waits for it, and an unlock from elsewhere is noticed.
    let bus = Connection::session().unwrap();
    lock(&bus);
    let later = Place::new(&folder, None);
    let begun = Instant::now();
    let loaded = later.load();
    assert_eq!(loaded.state, State::MemoryLocked);
    assert!(loaded.accounts.is_empty() && loaded.damaged.is_empty());
    let loading = begun.elapsed();
    let begun = Instant::now();
    assert_eq!(later.seal("d", "s1"), Err(Code::KeyringLocked));
    let sealing = begun.elapsed();
    assert!(loading < Duration::from_secs(2), "{loading:?}");
    assert!(sealing < Duration::from_millis(500), "{sealing:?}");
    println!("locked: load took {loading:?}, a sign-in's seal {sealing:?}");
    assert_eq!(wake_ups(), 0, "idle, and listening for an unlock");
    unlock(&bus);
    let mended = later.woken_then_retry();
    assert_eq!(mended.state, State::Sealed);
    assert_eq!(mended.accounts.len(), 1);
    assert_eq!(Place::new(&folder, None).load().accounts.len(), 2);
    println!("unlocked elsewhere: noticed, loaded, what was pending is sealed");

    // Hung: the same, in the time that a start waits.
    daemon.signal("STOP");
    let later = Place::new(&folder, None);
    let begun = Instant::now();
    assert_eq!(later.load().state, State::MemoryLocked);
    assert!(begun.elapsed() < Duration::from_secs(6));
    let begun = Instant::now();
    assert_eq!(later.seal("d", "s2"), Err(Code::KeyringLocked));
    assert!(begun.elapsed() < Duration::from_millis(500));
    daemon.signal("CONT");
    let mended = later.woken_then_retry();
    assert_eq!((mended.state, mended.accounts.len()), (State::Sealed, 1));
    println!("hung: left at the deadline, mended when it answered");

    // Lost, and the right one back before a sign-in: nothing happened.
    secret_tool(&["clear", "service", "kubefob", "username", "vault"]);
    let before = names(&folder);
    let later = Place::new(&folder, None);
    let loaded = later.load();
    assert_eq!(loaded.state, State::MemoryKeyLost);
    assert_eq!(loaded.damaged.len(), 2);
    store("vault", &key);
    let mended = later.woken_then_retry();
    assert_eq!((mended.state, mended.accounts.len()), (State::Sealed, 2));
    assert_eq!(names(&folder), before);
    println!("key lost and put back: noticed, nothing lost");

    // Lost for good: a sign-in makes a new one, and sets the old file aside.
    secret_tool(&["clear", "service", "kubefob", "username", "vault"]);
    let later = Place::new(&folder, None);
    later.load();
    later.seal("c", "r2").unwrap();
    assert_ne!(lookup("vault"), key);
    let aside = names(&folder);
    assert_eq!(
        aside
            .iter()
            .filter(|name| name.ends_with(".unreadable-1"))
            .count(),
        1
    );
    println!("key lost for good: a new one at the next sign-in, the old file set aside");
}

#[test]
fn without_a_service_tokens_are_in_memory_until_one_comes() {
    if role().is_none() {
        return in_a_session("without_a_service_tokens_are_in_memory_until_one_comes");
    }
    let home = home();
    let vault = Place::new(&home.join("vault"), None);
    let begun = Instant::now();
    let state = vault.load().state;
    assert!(matches!(state, State::MemoryNoKeyring(_)), "{state:?}");
    assert_eq!(vault.seal("c", "r1"), Err(Code::NoKeyring));
    assert!(begun.elapsed() < Duration::from_secs(2));
    println!("no service: {state:?}");
    let _daemon = Daemon::start();
    assert_eq!(vault.woken_then_retry().state, State::Sealed);
    let loaded = Place::new(&home.join("vault"), None).load();
    assert_eq!(loaded.accounts.len(), 1);
    println!("a service came: noticed, what was pending is sealed");
}

#[test]
fn without_a_bus_tokens_are_in_memory() {
    let name = "without_a_bus_tokens_are_in_memory";
    if role().is_none() {
        let home = tempfile::tempdir().unwrap();
        let mut child = again(name, "inside");
        child
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .env("HOME", home.path());
        assert!(child.status().unwrap().success());
        return;
    }
    let vault = Place::new(&home().join("vault"), None);
    let state = vault.load().state;
    assert!(matches!(state, State::MemoryNoKeyring(_)), "{state:?}");
    assert_eq!(vault.seal("c", "r1"), Err(Code::NoKeyring));
    println!("no bus: {state:?}");
}

/// Runs the test `name` again inside a session bus of its own, with a home of its own.
fn in_a_session(name: &str) {
    if let Some(program) = missing(&PROGRAMS) {
        println!("SKIPPED {name}: {program} is not installed");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let run = home.path().join("run");
    std::fs::DirBuilder::new().mode(0o700).create(&run).unwrap();
    let inside = again(name, "inside");
    let mut session = Command::new("dbus-run-session");
    if name.starts_with("without_a_service") {
        let config = home.path().join("bus.conf");
        std::fs::write(&config, BARE).unwrap();
        session.arg("--config-file").arg(config);
    }
    let status = session
        .arg("--")
        .arg(inside.get_program())
        .args(inside.get_args())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env(shared::ROLE, "inside")
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", &run)
        .env("XDG_DATA_HOME", home.path().join("data"))
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env("XDG_CACHE_HOME", home.path().join("cache"))
        .status()
        .unwrap();
    assert!(status.success(), "{name}: {status}");
}

fn home() -> PathBuf {
    std::env::var_os("HOME").unwrap().into()
}

/// A vault as one process has it.
struct Place {
    vault: Vault,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new(folder: &Path, instance: Option<&str>) -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            vault: Vault::open(folder, instance, Keep::Keyring),
            runtime: runtime.enable_all().build().unwrap(),
        }
    }

    fn load(&self) -> Loaded {
        self.runtime.block_on(self.vault.load())
    }

    fn seal(&self, client: &str, refresh: &str) -> Result<(), Code> {
        let sealed = self
            .runtime
            .block_on(self.vault.seal(record(client, refresh)));
        sealed.map_err(|problem| problem.code())
    }

    /// As the resident does: each word of a change is followed by a try.
    fn woken_then_retry(&self) -> Loaded {
        let mended = async {
            loop {
                self.vault.woken().await;
                match self.vault.retry().await {
                    Some(loaded) if loaded.state == State::Sealed => return loaded,
                    Some(_) | None => {}
                }
            }
        };
        self.runtime.block_on(async {
            let mended = tokio::time::timeout(Duration::from_secs(10), mended).await;
            mended.expect("noticed by itself")
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let empty = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        std::mem::replace(&mut self.runtime, empty).shutdown_background();
    }
}

struct Daemon(Child);

impl Daemon {
    /// Starts it with a login keyring that is unlocked.
    fn start() -> Self {
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = daemon.stdin.take().unwrap();
        stdin.write_all(PASSWORD.as_bytes()).unwrap();
        drop(stdin);
        let this = Self(daemon);
        let bus = Connection::session().unwrap();
        shared::until("a keyring", Duration::from_secs(20), || {
            default_is_there(&bus)
        });
        this
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([format!("-{signal}"), self.0.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn default_is_there(bus: &Connection) -> bool {
    let owned = bus
        .call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "NameHasOwner",
            &"org.freedesktop.secrets",
        )
        .unwrap();
    owned.body().deserialize::<bool>().unwrap()
        && service(bus, "ReadAlias", &"default")
            .body()
            .deserialize::<OwnedObjectPath>()
            .unwrap()
            .as_str()
            != "/"
}

fn service<B: serde::Serialize + zbus::zvariant::DynamicType>(
    bus: &Connection,
    method: &str,
    body: &B,
) -> zbus::Message {
    let interface = match method {
        "UnlockWithMasterPassword" => "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface",
        _ => "org.freedesktop.Secret.Service",
    };
    let service = Some("org.freedesktop.secrets");
    bus.call_method(
        service,
        "/org/freedesktop/secrets",
        Some(interface),
        method,
        body,
    )
    .unwrap()
}

fn login(bus: &Connection) -> OwnedObjectPath {
    service(bus, "ReadAlias", &"default")
        .body()
        .deserialize()
        .unwrap()
}

fn lock(bus: &Connection) {
    service(bus, "Lock", &(vec![login(bus)],));
}

/// As a person would from another program.
fn unlock(bus: &Connection) {
    let opened = service(bus, "OpenSession", &("plain", Value::from("")));
    let (_, session): (OwnedValue, OwnedObjectPath) = opened.body().deserialize().unwrap();
    let master = (
        session,
        Vec::<u8>::new(),
        PASSWORD.as_bytes().to_vec(),
        "text/plain",
    );
    service(bus, "UnlockWithMasterPassword", &(login(bus), master));
}

/// How often threads other than this one run in two seconds, once those that were busy have gone to sleep.
fn wake_ups() -> u64 {
    std::thread::sleep(Duration::from_secs(1));
    let before = switches();
    std::thread::sleep(Duration::from_secs(2));
    switches() - before
}

fn switches() -> u64 {
    let us = std::fs::read_link("/proc/thread-self").unwrap();
    let mut sum = 0;
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let thread = thread.unwrap();
        if Some(thread.file_name().as_os_str()) == us.file_name() {
            continue;
        }
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap();
        let lines = status
            .lines()
            .filter_map(|line| line.split_once("ctxt_switches:"));
        sum += lines
            .map(|(_, count)| count.trim().parse::<u64>().unwrap())
            .sum::<u64>();
    }
    sum
}

fn secret_tool(arguments: &[&str]) -> Output {
    Command::new("secret-tool")
        .args(arguments)
        .output()
        .unwrap()
}

fn lookup(user: &str) -> String {
    let found = secret_tool(&["lookup", "service", "kubefob", "username", user]);
    String::from_utf8(found.stdout).unwrap()
}

fn store(user: &str, key: &str) {
    let mut tool = Command::new("secret-tool")
        .args([
            "store",
            "--label=put back",
            "service",
            "kubefob",
            "username",
            user,
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin
        .take()
        .unwrap()
        .write_all(key.as_bytes())
        .unwrap();
    assert!(tool.wait().unwrap().success());
}

/// Neither the key nor a token is in the clear anywhere in a folder.
fn nothing_holds(folder: &Path, key: &str) {
    for name in names(folder) {
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        for secret in [key, "the.id.token", "the client's"] {
            let mut parts = bytes.windows(secret.len());
            assert!(!parts.any(|part| part == secret.as_bytes()), "{name}");
        }
    }
}
