//! Threats 1 and 3: who sits in a container and has the socket, and what a kubeconfig tells the programs between whoever
//! asks and the shim.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use world::parts::{self, Missing};
use world::person::{Said, said};
use world::user::Other;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// What becomes a program in a mount namespace of its own: so its parent stands outside of it.
const BOX: &str = "unshare --mount";

/// The same by an ordinary user, in a user namespace too.
const BOX_OF_ONES_OWN: &str = "unshare --user --map-root-user --mount";

/// Whether there can be one here.
///
/// # Errors
/// [`Missing`], where that is not allowed.
pub(crate) fn boxes() -> Result<()> {
    can_make(None, BOX)
}

fn can_make(whose: Option<Other>, inside: &str) -> Result<()> {
    let mut made = Other::command(whose, "/bin/sh");
    let made = made.args(["-c", &format!("{inside} true")]).output();
    if made.is_ok_and(|made| made.status.success()) {
        return Ok(());
    }
    Err(Missing {
        name: "mount namespaces".to_owned(),
        why: "unshare may not make one".to_owned(),
    }
    .into())
}

fn executable(scene: &Scene, name: &str, text: &str) -> Result<PathBuf> {
    let folder = scene.folder.join("bin");
    fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Where nobody sits at a desktop a terminal answers, and a container makes as many of those as it likes.
pub(crate) async fn answers(table: &Table) -> Result<()> {
    boxes()?;
    let question = Question::asked(None).await?;
    question.refused(BOX, "kubectl fob")?;
    table.row(
        3,
        "from a container, on a terminal of its own: it answers the question with 'always'",
        "refused: nothing in a container answers",
    );
    question.answered()?;
    table.row(
        3,
        "control: the same answer on the person's own terminal",
        "counts",
    );
    Ok(())
}

/// The same where the resident is no root's, who is shown every namespace: by a shim, and by one that nobody is shown
/// anything of, since its file can't be read.
pub(crate) async fn answers_as_a_user(table: &Table) -> Result<()> {
    let somebody = Other::somebody()?;
    can_make(Some(somebody), BOX_OF_ONES_OWN)?;
    let question = Question::asked(Some(somebody)).await?;
    let scene = &question.scene;
    let hidden = scene.folder.join("kubectl-fob");
    fs::copy(parts::program("kubectl-fob")?, &hidden)?;
    fs::set_permissions(&hidden, fs::Permissions::from_mode(0o711))?;
    let resident = scene.person.resident().context("no resident")?;
    let status = fs::read_to_string(format!("/proc/{resident}/status"))?;
    ensure!(
        status.contains(&format!("\nUid:\t{}\t", somebody.0)),
        "{status}"
    );
    for (what, shim) in [
        ("a shim", "kubectl fob".to_owned()),
        ("a shim that can't be read", hidden.display().to_string()),
    ] {
        question.refused(BOX_OF_ONES_OWN, &shim)?;
        table.row(
            3,
            format!("an ordinary user's resident; from a container, {what} answers with 'always'"),
            "refused: nothing in a container answers",
        );
    }
    question.answered()?;
    table.row(
        3,
        "control: the same answer on that user's own terminal",
        "counts",
    );
    Ok(())
}

/// A question that waits where nobody sits at a desktop.
struct Question {
    scene: Scene,
    attacker: AttackerApi,
    file: String,
    name: String,
}

impl Question {
    /// Of a person who is this user.
    async fn asked(whose: Option<Other>) -> Result<Self> {
        let mut scene = Scene::signed_in(Seat {
            keep: "plain",
            whose,
            ..Seat::default()
        })
        .await?;
        scene.without_desktop()?;
        let attacker = AttackerApi::start().await?;
        let file = scene.kubeconfig(
            &[("prod", attackers(&attacker))],
            scene.exec("kubectl", &[]),
        );
        let file = scene.hostile("hostile", &file)?;
        let said = scene.run(&file)?;
        ensure!(said.err.contains("[not-trusted]"), "{said:?}");
        let waiting = scene.person.fob(&["trusts", "--pending"])?;
        let name = waiting[0]["name"].as_str().context("a question")?;
        Ok(Self {
            name: name.to_owned(),
            scene,
            attacker,
            file,
        })
    }

    /// What is started in a box answers, and it counts for nothing.
    fn refused(&self, inside: &str, shim: &str) -> Result<()> {
        let answer = format!("{inside} {shim} trust {} --always", self.name);
        let said = self.scene.person.on_terminal(&answer, "")?;
        ensure!(!said.ok && said.out.contains("[not-trusted]"), "{said:?}");
        let said = self.scene.run(&self.file)?;
        ensure!(!said.ok && !self.attacker.saw_authorization(), "{said:?}");
        Ok(())
    }

    /// The person's own answer counts.
    fn answered(&self) -> Result<()> {
        let answer = format!("kubectl fob trust {} --always", self.name);
        let said = self.scene.person.on_terminal(&answer, "")?;
        ensure!(said.ok, "{said:?}\n{}", self.scene.person.log());
        Ok(())
    }
}

/// A person's commands, from a container.
pub(crate) async fn verbs(table: &Table) -> Result<()> {
    boxes()?;
    let scene = Scene::signed_in(Seat::default()).await?;
    let account = scene.account()?;
    let trusts = scene.person.fob(&["trusts"])?;
    let trust = trusts[0]["name"].as_str().context("a trust")?;
    let own = scene.person.home.join(".kube/config");
    let boxed = |line: &str| -> Result<Said> {
        let mut command = scene.person.command("/bin/sh");
        command.args(["-c", &format!("{BOX} kubectl fob {line}")]);
        said(command.output()?)
    };
    for line in [
        "token".to_owned(),
        format!("contexts --kubeconfig {}", own.display()),
        "use own".to_owned(),
        format!("rename {account} another"),
        format!("untrust {trust}"),
        "set keep-fresh while-in-use".to_owned(),
        "add https://127.0.0.1:1/ x".to_owned(),
        "logout".to_owned(),
        format!("remove {account} --yes"),
        "reset --yes".to_owned(),
    ] {
        let said = boxed(&line)?;
        ensure!(
            !said.ok && said.out.is_empty() && said.err.contains("[not-in-containers]"),
            "{line}: {said:?}"
        );
    }
    for line in ["status", "trusts", "version"] {
        let said = boxed(line)?;
        ensure!(said.ok, "{line}: {said:?}");
    }
    ensure!(scene.person.fob(&["trusts"])? == trusts, "a trust is gone");
    scene.works("after all that")?;
    table.row(
        3,
        "from a container: token, contexts, use, rename, untrust, set, add, logout, remove, reset",
        "refused, each; status, trusts and version are told",
    );
    Ok(())
}

/// `kubectl` on PATH is a script that waits for the real one: kubectl's plugin is started by it.
pub(crate) async fn scripts(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let kubectl = scene.person.command("kubectl");
    let real = PathBuf::from(kubectl.get_program());
    executable(&scene, "kubectl", &format!("{} \"$@\"", real.display()))?;
    let path = kubectl.get_envs().find(|(name, _)| *name == "PATH");
    let path = path
        .and_then(|(_, path)| path?.to_str())
        .context("a PATH")?;
    let path = format!("{}:{path}", scene.folder.join("bin").display());
    let run = |file: Option<&str>| -> Result<Said> {
        let mut command = scene.person.command("kubectl");
        let file = file.map(|file| format!("--kubeconfig={file}"));
        command.args(file).args(ONE_REQUEST).env("PATH", &path);
        said(command.output()?)
    };
    let before = scene.questions()?.len();
    let said = run(None)?;
    ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    ensure!(scene.questions()?.len() == before, "asked");
    table.row(
        1,
        "control: kubectl on PATH is a script that waits for the real one",
        "no question",
    );
    let attacker = AttackerApi::start().await?;
    let file = scene.kubeconfig(
        &[("prod", attackers(&attacker))],
        scene.exec("kubectl", &[]),
    );
    let file = scene.hostile("hostile", &file)?;
    let said = run(Some(&file))?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused") && !attacker.saw_authorization(),
        "{said:?}\n{}",
        scene.person.log()
    );
    table.row(
        1,
        "the same, on a file that names the attacker's server",
        "asked by its name; no token",
    );
    Ok(())
}

