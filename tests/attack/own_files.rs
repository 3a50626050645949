//! Threat 30: our own files as pipes, folders, devices, or root's. Nobody hangs, nobody reads without end, and what is
//! not needed to serve keeps nobody from being served.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use world::parts;
use world::person::{Said, said};
use world::user::Other;
use world::wait;

use crate::scene::{ONE_REQUEST, Scene, Seat};
use crate::table::Table;

/// Longer than anything here waits for.
const HANGS: Duration = Duration::from_secs(40);

/// Makes something at a path.
type Make = fn(&Path) -> Result<()>;

const KINDS: [(&str, Make); 4] = [
    ("a pipe", |path| {
        ensure!(Command::new("mkfifo").arg(path).status()?.success());
        Ok(())
    }),
    ("a folder", |path| {
        Ok(fs::create_dir_all(path.join("something"))?)
    }),
    ("/dev/full", |path| Ok(symlink("/dev/full", path)?)),
    ("/dev/zero", |path| Ok(symlink("/dev/zero", path)?)),
];

/// What is not needed: kubectl gets its token, and status says what is wrong.
pub(crate) async fn not_needed(table: &Table) -> Result<()> {
    for (file, notice) in [
        ("data/accounts.json", Some("accounts-set-aside")),
        ("log/kubefob.log", Some("no-log")),
        ("starting", None),
        ("data", Some("accounts-unused")),
        ("log", Some("no-log")),
    ] {
        let scene = Scene::signed_in(yes_man()).await?;
        let is_folder = scene.person.instance.join(file).is_dir();
        let kinds = KINDS
            .into_iter()
            .filter(|(kind, _)| !is_folder || *kind != "a folder");
        for (kind, make) in kinds {
            let what = format!("{file} as {kind}");
            put(&scene, file, make)?;
            works(&scene, ONE_REQUEST, &what)?;
            if let Some(notice) = notice {
                let noticed = scene.person.fob(&["status"])?["notices"].to_string();
                ensure!(noticed.contains(notice), "{what}: {noticed}");
            }
            scene.person.end_resident("TERM")?;
            restore(&scene, file)?;
        }
        works(&scene, ONE_REQUEST, "with the file as it was")?;
        let what = if is_folder { "" } else { "a folder, " };
        let told = notice.map_or(String::new(), |notice| {
            format!(", and status says {notice}")
        });
        table.row(
            30,
            format!("{file} as a pipe, {what}/dev/full, /dev/zero"),
            format!("kubectl gets its token{told}"),
        );
    }
    Ok(())
}

/// The settings name the browser, and the vault what was signed in: without them a person is asked, and served.
pub(crate) async fn asked_for(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(yes_man()).await?;
    for (kind, make) in KINDS {
        put(&scene, "config/settings.json", make)?;
        let said = works(&scene, &["fob", "status"], kind)?;
        ensure!(said.out.contains("[bad-settings]"), "{kind}: {said:?}");
        scene.person.end_resident("TERM")?;
        restore(&scene, "config/settings.json")?;
        scene.works("with the settings as they were")?;
    }
    table.row(
        30,
        "settings.json as a pipe, a folder, /dev/full, /dev/zero",
        "the defaults hold, and status says bad-settings",
    );
    let vault = scene.person.instance.join("data/vault");
    let sealed = fs::read_dir(&vault)?.flatten().map(|entry| entry.path());
    let sealed: Vec<PathBuf> = sealed.filter(|path| path.is_file()).collect();
    ensure!(sealed.len() >= 2, "{sealed:?}");
    for path in &sealed {
        let file = path.strip_prefix(&scene.person.instance)?;
        let file = file.to_str().context("a name")?;
        for (kind, make) in KINDS {
            put(&scene, file, make)?;
            works(&scene, ONE_REQUEST, &format!("{file} as {kind}"))?;
        }
    }
    table.row(
        30,
        "the vault's key and sealed file as a pipe, a folder, /dev/full, /dev/zero",
        "a person signs in again, and kubectl gets its token",
    );
    Ok(())
}

/// Without the lock nobody knows who is the resident, and without its socket nobody finds it: said at once.
pub(crate) async fn needed(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(yes_man()).await?;
    for (file, words) in [("lock", "the lock "), ("socket", "socket")] {
        let mut told = String::new();
        for (kind, make) in KINDS {
            put(&scene, file, make)?;
            let said = in_time(scene.person.start(ONE_REQUEST)?, kind)?;
            let line = said
                .err
                .lines()
                .find(|line| line.starts_with("kubectl-fob: "));
            let line = line.with_context(|| format!("{file} as {kind}: {said:?}"))?;
            ensure!(
                !said.ok && line.contains(words),
                "{file} as {kind}: {said:?}"
            );
            ensure!(
                scene.person.resident().is_none(),
                "{kind}: a resident is there"
            );
            told = line.replace(&scene.person.root().display().to_string(), "…");
            restore(&scene, file)?;
        }
        scene.works("with it as it was")?;
        table.row(
            30,
            format!("{file} as a pipe, a folder, /dev/full, /dev/zero"),
            format!("said at once, on the shim's own stderr: {told}"),
        );
    }
    Ok(())
}

