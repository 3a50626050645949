//! Switches of contexts that many make at once: ours alone, and with the real kubectl among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use serde_json::Value;
use world::parts::Parts;
use world::person::{Person, said};
use world::wait;

const WRITERS: usize = 40;
const ROUNDS: usize = 6;
/// How many of the forty are kubectl where they are mixed.
const KUBECTLS: usize = 2;
/// How many contexts there are: the writers of one round find none of their own current.
const CONTEXTS: usize = 2 * WRITERS;

/// A kubeconfig that says nothing, once or twice.
const SECOND: &[u8] = b"# nothing\n";

/// The context of a writer in a round.
fn name(round: usize, writer: usize) -> String {
    format!("c{}", (round * WRITERS + writer) % CONTEXTS)
}

/// A kubeconfig with a context for each writer of two rounds, and with what kubectl would drop.
fn kubeconfig() -> String {
    let mut text = String::from(
        "# mine\napiVersion: v1\nclusters:\n- {name: dev, cluster: {server: 'https://127.0.0.1:1'}}\ncontexts:\n\
         - {name: dev, context: {cluster: dev, user: me}}   # where I work\n",
    );
    for number in 0..CONTEXTS {
        text.push_str(&format!(
            "- {{name: c{number}, context: {{cluster: dev, user: me}}}}\n"
        ));
    }
    text.push_str(
        "current-context: dev   # for now\nusers:\n- {name: me, user: {}}\nkind: Config\n",
    );
    text
}

fn somebody() -> Result<Person> {
    let parts = Parts::from_environment()?;
    Person::settled("kubefob-contexts-", parts.path("kubectl")?)
}

