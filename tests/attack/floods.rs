//! Threat 21: bombs and floods. Whatever comes in, every other ask is answered.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use world::parts::Missing;
use world::person::said;

use crate::scene::{ONE_REQUEST, Scene, Seat};
use crate::table::Table;

const IDLE: usize = 5_000;

/// A kubeconfig that grows without end when its aliases are followed.
pub(crate) async fn yaml_bomb(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let before = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let path = scene.folder.join("bomb");
    std::fs::write(&path, bomb)?;
    // A program that has not read it itself: kubectl would fall first.
    let flags = scene.flags();
    let ask = || {
        let mut ask = scene.person.command("/bin/sh");
        ask.args(["-c", "kubectl-oidc_login get-token \"$@\"; exit $?", "sh"])
            .args(&flags)
            .env("KUBECONFIG", &path)
            .env("KUBERNETES_EXEC_INFO", scene.exec_info_without_cluster())
            .stdin(Stdio::null());
        ask.spawn()
    };
    let bombs = (0..20).map(|_| ask()).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..5 {
        scene.works("beside bombs")?;
    }
    for bomb in bombs {
        let said = said(bomb.wait_with_output()?)?;
        ensure!(
            !said.ok && said.err.contains("[bad-kubeconfig]"),
            "{said:?}"
        );
    }
    table.row(
        21,
        "20 programs at once whose kubeconfig is a YAML bomb",
        "each gets an error; every other ask is answered",
    );
    Ok(())
}

/// Connections that say nothing.
pub(crate) async fn idle_connections(table: &Table) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = IDLE as u64 + 500;
    if limit.maximum.is_some_and(|most| most < wanted) {
        let (name, why) = ("5,000 descriptors", "the limit of this process is lower");
        let (name, why) = (name.to_owned(), why.to_owned());
        return Err(Missing { name, why }.into());
    }
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(wanted),
            ..limit
        },
    )?;
    let scene = Scene::signed_in(Seat::default()).await?;
    let socket = scene.person.instance.join("socket");
    let mut idle = Vec::with_capacity(IDLE);
    for number in 0..IDLE {
        idle.push(UnixStream::connect(&socket)?);
        if number % 1_000 == 999 {
            scene.works("beside idle connections")?;
        }
    }
    for _ in 0..5 {
        scene.works("beside 5,000 idle connections")?;
    }
    table.row(
        21,
        "5,000 connections that say nothing",
        "every ask is answered",
    );
    // The newest, which nothing but its silence can have ended.
    if let Some(last) = idle.last_mut() {
        last.set_read_timeout(Some(Duration::from_secs(60)))?;
        ensure!(last.read(&mut [0; 16])? == 0, "it is told something");
    }
    table.row(
        21,
        "a first frame that never comes",
        "the connection is closed",
    );
    scene.person.kubectl(ONE_REQUEST)?;
    Ok(())
}
