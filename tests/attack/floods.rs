//! Threat 21: bombs and floods. Whatever comes in, every other ask is answered.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use world::parts::Missing;
use world::person::said;
use world::wait;

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
        ask.args(["-c", "info=$1; shift; KUBERNETES_EXEC_INFO=$info kubectl-oidc_login get-token \"$@\"; exit $?", "sh"])
            .arg(scene.exec_info_without_cluster())
            .args(&flags)
            .env("KUBECONFIG", &path)
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

/// A resident that may have 64 descriptors open, and connections that say nothing.
pub(crate) async fn few_descriptors(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.person.end_resident("TERM")?;
    let program = scene.person.path().join("kubefob");
    let mut resident = scene.person.command("/bin/sh");
    let mut resident = resident
        .args(["-c", "ulimit -n 64; exec \"$0\" --background"])
        .arg(&program)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let socket = scene.person.instance.join("socket");
    let listens = wait::up_to(Duration::from_secs(60))
        .every(Duration::from_millis(5))
        .until_async("a socket", async || {
            ensure!(resident.try_wait()?.is_none(), "{}", scene.person.log());
            Ok(UnixStream::connect(&socket))
        });
    listens.await?;
    std::thread::spawn(move || drop(resident.wait()));
    scene.works("with few descriptors")?;
    let mut idle = Vec::new();
    for _ in 0..5 {
        for _ in 0..40 {
            idle.push(UnixStream::connect(&socket)?);
        }
        scene.works("beside idle connections")?;
    }
    // All at once, each of which is looked into.
    let crowd = (0..20).map(|_| scene.person.start(ONE_REQUEST));
    let crowd = crowd.collect::<Result<Vec<_>>>()?;
    for one in crowd {
        let said = said(one.wait_with_output()?)?;
        ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    }
    // A browser and a provider take some, too.
    let said = scene.person.kubectl(&["fob", "logout"])?;
    ensure!(said.ok, "{said:?}");
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    ensure!(scene.questions()?.is_empty(), "{:?}", scene.questions()?);
    table.row(
        21,
        "64 descriptors and 200 connections that say nothing",
        "those give way; every ask is answered, and none is a question",
    );
    Ok(())
}

/// Asks with one identity after the other, none of which anybody approved.
pub(crate) async fn log(table: &Table) -> Result<()> {
    const ASKS: u64 = 60;
    let scene = Scene::signed_in(Seat::default()).await?;
    let log = scene.person.instance.join("log/kubefob.log");
    let length = || std::fs::metadata(&log).map_or(0, |found| found.len());
    let before = length();
    for number in 0..ASKS {
        let client = format!("--oidc-client-id=theirs-{number}");
        let file = scene.kubeconfig(
            &[("own", scene.own_server())],
            scene.exec("kubectl", &[&client]),
        );
        let said = scene.run(&scene.hostile("theirs", &file)?)?;
        let refused = ["[trust-refused", "[not-trusted]"];
        let refused = refused.iter().any(|code| said.err.contains(code));
        ensure!(!said.ok && refused, "{said:?}");
    }
    let more = length().saturating_sub(before);
    ensure!(more < ASKS * 1_500, "{more} bytes of log");
    table.row(
        29,
        format!("{ASKS} asks, each with an identity that nobody approved"),
        format!("{more} bytes of log: what changed, and not every account at every view"),
    );
    scene.works("after all that")
}
