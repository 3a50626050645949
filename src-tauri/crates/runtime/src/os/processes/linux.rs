//! Linux: `/proc`.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use object::{Object as _, ObjectSection as _};
use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, stat, statx};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Process;

/// The entry of a process, from `/proc/PID/stat` (proc_pid_stat(5)).
pub(crate) fn process(pid: u32) -> Option<Process> {
    entry(&File::open(format!("/proc/{pid}/stat")).ok()?)
}

fn entry(stat: &File) -> Option<Process> {
    // A line of 52 numbers and a name of 64 bytes at most is there in one read.
    let mut line = [0; 2048];
    let length = stat.read_at(&mut line, 0).ok()?;
    parse(&String::from_utf8_lossy(line.get(..length)?))
}

/// A process that is looked at again, as long as it runs the program that it ran.
///
/// Both descriptors belong to this process and not to its number: another one that gets the number is
/// never seen through them. And `environ` belongs to the memory that it had when it was opened (`proc_mem_open`
/// in the kernel's `fs/proc/base.c`); by `exec` a process gets another, and the old one reads as empty. (Until a
/// child by vfork, which shares it, has become a program of its own.)
#[derive(Debug)]
pub(crate) struct Held {
    stat: File,
    environ: File,
}

impl Held {
    /// None: it is gone, or the system does not show its environment.
    pub(crate) fn open(pid: u32) -> Option<Self> {
        let open = |name: &str| File::open(format!("/proc/{pid}/{name}")).ok();
        Some(Self {
            stat: open("stat")?,
            environ: open("environ")?,
        })
    }

    /// Whether it still runs the program that it ran.
    pub(crate) fn is_the_same(&self) -> bool {
        matches!(self.environ.read_at(&mut [0], 0), Ok(1))
    }

    /// Its entry as it is now; none once it has ended or become another program.
    pub(crate) fn process(&self) -> Option<Process> {
        if self.is_the_same() {
            entry(&self.stat)
        } else {
            None
        }
    }
}

/// Whether a process's standard error is this terminal, which it belongs to.
pub(crate) fn writes_errors_to(pid: u32, terminal: u64) -> bool {
    // Whichever terminal a process belongs to (devices.txt, 5:0).
    let its_own = makedev(5, 0);
    let found = stat(format!("/proc/{pid}/fd/2"));
    found.is_ok_and(|found| [terminal, its_own].contains(&found.st_rdev))
}

/// A terminal's device number, as `st_rdev` has it. The kernel tells it in 32 bits (proc_pid_stat(5), field 7): the major
/// number in bits 8 to 15, the minor number around it. None: there is none.
fn terminal(number: i64) -> Option<u64> {
    let bits = i32::try_from(number).ok()?.cast_unsigned();
    let (major, minor) = (
        (bits >> 8) & 0xff,
        (bits & 0xff) | ((bits >> 12) & 0xf_ff00),
    );
    (bits != 0).then(|| makedev(major, minor))
}

/// The name stands in brackets and may hold brackets and blanks itself: the last one closes it.
fn parse(stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<i64>().ok();
    let (parent, group, its_terminal, foreground) =
        (number(1)?, number(2)?, number(4)?, number(5)?);
    Some(Process {
        name: name.to_owned(),
        parent: u32::try_from(parent).ok()?,
        started: fields.get(19)?.parse().ok()?,
        in_front_of: terminal(its_terminal).filter(|_| group == foreground),
    })
}

/// When a process started, by what [`Process::started`] says of it: clock ticks since boot. A tick
/// is added, so that it is rather too late than too early.
pub(crate) fn start_time(started: u64) -> Option<std::time::SystemTime> {
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let since_boot = Duration::from_millis((started + 1).saturating_mul(1000) / ticks);
    let uptime = clock_gettime(ClockId::Boottime);
    let uptime = Duration::new(
        u64::try_from(uptime.tv_sec).ok()?,
        u32::try_from(uptime.tv_nsec).ok()?,
    );
    std::time::SystemTime::now()
        .checked_sub(uptime)?
        .checked_add(since_boot)
}