/// A client library that sets no KUBERNETES_EXEC_INFO: `exec.env` says that it is the trusted server.
pub(crate) async fn untold(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let stanza = scene.exec("kubectl-oidc_login", &[]);
    let file = scene.kubeconfig(&[("prod", attackers(&attacker))], stanza);
    let file = scene.hostile("hostile", &file)?;
    // The shell becomes the shim, so that its parent is the client.
    let info = scene.exec_info();
    let plugin = scene.asking("plugin", |command| {
        let command = command.replace(&scene.exec_info_without_cluster(), &info);
        format!("exec {command}\n")
    })?;
    let client = |file: Option<&str>| -> Result<Said> {
        let mut command = scene.person.command("/usr/bin/timeout");
        command.args(["300", "/bin/sh"]).arg(&plugin);
        command.envs(file.map(|file| ("KUBECONFIG", file)));
        said(command.output()?)
    };
    let said = client(None)?;
    ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    table.row(
        1,
        "control: a client whose plugin is told the person's own server, on their own file",
        "a token, without a question",
    );
    let said = client(Some(&file))?;
    ensure!(
        !said.ok && said.out.is_empty() && said.err.contains("[trust-refused"),
        "{said:?}\n{}",
        scene.person.log()
    );
    table.row(
        1,
        "the same client on the attacker's file, whose exec.env says the person's own server",
        "asked; no token",
    );
    Ok(())
}