/// `kubectl-fob use` for each of these, at once; what each wrote, and what it had read.
fn crowd(person: &Person, names: impl Iterator<Item = String>) -> Result<Vec<(String, String)>> {
    let children: Vec<_> = names
        .map(|name| {
            let child = person
                .command("kubectl-fob")
                .args(["use", &name, "--json"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            Ok((name, child?))
        })
        .collect::<Result<_>>()?;
    let mut outcomes = Vec::new();
    for (wrote, child) in children {
        let said = said(child.wait_with_output()?)?;
        ensure!(said.ok, "{said:?}");
        let outcome: Value = serde_json::from_str(&said.out)?;
        let read = outcome["previous"].as_str().context("it read no context")?;
        outcomes.push((wrote, read.to_owned()));
    }
    Ok(outcomes)
}

/// Ours alone: each write says what it read, and that is its predecessor's output, so that all stand in one line.
pub(crate) fn ours_alone() -> Result<()> {
    let person = somebody()?;
    let text = kubeconfig();
    let file = person.kubeconfig(&text)?;
    let begun = Instant::now();
    let mut state = "dev".to_owned();
    for round in 0..ROUNDS {
        let names = (0..WRITERS).map(|writer| name(round, writer));
        let mut successors = BTreeMap::new();
        for (wrote, read) in crowd(&person, names)? {
            let other = successors.insert(read, wrote);
            ensure!(
                other.is_none(),
                "{other:?} is lost: another has read what it had"
            );
        }
        for writes in 0..WRITERS {
            let next = successors.remove(&state);
            state = next.with_context(|| format!("round {round} ends after {writes} writes"))?;
        }
    }
    let took = begun.elapsed();
    let after = fs::read_to_string(&file)?;
    let expected = text.replace(
        "current-context: dev ",
        &format!("current-context: {state} "),
    );
    ensure!(after == expected, "{after}");
    println!(
        "{WRITERS} writers x {ROUNDS} rounds, one line of writes from dev to {state}: {took:.1?}"
    );
    Ok(())
}

/// With kubectl among them: what a lock of ours was taken for stands when it is given back, no change of kubectl's is
/// lost to ours, and who reads meanwhile finds all of the contexts.
pub(crate) fn beside_kubectl() -> Result<()> {
    let person = somebody()?;
    let file = person.kubeconfig(&kubeconfig())?;
    let reads = || -> Result<usize> {
        let list = person.fob(&["contexts"])?;
        Ok(list.as_array().map_or(0, Vec::len))
    };
    ensure!(reads()? == CONTEXTS + 1);
    let log = Log::of(file.parent().context("no folder")?)?;
    let over = AtomicBool::new(false);
    let (changes, tries, readings) = std::thread::scope(|scope| -> Result<_> {
        let kubectls = scope.spawn(|| kubectls(&person));
        let readers = scope.spawn(|| -> Result<usize> {
            let mut readings = 0;
            while !over.load(Ordering::Relaxed) {
                let found = reads()?;
                ensure!(found == CONTEXTS + 1, "{found} contexts were read");
                readings += 1;
            }
            Ok(readings)
        });
        let ours = (0..ROUNDS).try_fold(0, |changes, round| -> Result<usize> {
            let names = (KUBECTLS..WRITERS).map(|writer| name(round, writer));
            let outcomes = crowd(&person, names)?;
            Ok(changes
                + outcomes
                    .iter()
                    .filter(|(wrote, read)| wrote != read)
                    .count())
        });
        let tries = kubectls.join();
        over.store(true, Ordering::Relaxed);
        let readings = readers.join();
        let panicked = |_| anyhow::anyhow!("a thread panicked");
        Ok((
            ours?,
            tries.map_err(panicked)??,
            readings.map_err(panicked)??,
        ))
    })?;

    let held = log.read()?;
    let ours = held.iter().filter(|by| **by == By::Us).count();
    let theirs = held.iter().filter(|by| **by == By::Kubectl).count();
    ensure!(ours == changes, "{changes} told, {ours} seen: {held:?}");
    ensure!(
        theirs >= KUBECTLS * ROUNDS / 2,
        "kubectl wrote {theirs} times: {held:?}"
    );
    let view = person.kubectl(&["config", "view", "-o", "json"])?;
    let view: Value = serde_json::from_str(&view.out)?;
    let contexts = view["contexts"].as_array().context("no contexts")?;
    ensure!(contexts.len() == CONTEXTS + 1);
    let spaces: BTreeSet<&str> = contexts
        .iter()
        .filter_map(|context| context["context"]["namespace"].as_str())
        .collect();
    ensure!(spaces.len() == KUBECTLS * ROUNDS / 2, "{spaces:?}");
    println!(
        "{ours} switches of ours, {theirs} writes of kubectl ({tries} tries), {readings} readings meanwhile: \
         none of either lost, no half file read"
    );
    Ok(())
}

/// kubectl's writers: one after the other, since it loses its own updates. Half of them set a namespace, which must
/// stay; half of them switch. It fails where it finds a lock, and is called again, as a person would.
fn kubectls(person: &Person) -> Result<usize> {
    let mut tries = 0;
    for round in 0..ROUNDS {
        for writer in 0..KUBECTLS {
            let name = format!("c{}", round * KUBECTLS + writer);
            let space = format!("--namespace={name}");
            let arguments = if writer % 2 == 0 {
                vec!["config", "set-context", &name, &space]
            } else {
                vec!["config", "use-context", &name]
            };
            let at_once = wait::up_to(Duration::from_secs(60)).every(Duration::ZERO);
            at_once.until("kubectl finds the lock free", || {
                tries += 1;
                let said = person.kubectl(&arguments)?;
                ensure!(said.ok || said.err.contains(".lock"), "{said:?}");
                Ok(said.ok)
            })?;
        }
    }
    Ok(tries)
}

/// kubectl reads, we switch, kubectl writes what it had read: the switch is undone, and `status` says so.
pub(crate) fn undone() -> Result<()> {
    let mut person = somebody()?;
    let file = person.kubeconfig(&kubeconfig())?;
    until(&person, |status| status["kubeconfig"]["current"] == "dev")?;

    // A second file, which keeps kubectl waiting between the two.
    let pipe = person.home.join("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)?;
    let open = || fs::File::options().write(true).open(&pipe);
    let set = format!("{}:{}", file.display(), pipe.display());
    let mut kubectl = person
        .command("kubectl")
        .args(["config", "set-context", "c0", "--namespace=mine"])
        .env("KUBECONFIG", set)
        .spawn()?;
    // It has read the first one now.
    let mut second = open()?;
    let switched = person.fob(&["use", "c1"])?;
    ensure!(switched["previous"] == "dev", "{switched}");
    let ours = fs::read_to_string(&file)?;
    ensure!(ours.contains("current-context: c1   # for now"), "{ours}");
    second.write_all(SECOND)?;
    drop(second);
    // It reads it again under the lock.
    serve(&mut kubectl, &pipe)?;

    let status = until(&person, |status| {
        status["notices"][0]["code"] == "switch-undone"
    })?;
    ensure!(status["kubeconfig"]["current"] == "dev", "{status}");
    person.variable("KUBECONFIG", &file.display().to_string());
    let kubectls = person.kubectl(&["config", "current-context"])?;
    ensure!(kubectls.out == "dev\n", "{kubectls:?}");
    let shown = person.kubectl(&["fob", "status"])?;
    println!("{}", shown.out.trim());

    let again = person.fob(&["use", "c1"])?;
    ensure!(again["previous"] == "dev", "{again}");
    let status = person.fob(&["status"])?;
    ensure!(status["notices"] == serde_json::json!([]), "{status}");
    Ok(())
}

/// `kubectl fob status`, once it says so.
fn until(person: &Person, says: impl Fn(&Value) -> bool) -> Result<Value> {
    wait::up_to(Duration::from_secs(20)).until("a status that says so", || {
        let status = person.fob(&["status"])?;
        Ok(wait::is(says(&status), status))
    })
}

/// Gives kubectl its second file as often as it opens it, until it has ended.
fn serve(kubectl: &mut std::process::Child, pipe: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let not_waiting = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits())?;
    let often = wait::up_to(Duration::from_secs(20)).every(Duration::from_millis(1));
    let status = often.until("kubectl's end", || {
        if let Some(status) = kubectl.try_wait()? {
            return Ok(Some(status));
        }
        // It fails as long as nobody reads.
        let open = fs::File::options()
            .write(true)
            .custom_flags(not_waiting)
            .open(pipe);
        if let Ok(mut second) = open {
            // It can be done with the last reading just now.
            drop(second.write_all(SECOND));
        }
        Ok(None)
    })?;
    ensure!(status.success(), "kubectl: {status}");
    Ok(())
}

/// Who changed the kubeconfig while one lock was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// By a new file in its place.
    Us,
    /// In place.
    Kubectl,
    /// Nobody.
    None,
}

/// What happened in a folder with a kubeconfig, in the kernel's order.
struct Log(OwnedFd);

impl Log {
    fn of(folder: &Path) -> Result<Self> {
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let flags =
            WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_TO | WatchFlags::MODIFY;
        inotify::add_watch(&watch, folder, flags)?;
        Ok(Self(watch))
    }

    /// Each lock that was held, by who wrote meanwhile. An error if both did: then what we wrote was gone before the
    /// lock was; or if somebody wrote without it.
    fn read(self) -> Result<Vec<By>> {
        let mut buffer = [MaybeUninit::uninit(); 64 * 1024];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let (mut held, mut now) = (Vec::new(), None);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::AGAIN) => return Ok(held),
                Err(error) => return Err(error.into()),
            };
            let flags = event.events();
            ensure!(
                !flags.contains(ReadFlags::QUEUE_OVERFLOW),
                "too much happened"
            );
            let name = event.file_name().and_then(|name| name.to_str().ok());
            now = match (name.unwrap_or_default(), now) {
                ("config.lock", None) if flags.contains(ReadFlags::CREATE) => Some(By::None),
                ("config.lock", Some(by)) if flags.contains(ReadFlags::DELETE) => {
                    held.push(by);
                    None
                }
                ("config", Some(By::None)) if flags.contains(ReadFlags::MOVED_TO) => Some(By::Us),
                ("config", Some(By::None | By::Kubectl)) if flags.contains(ReadFlags::MODIFY) => {
                    Some(By::Kubectl)
                }
                ("config" | "config.lock", _) => {
                    bail!("after {} locks: {name:?} {flags:?}, {now:?}", held.len())
                }
                (_, now) => now,
            };
        }
    }
}
