//! The vault under kills and full disks, and the resident's upgrade, with processes of their own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod shared;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use broker::clock::Wall;
use broker::problem::Code;
use broker::secret::RefreshToken;
use runtime::settings::Keep;
use runtime::single;
use runtime::upgrade::{Fate, Program};
use runtime::vault::{Record, State, Vault};
use shared::{again, missing, names, record, role};
use wire::endpoint::Places;

/// A child seals in a loop, says each generation that `seal` returned for, and is killed at some moment. What
/// is at rest is then a whole generation, and none older than the last that was said.
#[test]
fn a_kill_at_any_moment_leaves_a_whole_generation() {
    let name = "a_kill_at_any_moment_leaves_a_whole_generation";
    if role().is_some() {
        return seal_for_ever();
    }
    let kills = std::env::var("KUBEFOB_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime();
    let (mut whole, mut adopted, mut ahead) = (0, 0, 0);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for kill in 0..kills {
        let mut child = again(name, folder.path().to_str().unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let first = next_generation(&mut said).unwrap();
        // Some time within the writes that follow.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut last = first;
        while let Some(next) = next_generation(&mut said) {
            last = next;
        }
        let cut_off = names(folder.path())
            .iter()
            .any(|name| name.ends_with(".new"));
        let loaded = runtime.block_on(plain(folder.path()).load());
        assert!(
            loaded.damaged.is_empty(),
            "kill {kill}: {:?}",
            loaded.damaged
        );
        let [found] = loaded.accounts.try_into().unwrap();
        assert!(found.generation >= last, "{} < {last}", found.generation);
        let refresh = RefreshToken::new(format!("r{}", (found.generation - 1) / 2));
        let rests = found.tokens().and_then(|tokens| tokens.refresh.clone());
        assert_eq!(rests, Some(refresh), "of one piece");
        whole += 1;
        ahead += usize::from(found.generation > last);
        adopted += usize::from(cut_off && found.generation > last);
    }
    println!(
        "{whole} of {kills} kills left a whole generation, {ahead} a later one than was said, of which {adopted} not yet in place"
    );
    assert_eq!(names(folder.path()).len(), 2, "{:?}", names(folder.path()));
}

/// Generations in pairs, as a refresh makes them: the attempt noted, the reply sealed.
fn seal_for_ever() {
    let folder = PathBuf::from(role().unwrap());
    let vault = plain(&folder);
    runtime().block_on(async {
        let loaded = vault.load().await;
        let mut generation = loaded.accounts.first().map_or(0, |found| found.generation);
        let account = record("c", "").key.id();
        loop {
            if generation % 2 == 1 {
                vault.note_attempt(&account, "f", Wall(1)).await.unwrap();
            } else {
                // With the note, this generation and the next are of the same token.
                let refresh = format!("r{}", generation / 2);
                vault.seal(record("c", &refresh)).await.unwrap();
            }
            generation += 1;
            println!("sealed {generation}");
        }
    });
}

fn next_generation(said: &mut impl BufRead) -> Option<u64> {
    let mut line = String::new();
    loop {
        line.clear();
        if said.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        // The last line may be cut; it then says less than it meant.
        if let Some(generation) = line
            .strip_suffix('\n')
            .and_then(|line| line.split_once("sealed "))
        {
            return Some(generation.1.parse().unwrap());
        }
    }
}

/// On a file system of 64 kB that is really full, and one that is really read-only.
#[test]
fn a_full_and_a_read_only_disk_cost_nothing_but_the_disk() {
    let name = "a_full_and_a_read_only_disk_cost_nothing_but_the_disk";
    if role().is_none() {
        if let Some(program) = missing(&["unshare", "mount"]) {
            return println!("SKIPPED {name}: {program} is not installed");
        }
        let mut probe = Command::new("unshare");
        let probe = probe
            .args(["-rm", "mount", "-t", "tmpfs", "x", "/mnt"])
            .output();
        if !probe.unwrap().status.success() {
            return println!("SKIPPED {name}: no mounts of one's own here");
        }
        let folder = tempfile::tempdir().unwrap();
        let inside = again(name, folder.path().to_str().unwrap());
        let status = Command::new("unshare")
            .args([
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=64k,mode=700 x \"$1\" && shift && exec \"$@\"",
                "sh",
            ])
            .arg(folder.path())
            .arg(inside.get_program())
            .args(inside.get_args())
            .env(shared::ROLE, folder.path())
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let disk = PathBuf::from(role().unwrap());
    let folder = disk.join("vault");
    let runtime = runtime();
    let vault = plain(&folder);
    let refresh_at_rest = || {
        let loaded = runtime.block_on(plain(&folder).load());
        assert!(loaded.damaged.is_empty(), "{:?}", loaded.damaged);
        loaded
            .accounts
            .first()
            .and_then(|found| found.tokens()?.refresh.clone())
    };
    let sealed = |refresh: &str| runtime.block_on(vault.seal(record("c", refresh)));
    let expected = |refresh: &str| Some(RefreshToken::new(refresh.into()));
    sealed("r1").unwrap();

    let ballast = disk.join("ballast");
    let full = fill(&ballast);
    assert!(full.raw_os_error() == Some(28), "{full}");
    let problem = sealed("r2").unwrap_err();
    assert_eq!(problem.code(), Code::CannotKeep);
    println!("full: {}", problem.line(broker::texts::Language::En));
    assert_eq!(vault.state(), State::MemoryCannotKeep(problem));
    assert_eq!(refresh_at_rest(), expected("r1"), "what was there stays");
    assert!(!names(&folder).iter().any(|name| name.ends_with(".new")));
    std::fs::remove_file(&ballast).unwrap();
    let mended = runtime.block_on(vault.retry()).unwrap();
    assert_eq!(mended.state, State::Plain);
    assert_eq!(refresh_at_rest(), expected("r2"), "tried again");

    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        let mount = mount
            .args(["-o", &format!("remount,{how},size=64k")])
            .arg(&disk);
        assert!(mount.status().unwrap().success());
    };
    remount("ro");
    let problem = sealed("r3").unwrap_err();
    assert_eq!(problem.code(), Code::CannotKeep);
    println!("read-only: {}", problem.line(broker::texts::Language::En));
    assert_eq!(refresh_at_rest(), expected("r2"));
    let account = record("c", "").key.id();
    let unforgotten = runtime.block_on(vault.forget(&account)).unwrap_err();
    assert_eq!(unforgotten.code(), Code::CannotForget);
    remount("rw");
    sealed("r4").unwrap();
    assert_eq!(refresh_at_rest(), expected("r4"));
}

/// The file that this process was started from is replaced, and it becomes the successor: lock and socket stay
/// open, and a client who connected in between is answered by the successor.
#[test]
fn an_upgrade_closes_no_door() {
    let name = "an_upgrade_closes_no_door";
    if role().is_some() {
        return resident(&PathBuf::from(role().unwrap()));
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let program = folder.path().join("kubefob");
    install(&program);
    let inside = again(name, "");
    let mut child = Command::new(&program)
        .args(inside.get_args())
        .env(shared::ROLE, &home)
        .spawn()
        .unwrap();
    let socket = home.join("socket");
    shared::until("it comes up", Duration::from_secs(10), || {
        UnixStream::connect(&socket).is_ok()
    });
    let (first, life) = ask(&socket);
    assert_eq!((first, life.as_str()), (child.id(), "first"));

    let next = folder.path().join("next");
    install(&next);
    std::fs::rename(&next, &program).unwrap();
    // Calls go on all the while, and none fails.
    let (mut calls, begun) = (0, Instant::now());
    loop {
        calls += 1;
        let (pid, life) = ask(&socket);
        assert_eq!(pid, child.id());
        if life == "successor" {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it does not notice"
        );
    }
    for _ in 0..50 {
        assert_eq!(ask(&socket).1, "successor");
    }
    println!("upgraded after {calls} calls, none failed");
    let uid = wire::os::uid().unwrap();
    let places = Places::new(uid, Some(home.as_os_str()), || None).unwrap();
    assert!(matches!(
        single::claim(&places),
        Err(single::Unclaimed::Taken)
    ));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        single::claim(&places).is_ok(),
        "the lock ended with its holder"
    );
}

/// A resident that answers each client with its pid and which of its lives it is in.
fn resident(home: &Path) {
    let program = Program::of_this_process().unwrap();
    let uid = wire::os::uid().unwrap();
    let places = Places::new(uid, Some(home.as_os_str()), || None).unwrap();
    let life = match std::env::var_os(single::INHERIT) {
        Some(_) => "successor",
        None => "first",
    };
    let mut claim = single::claim(&places).unwrap();
    assert!(claim.in_place(&places));
    let [listener] = claim.listeners().unwrap().try_into().unwrap();
    listener.set_nonblocking(false).unwrap();
    loop {
        let (mut client, _) = listener.accept().unwrap();
        let _ = write!(client, "{} {life}", std::process::id());
        drop(client);
        if program.fate() == Fate::Replaced {
            panic!("{:?}", program.become_it(&claim, Vec::new()));
        }
    }
}

fn ask(socket: &Path) -> (u32, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (pid, life) = answer.split_once(' ').unwrap();
    (pid.parse().unwrap(), life.to_owned())
}

/// By another process: what a test beside this one forks off meanwhile would hold our file open for writing until it
/// executes, and nobody could start it ("text file busy").
fn install(path: &Path) {
    let mut install = Command::new("install");
    let install = install
        .args(["-m", "755"])
        .arg(std::env::current_exe().unwrap());
    assert!(install.arg(path).status().unwrap().success());
}

/// A failed exec leaves everything as it was.
#[test]
fn a_successor_that_does_not_start_is_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let uid = wire::os::uid().unwrap();
    let places = Places::new(uid, Some(folder.path().as_os_str()), || None).unwrap();
    let claim = single::claim(&places).unwrap();
    if role().is_none() {
        let inside = again("a_successor_that_does_not_start_is_no_loss", "inside");
        let program = folder.path().join("kubefob");
        install(&program);
        let mut child = Command::new(&program);
        child.args(inside.get_args()).env(shared::ROLE, "inside");
        assert!(child.status().unwrap().success());
        return;
    }
    let program = Program::of_this_process().unwrap();
    let whole = std::fs::read(program.path()).unwrap();
    std::fs::remove_file(program.path()).unwrap();
    std::fs::write(program.path(), &whole[..whole.len() / 2]).unwrap();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program.path(), mode).unwrap();
    let before = open_in_a_child();
    let error = program.become_it(&claim, Vec::new()).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    assert!(claim.in_place(&places));
    assert_eq!(
        open_in_a_child(),
        before,
        "no lock and no socket for children"
    );
}

fn open_in_a_child() -> usize {
    let child = Command::new("ls").arg("/proc/self/fd").output().unwrap();
    String::from_utf8(child.stdout).unwrap().lines().count()
}

fn plain(folder: &Path) -> Vault {
    Vault::open(folder, None, Keep::Plain)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn fill(path: &Path) -> std::io::Error {
    let mut file = std::fs::File::create(path).unwrap();
    loop {
        if let Err(error) = file.write_all(&[7; 64]) {
            return error;
        }
    }
}

/// So that the vault's types are seen from outside the crate as the lead uses them.
#[allow(dead_code, reason = "compiled, not run")]
fn is_shared(vault: Vault, record: Record) {
    fn is<T: Clone + Send + Sync + 'static>(_: T) {}
    fn sends<T: Send>(_: T) {}
    sends(vault.seal(record));
    sends(vault.load());
    sends(vault.retry());
    is(vault.clone());
}
