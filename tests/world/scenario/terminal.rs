//! A terminal on a computer without a desktop: who is asked there, told an address, or told a command.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{Bound, Seated, World};
use crate::browser::Browser;
use crate::terminal::Terminal;

/// A manifest for kubectl's standard input.
const MANIFEST: &str = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#;

/// Somebody whose kubeconfig lies elsewhere than kubectl's own, so that its server is asked about, and says what
/// kubelogin's own setup writes.
struct Remote {
    seated: Seated,
    file: PathBuf,
}

impl Remote {
    fn new(world: &impl World, name: &str, scripted: &Path) -> Result<Self> {
        let mut seated = Seated::new(world, name, scripted)?;
        let person = &mut seated.person;
        person.variable("DISPLAY", "");
        let (own, file) = (person.home.join(".kube/config"), person.home.join("work"));
        let text = fs::read_to_string(&own)?;
        let never = "      interactiveMode: Never\n      command: kubectl\n";
        let told = text.replace("      command: kubectl\n", never);
        ensure!(told != text, "{text}");
        fs::write(&file, told)?;
        fs::remove_file(own)?;
        let status = person.kubectl(&["fob", "status"])?;
        ensure!(status.ok, "{status:?}");
        Ok(Self { seated, file })
    }

    fn get(&self, what: &str) -> String {
        format!(
            "kubectl --kubeconfig {} get {what} -o=name",
            self.file.display()
        )
    }

    fn starts(&self, line: &str) -> Result<Terminal> {
        Terminal::start(&self.seated.person, line)
    }

    /// The command that what a terminal showed says to run.
    fn command(shown: &str, verb: &str) -> Result<String> {
        let command = format!("'kubectl fob {verb}");
        let (_, rest) = shown.split_once(&command).context(shown.to_owned())?;
        let (rest, _) = rest.split_once('\'').context(shown.to_owned())?;
        Ok(format!("kubectl fob {verb}{rest}"))
    }

    /// Opens the address that a terminal tells, in a browser that is elsewhere.
    async fn signs_in(&self, terminal: &mut Terminal) -> Result<()> {
        let address = terminal.address()?;
        let mut browser = Browser::new(self.seated.browser.clone())?;
        browser.open(&address).await?;
        Ok(())
    }

    fn works(&self, terminal: Terminal, when: &str) -> Result<()> {
        let said = terminal.end()?;
        ensure!(
            said.ok && said.out.contains("namespace/default\n"),
            "{when}: {said:?}\n{}",
            self.seated.person.log()
        );
        println!("{when}: kubectl works");
        Ok(())
    }

    fn leaves(&self) -> Result<()> {
        let said = self.seated.person.kubectl(&["fob", "logout"])?;
        ensure!(said.ok, "{said:?}");
        Ok(())
    }
}

/// In the foreground somebody is there, whatever kubectl reads: a question and an address come up on their terminal. In
/// the background nobody is, and each command that is named instead works as it stands.
pub async fn terminal<W: World>(world: &W, scripted: &Path) -> Result<()> {
    world.bind(Bound::User).await?;
    foreground(world, scripted).await?;
    background(world, scripted).await?;
    world.bind(Bound::Nobody).await
}

async fn foreground(world: &impl World, scripted: &Path) -> Result<()> {
    let remote = Remote::new(world, "foreground", scripted)?;
    let mut terminal = remote.starts(&remote.get("namespace/default"))?;
    terminal.until("Allow? ")?;
    terminal.until("no: ")?;
    terminal.types("y\n")?;
    remote.signs_in(&mut terminal).await?;
    remote.works(terminal, "interactiveMode: Never")?;

    remote.leaves()?;
    let line = format!("echo '{MANIFEST}' | {}", remote.get("-f -"));
    let mut terminal = remote.starts(&line)?;
    remote.signs_in(&mut terminal).await?;
    remote.works(terminal, "with a manifest on standard input")?;

    remote.leaves()?;
    let line = format!("{} 2>log; cat log", remote.get("namespace/default"));
    let said = remote.starts(&line)?.end()?;
    ensure!(said.out.contains("[signed-out]"), "{said:?}");
    println!("with its errors in a file: {}", said.out.trim());
    Ok(())
}

async fn background(world: &impl World, scripted: &Path) -> Result<()> {
    let remote = Remote::new(world, "background", scripted)?;
    // With jobs, as an interactive shell has them.
    let line = format!("set -m; {} & wait $!", remote.get("namespace/default"));
    let said = remote.starts(&line)?.end()?;
    ensure!(!said.ok && said.out.contains("[not-trusted]"), "{said:?}");
    let mut terminal = remote.starts(&Remote::command(&said.out, "trust")?)?;
    terminal.until("has ended): ")?;
    terminal.types("y\n")?;
    let answered = terminal.end()?;
    ensure!(answered.ok, "{answered:?}");
    println!("in the background, a question: its command works");

    let said = remote.starts(&line)?.end()?;
    ensure!(!said.ok && said.out.contains("[not-signed-in]"), "{said:?}");
    let login = Remote::command(&said.out, "login")?;
    let mut terminal = remote.starts(&format!("{login} </dev/null"))?;
    remote.signs_in(&mut terminal).await?;
    let said = terminal.end()?;
    ensure!(said.ok, "{said:?}");
    println!(
        "in the background, nobody signed in: its command works, without a standard input too"
    );
    let terminal = remote.starts(&line)?;
    remote.works(terminal, "in the background")
}
