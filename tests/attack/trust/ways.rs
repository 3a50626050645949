//! Threats 23 and 24: kubectl and the resident see different files under one name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::person::{Said, said};
use world::user::Other;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// A cloned repository with a link that leads each reader to where the reader stands.
pub(crate) async fn magic_links(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let home = scene.person.home.clone();
    let below = home.strip_prefix("/").context("a home is below the root")?;
    let own = home.join(".kube/config");

    let attacker = AttackerApi::start().await?;
    let repository = scene.folder.join("repository");
    fs::create_dir_all(repository.join(below).join(".kube"))?;
    let file = scene.kubeconfig(&[("own", attackers(&attacker))], scene.exec("kubectl", &[]));
    fs::write(
        repository.join(below).join(".kube/config"),
        file.to_string(),
    )?;
    let magic =
        |path: &Path| Path::new("/proc/self/cwd").join(path.strip_prefix("/").unwrap_or(path));
    symlink(magic(&own), repository.join("kubeconfig"))?;
    symlink(&own, repository.join("ordinary"))?;

    let quiet = || in_folder(&scene, &repository, &["--kubeconfig", "ordinary"], None);
    served_unasked(&scene, "an ordinary link to the person's own file", quiet)?;
    table.row(
        23,
        "control: an ordinary link to the person's own kubeconfig",
        "served, no question",
    );

    let set = format!("kubeconfig:{}", own.display());
    for (what, arguments, variable) in [
        ("--kubeconfig", &["--kubeconfig", "kubeconfig"][..], None),
        ("the first of KUBECONFIG", &[], Some(set.as_str())),
    ] {
        let run = || in_folder(&scene, &repository, arguments, variable);
        unknown_and_refused(&scene, what, run)?;
        ensure!(
            !attacker.saw_authorization(),
            "{what}: {:?}",
            attacker.seen()
        );
        table.row(
            23,
            format!("a cloned link to /proc/self/cwd as {what}"),
            "an unknown server is asked about; no token",
        );
    }

    // The same as an authority: the victim's own address, whose certificate the attacker signs.
    let authority = home.join("kube-ca.pem");
    fs::write(&authority, scene.playground.ca_pem())?;
    fs::write(
        repository.join(below).join("kube-ca.pem"),
        attacker.ca_pem(),
    )?;
    symlink(magic(&authority), repository.join("ca.pem"))?;
    symlink(&authority, repository.join("ordinary.pem"))?;
    let with_authority = |authority: &str| -> Result<String> {
        let cluster = json!({
            "server": scene.playground.kube_url(),
            "certificate-authority": repository.join(authority),
        });
        let file = scene.kubeconfig(&[("own", cluster)], scene.exec("kubectl", &[]));
        scene.hostile(authority, &file)
    };
    let file = with_authority("ordinary.pem")?;
    let quiet = || in_folder(&scene, &repository, &["--kubeconfig", &file], None);
    served_unasked(&scene, "an ordinary link to an authority", quiet)?;
    let file = with_authority("ca.pem")?;
    let run = || in_folder(&scene, &repository, &["--kubeconfig", &file], None);
    unknown_and_refused(&scene, "as an authority", run)?;
    table.row(
        23,
        "a cloned link to /proc/self/cwd as certificate-authority",
        "an unknown server is asked about; no token (control: an ordinary link is served)",
    );
    scene.works("after all that")
}