/// A process's arguments, its own name first.
pub(crate) fn arguments(pid: u32) -> Option<Vec<String>> {
    let line = read(pid, "cmdline")?;
    let line = line.strip_suffix(&[0]).unwrap_or(&line);
    Some(
        line.split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    )
}

pub(crate) use wire::os::environment;

/// The children of this process. Where the system doesn't say, none.
pub(crate) fn children() -> Vec<Pid> {
    let this = std::process::id();
    let all = std::fs::read_to_string(format!("/proc/{this}/task/{this}/children"));
    let all = all.unwrap_or_default();
    let numbers = all.split_whitespace().filter_map(|word| word.parse().ok());
    numbers.filter_map(Pid::from_raw).collect()
}

/// std sizes its reads by a file's length, which is 0 for all of these.
fn read(pid: u32, name: &str) -> Option<Vec<u8>> {
    let file = File::open(format!("/proc/{pid}/{name}")).ok()?;
    let mut bytes = Vec::with_capacity(8 * 1024);
    // More than the kernel lets a program be started with.
    file.take(8 << 20).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The folder that a process stands in.
pub(crate) fn folder(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The program that a process runs.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Whether a process sees another file system than we do; none where that can't be told.
///
/// A process that is not dumpable shows its namespace to nobody, and anybody can make itself such a one. The kernel lists
/// its mounts all the same: each mount is in one namespace, and by our root's number ours is known as long as we hold it.
pub(crate) fn in_another_mount_namespace(pid: u32) -> Option<bool> {
    // Ours never changes.
    static OURS: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::fs::read_link("/proc/self/ns/mnt").ok());
    let theirs = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    match (theirs, &*OURS) {
        (Some(theirs), Some(ours)) => Some(theirs != *ours),
        (None, _) | (_, None) => is_our_root_elsewhere(pid),
    }
}

/// Whether our root is none of the mounts that a process sees.
fn is_our_root_elsewhere(pid: u32) -> Option<bool> {
    static OURS: LazyLock<Option<u64>> = LazyLock::new(|| {
        let found = statx(CWD, "/", AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
    });
    let ours = (*OURS)?;
    let mounts = read(pid, "mountinfo")?;
    Some(!mounts_of(&mounts).any(|mount| mount == ours)).filter(|_| !mounts.is_empty())
}

/// The numbers of the mounts in a `mountinfo` (proc_pid_mountinfo(5)).
fn mounts_of(mountinfo: &[u8]) -> impl Iterator<Item = u64> {
    let lines = mountinfo.split(|byte| *byte == b'\n');
    let firsts = lines.filter_map(|line| line.split(|byte| *byte == b' ').next());
    firsts.filter_map(|first| std::str::from_utf8(first).ok()?.parse().ok())
}

/// Whether a process of this name is an sshd that root has started. A name is anybody's to choose, and so is the program
/// of a name that may become root for a while: the user who it was started by is not.
pub(crate) fn is_sshd(pid: u32, name: &str) -> bool {
    let is_root_s = || read(pid, "status").is_some_and(|status| all_root(&status));
    // Where we are root too, it shows us what it runs.
    let runs = || {
        executable(pid).is_none_or(|path| {
            path.file_name()
                .is_some_and(|name| super::is_sshd_s(&name.to_string_lossy()))
        })
    };
    super::is_sshd_s(name) && is_root_s() && runs()
}

/// Whether the real, the effective, the saved and the file system's user are all root (proc_pid_status(5), `Uid`).
fn all_root(status: &[u8]) -> bool {
    let status = String::from_utf8_lossy(status);
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.is_some_and(|line| {
        let users: Vec<_> = line.split_ascii_whitespace().collect();
        users.len() == 4 && users.iter().all(|user| *user == "0")
    })
}

/// The namespace that a process sees its file system in: its device and its number there. Nothing is kept open by it.
pub(crate) fn mount_namespace(pid: u32) -> Option<Namespace> {
    namespace(pid, "mnt")
}

type Namespace = (u64, u64);

fn namespace(pid: u32, kind: &str) -> Option<Namespace> {
    let found = rustix::fs::stat(format!("/proc/{pid}/ns/{kind}")).ok()?;
    Some((found.st_dev, found.st_ino))
}

/// The process that the container of this one ends with: the first of its process namespace, whose end the kernel makes
/// the end of all others there; where it shares ours, or the first can't be seen, the topmost ancestor that sees the same
/// file system. That one may end before the container does, and never after it.
pub(crate) fn begun_with(pid: u32) -> Option<u32> {
    let processes = namespace(pid, "pid")?;
    if Some(processes) != namespace(std::process::id(), "pid") {
        let mut all = std::fs::read_dir("/proc").ok()?.flatten();
        let first = all.find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // The cheaper look comes first.
            (is_first(pid) && namespace(pid, "pid") == Some(processes)).then_some(pid)
        });
        if first.is_some() {
            return first;
        }
    }
    let files = mount_namespace(pid)?;
    let mut topmost = pid;
    for _ in 0..GENERATIONS {
        let parent = process(topmost)?.parent;
        if parent <= 1 || mount_namespace(parent) != Some(files) {
            break;
        }
        topmost = parent;
    }
    Some(topmost)
}

