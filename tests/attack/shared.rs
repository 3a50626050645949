//! Threat 9, where folders are shared: what others may make or rename beside and above what is a person's own.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};
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
