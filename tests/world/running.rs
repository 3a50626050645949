//! Parts that run: each a process group of its own that ends with its guard, or with this process.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait;

/// A started program with its log. Dropped, it is gone with all that it started.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts it with both of its output streams appended to `FOLDER/NAME.log`.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let out = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} can't be started"))?;
        watch('+', child.id());
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let wait = wait::up_to(Duration::from_secs(30));
        let ended = wait.until_async("its end by SIGTERM", async || Ok(!self.alive()));
        ended.await.with_context(|| self.told())
    }

    /// Waits until `probe` finds something, as long as the program lives and the time lasts.
    pub async fn until<T>(
        &mut self,
        seconds: u64,
        mut probe: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T> {
        let often = wait::up_to(Duration::from_secs(seconds)).every(Duration::from_millis(100));
        let found = often.until_async("it is ready", async || {
            let found = probe().await;
            ensure!(found.is_some() || self.alive(), "it ended by itself");
            Ok(found)
        });
        found.await.with_context(|| self.told())
    }

    /// Which one it is, and the end of its log.
    fn told(&self) -> String {
        format!("{}\n{}", self.name, tail(&self.log))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group may outlive its leader; that there is none any more is as well.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
        watch('-', self.child.id());
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The end of each log in a folder, for a failure's report.
pub fn logs(folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut logs: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs.iter().map(|log| tail(log)).collect()
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(30)..].join("\n");
    format!("--- {} ends with:\n{last}\n", log.display())
}

/// Tells a shell of which groups run. It outlives this process, however that ends, by as long as
/// it takes to kill what was left: no guard runs after a SIGKILL or an abort.
fn watch(sign: char, group: u32) {
    static WATCH: OnceLock<Mutex<Option<ChildStdin>>> = OnceLock::new();
    const SCRIPT: &str = r#"
        groups=" "
        while read -r sign group; do
            case $sign in
            +) groups="$groups$group " ;;
            -) groups="${groups%% $group *} ${groups#* $group }" ;;
            esac
        done
        for group in $groups; do kill -9 "-$group"; done 2>/dev/null"#;
    let watch = WATCH.get_or_init(|| {
        let watch = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        Mutex::new(watch.ok().and_then(|mut watch| watch.stdin.take()))
    });
    if let Some(watch) = watch.lock().unwrap().as_mut() {
        let _ = writeln!(watch, "{sign} {group}");
    }
}

#[cfg(test)]
mod tests {
    use super::{Running, wait};
    use std::env;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    fn ended(pid: i32) -> bool {
        // A zombie that nobody has waited for yet has ended too.
        let lives = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.rsplit_once(") ")
                .is_some_and(|(_, state)| !state.starts_with('Z'))
        };
        let often = wait::up_to(Duration::from_secs(10)).every(Duration::from_millis(10));
        often.until("its end", || Ok(!lives())).is_ok()
    }

    /// The process that the test below kills: it starts what outlives it, and waits.
    fn victim(folder: &Path) {
        let started = |name: &str| {
            let script = format!("sleep 600 & echo $! > {name}.new; mv {name}.new {name}; wait");
            let mut command = Command::new("sh");
            Running::start(
                name,
                command.args(["-c", &script]).current_dir(folder),
                folder,
            )
            .unwrap()
        };
        let (_one, two, _three) = (started("one"), started("two"), started("three"));
        drop(two);
        std::thread::sleep(Duration::from_secs(600));
    }

    #[test]
    fn what_a_killed_process_started_is_gone_with_it() {
        if let Some(folder) = env::var_os("VICTIM") {
            return victim(Path::new(&folder));
        }
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "running::tests::what_a_killed_process_started_is_gone_with_it",
            ])
            .env("VICTIM", folder.path())
            .spawn()
            .unwrap();
        let often = wait::up_to(Duration::from_secs(30)).every(Duration::from_millis(10));
        let pid = |name: &str| {
            let started = often.until(&format!("the start of {name}"), || {
                Ok(std::fs::read_to_string(folder.path().join(name)))
            });
            started.unwrap().trim().parse::<i32>().unwrap()
        };
        let (one, three) = (pid("one"), pid("three"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(ended(one) && ended(three));
    }
}
