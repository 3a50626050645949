//! Threat 24, over time: what kubectl read when it started, and what its file says when it asks.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::table::Table;

/// A context of somebody else's, in which a `kubectl proxy` was started, and the person's own, that the file is switched
/// to before its first request.
pub(crate) async fn switched_since(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let attacker = AttackerApi::start().await?;
    let own = scene.person.home.join(".kube/config");
    let other = scene.folder.join("other");
    for (file, what, without_a_resident) in [
        (&own, "the person's own file", false),
        (&own, "the same, while no resident ran", true),
        (&other, "a file that nobody has asked for", false),
    ] {
        write(&scene, &attacker, file)?;
        switch(&scene, file, "evil")?;
        if without_a_resident {
            scene.person.end_resident("TERM")?;
        }
        let proxy = Proxy::start(&scene, file)?;
        switch(&scene, file, "own")?;
        let said = proxy.asked()?;
        ensure!(!said.contains("NamespaceList"), "{what}: {said}");
        ensure!(
            !attacker.saw_authorization(),
            "{what}: {:?}",
            attacker.seen()
        );
        table.row(
            24,
            format!("kubectl proxy, started before its file was switched: {what}"),
            "asked about what it can have read; no token",
        );
    }
    scene.works("after all that")
}

/// What people's own tools do all day long asks nobody anything.
pub(crate) async fn control(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let own = scene.person.home.join(".kube/config");
    let text = fs::read_to_string(&own)?;
    // A second name for the same server.
    let both = scene.kubeconfig(
        &[("own", scene.own_server()), ("again", scene.own_server())],
        scene.exec("kubectl", &[]),
    );
    fs::write(&own, both.to_string())?;
    scene.works("a second context")?;
    let before = scene.questions()?.len();
    let proxy = Proxy::start(&scene, &own)?;
    for context in ["again", "own"] {
        switch(&scene, &own, context)?;
        scene.works(context)?;
    }
    ensure!(
        proxy.asked()?.contains("NamespaceList"),
        "{}",
        scene.person.log()
    );
    // Rewritten with the same, by a tool that renames and by one that does not.
    let new = own.with_extension("new");
    fs::write(&new, &text)?;
    fs::rename(&new, &own)?;
    scene.works("renamed")?;
    fs::write(&own, &text)?;
    scene.works("written")?;
    ensure!(
        proxy.asked()?.contains("NamespaceList"),
        "{}",
        scene.person.log()
    );
    let asked = scene.questions()?.split_off(before);
    ensure!(asked.is_empty(), "{asked:?}");
    table.row(
        24,
        "control: a kubectl proxy, while the person's tools switch and rewrite its file",
        "served, no question",
    );
    Ok(())
}

fn write(scene: &Scene, attacker: &AttackerApi, file: &Path) -> Result<()> {
    let servers = [("own", scene.own_server()), ("evil", attackers(attacker))];
    let text = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    Ok(fs::write(file, text.to_string())?)
}

fn switch(scene: &Scene, file: &Path, context: &str) -> Result<()> {
    let file = file.display().to_string();
    let words = ["--kubeconfig", &file, "config", "use-context", context];
    let said = scene.person.kubectl(&words)?;
    ensure!(said.ok, "{said:?}");
    Ok(())
}

/// A `kubectl proxy` that has read its file, and asked for nothing.
struct Proxy {
    process: Child,
    address: String,
}

impl Proxy {
    fn start(scene: &Scene, file: &Path) -> Result<Self> {
        let mut command = scene.person.command("kubectl");
        command
            .args(["proxy", "--port=0"])
            .env("KUBECONFIG", file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().context("kubectl can't be started")?;
        let stdout = process.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        ensure!(address.contains(':'), "{line}");
        Ok(Self { process, address })
    }

    /// What it answers.
    fn asked(&self) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let path = ONE_REQUEST.last().context("a path")?;
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
