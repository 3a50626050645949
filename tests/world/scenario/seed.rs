//! The way through: the article's kubeconfig, untouched, and `kubectl get` gives what it promises.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{Bound, Seated, World};
use crate::browser;

/// Section 3-4 of the article: one sign-in in the browser, then 403 that names the user, the
/// role and its binding to the user, and 200; and the same by a binding to the group.
pub async fn seed<W: World>(world: &W, scripted: &Path) -> Result<()> {
    world.bind(Bound::Nobody).await?;
    let seated = Seated::new(world, "seed", scripted)?;
    let person = &seated.person;
    let forbidden = |when: &str| -> Result<()> {
        let refused = person.kubectl(&["get", "namespace", "default"])?;
        ensure!(
            !refused.ok
                && refused
                    .err
                    .contains(r#"User "test" cannot get resource "namespaces""#),
            "{when}: {refused:?}\n{}",
            person.log()
        );
        println!("{when}: 403 that names the user: {}", refused.err.trim());
        Ok(())
    };

    forbidden("3-4")?;
    let steps = browser::read_log(&seated.log)?;
    for step in &steps {
        println!(
            "browser: {} {} {} {}",
            step.status, step.method, step.url, step.title
        );
    }
    ensure!(
        steps.len() >= 4,
        "the browser went through the login page of {}",
        W::PROVIDER
    );

    world.bind(Bound::User).await?;
    seated.works("3-4, the role bound to the user")?;
    world.bind(Bound::Nobody).await?;
    forbidden("the binding taken back")?;
    world.bind(Bound::Group).await?;
    seated.works("the role bound to the group")?;
    ensure!(
        browser::read_log(&seated.log)?.len() == steps.len(),
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
    world.bind(Bound::Nobody).await
}
