//! Starting over: signed out everywhere, and nothing of it is left.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use world::session::Session;

use crate::seat::Seat;

pub(crate) fn walk() -> Result<()> {
    let session = Session::start()?;
    let seat = Seat::at(&session)?;
    let person = &seat.person;
    let get = ["get", "namespaces"];
    ensure!(person.kubectl(&get)?.ok, "{}", person.log());
    ensure!(person.kubectl(&["fob", "set", "autostart", "on"])?.ok);
    let in_keyring = || {
        session
            .keyring
            .search()
            .is_ok_and(|found| found.contains("kubefob"))
    };
    ensure!(in_keyring(), "the key is in the keyring");
    let issuer = seat.playground.addresses().issuer.clone();
    ensure!(!holding(&person.instance, &issuer)?.is_empty());
    let before = fs::read(&seat.file)?;

    let unasked = person.kubectl(&["fob", "reset"])?;
    ensure!(unasked.err.contains("[incomplete]"), "{unasked:?}");
    let no = person.on_terminal("kubectl fob reset", "n\n")?;
    ensure!(no.out.contains("[not-reset]"), "{no:?}");
    ensure!(seat.playground.sessions() == 1 && person.kubectl(&get)?.ok);

    let resident = person.resident().context("no resident")?;
    let yes = person.on_terminal("kubectl fob reset", "y\n")?;
    ensure!(
        yes.ok && yes.out.contains("has forgotten all of it"),
        "{yes:?}"
    );
    while person.resident() == Some(resident) {
        std::thread::yield_now();
    }
    ensure!(
        seat.playground.sessions() == 0,
        "the provider's own session"
    );
    ensure!(!in_keyring(), "the key is in the keyring");
    let left = holding(&person.instance, &issuer)?;
    ensure!(left.is_empty(), "{left:?}");
    let autostart = fs::read_dir(person.home.join(".config/autostart"))?;
    ensure!(autostart.count() == 0, "an autostart entry");
    ensure!(
        fs::read(&seat.file)? == before,
        "the kubeconfig is as it was"
    );
    for file in files(&person.instance)? {
        println!("left: {}", file.display());
    }
    println!("{}", yes.out.trim());

    let again = person.kubectl(&["fob", "reset", "--yes"])?;
    ensure!(again.ok, "{again:?}");
    ensure!(person.kubectl(&get)?.ok, "it starts anew");
    println!("once more, and then it works as on the first day");
    Ok(())
}

/// The files below a folder in which that stands.
fn holding(folder: &Path, words: &str) -> Result<Vec<PathBuf>> {
    let holds = |file: &PathBuf| {
        let content = fs::read(file).unwrap_or_default();
        memchr::memmem::find(&content, words.as_bytes()).is_some()
    };
    Ok(files(folder)?.into_iter().filter(holds).collect())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
