//! Threat 9, where folders are shared: what others may make or rename beside and above what is a person's own.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::json;
use tempfile::TempDir;
use world::user::Other;

use crate::scene::{ONE_REQUEST, Scene, Seat};
use crate::table::Table;

/// Like /tmp: everybody may write, and keeps what is theirs.
pub(crate) fn public() -> Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("kubefob-public-")
        .tempdir()?;
    mode(folder.path(), 0o1777)?;
    Ok(folder)
}

fn mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

/// A lock that is always young, as long as this is there.
struct Kept {
    path: PathBuf,
    end: Sender<()>,
    keeper: Option<JoinHandle<Result<()>>>,
}

impl Kept {
    fn by(whose: Option<Other>, path: PathBuf) -> Result<Self> {
        let make = || -> Result<File> { Ok(File::create_new(&path)?) };
        let lock = match whose {
            Some(other) => other.does(make)??,
            None => make()?,
        };
        let (end, ended) = mpsc::channel();
        let keeper = thread::spawn(move || {
            while ended.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                lock.set_modified(SystemTime::now())?;
            }
            Ok(())
        });
        let keeper = Some(keeper);
        Ok(Self { path, end, keeper })
    }

    /// It is gone, and was kept until now.
    fn ends(mut self) -> Result<()> {
        let keeper = self.keeper.take().context("a keeper")?;
        self.end.send(())?;
        let kept = keeper.join();
        kept.map_err(|_| anyhow!("the lock was not kept"))??;
        Ok(fs::remove_file(&self.path)?)
    }
}

/// kubectl's lock on a file of the person's, made by whoever may make files beside it.
pub(crate) async fn locks(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut scene = Scene::signed_in(Seat::default()).await?;
    let public = public()?;
    // Each is read for the first time under its lock.
    let kubeconfig = |scene: &mut Scene, name: &str| -> Result<PathBuf> {
        let file = public.path().join(name);
        let servers = [("own", scene.own_server()), ("again", scene.own_server())];
        let text = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
        fs::write(&file, text.to_string())?;
        mode(&file, 0o600)?;
        scene
            .person
            .variable("KUBECONFIG", &file.display().to_string());
        Ok(file)
    };

    let file = kubeconfig(&mut scene, "config")?;
    let lock = Kept::by(Some(other), file.with_extension("lock"))?;
    let asked = scene.questions()?.len();
    scene.works("under another user's lock")?;
    ensure!(scene.questions()?.len() == asked, "asked");
    let switched = scene.person.fob(&["use", "again"])?;
    ensure!(switched["previous"] == "own", "{switched}");
    let now = scene.person.kubectl(&["config", "current-context"])?;
    ensure!(now.out == "again\n", "{now:?}");
    // It is theirs, and stays.
    lock.ends()?;
    table.row(
        9,
        "another user makes FILE.lock beside a kubeconfig in a folder like /tmp, and keeps it young",
        "not heeded: kubectl gets its token, and 'use' switches",
    );

    let file = kubeconfig(&mut scene, "control")?;
    let lock = Kept::by(None, file.with_extension("lock"))?;
    for command in [ONE_REQUEST, &["fob", "use", "again"]] {
        let said = scene.person.kubectl(command)?;
        ensure!(
            !said.ok && said.err.contains("another program is writing it"),
            "{said:?}"
        );
    }
    lock.ends()?;
    let switched = scene.person.fob(&["use", "again"])?;
    ensure!(switched["previous"] == "own", "{switched}");
    scene.works("without a lock")?;
    table.row(
        9,
        "control: the person's own lock, kept young",
        "heeded: nothing is read or written until it is gone",
    );
    Ok(())
}

/// A folder above KUBEFOB_HOME in which somebody else may rename: between two looks they put another in its place, with
/// settings that name a program of theirs.
pub(crate) async fn above(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut scene = Scene::set(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let settings = fs::read(scene.person.instance.join("config/settings.json"))?;
    let public = public()?;
    let ran = public.path().join("ran");
    let program = json!({ "version": 1, "browser": ["/usr/bin/touch", ran] }).to_string();
    let make = |name: &str| -> Result<(PathBuf, PathBuf)> {
        let above = public.path().join(name);
        let instance = above.join("between/fob");
        fs::create_dir_all(instance.join("config"))?;
        fs::write(instance.join("config/settings.json"), &settings)?;
        for folder in [&above.join("between"), &instance] {
            mode(folder, 0o700)?;
        }
        Ok((above, instance))
    };
    for (name, what, whose, bits) in [
        ("theirs", "is theirs", Some(other.0), 0o755),
        ("group", "their group may write in", None, 0o770),
        ("open", "anybody may write in", None, 0o777),
    ] {
        let (above, instance) = make(name)?;
        chown(&above, whose, Some(other.0))?;
        mode(&above, bits)?;
        scene
            .person
            .variable("KUBEFOB_HOME", &instance.display().to_string());
        let refused = |named: &Path| -> Result<()> {
            let said = scene.person.kubectl(ONE_REQUEST)?;
            let named = format!("{} ", named.display());
            ensure!(!said.ok && said.err.contains(&named), "{what}: {said:?}");
            ensure!(scene.person.resident().is_none(), "{what}: started");
            Ok(())
        };
        refused(&above)?;
        let made: Vec<_> = fs::read_dir(&instance)?
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        ensure!(made == ["config"], "{made:?}");
        other.does(|| -> Result<()> {
            fs::rename(above.join("between"), above.join("gone"))?;
            fs::create_dir_all(instance.join("config"))?;
            Ok(fs::write(instance.join("config/settings.json"), &program)?)
        })??;
        refused(&instance)?;
        ensure!(!ran.exists(), "{what}: a program of theirs ran");
        table.row(
            9,
            format!(
                "KUBEFOB_HOME two folders below one that {what}; then they put another in its place"
            ),
            "refused by the folder's name, before and after: nothing is started or made, nothing of theirs runs",
        );
    }
    let (_, instance) = make("ours")?;
    scene
        .person
        .variable("KUBEFOB_HOME", &instance.display().to_string());
    scene.works("in a folder of ours")?;
    ensure!(instance.join("lock").exists(), "it is elsewhere");
    table.row(
        9,
        "control: the same below a folder of the person's own in one like /tmp",
        "served",
    );
    Ok(())
}

/// A lock that somebody made and keeps, from when they could: whoever has it is the resident.
pub(crate) async fn planted(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::set(Seat::default()).await?;
    let lock = scene.person.instance.join("lock");
    let planted = File::create_new(&lock)?;
    chown(&lock, Some(other.0), Some(other.0))?;
    planted.lock()?;
    let said = scene.person.kubectl(ONE_REQUEST)?;
    let named = format!("{} belongs to user {}", lock.display(), other.0);
    ensure!(!said.ok && said.err.contains(&named), "{said:?}");
    ensure!(scene.person.resident().is_none(), "a resident was started");
    table.row(
        9,
        "another user's file in the place of the resident's lock, and they keep it locked",
        "refused by its name: it is to be removed",
    );
    fs::remove_file(&lock)?;
    scene.works("with a lock of ours")?;
    table.row(9, "control: the same without it", "served");
    Ok(())
}