/// Another user's file, exchanged after kubectl has read it and before the resident looks.
pub(crate) async fn exchanged(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::signed_in(Seat::default()).await?;
    let own = scene.person.home.join(".kube/config");
    let public = tempfile::Builder::new()
        .prefix("kubefob-public-")
        .tempdir()?;
    fs::set_permissions(
        public.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o1777),
    )?;

    for (name, what, exchange) in [
        (
            "content",
            "its content, and its time set back",
            "cat \"$OWN\" > file; touch -d '1 hour ago' file",
        ),
        ("link", "a link on the way", "ln -sfn \"$OWN\" file"),
        (
            "folder",
            "a folder on the way",
            "mv folder gone; mkdir folder; cp \"$OWN\" folder/file",
        ),
    ] {
        let attacker = AttackerApi::start().await?;
        let theirs = public.path().join(name);
        let (hook, stanza) = hook(&scene, name, &theirs, exchange)?;
        let text = scene
            .kubeconfig(&[("own", attackers(&attacker))], stanza)
            .to_string();
        other.does(|| -> Result<()> {
            fs::create_dir(&theirs)?;
            match name {
                "folder" => {
                    fs::create_dir(theirs.join("folder"))?;
                    fs::write(theirs.join("folder/file"), text)?;
                }
                "link" => {
                    fs::write(theirs.join("hostile"), text)?;
                    symlink(theirs.join("hostile"), theirs.join("file"))?;
                }
                _ => fs::write(theirs.join("file"), text)?,
            }
            Ok(())
        })??;
        let path = match name {
            "folder" => theirs.join("folder/file"),
            _ => theirs.join("file"),
        };
        let path = path.display().to_string();
        unknown_and_refused(&scene, what, || scene.run(&path))?;
        ensure!(
            fs::read_to_string(&hook)? == "done\n",
            "{what}: nothing was exchanged"
        );
        ensure!(
            !attacker.saw_authorization(),
            "{what}: {:?}",
            attacker.seen()
        );
        table.row(
            24,
            format!("another user's file, after kubectl has read it: {what}"),
            "an unknown server is asked about; no token",
        );
    }

    // The person's own tools write when they like.
    let (hook, stanza) = hook(
        &scene,
        "own",
        &scene.folder,
        "cat \"$OWN\" > mine.new; mv mine.new mine",
    )?;
    let servers = [("own", scene.own_server())];
    let file = scene.hostile("mine", &scene.kubeconfig(&servers, stanza))?;
    // What it was before is known: it has been used.
    fs::write(&hook, "")?;
    served_unasked(&scene, "the person's own file at first", || {
        scene.run(&file)
    })?;
    fs::remove_file(&hook)?;
    served_unasked(&scene, "the person's own file", || scene.run(&file))?;
    ensure!(
        fs::read_to_string(&hook)? == "done\n",
        "nothing was exchanged"
    );
    table.row(
        24,
        "control: the person's own file, written by a tool of theirs meanwhile",
        "served, no question",
    );
    fs::remove_file(&hook)?;
    ensure!(own.exists(), "the own file is there");
    scene.works("after all that")
}

/// A stanza whose plugin is ours, once something was done between kubectl's reading and the plugin's question; where
/// that is noted.
fn hook(scene: &Scene, name: &str, folder: &Path, exchange: &str) -> Result<(PathBuf, Value)> {
    let place = scene.folder.join(format!("{name}-hook"));
    fs::create_dir(&place)?;
    let noted = place.join("noted");
    let script = place.join("kubectl-oidc_login");
    let text = format!(
        "#!/bin/sh\nOWN={own}\nif [ ! -e {noted} ]; then cd {folder} && {{ {exchange}; }} && echo done > {noted}; fi\nexec {shim} \"$@\"\n",
        own = scene.person.home.join(".kube/config").display(),
        noted = noted.display(),
        folder = folder.display(),
        shim = Path::new(scene.person.command("kubectl-oidc_login").get_program()).display(),
    );
    fs::write(&script, text)?;
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let mut stanza = scene.exec("shim", &[]);
    stanza["command"] = json!(script);
    Ok((noted, stanza))
}

fn in_folder(
    scene: &Scene,
    folder: &Path,
    arguments: &[&str],
    variable: Option<&str>,
) -> Result<Said> {
    let mut command = scene.person.command("kubectl");
    command
        .args(arguments)
        .args(ONE_REQUEST)
        .current_dir(folder);
    if let Some(variable) = variable {
        command.env("KUBECONFIG", variable);
    }
    said(command.output().context("can't be started")?)
}

/// A token is served, and nobody is asked anything.
fn served_unasked(scene: &Scene, what: &str, run: impl FnOnce() -> Result<Said>) -> Result<()> {
    let before = scene.questions()?.len();
    let said = run()?;
    ensure!(said.ok, "{what}: {said:?}\n{}", scene.person.log());
    let asked = scene.questions()?.split_off(before);
    ensure!(asked.is_empty(), "{what}: {asked:?}");
    Ok(())
}

/// The person is asked about a server that is not known, says no, and no token goes out.
fn unknown_and_refused(
    scene: &Scene,
    what: &str,
    run: impl FnOnce() -> Result<Said>,
) -> Result<()> {
    let before = scene.questions()?.len();
    let said = run()?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{what}: {said:?}\n{}",
        scene.person.log()
    );
    let asked = scene.questions()?.split_off(before);
    // A no holds for ten minutes, whoever asks the same.
    ensure!(asked.len() <= 1, "{what}: {asked:?}");
    Ok(())
}
