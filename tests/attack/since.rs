//! Threat 24, over time and beside the kubeconfigs: what a program's words led to when it started, what certificate
//! authority its file named then, and where it counted the file's paths from.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::person::{Said, said};

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// A program that was told of the attacker's file, which is another or none by the time it asks.
pub(crate) async fn gone(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let folder = scene.person.home.join("sync");
    for (what, then) in [
        ("left as it is", ":"),
        ("removed", "rm sync/k.yaml"),
        ("emptied", ": > sync/k.yaml"),
        ("overwritten with words", "echo hello > sync/k.yaml"),
        (
            "overwritten with a folder",
            "rm sync/k.yaml; mkdir sync/k.yaml",
        ),
        ("moved with its folder", "mv sync sync.x"),
    ] {
        for words in [
            &["ls", "--kubeconfig", "sync/k.yaml"][..],
            &["ls", "--kubeconfig=FOLDER/k.yaml"],
            &["ls", "sync/k.yaml"],
        ] {
            let attacker = AttackerApi::start().await?;
            drop(fs::remove_dir_all(&folder));
            drop(fs::remove_dir_all(folder.with_extension("x")));
            fs::create_dir(&folder)?;
            let servers = [("evil", attackers(&attacker))];
            let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
            fs::write(folder.join("k.yaml"), file.to_string())?;
            let what = format!("helm {}, {what}", words.join(" "));
            let before = scene.questions()?.len();
            let said = program(&scene, then, words)?;
            ensure!(
                !said.ok && said.err.contains("[trust-refused"),
                "{what}: {said:?}\n{}",
                scene.person.log()
            );
            let asked = scene.questions()?.len() - before;
            ensure!(asked <= 1, "{what}: asked {asked} times");
            table.row(24, what, "asked; no token");
        }
    }
    drop(fs::remove_dir_all(folder.with_extension("x")));
    scene.works("after all that")
}

/// What people's own programs do all day long asks nobody anything.
pub(crate) async fn gone_quiet(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let home = &scene.person.home;
    fs::write(home.join("values.yaml"), "replicas: 1\n")?;
    fs::write(home.join("app.py"), "pass\n")?;
    let own = home.join(".kube/config").display().to_string();
    let ordinary: [(&[&str], &str); 9] = [
        (&["get", "pods", "-n", "x", "deployment/web"], "touch new"),
        (&["template", "x", "bitnami/nginx"], "touch out; rm out"),
        (&["upgrade", "-f", "values.yaml"], "touch other"),
        (&["x", "-o", "out.yaml"], "echo 'a: b' > out.yaml"),
        (&["x", "--output-dir", "./out"], "mkdir out.d; touch log"),
        (&["x", "--log-file", "x.json"], "echo '{}' > x.json"),
        (&["x", "app.py", "app.main"], "echo 1 >> app.py"),
        (&["x", "--db", "x.db"], "touch x.db; rm x.db"),
        (&["x", "--kubeconfig", &own], "touch .kube/other"),
    ];
    for (words, then) in ordinary {
        let what = format!("{}, and meanwhile: {then}", words.join(" "));
        let before = scene.questions()?.len();
        let said = program(&scene, then, words)?;
        ensure!(said.ok, "{what}: {said:?}\n{}", scene.person.log());
        let asked = scene.questions()?.split_off(before);
        ensure!(asked.is_empty(), "{what}: {asked:?}");
        table.row(24, format!("control: helm {what}"), "served; no question");
    }
    Ok(())
}