/// How far up a family tree is looked for the first in a container.
const GENERATIONS: usize = 256;

/// Whether a process is the first of the namespace that it lives in (proc_pid_status(5), `NSpid`).
fn is_first(pid: u32) -> bool {
    let Some(status) = read(pid, "status") else {
        return false;
    };
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.is_some_and(|line| line.split_ascii_whitespace().next_back() == Some("1"))
}

/// Whether a process tells its plugins by itself for which server they are asked: client-go does since its v0.20, after
/// all that `exec.env` says. Go notes in each program what it is made of.
pub(crate) fn names_servers(pid: u32) -> bool {
    let read = || {
        let file = File::open(format!("/proc/{pid}/exe")).ok()?;
        let whole = object::ReadCache::new(file);
        let whole = object::File::parse(&whole).ok()?;
        let section = whole.section_by_name(".go.buildinfo")?;
        if section.size() > LONGEST_NOTE {
            return None;
        }
        Some(sets_exec_info(section.data().ok()?))
    };
    read().unwrap_or(false)
}

/// The longest note of Go's that is read.
const LONGEST_NOTE: u64 = 4 << 20;

/// Whether a note of Go's (`debug/buildinfo`, as Go writes it since 1.18) names such a client-go.
fn sets_exec_info(note: &[u8]) -> bool {
    const MAGIC: &[u8] = b"\xff Go buildinf:";
    const INLINE: u8 = 2;
    const HEAD: usize = 32;
    let is_inline =
        note.starts_with(MAGIC) && note.get(15).is_some_and(|flags| flags & INLINE != 0);
    let modules = || {
        let (_version, rest) = text(note.get(HEAD..)?)?;
        let (modules, _) = text(rest)?;
        Some(String::from_utf8_lossy(modules).into_owned())
    };
    is_inline && modules().is_some_and(|modules| has_client_go(&modules))
}

/// A text behind its length, of which each byte has seven bits, the lowest first; and what follows.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(length);
        }
    }
    None
}

/// A line a module: `dep`, its name, its version and its sum; and `=>` with what stands in for the one before.
fn has_client_go(modules: &str) -> bool {
    let mut lines = modules
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let at = lines.find(|line| line.starts_with(&["dep", "k8s.io/client-go"]));
    let Some(at) = at else {
        return false;
    };
    let instead = lines.next().filter(|line| line.first() == Some(&"=>"));
    let version = instead.unwrap_or(at).get(2).copied().unwrap_or_default();
    // A fork of Kubernetes' own numbers it v1.
    let minor = version
        .strip_prefix("v0.")
        .or_else(|| version.strip_prefix("v1."));
    let minor = minor.and_then(|rest| rest.split('.').next()?.parse().ok());
    minor.is_some_and(|minor: u32| minor >= 20)
}

/// Waits until a process has ended; one that is already gone has.
///
/// # Errors
/// The system gives no descriptor for it.
pub(crate) async fn ended(pid: u32) -> io::Result<()> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(descriptor) => watched(descriptor)?.readable().await.map(drop),
        Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[allow(unsafe_code)] // tokio wants a promise
fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by what watches it, and is closed with it alone.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 3 7 7 34816 7 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1 1";
        let expected = Process {
            name: "a) b (c".into(),
            parent: 3,
            started: 4242,
            in_front_of: Some(makedev(136, 0)),
        };
        assert_eq!(parse(stat), Some(expected));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn only_what_is_in_front_is_in_front_of_its_terminal() {
        let stat = |group: &str, terminal: &str| {
            let rest = "4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1 1";
            parse(&format!("7 (a) S 3 {group} 7 {terminal} 7 {rest}"))
                .unwrap()
                .in_front_of
        };
        assert_eq!(stat("7", "34816"), Some(makedev(136, 0)));
        assert_eq!(stat("8", "34816"), None, "in the background");
        assert_eq!(stat("7", "0"), None, "without a terminal");
        // pts/300: its number is more than eight bits long.
        assert_eq!(stat("7", "1083436"), Some(makedev(136, 300)));
        // Its sign bit is set.
        assert_eq!(stat("7", "-2147448832"), Some(makedev(136, 0x8_0000)));
    }

    #[test]
    fn this_process_is_seen() {
        let me = std::process::id();
        assert!(process(me).unwrap().parent > 0);
        assert_eq!(in_another_mount_namespace(me), Some(false));
        assert!(!arguments(me).unwrap().is_empty());
        assert!(environment(me).is_some() && folder(me).is_some() && executable(me).is_some());
    }

    /// A shell that becomes another program when it reads a line, and ends when it reads another.
    fn shell() -> std::process::Child {
        std::process::Command::new("sh")
            .args(["-c", "echo; read line; exec cat"])
            .env("MARK", "1")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[test]
    fn a_process_is_held_until_it_is_another_program() {
        use std::io::{BufRead as _, BufReader, Write as _};
        let mut child = shell();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let held = Held::open(child.id()).unwrap();
        let before = held.process().unwrap();
        assert_eq!(held.process().as_ref(), Some(&before));
        let mut input = child.stdin.take().unwrap();
        // What cat says back, it says as cat.
        input.write_all(b"line\ncat\n").unwrap();
        output.read_line(&mut line).unwrap();
        assert_eq!(process(child.id()).unwrap().started, before.started);
        assert_eq!(held.process(), None, "another program by the same number");
        let held = Held::open(child.id()).unwrap();
        assert!(held.process().is_some());
        drop(input);
        child.wait().unwrap();
        assert_eq!(held.process(), None, "gone");
    }

    #[test]
    fn a_process_started_between_two_readings_of_the_clock() {
        let before = std::time::SystemTime::now();
        let mut child = shell();
        let started = start_time(process(child.id()).unwrap().started).unwrap();
        let after = std::time::SystemTime::now();
        drop(child.stdin.take());
        child.wait().unwrap();
        // A tick is a hundredth of a second on every system that we know.
        let tick = Duration::from_millis(10);
        assert!(started >= before && started <= after + tick);
    }

    /// A shell in namespaces of its own, and one below it that says when it is there; none where that is not allowed.
    fn contained(flags: &[&str]) -> Option<(std::process::Child, u32)> {
        use std::io::{BufRead as _, BufReader};
        let mut child = std::process::Command::new("unshare")
            .args(flags)
            .args(["sh", "-c", "sh -c 'echo; read line'; true"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        let output = child.stdout.take()?;
        BufReader::new(output).read_line(&mut line).ok()?;
        if line.is_empty() {
            child.wait().ok()?;
            return None;
        }
        let mut innermost = child.id();
        loop {
            let path = format!("/proc/{innermost}/task/{innermost}/children");
            let children = std::fs::read_to_string(path).ok()?;
            match children.split_whitespace().next() {
                Some(next) => innermost = next.parse().ok()?,
                None => return Some((child, innermost)),
            }
        }
    }

    #[test]
    fn a_container_ends_with_its_first_process() {
        // Its own files alone: the shell that `unshare` became. Its own processes too: the one that it forked.
        for (flags, forks) in [
            (&["--mount"][..], false),
            (&["--mount", "--pid", "--fork", "--mount-proc"], true),
        ] {
            let Some((mut child, innermost)) = contained(flags) else {
                println!("namespaces are not allowed here");
                return;
            };
            assert_eq!(in_another_mount_namespace(innermost), Some(true));
            assert_eq!(is_our_root_elsewhere(innermost), Some(true));
            let first = begun_with(innermost).unwrap();
            assert_eq!(begun_with(first), Some(first));
            assert_eq!(mount_namespace(first), mount_namespace(innermost));
            assert_ne!(first, innermost);
            if forks {
                assert_eq!(process(first).unwrap().parent, child.id());
            } else {
                assert_eq!(first, child.id());
            }
            drop(child.stdin.take());
            child.wait().unwrap();
            assert_eq!(begun_with(innermost), None);
        }
    }

    #[test]
    fn our_own_mounts_are_known_without_a_look_at_the_namespace() {
        assert_eq!(is_our_root_elsewhere(std::process::id()), Some(false));
        assert_eq!(is_our_root_elsewhere(0), None, "nobody");
        let line = b"27 1 0:22 / / rw shared:1 - ext4 /dev/a\\0127 rw\n36 27 0:5 / /proc rw - proc proc rw\n";
        assert_eq!(mounts_of(line).collect::<Vec<_>>(), [27, 36]);
    }

    #[test]
    fn an_sshd_is_root_s_from_the_start() {
        let uids = |uids: &str| format!("Name:\tsshd\nUid:\t{uids}\nGid:\t0\t0\t0\t0\n");
        assert!(all_root(uids("0\t0\t0\t0").as_bytes()));
        for other in [
            "1000\t1000\t1000\t1000",
            "1000\t0\t0\t0",
            "0\t1000\t0\t0",
            "",
        ] {
            assert!(!all_root(uids(other).as_bytes()), "{other}");
        }
        assert!(!all_root(b""));
        // Whoever runs this, it is no sshd, whatever name it has.
        assert!(!is_sshd(std::process::id(), "sshd"));
    }

    #[test]
    fn a_client_go_is_known_by_what_go_notes() {
        let note = |flags: u8, modules: &str| {
            let mut note = b"\xff Go buildinf:\x08".to_vec();
            note.push(flags);
            note.resize(32, 0);
            note.extend(b"\x08go1.24.1");
            let length = u8::try_from(modules.len() & 0x7f).unwrap() | 0x80;
            note.extend([length, u8::try_from(modules.len() >> 7).unwrap()]);
            note.extend(modules.as_bytes());
            note
        };
        let of = |client: &str| {
            format!(
                "path\thelm.sh/helm\nmod\thelm.sh/helm\t(devel)\t\n{client}dep\tk8s.io/klog\tv2.0.0\th1:x\n"
            )
        };
        for (client, expected) in [
            ("dep\tk8s.io/client-go\tv0.34.1\th1:x=\n", true),
            ("dep\tk8s.io/client-go\tv0.20.0\th1:x=\n", true),
            ("dep\tk8s.io/client-go\tv0.19.16\th1:x=\n", false),
            (
                "dep\tk8s.io/client-go\tv11.0.0+incompatible\th1:x=\n",
                false,
            ),
            (
                "dep\tk8s.io/client-go\tv0.0.0\n=>\tgithub.com/k3s-io/kubernetes/staging/src/k8s.io/client-go\tv1.31.1-k3s1\th1:x=\n",
                true,
            ),
            (
                "dep\tk8s.io/client-go\tv0.30.0\n=>\tk8s.io/client-go\tv0.18.2\th1:x=\n",
                false,
            ),
            (
                "dep\tk8s.io/client-go\tv0.30.0\n=>\t./fork\t(devel)\n",
                false,
            ),
            ("dep\tk8s.io/client-goo\tv0.30.0\th1:x=\n", false),
            ("", false),
        ] {
            assert_eq!(sets_exec_info(&note(2, &of(client))), expected, "{client}");
        }
        let good = of("dep\tk8s.io/client-go\tv0.34.1\th1:x=\n");
        assert!(!sets_exec_info(&note(0, &good)), "an older form");
        assert!(!sets_exec_info(b"") && !sets_exec_info(&note(2, &good)[..60]));
        assert!(!names_servers(std::process::id()), "Rust");
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_noticed() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        ended(child.id()).await.unwrap();
        child.wait().unwrap();
        ended(child.id()).await.unwrap();
    }
}
