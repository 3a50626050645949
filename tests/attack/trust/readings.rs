//! Threats 1 and 26: one text that two programs read differently, so that the server that Kubefob finds in it is not the
//! one that gets the token.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::symlink;

use anyhow::{Result, ensure};
use playground::AttackerApi;
use serde_json::{Value, json};
use world::person::{Said, said};

use super::programs::{Asked, Programs, quiet, refused};
use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// A file's text, from the person's own and the attacker's cluster.
type Text = fn(&Value, &Value) -> String;

/// A context as it is written, and the name of the cluster that kubectl finds there. Another finds `x`, or none.
const FORMS: [(&str, &str); 5] = [
    ("\n    user: me\n    cluster: &a:b x\n", ":b x"),
    ("\n    user: me\n    cluster: &a?b x\n", "?b x"),
    ("{cluster: !t,y evil, user: me}\n", "evil"),
    (r#"{"cluster":"x","user":"me",?"cluster":"evil"}"#, "evil"),
    (r#"{cluster: evil, user: me, <<: {cluster:,z "y"}}"#, "evil"),
];

/// A file that names the person's own server to whoever follows YAML 1.2, and the attacker's to kubectl.
pub(crate) async fn yaml(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    for (number, (form, evil)) in FORMS.into_iter().enumerate() {
        let attacker = AttackerApi::start().await?;
        let file = |context: &str| {
            let users = &scene.kubeconfig(&[], scene.exec("kubectl", &[]))["users"];
            format!(
                "current-context: own\nclusters:\n- name: x\n  cluster: {own}\n- name: ''\n  cluster: {own}\n\
                 - name: {evil}\n  cluster: {server}\nusers: {users}\ncontexts:\n- name: own\n  context: {context}\n",
                own = scene.own_server(),
                evil = json!(evil),
                server = attackers(&attacker),
            )
        };
        let write = |name: &str, context: &str| -> Result<String> {
            let path = scene.folder.join(format!("{name}-{number}.yaml"));
            fs::write(&path, file(context))?;
            Ok(path.display().to_string())
        };
        let hostile = write("hostile", form)?;
        // The attack is a real one.
        let server = "-o=jsonpath={.clusters[0].cluster.server}";
        let view = ["config", "view", "--minify", server, "--kubeconfig"];
        let read = scene.person.kubectl(&[&view[..], &[&hostile]].concat())?;
        ensure!(read.out == attacker.url(), "{form}: no attack: {read:?}");
        let said = scene.run(&hostile)?;
        ensure!(!attacker.saw_authorization(), "{form}: {said:?}");
        ensure!(
            !said.ok && said.err.contains("[bad-kubeconfig]"),
            "{form}: {said:?}"
        );
        table.row(1, form.trim(), "not every program reads it alike: refused");
        let plain = json!({ "cluster": evil, "user": "me" }).to_string();
        let plain = write("plain", &plain)?;
        refused(&scene, &attacker, "said plainly", Asked::ByName, || {
            scene.run(&plain)
        })?;
        println!("  control: the same said plainly: asked, by its name");
    }
    scene.works("after all that")
}

/// A path that is no text, beside a file of the name that it is shown by.
pub(crate) async fn bytes(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let hostile = [("own", attackers(&attacker))];
    let hostile = scene.kubeconfig(&hostile, scene.exec("kubectl", &[]));
    let own = scene.kubeconfig(&[("own", scene.own_server())], scene.exec("kubectl", &[]));
    let named = |bytes: &[u8]| scene.folder.join(OsString::from_vec(bytes.to_vec()));
    let (lost, shown) = (named(b"c\xff.yaml"), named("c\u{fffd}.yaml".as_bytes()));
    fs::write(&lost, hostile.to_string())?;
    fs::write(&shown, own.to_string())?;
    let run = || -> Result<Said> {
        let mut command = scene.person.command("kubectl");
        command.arg("--kubeconfig").arg(&lost).args(ONE_REQUEST);
        said(command.output()?)
    };
    let what = "--kubeconfig c<FF>.yaml, beside c<FFFD>.yaml";
    refused(&scene, &attacker, what, Asked::Unknown, run)?;
    table.row(
        26,
        what,
        "for a server that can't be known: asked; no token",
    );
    let run = || scene.run("plain.yaml");
    fs::write(scene.person.home.join("plain.yaml"), own.to_string())?;
    quiet(&scene, "a plain name", run)?;
    println!("  control: by a plain name: served, no question");
    scene.works("after all that")
}

/// Files that kubectl reads as the person's own, and another program as the attacker's.
pub(crate) async fn others(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let programs = Programs::new(&scene)?;
    let own = scene.kubeconfig(&[("own", scene.own_server())], scene.exec("kubectl", &[]));
    let cases: [(&str, Asked, Text); 3] = [
        ("a merge below the key", Asked::Unknown, |own, evil| {
            let server = own["clusters"][0]["cluster"].to_string();
            let fields = evil.as_object().into_iter().flatten();
            let fields = fields.map(|(name, value)| format!("    {name}: {value}\n"));
            format!(
                "x: &d {server}\ncurrent-context: own\nusers: {}\ncontexts: {}\nclusters:\n- name: own\n  \
                 cluster:\n{}    <<: *d\n",
                own["users"],
                own["contexts"],
                fields.collect::<String>()
            )
        }),
        ("a second document", Asked::Unknown, |own, evil| {
            let clusters = json!([{ "name": "evil", "cluster": evil }]);
            let contexts =
                json!([{ "name": "evil", "context": { "cluster": "evil", "user": "me" } }]);
            format!("{own}\n---\n{{\"clusters\":{clusters},\"contexts\":{contexts}}}\n")
        }),
        (
            "a stanza with a command of its own",
            Asked::ByName,
            |own, evil| {
                let mut file = own.clone();
                file["clusters"][0]["cluster"] = evil.clone();
                file["users"][0]["user"]["exec"]["command"] = json!("/opt/k");
                file.to_string()
            },
        ),
    ];
    for (number, (what, how, text)) in cases.into_iter().enumerate() {
        let attacker = AttackerApi::start().await?;
        let file = scene.folder.join(format!("hostile-{number}"));
        fs::write(&file, text(&own, &attackers(&attacker)))?;
        let file = file.display().to_string();
        let run = || {
            let arguments = ["--kubeconfig", &file];
            programs.stand_in(&scene, "k9s", &attacker, &arguments, &[], str::to_owned)
        };
        refused(&scene, &attacker, what, how, run)?;
        table.row(1, format!("k9s: {what}"), "asked; no token");
    }

    // No word of it says Kubernetes: where it leads tells.
    let attacker = AttackerApi::start().await?;
    let hostile = programs.hostile(&scene, &attacker)?;
    let by_variable = |name: &'static str, value: &str| {
        let variables = [(name, value)];
        programs.stand_in(
            &scene,
            "terraform",
            &attacker,
            &[],
            &variables,
            str::to_owned,
        )
    };
    // The scene's own folders have our name in theirs.
    let elsewhere = tempfile::tempdir()?;
    let renamed = elsewhere.path().join("c.yaml");
    fs::copy(&hostile, &renamed)?;
    let renamed = renamed.display().to_string();
    refused(&scene, &attacker, "TF_VAR_path", Asked::ByName, || {
        by_variable("TF_VAR_path", &renamed)
    })?;
    table.row(
        1,
        "terraform, TF_VAR_path=…/c.yaml",
        "asked, by its name; no token",
    );

    // What environments are full of.
    let home = elsewhere.path();
    fs::write(
        home.join("history"),
        "ls ? x\nkubectl config get-contexts\n".repeat(60_000),
    )?;
    fs::write(home.join("notes.yaml"), "users: [a, b]\n---\nserver: x\n")?;
    symlink("/nowhere", home.join("dangling"))?;
    let of_home = |name: &str| home.join(name).display().to_string();
    let values = [
        ("HISTFILE", of_home("history")),
        ("NOTES", of_home("notes.yaml")),
        ("NOTHING", of_home("dangling")),
        ("FOLDERS", format!("/usr/local/bin:/tmp:{}", home.display())),
        ("EDITOR", "/bin/sh".to_owned()),
        ("TTY", "/dev/null".to_owned()),
        ("LS_COLORS", "*.tar=01;31:*.zip=01".repeat(200)),
        ("NOBODYS", "/etc/shadow".to_owned()),
    ];
    for (name, value) in values {
        // It hands over what it gets, as everybody who is trusted may.
        let before = (scene.questions()?.len(), attacker.seen().len());
        let said = by_variable(name, &value)?;
        ensure!(
            scene.questions()?.len() == before.0 && !said.err.contains("[trust-refused"),
            "{name}: {said:?}"
        );
        ensure!(
            attacker.seen().len() > before.1,
            "{name}: no token: {said:?}"
        );
    }
    println!(
        "  control: variables that lead to folders, histories and programs: served, no question"
    );
    scene.works("after all that")
}