/// A certificate authority that is the attacker's when kubectl reads it, and the cluster's own when its plugin asks.
pub(crate) async fn authority(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let ca = scene.folder.join("ca.pem");
    let honest = scene.folder.join("honest.pem");
    fs::write(&honest, scene.playground.ca_pem())?;
    // As a folder that is synchronised: by the person's own hand, when it suits the attacker.
    let plugin = scene.folder.join("sync/kubectl-oidc_login");
    fs::create_dir(scene.folder.join("sync"))?;
    let real = scene.person.path().join("kubectl-oidc_login");
    let text = |then: &str| format!("#!/bin/sh\n{then}\nexec '{}' \"$@\"\n", real.display());
    let exchange = format!("cp '{}' '{}'", honest.display(), ca.display());
    for (what, pem, then) in [
        ("control: the cluster's own", scene.playground.ca_pem(), ":"),
        (
            "the attacker's, exchanged for the cluster's",
            attacker.ca_pem(),
            exchange.as_str(),
        ),
    ] {
        fs::write(&ca, pem)?;
        fs::write(&plugin, text(&format!("{LATER}{then}")))?;
        fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755))?;
        let server = named(scene.playground.kube_url(), &ca);
        let exec = scene.exec("kubectl-oidc_login", &[]);
        let mut file = scene.kubeconfig(&[("own", server)], exec);
        file["users"][0]["user"]["exec"]["command"] = json!(plugin);
        let path = scene.hostile("with-authority", &file)?;
        let said = scene.run(&path)?;
        let is_refused = said.err.contains("[trust-refused");
        ensure!(
            is_refused != (then == ":") && said.ok == (then == ":"),
            "{what}: {said:?}\n{}",
            scene.person.log()
        );
        table.row(
            24,
            format!("kubectl, with an authority's file: {what}"),
            if said.ok {
                "served; no question"
            } else {
                "asked; no token"
            },
        );
    }
    Ok(())
}

/// A folder that was entered by a link: `..` beside it is another one to kubectl than to the system.
pub(crate) async fn linked_folder(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let pack = scene.person.home.join("pack");
    let real = pack.join("real/dir");
    fs::create_dir_all(&real)?;
    symlink("real/dir", pack.join("here"))?;
    fs::write(pack.join("real/ca.pem"), scene.playground.ca_pem())?;
    fs::write(pack.join("ca.pem"), attacker.ca_pem())?;
    let server = named(scene.playground.kube_url(), Path::new("../ca.pem"));
    let file = scene.kubeconfig(&[("own", server)], scene.exec("kubectl", &[]));
    fs::write(real.join("k.yaml"), file.to_string())?;
    let run = |shells: &Path| -> Result<Said> {
        let mut command = scene.person.command("kubectl");
        command.args(["--kubeconfig", "k.yaml"]).args(ONE_REQUEST);
        command.current_dir(&real).env("PWD", shells);
        said(command.output()?)
    };
    for shells in [&real, &scene.person.home] {
        let said = run(shells)?;
        ensure!(said.ok, "PWD={}: {said:?}", shells.display());
    }
    let said = run(&pack.join("here"))?;
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{said:?}\n{}",
        scene.person.log()
    );
    table.row(
        24,
        "kubectl in a folder that was entered by a link, its file's authority beside the link",
        "asked about the authority that kubectl reads; no token",
    );
    Ok(())
}

/// Waits until no clock of the system's can take now for the moment in which the program started.
const LATER: &str = "b=$(date +%s%N); while [ $(($(date +%s%N) - b)) -lt 50000000 ]; do :; done\n";

/// A program that was told so does this, some time after its start, and asks then.
fn program(scene: &Scene, then: &str, words: &[&str]) -> Result<Said> {
    let helm = scene.folder.join("helm");
    if !helm.exists() {
        fs::copy("/bin/sh", &helm)?;
        fs::set_permissions(&helm, fs::Permissions::from_mode(0o755))?;
    }
    let script = scene.asking("program", |ask| format!("{LATER}{then}\n{ask}\n"))?;
    let folder = scene.person.home.join("sync").display().to_string();
    let words = words.iter().map(|word| word.replace("FOLDER", &folder));
    let mut command = scene.person.command(as_str(&helm)?);
    command.arg(&script).args(words);
    said(command.output().context("can't be started")?)
}

fn named(url: &str, authority: &Path) -> Value {
    json!({ "server": url, "certificate-authority": authority })
}

fn as_str(path: &Path) -> Result<&str> {
    path.to_str().context("a path is text")
}
