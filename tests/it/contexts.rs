//! Contexts at the terminal: `kubectl fob contexts` and `use`, beside the real kubectl.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use world::parts::Parts;
use world::person::Person;

const FIRST: &str = "# mine
apiVersion: v1
clusters:
- {name: dev, cluster: {server: 'https://127.0.0.1:1'}}
contexts:
- {name: dev, context: {cluster: dev, user: me}}   # where I work
current-context: dev   # for now
users:
- {name: me, user: {}}
kind: Config
";

const SECOND: &str =
    "contexts:\n- {name: prod, context: {cluster: prod, user: me}}\ncurrent-context: prod\n";

/// A switch in a file set of two goes to the file that kubectl would write, changes one word of it, and kubectl
/// follows.
pub(crate) fn walk() -> Result<()> {
    let parts = Parts::from_environment()?;
    let mut person = Person::settled("kubefob-contexts-", parts.path("kubectl")?)?;
    let first = person.kubeconfig(FIRST)?;
    let second = person.home.join("work.yaml");
    fs::write(&second, SECOND)?;

    let list = person.fob(&["contexts"])?;
    ensure!(
        list[0]["name"] == "dev" && list[0]["current"] == true,
        "{list}"
    );
    ensure!(list[1] == json!(null), "{list}");

    let wrong = person.kubectl(&["fob", "use", "prod"])?;
    ensure!(
        !wrong.ok && wrong.err.contains("no-such-context"),
        "{wrong:?}"
    );
    ensure!(fs::read_to_string(&first)? == FIRST);

    let set = format!("{}:{}", first.display(), second.display());
    person.variable("KUBECONFIG", &set);
    let switched = person.fob(&["use", "prod"])?;
    ensure!(
        switched == json!({ "context": "prod", "previous": "dev", "file": first }),
        "{switched}"
    );
    let expected = FIRST.replace("current-context: dev", "current-context: prod");
    ensure!(fs::read_to_string(&first)? == expected);
    ensure!(fs::read_to_string(&second)? == SECOND);
    let kubectls = person.kubectl(&["config", "current-context"])?;
    ensure!(kubectls.out == "prod\n", "{kubectls:?}");
    println!(
        "KUBECONFIG of two files: kubectl fob use prod -> {}",
        kubectls.out.trim()
    );

    let alone = person.fob(&["use", "prod", "--kubeconfig", "work.yaml"])?;
    ensure!(alone["file"] == json!(second), "{alone}");
    ensure!(fs::read_to_string(&second)? == SECOND);

    let lock = first.with_extension("lock");
    fs::write(&lock, "")?;
    let locked = person.kubectl(&["fob", "use", "dev"])?;
    ensure!(
        !locked.ok && locked.err.contains("kubeconfig-locked"),
        "{locked:?}"
    );
    fs::remove_file(lock)?;
    println!("under another's lock: {}", locked.err.trim());
    Ok(())
}
