//! Threat 9, and what another user of the machine gets at all: nothing.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use world::user::Other;

use crate::scene::{ONE_REQUEST, Scene, Seat};
use crate::table::Table;

fn mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

/// Somebody else listens where the resident would, and records what the shim says: nothing. Its
/// arguments have a client secret among them.
pub(crate) async fn squatter(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut scene = Scene::set(Seat::default()).await?;
    // Like /tmp: everybody may write, and keeps what is theirs.
    let public = tempfile::Builder::new()
        .prefix("kubefob-public-")
        .tempdir()?;
    mode(public.path(), 0o1777)?;
    let theirs = public.path().join("theirs");
    let listen = |folder: &Path| -> Result<UnixListener> {
        let listener = other.does(|| -> Result<UnixListener> {
            if !folder.exists() {
                fs::create_dir(folder)?;
                mode(folder, 0o777)?;
            }
            let listener = UnixListener::bind(folder.join("socket"))?;
            mode(&folder.join("socket"), 0o777)?;
            Ok(listener)
        })??;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    let ours = |name: &str, bits: u32| -> Result<PathBuf> {
        let folder = public.path().join(name);
        fs::create_dir(&folder)?;
        mode(&folder, bits)?;
        Ok(folder)
    };
    let first = listen(&theirs)?;
    let open = ours("open", 0o777)?;
    let second = listen(&open)?;
    let link = public.path().join("link");
    symlink(&theirs, &link)?;
    let with_link = ours("with-link", 0o700)?;
    symlink(theirs.join("socket"), with_link.join("socket"))?;
    for (what, instance, listener) in [
        ("in a folder of theirs", &theirs, &first),
        (
            "in a folder of ours that others may write to",
            &open,
            &second,
        ),
        ("behind a symlinked folder", &link, &first),
        ("behind a symlinked socket", &with_link, &first),
    ] {
        scene
            .person
            .variable("KUBEFOB_HOME", &instance.display().to_string());
        let said = scene.person.kubectl(ONE_REQUEST)?;
        ensure!(
            !said.ok && said.err.contains("kubectl-fob: "),
            "{what}: {said:?}"
        );
        let mut recorded = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false)?;
            stream.read_to_end(&mut recorded)?;
        }
        ensure!(recorded.is_empty(), "{what}: {} bytes", recorded.len());
        ensure!(
            scene.person.resident().is_none(),
            "{what}: a resident was started"
        );
        table.row(
            9,
            format!("another user listens first, {what}"),
            "0 bytes; an error that names it",
        );
    }
    Ok(())
}

/// `sudo -E kubectl`: no resident of root's in a person's home.
pub(crate) async fn root_in_a_home(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut scene = Scene::set(Seat::default()).await?;
    let own = scene.person.home.join(".kube/config").display().to_string();
    let home = scene.folder.join("their-home");
    fs::create_dir(&home)?;
    chown(&home, Some(other.0), Some(other.0))?;
    scene.person.variable("KUBECONFIG", &own);
    scene.person.variable("HOME", &home.display().to_string());
    scene.person.variable("SUDO_UID", &other.0.to_string());
    let said = scene.person.kubectl(ONE_REQUEST)?;
    ensure!(!said.ok && said.err.contains("kubectl-fob: "), "{said:?}");
    ensure!(said.err.contains(&home.display().to_string()), "{said:?}");
    ensure!(scene.person.resident().is_none(), "a resident was started");
    let left: Vec<_> = fs::read_dir(&home)?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    ensure!(left.iter().all(|name| name == ".kube"), "{left:?}");
    table.row(
        9,
        "sudo -E kubectl: root in a user's HOME",
        "no resident is started; the error says why",
    );
    Ok(())
}

/// Somebody who can walk into every folder tries all that there is.
pub(crate) async fn onlooker(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    let instance = &scene.person.instance;
    // As open as a home may be; what is ours has to protect itself.
    for folder in [scene.person.root(), &scene.person.home, instance] {
        mode(folder, 0o755)?;
    }
    let public = instance.join("public");
    fs::write(&public, "")?;
    let files = files(instance)?;
    ensure!(files.len() > 4, "{files:?}");
    let resident = scene.person.resident().context("no resident")?;
    let process = |name: &str| PathBuf::from(format!("/proc/{resident}/{name}"));
    let read = |path: &Path| other.does(|| fs::read(path).is_ok());
    ensure!(read(&public)?, "they can walk in");
    // The settings are the person's own file.
    let ours = |file: &&PathBuf| **file != public && !file.ends_with("settings.json");
    for file in files.iter().filter(ours) {
        ensure!(!read(file)?, "{} is open to others", file.display());
    }
    table.row(
        9,
        format!(
            "another user reads the {} files of the instance",
            files.len()
        ),
        "none of them",
    );
    for name in ["environ", "maps", "mem", "auxv", "stack"] {
        ensure!(!read(&process(name))?, "/proc/PID/{name}");
    }
    ensure!(
        !other.does(|| fs::read_dir(process("fd")).is_ok())?,
        "/proc/PID/fd"
    );
    table.row(
        9,
        "another user reads the resident's environment, memory and descriptors",
        "none of them",
    );
    let socket = instance.join("socket");
    ensure!(UnixStream::connect(&socket).is_ok(), "we can connect");
    ensure!(
        !other.does(|| UnixStream::connect(&socket).is_ok())?,
        "the socket is open to others"
    );
    // And if it were.
    mode(&socket, 0o777)?;
    let answer = other.does(|| -> Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&socket)?;
        let mut answer = Vec::new();
        // Its end, or a reset.
        drop(stream.read_to_end(&mut answer));
        Ok(answer)
    })??;
    ensure!(answer.is_empty(), "{answer:?}");
    table.row(
        9,
        "another user connects to the socket, its mode opened by mistake",
        "turned away without a byte",
    );
    scene.works("after all that")
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(self::files(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}
