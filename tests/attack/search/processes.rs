//! Every process of a scene, looked at again and again while it lives: its arguments, its
//! environment, and what of the needles is in its memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{Needle, Secret};

/// How much is read at once. A needle that lies across two reads is found: they overlap.
const CHUNK: usize = 1 << 20;
/// More than the longest needle.
const OVERLAP: usize = 4096;

/// A thread that looks.
pub(super) struct Watching {
    shared: Arc<Mutex<Shared>>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    needles: Vec<Needle>,
    seen: Seen,
    ended: bool,
}

/// What was seen.
#[derive(Default)]
pub(super) struct Seen {
    /// Which secret was in the memory of which program.
    pub(super) memory: BTreeSet<(Secret, String)>,
    /// How often each program was looked at.
    pub(super) looked: BTreeMap<String, usize>,
    /// What each was called with.
    pub(super) lines: BTreeSet<Lines>,
}

/// What a process was called with.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lines {
    pub(super) program: String,
    pub(super) arguments: Vec<u8>,
    pub(super) environment: Vec<u8>,
}

impl Watching {
    /// Looks at whatever has this folder in its arguments or environment.
    pub(super) fn start(folder: &Path) -> Self {
        let shared = Arc::<Mutex<Shared>>::default();
        let (theirs, folder) = (Arc::clone(&shared), folder.to_owned());
        let thread = std::thread::spawn(move || {
            loop {
                let needles = {
                    let shared = lock(&theirs);
                    if shared.ended {
                        return;
                    }
                    shared.needles.clone()
                };
                look(&folder, &needles, &theirs);
            }
        });
        Self { shared, thread }
    }

    /// Looks for these too from now on.
    pub(super) fn look_for(&self, needles: impl IntoIterator<Item = Needle>) {
        let mut shared = lock(&self.shared);
        for needle in needles {
            if !shared.needles.contains(&needle) {
                shared.needles.push(needle);
            }
        }
    }

    /// Ends it, and returns all needles and what was seen.
    pub(super) fn end(self) -> (Vec<Needle>, Seen) {
        lock(&self.shared).ended = true;
        drop(self.thread.join());
        let mut shared = lock(&self.shared);
        (
            std::mem::take(&mut shared.needles),
            std::mem::take(&mut shared.seen),
        )
    }
}

/// Looks once at each of them.
pub(super) fn look_once(folder: &Path, needles: &[Needle]) -> Seen {
    let shared = Mutex::default();
    look(folder, needles, &shared);
    std::mem::take(&mut lock(&shared).seen)
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn look(folder: &Path, needles: &[Needle], shared: &Mutex<Shared>) {
    let Ok(processes) = fs::read_dir("/proc") else {
        return;
    };
    let numbers = processes
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .map(|entry| entry.path())
        .filter(|process| !process.ends_with(std::process::id().to_string()));
    for process in numbers {
        let Some(lines) = lines(&process, folder) else {
            continue;
        };
        let program = lines.program.clone();
        let found = memory(&process, needles);
        // Where it became another program meanwhile, nobody knows whose memory that was.
        let still = fs::read(process.join("cmdline")).is_ok_and(|now| now == lines.arguments);
        let mut shared = lock(shared);
        shared.seen.lines.insert(lines);
        if still {
            *shared.seen.looked.entry(program.clone()).or_default() += 1;
            shared
                .seen
                .memory
                .extend(found.into_iter().map(|secret| (secret, program.clone())));
        }
    }
}

fn lines(process: &Path, folder: &Path) -> Option<Lines> {
    let arguments = fs::read(process.join("cmdline")).ok()?;
    let environment = fs::read(process.join("environ")).ok()?;
    let folder = folder.as_os_str().as_encoded_bytes();
    let of_scene = [&arguments, &environment]
        .iter()
        .any(|bytes| memchr::memmem::find(bytes, folder).is_some());
    let called = arguments.split(|byte| *byte == 0).next()?;
    let called = PathBuf::from(String::from_utf8_lossy(called).into_owned());
    let program = called.file_name()?.to_string_lossy().into_owned();
    of_scene.then_some(Lines {
        program,
        arguments,
        environment,
    })
}

/// What of the needles is in whatever a process can write to, or could.
fn memory(process: &Path, needles: &[Needle]) -> BTreeSet<Secret> {
    let mut found = BTreeSet::new();
    let mut maps = String::new();
    let read = File::open(process.join("maps")).and_then(|mut file| file.read_to_string(&mut maps));
    let files = (
        File::open(process.join("mem")),
        File::open(process.join("pagemap")),
    );
    let (Ok(_), (Ok(memory), Ok(pages))) = (read, files) else {
        return found;
    };
    let mut chunk = vec![0; CHUNK];
    let ranges = maps.lines().filter_map(private);
    for (mut at, end) in ranges.flat_map(|range| touched(&pages, range)) {
        while at < end {
            let wanted = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
            let Some(room) = chunk.get_mut(..wanted) else {
                break;
            };
            let Ok(length @ 1..) = memory.read_at(room, at) else {
                break;
            };
            let bytes = &room[..length];
            for needle in needles {
                if !found.contains(&needle.secret) && needle.is_in(bytes) {
                    found.insert(needle.secret);
                }
            }
            if length <= OVERLAP || at + length as u64 >= end {
                break;
            }
            at += (length - OVERLAP) as u64;
        }
    }
    found
}

/// The parts of a range that were ever written to. WebKit reserves 64 GiB and touches little of it; a small range is
/// looked at whole.
fn touched(pages: &File, (from, to): (u64, u64)) -> Vec<(u64, u64)> {
    const SMALL: u64 = 16 << 20;
    const PAGE: u64 = 4096;
    /// In memory, or swapped out (`Documentation/admin-guide/mm/pagemap.rst`).
    const THERE: u8 = 0xc0;
    if to - from <= SMALL {
        return vec![(from, to)];
    }
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    let mut entries = vec![0; 8 * (1 << 16)];
    let mut page = from / PAGE;
    while page < to / PAGE {
        let left = usize::try_from(to / PAGE - page).unwrap_or(usize::MAX);
        let wanted = entries.len().min(left.saturating_mul(8));
        let Ok(length @ 8..) = pages.read_at(&mut entries[..wanted], page * 8) else {
            break;
        };
        for entry in entries[..length].chunks_exact(8) {
            if entry[7] & THERE != 0 {
                let at = page * PAGE;
                match ranges.last_mut() {
                    Some((_, end)) if *end == at => *end += PAGE,
                    Some(_) | None => ranges.push((at, at + PAGE)),
                }
            }
            page += 1;
        }
    }
    ranges
}

/// The range of a line of `maps` that no file alone stands behind.
fn private(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_ascii_whitespace();
    let (range, rights) = (words.next()?, words.next()?);
    let inode = words.nth(2)?;
    let own = rights.starts_with('r') && (rights.contains('w') || inode == "0");
    let (from, to) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    // The kernel's own pages at the end of the address space can't be read this way.
    let (from, to) = (number(from)?, number(to)?);
    (own && !line.ends_with("[vvar]") && !line.ends_with("[vsyscall]")).then_some((from, to))
}
