//! Keycloak's own distribution, with what every start of it would do again done once.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};

use super::{Found, part};
use crate::cache::Filling;
use crate::cargo::root;
use crate::prerequisites::{Tool, jdk, on_path};
use crate::run;

const VERSION: &str = "26.7.3";
const SHA256: &str = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f";
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/// Keycloak (a folder with `home` and `warm`), and the Java that runs it.
pub(super) fn parts(filling: &Filling<'_>) -> [Found; 2] {
    let place = format!("keycloak-{VERSION}");
    let tools = [Tool::Jdk, Tool::Maven];
    let mut keycloak = part(filling, ("keycloak", VERSION), &place, &tools, || {
        build(filling, &place)
    });
    if let Ok(path) = &keycloak.place
        && !path.join("warm").exists()
        && let Err(error) = warm(filling, path)
    {
        keycloak.place = Err(format!("its first start: {error:#}"));
    }
    [keycloak, java()]
}

fn java() -> Found {
    let place = match Tool::Jdk.problem() {
        Some(why) => Err(why),
        None => on_path(&jdk("java").to_string_lossy()).ok_or_else(|| "no java".to_owned()),
    };
    Found {
        name: "java".to_owned(),
        version: String::new(),
        place,
    }
}

fn build(filling: &Filling<'_>, place: &str) -> Result<()> {
    let zip = fetch(filling)?;
    let scratch = filling.scratch("keycloak")?;
    let log = filling.cache.log("keycloak");
    // A JDK is needed anyway, and its `jar` unpacks zip files: no `unzip` to ask for.
    run::logged(
        Command::new(jdk("jar"))
            .arg("xf")
            .arg(&zip)
            .current_dir(&scratch),
        &log,
    )?;
    let home = scratch.join("home");
    fs::rename(scratch.join(format!("keycloak-{VERSION}")), &home)
        .context("the zip holds another folder than it should")?;
    let mut augment = Command::new("sh");
    augment
        .arg(home.join("bin/kc.sh"))
        .args(["build", "--db=dev-file"])
        .env("JAVA", jdk("java"));
    run::logged(&mut augment, &log)?;
    filling.put(&scratch, place)?;
    Ok(())
}

/// The zip from Maven Central, if the cache has it not; the very bytes that we tried, or none.
fn fetch(filling: &Filling<'_>) -> Result<std::path::PathBuf> {
    let name = format!("keycloak-quarkus-dist-{VERSION}.zip");
    let kept = filling.cache.path("dl").join(&name);
    if kept.exists() && sha256(&kept)? == SHA256 {
        return Ok(kept);
    }
    let scratch = filling.scratch("maven")?;
    let option = |name: &str, value: &Path| format!("-D{name}={}", value.display());
    let mut maven = Command::new("mvn");
    maven
        .current_dir(&scratch)
        .args(["-q", "-B", COPY])
        .arg(format!(
            "-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
        ))
        .arg(option("outputDirectory", &scratch))
        .arg(option("maven.repo.local", &scratch.join("repository")));
    run::logged(&mut maven, &filling.cache.log("maven"))?;
    let fetched = scratch.join(&name);
    let sum = sha256(&fetched)?;
    if sum != SHA256 {
        bail!("{name} is not the one that we know: SHA-256 {sum}");
    }
    fs::create_dir_all(filling.cache.path("dl"))?;
    let kept = filling.put(&fetched, Path::new("dl").join(&name))?;
    crate::cache::remove(&scratch)?;
    Ok(kept)
}

/// Starts it once and keeps what that leaves: a database with the master realm in it, and an
/// archive of the classes that it loaded. A start takes 11 s instead of 25 from then on. (The
/// archive knows its jar by its whole path, so this comes after the folder has its final name.)
fn warm(filling: &Filling<'_>, keycloak: &Path) -> Result<()> {
    let scratch = filling.scratch("keycloak-warm")?;
    let run = scratch.join("run");
    let archive = scratch.join("classes.jsa");
    let log = filling.cache.log("keycloak-warm");
    let out = File::create(&log)?;
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut child = Command::new("sh")
        .arg(root().join("tests/real/parts/keycloak/start"))
        .args([keycloak, &run])
        .args(["--http-enabled=true", "--hostname-strict=false"])
        .arg(format!("--http-port={port}"))
        .env("JAVA", jdk("java"))
        .env(
            "KEYCLOAK_JAVA_OPTION",
            format!("-XX:ArchiveClassesAtExit={}", archive.display()),
        )
        .env("KC_BOOTSTRAP_ADMIN_USERNAME", "admin")
        .env("KC_BOOTSTRAP_ADMIN_PASSWORD", "admin")
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .spawn()
        .context("Keycloak can't be started")?;
    if let Err(error) = started_and_stopped(&mut child, &log) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    let warm = scratch.join("warm");
    fs::create_dir(&warm)?;
    fs::rename(run.join("data"), warm.join("data"))?;
    // A JVM that makes no archive does no harm: the starts are slower.
    let _ = fs::rename(&archive, warm.join("classes.jsa"));
    filling.put(&warm, keycloak.join("warm"))?;
    Ok(())
}

fn started_and_stopped(child: &mut Child, log: &Path) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(300);
    let mut asked = false;
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            bail!(
                "no start and stop within 300 s; {} ends with:\n{}",
                log.display(),
                run::tail(log, 15)
            );
        }
        if !asked && fs::read_to_string(log)?.contains("Listening on: ") {
            kill_process(Pid::from_child(child), Signal::TERM)?;
            asked = true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    if asked {
        return Ok(());
    }
    Err(anyhow!(
        "it ended by itself; {} ends with:\n{}",
        log.display(),
        run::tail(log, 15)
    ))
}

fn sha256(file: &Path) -> Result<String> {
    let mut sum = Sha256::new();
    let mut from = File::open(file).with_context(|| format!("can't read {}", file.display()))?;
    std::io::copy(&mut from, &mut sum)?;
    Ok(sum
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