/// What `sudo kubectl` left behind: root's, and closed to its person.
pub(crate) async fn of_root(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let folder = tempfile::Builder::new().prefix("kubefob-sudo-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    for name in ["kubefob", "kubectl-fob"] {
        fs::copy(parts::program(name)?, folder.path().join(name))?;
    }
    let instance = folder.path().join("fob");
    let config = instance.join("config");
    for made in [&instance, &config] {
        fs::create_dir(made)?;
        fs::set_permissions(made, fs::Permissions::from_mode(0o700))?;
        chown(made, Some(other.0), Some(other.0))?;
    }
    let settings = config.join("settings.json");
    fs::write(&settings, r#"{"version": 1, "keep": "plain"}"#)?;
    chown(&settings, Some(other.0), Some(other.0))?;
    let status = || -> Result<Said> {
        let user = format!("--reuid={} --regid={} --clear-groups", other.0, other.0);
        let child = Command::new("setpriv")
            .args(user.split(' '))
            .arg(folder.path().join("kubectl-fob"))
            .args(["status", "--json"])
            .env_clear()
            .env("HOME", &instance)
            .env("KUBEFOB_HOME", &instance)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        in_time(child, "a person after a sudo")
    };
    let program = folder.path().join("kubefob");
    let _ends = Ends(&program);
    ensure!(status()?.ok, "control: nothing is root's");
    for (file, notice) in [
        ("data/accounts.json", "accounts-set-aside"),
        ("config/settings.json", "bad-settings"),
        ("log/kubefob.log", "no-log"),
        ("starting", ""),
        ("data/vault/key.plain", ""),
        ("data", "accounts-unused"),
        ("log", "no-log"),
        ("config", "bad-settings"),
    ] {
        end(&program);
        let path = instance.join(file);
        let was = fs::metadata(&path).ok();
        if was.is_none() {
            fs::write(&path, "")?;
        }
        let mode = was.as_ref().map_or(0o600, |was| was.permissions().mode());
        chown(&path, Some(0), Some(0))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000))?;
        let said = status()?;
        ensure!(said.ok && said.out.contains(notice), "{file}: {said:?}");
        // It was set aside where it could be.
        if path.exists() {
            chown(&path, Some(other.0), Some(other.0))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
    }
    table.row(
        30,
        "accounts.json, settings, log, starting, a vault's file and their folders: mode 000 and root's, after a sudo",
        "the resident serves, and status says what is wrong",
    );
    end(&program);
    let lock = instance.join("lock");
    chown(&lock, Some(0), Some(0))?;
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o000))?;
    let said = status()?;
    ensure!(!said.ok && said.err.contains("the lock "), "{said:?}");
    table.row(
        30,
        "the lock: mode 000 and root's, after a sudo",
        said.err
            .trim()
            .replace(&instance.display().to_string(), "…"),
    );
    Ok(())
}

/// Somebody who allows whatever is asked, and whose tokens are kept.
fn yes_man() -> Seat {
    Seat {
        keep: "plain",
        consent: "always",
        ..Seat::default()
    }
}

/// What a kubectl command says, which must be well.
fn works(scene: &Scene, arguments: &[&str], what: &str) -> Result<Said> {
    let said = in_time(scene.person.start(arguments)?, what)?;
    ensure!(said.ok, "{what}: {said:?}\n{}", scene.person.log());
    Ok(said)
}

/// What a command says that must come to its end.
pub(crate) fn in_time(mut child: Child, what: &str) -> Result<Said> {
    let often = wait::up_to(HANGS).every(Duration::from_millis(10));
    if let Err(hangs) = often.until(what, || Ok(child.try_wait()?)) {
        child.kill()?;
        return Err(hangs.context("it hangs"));
    }
    said(child.wait_with_output()?)
}

/// Ends the resident, and puts something in a file's place; what was there is kept.
fn put(scene: &Scene, file: &str, make: Make) -> Result<()> {
    scene.person.end_resident("TERM")?;
    let (path, saved) = (scene.person.instance.join(file), saved(scene));
    if fs::symlink_metadata(&path).is_ok() {
        // Once: what is there later was made by one of these.
        if saved.exists() {
            cleared(&path)?;
        } else {
            fs::rename(&path, &saved)?;
        }
    }
    make(&path)
}

/// Puts back what was there.
fn restore(scene: &Scene, file: &str) -> Result<()> {
    let (path, saved) = (scene.person.instance.join(file), saved(scene));
    cleared(&path)?;
    if saved.exists() {
        fs::rename(saved, path)?;
    }
    Ok(())
}

fn saved(scene: &Scene) -> PathBuf {
    scene.folder.join("saved")
}

fn cleared(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(fs::remove_dir_all(path)?),
        Ok(_) => Ok(fs::remove_file(path)?),
        Err(_) => Ok(()),
    }
}

/// Ends the residents of a program, also where a trial breaks off.
pub(crate) struct Ends<'a>(pub(crate) &'a Path);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        end(self.0);
    }
}

/// Ends every process that was started as this program, and waits for it.
pub(crate) fn end(program: &Path) {
    let running = || {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).next() == Some(program.as_os_str().as_encoded_bytes())
        })
        .collect::<Vec<_>>()
    };
    for pid in running() {
        drop(Command::new("kill").args(["-9", &pid.to_string()]).status());
    }
    while !running().is_empty() {
        std::thread::yield_now();
    }
}
