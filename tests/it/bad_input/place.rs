//! Places that are not as they should be: the instance's folder, and a computer on which the user
//! has no home, no runtime folder, or another computer's home.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use world::parts::{self, Missing};
use world::person::{Said, said};

use super::{Scene, Table, runtime};

pub(super) fn trial(table: &Table) -> Result<()> {
    runtime()?.block_on(places(table))
}

/// Wherever the socket can't be safe, nothing is sent and nobody is started; then it goes on.
async fn places(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(json!({})).await?;
    let person = &scene.person;
    let resident = person.resident().context("no resident")?;
    let at = |instance: &Path| -> Result<Said> {
        let mut command = person.command("kubectl-fob");
        said(
            command
                .arg("status")
                .env("KUBEFOB_HOME", instance)
                .output()?,
        )
    };
    let refused = |input: &str, said: Said| -> Result<()> {
        ensure!(!said.ok && said.out.is_empty(), "{input}: {said:?}");
        ensure!(said.err.trim().lines().count() == 1, "{input}: {said:?}");
        let root = person.root().display().to_string();
        let told = said.err.replace(&root, "…").replace(&"x".repeat(100), "x…");
        table.row(input, &told, "nobody is started; the session is there");
        Ok(())
    };

    let long = person.root().join("x".repeat(100));
    refused("a socket path of more than 107 bytes", at(&long)?)?;
    ensure!(!long.exists(), "nothing is made there");
    let link = person.root().join("link");
    symlink(&person.instance, &link)?;
    refused("a socket's folder that is a symlink", at(&link)?)?;
    fs::set_permissions(&person.instance, fs::Permissions::from_mode(0o777))?;
    refused(
        "a socket's folder in which others may write",
        at(&person.instance)?,
    )?;
    fs::set_permissions(&person.instance, fs::Permissions::from_mode(0o700))?;
    let socket = person.instance.join("socket");
    let moved = person.instance.join("moved");
    fs::rename(&socket, &moved)?;
    symlink(&moved, &socket)?;
    refused("a socket that is a symlink", at(&person.instance)?)?;
    fs::rename(&moved, &socket)?;
    if rustix::process::geteuid().is_root() {
        chown(&person.instance, Some(OTHER), None)?;
        refused(
            "a socket's folder of somebody else's",
            at(&person.instance)?,
        )?;
        chown(&person.instance, Some(0), None)?;
    } else {
        println!("a socket's folder of somebody else's: only root can make one");
    }
    scene.works("with the places put right")?;
    ensure!(person.resident() == Some(resident) && scene.sign_ins() == 1);
    Ok(())
}

/// A user whom no file of this computer knows.
const OTHER: u32 = 54_321;

/// That user, with our programs in a folder which everybody may read.
struct Stranger {
    folder: TempDir,
}

/// No home at all; then one, without a runtime folder; then that comes and goes; then another
/// computer comes with the same home.
pub(super) fn stranger(table: &Table) -> Result<()> {
    let stranger = Stranger::new()?;
    let home = stranger.folder.path().join("home");

    let nowhere = stranger.says(&[], "env --unset=HOME")?;
    ensure!(!nowhere.ok && nowhere.out.is_empty(), "{nowhere:?}");
    ensure!(stranger.residents().is_empty(), "nobody is started");
    table.row(
        "no HOME, and none in passwd",
        &nowhere.err,
        "nobody is started",
    );

    let works = |when: &str| -> Result<Vec<u32>> {
        let said = stranger.says(&[], "env")?;
        ensure!(said.ok, "{when}: {said:?}");
        Ok(stranger.residents())
    };
    let first = works("without a runtime folder")?;
    ensure!(first.len() == 1, "{first:?}");
    table.row(
        "no /run/user/UID",
        "",
        "the socket is in the home, beside the lock",
    );
    let runtime = Runtime::create()?;
    ensure!(works("with a runtime folder")? == first, "one resident");
    drop(runtime);
    ensure!(works("without it again")? == first, "one resident");
    table.row(
        "a /run/user/UID that comes and goes",
        "",
        "the same resident answers all along",
    );

    let machines = home.join(".local/share/kubefob/machines");
    ensure!(fs::read_dir(&machines)?.count() == 1);
    let id = stranger.folder.path().join("machine-id");
    fs::write(&id, "0123456789abcdef0123456789abcdef\n")?;
    let elsewhere = format!("mount --bind {} /etc/machine-id &&", id.display());
    let said = stranger.says(&["unshare", "--mount", "sh", "-c"], &elsewhere)?;
    ensure!(said.ok, "{said:?}");
    ensure!(
        fs::read_dir(&machines)?.count() == 2,
        "a folder for each machine"
    );
    let both = stranger.residents();
    ensure!(both.len() == 2 && both.contains(&first[0]), "{both:?}");
    table.row(
        "another machine with the same home",
        "",
        "a lock, a vault and a resident for each",
    );
    Ok(())
}

impl Stranger {
    fn new() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Err(Missing {
                name: "another user".to_owned(),
                why: "only root can be somebody else".to_owned(),
            }
            .into());
        }
        let folder = tempfile::Builder::new().prefix("kubefob-it-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        for name in ["kubefob", "kubectl-fob"] {
            fs::copy(parts::program(name)?, folder.path().join(name))?;
        }
        let home = folder.path().join("home");
        fs::create_dir(&home)?;
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700))?;
        chown(&home, Some(OTHER), Some(OTHER))?;
        Ok(Self { folder })
    }

    /// What `kubectl-fob status` says to them. `before` is run as root and given the rest as a
    /// line of a shell, where there is one.
    fn says(&self, before: &[&str], how: &str) -> Result<Said> {
        let root = self.folder.path().display();
        let user = format!("setpriv --reuid={OTHER} --regid={OTHER} --clear-groups");
        let line = if before.is_empty() {
            format!("exec {user} {how} {root}/kubectl-fob status")
        } else {
            format!("{how} exec {user} {root}/kubectl-fob status")
        };
        let words = [
            if before.is_empty() {
                &["sh", "-c"]
            } else {
                before
            },
            &[&line],
        ]
        .concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .env("HOME", self.folder.path().join("home"))
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir("/");
        said(command.output()?)
    }

    fn residents(&self) -> Vec<u32> {
        let program = self.folder.path().join("kubefob");
        let mut found = residents(&program);
        found.sort_unstable();
        found
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        for pid in self.residents() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}

/// Every process that was started as this program.
fn residents(program: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let runs = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).next() == Some(program.as_os_str().as_encoded_bytes())
    };
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(runs)
        .collect()
}

/// The stranger's runtime folder, as a login makes it and a logout takes it away.
struct Runtime(PathBuf);

impl Runtime {
    fn create() -> Result<Self> {
        let folder = PathBuf::from(format!("/run/user/{OTHER}"));
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        chown(&folder, Some(OTHER), Some(OTHER))?;
        Ok(Self(folder))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
