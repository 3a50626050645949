//! Threat 13: flags that weaken an account, or read files.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use playground::{AttackerApi, Endpoint, Fault};
use rustix::fs::OFlags;
use serde_json::json;

use crate::scene::{ONE_REQUEST, Scene, Seat, server};
use crate::table::Table;

/// Flags that no kubeconfig may use here: refused by name, and nothing is asked or sent.
pub(crate) async fn weaker(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let (served, requests) = (scene.served(), scene.playground.counters().requests);
    for flag in [
        "--insecure-skip-tls-verify",
        "--tls-renegotiation-freely",
        "--oidc-use-access-token",
        "--oidc-request-header=Host: evil.example",
        "--browser-command=/bin/false",
        "--open-url-after-authentication=https://evil.example",
        "--token-cache-dir=/etc",
        "--oidc-auth-request-extra-params=prompt=none",
        "--local-server-cert=/etc/shadow",
        "--force-refresh",
        "--grant-type=password",
        "--oidc-redirect-url=https://evil.example/",
        "--listen-address=0.0.0.0:8000",
    ] {
        let servers = [("own", scene.own_server())];
        let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[flag]));
        let said = scene.run(&scene.hostile("hostile", &file)?)?;
        let (name, _) = flag.split_once('=').unwrap_or((flag, ""));
        let named = said.err.contains(name) || said.err.contains("[listen-not-loopback]");
        ensure!(!said.ok && named, "{flag}: {said:?}");
        table.row(13, format!("the flag {flag}"), "refused by its name");
    }
    ensure!(scene.served() == served, "a token went out");
    ensure!(scene.questions()?.is_empty(), "{:?}", scene.questions()?);
    let now = scene.playground.counters().requests;
    let provider = |requests: &std::collections::BTreeMap<Endpoint, u64>| -> u64 {
        Endpoint::PROVIDER
            .iter()
            .filter_map(|at| requests.get(at))
            .sum()
    };
    ensure!(
        provider(&now) == provider(&requests),
        "the provider was asked: {now:?}"
    );
    Ok(())
}

/// Somebody in the middle, whose authority the kubeconfig's flags bring along.
pub(crate) async fn man_in_the_middle(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        config: json!({ "token_seconds": 4 }),
        ..Seat::default()
    })
    .await?;
    let issuer = url::Url::parse(scene.playground.issuer())?;
    scene.playground.fault(Fault::Offline).await?;
    let middle = AttackerApi::start_at(issuer.port().unwrap_or_default()).await?;
    let authority = scene.folder.join("middle.pem");
    fs::write(&authority, middle.ca_pem())?;

    // Their flags make another account: it has no session, and theirs is all it can get.
    let flags = [
        format!("--oidc-issuer-url={issuer}"),
        format!(
            "--oidc-client-id={}",
            scene.playground.addresses().client_id
        ),
        format!("--certificate-authority={}", authority.display()),
    ];
    let file = scene.kubeconfig(
        &[("own", scene.own_server())],
        crate::scene::exec("kubectl", &flags),
    );
    let said = scene.run(&scene.hostile("hostile", &file)?)?;
    ensure!(!said.ok, "{said:?}");
    let accounts = scene.person.fob(&["accounts"])?;
    ensure!(
        accounts.as_array().is_some_and(|all| all.len() == 1),
        "{accounts:#}"
    );

    // The person's own account meets them too, once its token has run out, and says nothing.
    let said = loop {
        let said = scene.person.kubectl(ONE_REQUEST)?;
        if !said.ok {
            break said;
        }
    };
    ensure!(said.err.contains("[tls-failed]"), "{said:?}");
    let seen = middle.seen();
    ensure!(
        seen.iter()
            .all(|request| request.method == "GET" && request.authorization.is_none()),
        "{seen:?}"
    );
    table.row(
        13,
        "a certificate authority in the flags, and its owner in the provider's place",
        "another account, without a session and gone with the no; the refresh token is never sent",
    );

    middle.end().await?;
    scene.playground.lift_all().await?;
    scene.works_again("when the provider is back").await?;
    ensure!(
        scene.playground.counters().sign_ins == 1,
        "and the session is the same"
    );
    Ok(())
}

/// Certificate authorities that are no such files.
pub(crate) async fn files(table: &Table) -> Result<()> {
    const SECRET: &str = "the-content-of-a-file-that-is-none-of-theirs";
    let scene = Scene::signed_in(Seat {
        consent: "always",
        ..Seat::default()
    })
    .await?;
    let at = |name: &str| scene.folder.join(name);
    ensure!(Command::new("mkfifo").arg(at("fifo")).status()?.success());
    let mut fifo = File::options()
        .read(true)
        .write(true)
        .custom_flags(i32::try_from(OFlags::NONBLOCK.bits())?)
        .open(at("fifo"))?;
    fifo.write_all(SECRET.as_bytes())?;
    File::create(at("huge"))?.set_len(1 << 40)?;
    fs::create_dir(at("folder"))?;
    fs::write(
        at("secret"),
        format!("-----BEGIN CERTIFICATE-----\n{SECRET}\n"),
    )?;
    symlink(at("secret"), at("link"))?;
    for (what, path, quoted) in [
        ("a pipe with something in it", at("fifo"), "no regular file"),
        (
            "/dev/zero",
            Path::new("/dev/zero").to_owned(),
            "no regular file",
        ),
        ("a file of 1 TiB", at("huge"), "longer than 1 MiB"),
        ("a folder", at("folder"), "no regular file"),
        ("a symlink to a secret", at("link"), ""),
        ("/etc/shadow", Path::new("/etc/shadow").to_owned(), ""),
        ("/proc/self/mem", Path::new("/proc/self/mem").to_owned(), ""),
    ] {
        let flag = format!("--certificate-authority={}", path.display());
        // In place of the person's own: theirs alone would be asked about.
        let mut flags = scene.flags();
        flags.retain(|flag| !flag.starts_with("--certificate-authority"));
        flags.push(flag);
        let stanza = crate::scene::exec("kubectl", &flags);
        let file = scene.kubeconfig(&[("own", scene.own_server())], stanza);
        let said = scene.run(&scene.hostile("hostile", &file)?)?;
        ensure!(
            !said.ok && said.err.contains("[bad-file]"),
            "{what}: {said:?}"
        );
        ensure!(said.err.contains(quoted), "{what}: {said:?}");
        let told = format!("{}{}{}", said.out, said.err, scene.person.log());
        ensure!(
            !told.contains(SECRET) && !told.contains("root:"),
            "{what}: {told}"
        );
        table.row(
            13,
            format!("--certificate-authority is {what}"),
            "an error that quotes nothing",
        );
    }
    // A cluster's own: kubectl reads the current one, we would read them all.
    let mut other = server("https://127.0.0.1:1", "");
    if let Some(other) = other.as_object_mut() {
        other.remove("certificate-authority-data");
        other.insert(
            "certificate-authority".into(),
            at("fifo").display().to_string().into(),
        );
    }
    let servers = [("own", scene.own_server()), ("other", other)];
    let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    let said = scene.run(&scene.hostile("hostile", &file)?)?;
    ensure!(said.ok, "{said:?}");
    let mut left = vec![0; SECRET.len() + 1];
    let length = fifo.read(&mut left)?;
    ensure!(
        left.get(..length) == Some(SECRET.as_bytes()),
        "somebody read the pipe"
    );
    table.row(
        13,
        "another cluster's certificate-authority is a pipe",
        "nobody reads it; the person's own server is served",
    );
    scene.works("after all that")
}
