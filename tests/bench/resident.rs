//! What the resident costs while it does nothing, and how fast it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use world::person::Person;
use world::statistics::minimum;
use world::wait;

use crate::ground::{Ground, resident_of, socket_of, wait_for};
use crate::row::{Goal, Row};

const IDLE: Duration = Duration::from_secs(60);
const STARTS: u32 = 100;

pub(crate) const NOT_DUMPABLE: &str =
    "our processes are not dumpable, so that only root can read their smaps_rollup";

/// Its memory, where somebody just signed in through it.
pub(crate) fn memory(ground: &Ground) -> Result<Vec<Row>> {
    let (name, goal) = ("PSS of the resident, signed in", Goal::Most(10.0));
    Ok(vec![its_memory(ground, name, goal, "did the sign-in")?])
}

/// A row of the memory of a resident that has done something.
pub(crate) fn its_memory(
    ground: &Ground,
    name: &'static str,
    goal: Goal,
    did: &str,
) -> Result<Row> {
    let pid = ground.resident()?;
    let Some(memory) = Memory::of(pid)? else {
        return Ok(Row::skipped(name, goal, NOT_DUMPABLE));
    };
    let how = format!(
        "/proc/PID/smaps_rollup of the resident that {did} ({}); of it {:.1} MB anonymous, {} threads",
        ground.vault,
        memory.anonymous,
        threads(pid)?.len(),
    );
    Ok(Row::new(name, (memory.all, "MB"), goal, how))
}

/// The proportional set size of a process, in MB.
pub(crate) struct Memory {
    pub(crate) all: f64,
    anonymous: f64,
}

impl Memory {
    /// None: the kernel does not tell us.
    pub(crate) fn of(pid: u32) -> Result<Option<Self>> {
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
            return Ok(None);
        };
        let megabytes = |name: &str| -> Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let figure = line.context("not in smaps_rollup")?;
            let kib: f64 = figure.trim().trim_end_matches("kB").trim().parse()?;
            Ok(kib * 1024.0 / 1e6)
        };
        Ok(Some(Self {
            all: megabytes("Pss:")?,
            anonymous: megabytes("Pss_Anon:")?,
        }))
    }
}

/// How long its socket takes, against the least that a process costs.
pub(crate) fn start(ground: &Ground) -> Result<Vec<Row>> {
    ground.person.end_resident("TERM")?;
    let (mut starts, mut least) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        starts.push(started(&ground.person)?);
        let mut command = ground.person.command("/bin/true");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        ensure!(command.status()?.success(), "/bin/true failed");
        least.push(begun.elapsed().as_secs_f64());
    }
    let (start, least) = minimum(&starts)
        .zip(minimum(&least))
        .context("nothing was measured")?;
    let how = format!(
        "minima of {STARTS} interleaved starts: {:.2} ms until the socket takes a connection, in a \
         home with a session at rest, and {:.2} ms",
        start * 1e3,
        least * 1e3
    );
    Ok(vec![Row::new(
        "resident, spawn to socket ÷ /bin/true",
        (start / least, "×"),
        Goal::Most(8.0),
        how,
    )])
}

/// Seconds until a new resident takes a connection; it is ended again.
fn started(person: &Person) -> Result<f64> {
    let socket = socket_of(person);
    let mut command = person.command("kubefob");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut resident = command.spawn()?;
    wait::up_to(Duration::from_secs(30))
        .every(Duration::ZERO)
        .until("a socket", || Ok(UnixStream::connect(&socket)))
        .with_context(|| person.log())?;
    let seconds = begun.elapsed().as_secs_f64();
    kill_process(Pid::from_child(&resident), Signal::TERM)?;
    resident.wait()?;
    Ok(seconds)
}

/// Seconds that two people's residents take at least, started by turns.
pub(crate) fn starts_by_turns(one: &Person, other: &Person) -> Result<(f64, f64)> {
    for person in [one, other] {
        person.end_resident("TERM")?;
    }
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        // What the end of one leaves to be done, the next start pays for: each comes after itself as often as after the other.
        ones.push(started(one)?);
        others.extend([started(other)?, started(other)?]);
        ones.push(started(one)?);
    }
    let both = minimum(&ones).zip(minimum(&others));
    both.context("nothing was measured")
}

/// How often anything in it wakes up while nothing is to be done.
pub(crate) fn idle(ground: &Ground) -> Result<Vec<Row>> {
    let name = "context switches in 60 idle seconds";
    Ok(vec![idle_while(ground, name, "")?])
}

