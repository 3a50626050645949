//! The way through: the article's kubeconfig, untouched, and `kubectl get` gives what it promises.

use std::path::Path;

use anyhow::{Result, ensure};
use world::RealWorld;
use world::browser::{self, Settings};
use world::keycloak::Keycloak;
use world::person::{Person, seed_kubeconfig};
use world::screen::Screen;

use crate::{BINDING, ROLE};

/// Somebody at a desktop in front of Keycloak's login page, with the article's kubeconfig.
pub(crate) struct Seated {
    pub(crate) person: Person,
    pub(crate) log: std::path::PathBuf,
    pub(crate) _screen: Screen,
}

/// Makes the person. Where this machine does not let a test install an authority, the flag that
/// names it is added, and that is said.
pub(crate) fn seated(world: &RealWorld, name: &str) -> Result<Seated> {
    let screen = Screen::start()?;
    let log = world.folder.join(format!("{name}.jsonl"));
    let browser = Settings {
        ca: Some(world.pki.ca.clone()),
        user: Keycloak::USER.to_owned(),
        password: world.keycloak.password.clone(),
        log: Some(log.clone()),
        ..Settings::default()
    };
    let scripted = Path::new(env!("CARGO_BIN_EXE_scripted-browser"));
    let mut person = Person::new(
        world.parts.path("kubectl")?,
        scripted,
        &browser,
        Some(&screen),
    )?;
    let ca = std::fs::read(&world.pki.ca)?;
    let flag = format!("--certificate-authority={}", world.pki.ca.display());
    let extra: &[&str] = if person.trust(&world.pki.ca)? {
        &[]
    } else {
        println!("not allowed to install an authority here: --certificate-authority is added");
        &[&flag]
    };
    let kubeconfig = seed_kubeconfig(
        &ca,
        &world.apiserver.url,
        &world.keycloak.issuer(),
        &world.keycloak.client_secret,
        extra,
    );
    person.kubeconfig(&kubeconfig)?;
    Ok(Seated {
        person,
        log,
        _screen: screen,
    })
}

/// Section 3-4 of the article: one sign-in in the browser, then 403 that names the user, the
/// role and its binding, and 200.
pub(crate) async fn seed(world: &RealWorld) -> Result<()> {
    let Seated {
        person,
        log,
        _screen,
    } = seated(world, "seed")?;

    let refused = person.kubectl(&["get", "namespace", "default"])?;
    ensure!(
        !refused.ok
            && refused
                .err
                .contains(r#"User "test" cannot get resource "namespaces""#),
        "{refused:?}\n{}",
        person.log()
    );
    println!("3-4: 403 that names the user: {}", refused.err.trim());
    let steps = browser::read_log(&log)?;
    for step in &steps {
        println!(
            "browser: {} {} {} {}",
            step.status, step.method, step.url, step.title
        );
    }
    ensure!(
        steps.len() >= 4,
        "the browser went through Keycloak's own page"
    );

    world.administer(&["apply", "-f", "-"], &format!("{ROLE}---{BINDING}"))?;
    let served = person.kubectl(&["get", "namespace", "default", "-o=name"])?;
    ensure!(
        served.ok && served.out == "namespace/default\n",
        "{served:?}"
    );
    println!("3-4: 200: {}", served.out.trim());
    ensure!(
        browser::read_log(&log)?.len() == steps.len(),
        "one page, and no second one"
    );

    let status = person.fob(&["status"])?;
    let account = &status["accounts"][0];
    ensure!(
        account["state"] == "signed-in"
            && account["name"] == "test"
            && account["groups"][0] == "kubernetes:admin",
        "{status:#}"
    );
    println!(
        "kubectl fob status: {} as {}",
        account["state"], account["name"]
    );
    world.administer(&["delete", "-f", "-"], &format!("{ROLE}---{BINDING}"))
}