/// A row of the same while something is to be seen.
pub(crate) fn idle_while(ground: &Ground, name: &'static str, what: &str) -> Result<Row> {
    let said = ground.get_namespaces(&[])?;
    ensure!(said.ok, "{said:?}");
    let pid = ground.resident()?;
    let settled = settled(pid)?;
    let before = threads(pid)?;
    thread::sleep(IDLE);
    let (switches, threads) = switches_since(pid, &before)?;
    let how = format!(
        "voluntary and other, of {} threads, in {} s; signed in, no refresh due, no connection to \
         the provider; begun {:.0} s after the last question{what} ({})",
        threads,
        IDLE.as_secs(),
        settled.as_secs_f64(),
        ground.vault,
    );
    Ok(Row::new(
        name,
        (switches as f64, "switches"),
        Goal::Most(0.0),
        how,
    ))
}

/// How many a process has had since a look at its threads, during which nothing connected; and how many threads it has.
fn switches_since(pid: u32, before: &BTreeMap<u32, u64>) -> Result<(u64, usize)> {
    let after = threads(pid)?;
    ensure!(connections(pid)? == 0, "a connection was opened meanwhile");
    let all: BTreeSet<u32> = before.keys().chain(after.keys()).copied().collect();
    let switches = all
        .iter()
        .map(|thread| match (before.get(thread), after.get(thread)) {
            (Some(before), Some(after)) => after - before,
            // One that came has run, and one that went ran to do so.
            (None, Some(after)) => (*after).max(1),
            (Some(_), None) | (None, None) => 1,
        })
        .sum();
    Ok((switches, after.len()))
}

/// A row of how many more of them there are in one person's resident than in another's, in the same minute.
pub(crate) fn idle_side_by_side(
    name: &'static str,
    goal: Goal,
    one: &Person,
    other: &Person,
) -> Result<Row> {
    let (one, other) = (resident_of(one)?, resident_of(other)?);
    settled(one)?;
    settled(other)?;
    let before = (threads(one)?, threads(other)?);
    thread::sleep(IDLE);
    let (one, _) = switches_since(one, &before.0)?;
    let (other, _) = switches_since(other, &before.1)?;
    let how = format!("{one} and {other}, in the same {} s", IDLE.as_secs());
    let more = one as f64 - other as f64;
    Ok(Row::new(name, (more, "switches"), goal, how))
}

/// Waits until what the last question left behind is over: connections, and threads that wait for more of the kind. Their
/// set has been the same for a quarter of a minute: a pool lets a thread go when it has had nothing to do for ten seconds.
fn settled(pid: u32) -> Result<Duration> {
    wait_for("connections to be closed", || Ok(connections(pid)? == 0))?;
    let begun = Instant::now();
    let names = || -> Result<BTreeSet<u32>> { Ok(threads(pid)?.into_keys().collect()) };
    let (mut known, mut since) = (names()?, Instant::now());
    wait::up_to(Duration::from_secs(180))
        .every(Duration::from_millis(250))
        .until("the same threads for a quarter of a minute", || {
            let now = names()?;
            if now != known {
                (known, since) = (now, Instant::now());
            }
            let so = since.elapsed() >= Duration::from_secs(15);
            Ok(wait::is(so, format!("{known:?}")))
        })?;
    Ok(begun.elapsed())
}

/// The context switches of each thread so far.
fn threads(pid: u32) -> Result<BTreeMap<u32, u64>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = entry?.path();
        // It may have gone meanwhile.
        let Ok(status) = fs::read_to_string(path.join("status")) else {
            continue;
        };
        let switches = status
            .lines()
            .filter_map(|line| line.split_once("_ctxt_switches:"))
            .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
            .sum();
        let thread = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        found.insert(thread.context("a thread without a number")?, switches);
    }
    Ok(found)
}

/// How many TCP sockets of a process are neither listening nor closed.
fn connections(pid: u32) -> Result<usize> {
    let mut open = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let table = format!("/proc/{pid}/net/{table}");
        for line in fs::read_to_string(Path::new(&table))
            .unwrap_or_default()
            .lines()
            .skip(1)
        {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (Some(state), Some(inode)) = (fields.get(3), fields.get(9)) else {
                continue;
            };
            // 0A: it listens (proc_net_tcp of the kernel's documentation).
            if *state != "0A" {
                open.insert(format!("socket:[{inode}]"));
            }
        }
    }
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
        .context("the resident is not dumpable, so that only root can see its connections")?;
    let held = descriptors
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter(|link| link.to_str().is_some_and(|link| open.contains(link)));
    Ok(held.count())
}
