//! Threats 1, 23 and 28: what a person reads is what their answer approves; and a server that can't be seen is allowed
//! for no longer than what was seen of it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use playground::AttackerApi;
use serde_json::json;
use world::browser::LEAVE;
use world::person::{Said, said};
use world::wait;

use crate::contained::boxes;
use crate::scene::{ONE_REQUEST, Scene, Seat, attackers, browser_of};
use crate::table::Table;

/// A container, as far as it matters here: a mount namespace of its own, and a shell that it begins with and ends with.
struct Container {
    shell: Child,
    lines: BufReader<ChildStdout>,
}

impl Container {
    /// `unshare` becomes the shell, with this person's environment.
    fn start(scene: &Scene) -> Result<Self> {
        boxes()?;
        let whole = scene.person.command("kubectl");
        let environment = whole.get_envs();
        let script = "echo ready; while read -r line; do eval \"$line\"; done";
        let mut shell = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .env_clear()
            .envs(environment.filter_map(|(name, value)| Some((name, value?))))
            .current_dir(&scene.person.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let lines = BufReader::new(shell.stdout.take().context("no pipe")?);
        let mut container = Self { shell, lines };
        ensure!(container.line()? == "ready", "no shell");
        Ok(container)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Has the shell do something that prints a line; that line.
    fn does(&mut self, what: &str) -> Result<String> {
        let stdin = self.shell.stdin.as_mut().context("no pipe")?;
        writeln!(stdin, "{what}")?;
        self.line()
    }

    /// What this person's kubectl says in there.
    fn kubectl(&mut self, scene: &Scene, file: Option<&str>) -> Result<Said> {
        let (out, err) = (scene.folder.join("out"), scene.folder.join("err"));
        let file = file.map(|file| format!("--kubeconfig {file}"));
        let code = self.does(&format!(
            "kubectl {} {} >{} 2>{} </dev/null; echo $?",
            file.unwrap_or_default(),
            ONE_REQUEST.join(" "),
            out.display(),
            err.display()
        ))?;
        Ok(Said {
            ok: code == "0",
            out: fs::read_to_string(out)?,
            err: fs::read_to_string(err)?,
        })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The names of the questions that can be answered, oldest first.
fn names(scene: &Scene) -> Result<Vec<String>> {
    let waiting = scene.person.fob(&["trusts", "--pending"])?;
    let waiting = waiting.as_array().context("a list")?;
    let names = waiting
        .iter()
        .map(|one| one["name"].as_str().map(str::to_owned));
    names.collect::<Option<_>>().context("a name")
}

fn until(what: &str, is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    wait::up_to(Duration::from_secs(60))
        .every(Duration::from_millis(10))
        .until(what, is_so)
}

/// From a container: a yes to what its files say is no yes to what they say next.
pub(crate) async fn unseen(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        consent: "container",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let mut container = Container::start(&scene)?;
    let works = |said: &Said| said.ok && said.out.contains("NamespaceList");
    let first = container.kubectl(&scene, None)?;
    ensure!(works(&first), "{first:?}\n{}", scene.person.log());
    let asked = scene.questions()?;
    ensure!(
        matches!(asked.as_slice(), [one] if one.contains("provideClusterInfo: true")
            && one.contains(scene.playground.kube_url())),
        "{asked:?}"
    );
    let again = container.kubectl(&scene, None)?;
    ensure!(works(&again) && scene.questions()?.len() == 1, "{again:?}");
    table.row(
        1,
        "control: kubectl in a container, on the person's own kubeconfig, and again",
        "asked once, until this container ends; the question names the remedy",
    );

    // Nobody says yes any more.
    scene.presses("no")?;
    let servers = [("prod", attackers(&attacker))];
    let hostile = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    let hostile = scene.hostile("hostile", &hostile)?;
    let refused = |what: &str, said: &Said, count: usize| -> Result<()> {
        ensure!(
            !said.ok && said.err.contains("[trust-refused-unseen]"),
            "{what}: {said:?}"
        );
        ensure!(said.err.contains("provideClusterInfo: true"), "{said:?}");
        ensure!(scene.questions()?.len() == count, "{what}: not asked");
        ensure!(
            !attacker.saw_authorization(),
            "{what}: {:?}",
            attacker.seen()
        );
        Ok(())
    };
    let said = container.kubectl(&scene, Some(&hostile))?;
    refused("the attacker's server", &said, 2)?;
    table.row(
        1,
        "in the same container, the same arguments in a file that names the attacker's server",
        "asked anew; no token",
    );
    let said = container.kubectl(&scene, None)?;
    ensure!(works(&said), "what was allowed there still is: {said:?}");

    let mut another = Container::start(&scene)?;
    let said = another.kubectl(&scene, None)?;
    refused("another container", &said, 3)?;
    table.row(
        1,
        "another container, with the very same files and arguments",
        "asked anew; no token",
    );
    drop(container);
    let trusts = scene.person.fob(&["trusts"])?;
    ensure!(
        trusts.as_array().is_some_and(|all| all.len() == 1),
        "nothing of it is kept: {trusts:#}"
    );
    scene.works("outside, all the while")
}

/// With `provideClusterInfo` kubectl names its server from in there too, and that can be allowed for good.
pub(crate) async fn named_in_a_container(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        consent: "always",
        ..Seat::default()
    })
    .await?;
    let attacker = AttackerApi::start().await?;
    let mut stanza = scene.exec("kubectl", &[]);
    stanza["provideClusterInfo"] = json!(true);
    let file = scene.kubeconfig(&[("new", attackers(&attacker))], stanza);
    let file = scene.hostile("named", &file)?;
    for _ in 0..2 {
        let mut container = Container::start(&scene)?;
        container.kubectl(&scene, Some(&file))?;
        ensure!(attacker.saw_authorization(), "it was allowed");
        ensure!(scene.questions()?.len() == 1, "{:?}", scene.questions()?);
    }
    // What is not named has no such button.
    scene.presses(LEAVE)?;
    let mut container = Container::start(&scene)?;
    let served = scene.served();
    let waiting = container.does(&format!(
        "kubectl {} >/dev/null 2>&1 </dev/null & echo $!",
        ONE_REQUEST.join(" ")
    ))?;
    let page = scene.page_with("can't be seen from here", 1).await?;
    ensure!(
        page.contains("Until this container ends") && !page.contains("Always"),
        "{page}"
    );
    ensure!(scene.served() == served, "a token went out");
    container.does(&format!("kill -KILL {waiting}; echo"))?;
    table.row(
        1,
        "control: two containers whose kubectl names its server (provideClusterInfo)",
        "asked once, always; what is not named has no such button",
    );
    Ok(())
}

/// Names that are read are the names that are answered, after a restart too; several are not guessed among.
pub(crate) async fn names_that_stay(table: &Table) -> Result<()> {
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.without_desktop()?;
    let (own, hostile) = (AttackerApi::start().await?, AttackerApi::start().await?);
    let file = |name: &str, api: &AttackerApi| -> Result<String> {
        let file = scene.kubeconfig(&[("new", attackers(api))], scene.exec("kubectl", &[]));
        scene.hostile(name, &file)
    };
    let (first, second) = (file("first", &own)?, file("second", &hostile)?);
    let asks = |file: &str| -> Result<()> {
        let said = scene.run(file)?;
        ensure!(!said.ok && said.err.contains("[not-trusted]"), "{said:?}");
        Ok(())
    };
    asks(&first)?;
    let read = names(&scene)?;
    ensure!(read.len() == 1, "{read:?}");
    let read = read[0].clone();
    asks(&second)?;
    let both = names(&scene)?;
    for flag in ["", "--always", "--once", "--no"] {
        let said = scene
            .person
            .on_terminal(&format!("kubectl fob trust {flag}"), "y\n")?;
        ensure!(
            !said.ok && said.out.contains("[which-question]"),
            "{said:?}"
        );
        ensure!(both.iter().all(|name| said.out.contains(name)), "{said:?}");
        ensure!(names(&scene)? == both, "{flag}: one was answered");
    }
    table.row(
        28,
        "kubectl fob trust without a name while two questions wait: alone, --always, --once, --no",
        "both are listed, none is answered",
    );

    // A restart between reading and answering, after which the other asks first.
    scene.person.end_resident("TERM")?;
    asks(&second)?;
    let said = scene
        .person
        .on_terminal(&format!("kubectl fob trust {read} --always"), "")?;
    ensure!(
        !said.ok && said.out.contains("[no-such-question]"),
        "{said:?}"
    );
    scene.run(&second)?;
    ensure!(!hostile.saw_authorization(), "{:?}", hostile.seen());
    table.row(
        28,
        "a name that was read, answered after a restart, when another's question came first",
        "no question is called so; no token",
    );
    asks(&first)?;
    ensure!(names(&scene)?.contains(&read), "the same question");
    let said = scene
        .person
        .on_terminal(&format!("kubectl fob trust {read} --always"), "")?;
    ensure!(said.ok, "{said:?}");
    scene.run(&first)?;
    ensure!(own.saw_authorization() && !hostile.saw_authorization());
    let one = names(&scene)?;
    ensure!(one.len() == 1, "{one:?}");
    for flag in ["--always", "--once"] {
        let said = scene
            .person
            .on_terminal(&format!("kubectl fob trust {flag}"), "y\n")?;
        ensure!(
            !said.ok && said.out.contains("[which-question]") && names(&scene)? == one,
            "{said:?}"
        );
    }
    table.row(
        28,
        "kubectl fob trust --always without a name, while one question waits that nobody read",
        "it is shown, and not answered",
    );
    let said = scene.person.on_terminal("kubectl fob trust --no", "")?;
    ensure!(said.ok && names(&scene)?.is_empty(), "{said:?}");
    table.row(
        28,
        "control: the same name, once the same is asked again; and one question alone without a name",
        "it is answered, and no other",
    );
    scene.works("after all that")
}

/// One answer settles what it covers on every terminal.
pub(crate) async fn settled(table: &Table) -> Result<()> {
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.without_desktop()?;
    let (one, other) = (AttackerApi::start().await?, AttackerApi::start().await?);
    let exec = || scene.exec("kubectl", &[]);
    let both = [("one", attackers(&one)), ("other", attackers(&other))];
    let (alone, both) = (
        scene.hostile("alone", &scene.kubeconfig(&both[..1], exec()))?,
        scene.hostile("both", &scene.kubeconfig(&both, exec()))?,
    );
    let line = format!("kubectl --kubeconfig {alone} get --raw /api");
    let mut waiting = scene.person.at_terminal(&line)?;
    until("its question", || Ok(names(&scene)?.len() == 1))?;
    // Another program than kubectl, which may mean each of the two.
    let script = scene.asking("mine", |ask| format!("{ask}; exit $?\n"))?;
    let mut mine = scene.person.command("/bin/sh");
    mine.args(["-c", "cp /bin/sh mine && exec ./mine \"$@\"", "sh"]);
    mine.arg(script);
    mine.env("KUBECONFIG", &both);
    let asked = said(mine.output()?)?;
    ensure!(
        !asked.ok && asked.err.contains("[not-trusted]"),
        "{asked:?}"
    );
    until("the second question", || Ok(names(&scene)?.len() == 2))?;
    let wide = names(&scene)?.pop().context("two")?;
    ensure!(waiting.try_wait()?.is_none() && !one.saw_authorization());
    let said = scene
        .person
        .on_terminal(&format!("kubectl fob trust {wide} --always"), "")?;
    ensure!(said.ok, "{said:?}");
    // Its standard input is open still, and nothing was typed there.
    until("the first command's end", || {
        Ok(waiting.try_wait()?.is_some())
    })?;
    ensure!(one.saw_authorization() && names(&scene)?.is_empty());
    table.row(
        28,
        "two servers allowed in one question, while another terminal waits about the first",
        "it goes on at once; no question is left over",
    );
    Ok(())
}

/// The question of a program that has ended approves nothing.
pub(crate) async fn asker_gone(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let noted = scene.noting_browser()?;
    let attacker = AttackerApi::start().await?;
    let servers = [("prod", attackers(&attacker))];
    let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
    let file = scene.hostile("hostile", &file)?;
    let asks = || {
        scene
            .person
            .start(&[&["--kubeconfig", &file], ONE_REQUEST].concat())
    };
    let mut waiting = asks()?;
    let page = scene.opened(&noted).await?;
    ensure!(names(&scene)?.len() == 1);
    // Only kubectl: its plugin lives on, and would wait.
    waiting.kill()?;
    waiting.wait()?;
    until("nobody waits", || Ok(names(&scene)?.is_empty()))?;
    let opens = |consent: &str, address: &str| -> Result<()> {
        scene.presses(consent)?;
        let script = scene.folder.join("browser");
        Command::new(script).arg(address).status()?;
        Ok(())
    };
    opens("always", &page)?;
    let said = scene
        .page_with("The program that asked has ended", 1)
        .await?;
    ensure!(said.contains("nothing was allowed"), "{said}");
    let trusts = scene.person.fob(&["trusts"])?;
    ensure!(!trusts.to_string().contains(attacker.url()), "{trusts:#}");
    ensure!(!attacker.saw_authorization(), "{:?}", attacker.seen());
    table.row(
        28,
        "kubectl is killed while its page waits; then somebody presses Always there",
        "nobody is said to wait; the page says that it has ended; nothing is allowed",
    );

    // Ctrl-C and the same command again find the page that is open.
    let noted = scene.noting_browser()?;
    let mut first = asks()?;
    let page = scene.opened(&noted).await?;
    first.kill()?;
    first.wait()?;
    until("nobody waits", || Ok(names(&scene)?.is_empty()))?;
    let mut second = asks()?;
    until("somebody waits", || Ok(names(&scene)?.len() == 1))?;
    opens("once", &page)?;
    until("its end", || Ok(second.try_wait()?.is_some()))?;
    ensure!(attacker.saw_authorization());
    let opened = fs::read_to_string(&noted)?;
    ensure!(opened.lines().count() == 1, "{opened}");
    table.row(
        28,
        "control: the command runs again, and somebody presses yes on the page that is open",
        "that one is served; no second page",
    );
    Ok(())
}

/// A yes to this command is for no other that asked the same meanwhile.
pub(crate) async fn this_command(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    let noted = scene.noting_browser()?;
    let api = AttackerApi::start().await?;
    let mut stanza = scene.exec("kubectl", &[]);
    stanza["provideClusterInfo"] = json!(true);
    let file = scene.kubeconfig(&[("new", attackers(&api))], stanza);
    let file = scene.hostile("new", &file)?;
    let mut own = scene
        .person
        .start(&[&["--kubeconfig", &file], ONE_REQUEST].concat())?;
    let page = scene.opened(&noted).await?;
    let mut container = Container::start(&scene)?;
    let ended = scene.folder.join("ended");
    let boxed = container.does(&format!(
        "(kubectl --kubeconfig {file} {} >/dev/null 2>&1 </dev/null; touch {}) & echo $!",
        ONE_REQUEST.join(" "),
        ended.display()
    ))?;
    // Its plugin waits for an answer.
    let plugins = || scene.person.processes("kubectl-oidc_login");
    until("both ask", || Ok(plugins().len() == 2))?;
    ensure!(names(&scene)?.len() == 1, "one question");
    // Whatever opens from now on is looked at by nobody.
    Command::new(scene.launcher(browser_of("test", "once"), "once")?)
        .arg(&page)
        .status()?;
    until("its end", || Ok(own.try_wait()?.is_some()))?;
    ensure!(api.saw_authorization(), "it was allowed");
    let served = api.seen().len();
    // Nobody is told no: it is asked about by itself.
    until("the other's own question", || Ok(names(&scene)?.len() == 1))?;
    ensure!(
        !ended.exists() && api.seen().len() == served,
        "{:?}",
        api.seen()
    );
    container.does(&format!("kill -KILL {boxed}; echo"))?;
    table.row(
        28,
        "a program in a container asks the same while a kubectl's question stands; Only this command",
        "kubectl is served; the other is asked about by itself",
    );
    Ok(())
}

/// Questions that nobody answers keep nobody from signing in.
pub(crate) async fn pages_and_ports(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat {
        consent: LEAVE,
        ..Seat::default()
    })
    .await?;
    let mut waiting = Vec::new();
    for (number, name) in ["one", "other"].into_iter().enumerate() {
        let api = AttackerApi::start().await?;
        let file = scene.kubeconfig(&[("prod", attackers(&api))], scene.exec("kubectl", &[]));
        let file = scene.hostile(name, &file)?;
        waiting.push(scene.person.start(&["--kubeconfig", &file, "get", "ns"])?);
        scene.page_with("know you as", number + 1).await?;
    }
    let said = scene.person.kubectl(&["fob", "logout"])?;
    ensure!(said.ok, "{said:?}");
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(said.ok, "{said:?}\n{}", scene.person.log());
    scene.works("signed in beside both questions")?;
    for mut kubectl in waiting {
        kubectl.kill()?;
        kubectl.wait()?;
    }
    table.row(
        11,
        "two questions of another's kubeconfig stand unanswered in the browser",
        "the person signs in: no port that a provider knows is theirs",
    );
    Ok(())
}

/// Names that look like others.
pub(crate) async fn look_alikes(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(Seat::default()).await?;
    for (host, shown, refused) in [
        (
            "g\u{43e}\u{43e}d.example.com",
            Some("https://xn--gd-fmca.example.com:6443"),
            "[trust-refused",
        ),
        // Not everybody ends up with the same host: it is no server that anybody knows.
        (
            "good.example.com\u{3002}evil.example",
            None,
            "[trust-refused-unseen]",
        ),
    ] {
        let server = json!({ "server": format!("https://{host}:6443") });
        let mut stanza = scene.exec("kubectl", &[]);
        stanza["provideClusterInfo"] = json!(true);
        let file = shown.map_or("unseen", |_| "shown");
        let file = scene.hostile(file, &scene.kubeconfig(&[("prod", server)], stanza))?;
        let before = scene.questions()?.len();
        let said = scene.run(&file)?;
        let asked = scene.questions()?;
        ensure!(!said.ok && asked.len() == before + 1, "{said:?}");
        ensure!(said.err.contains(refused), "{said:?}");
        let question = asked.last().context("no question")?;
        ensure!(
            shown.is_none_or(|shown| question.contains(shown)) && !question.contains(host),
            "{question}"
        );
        table.row(
            1,
            format!("a server's host is {host}"),
            shown.map_or("asked as one that can't be seen".to_owned(), |shown| {
                format!("shown as {shown}")
            }),
        );
    }
    Ok(())
}

/// Ten thousand questions.
pub(crate) async fn ten_thousand(table: &Table) -> Result<()> {
    const ROUNDS: u32 = 10;
    const ASKS: u32 = 1_000;
    let mut scene = Scene::signed_in(Seat {
        keep: "plain",
        ..Seat::default()
    })
    .await?;
    scene.without_desktop()?;
    let resident = scene.person.resident().context("no resident")?;
    let memory = || -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{resident}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes.context("VmRSS")?.parse()?)
    };
    let cluster = json!({ "server": "https://sNUMBER.evil.example", "config": null });
    let info = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": { "interactive": false, "cluster": cluster },
    });
    let (info, flags) = (info.to_string(), scene.flags());
    let (before, after) = info.split_once("NUMBER").context("no place for a number")?;
    // What names its server by itself, as kubectl does.
    let script = scene.folder.join("asks.sh");
    let flags: Vec<String> = flags.iter().map(|flag| format!("'{flag}'")).collect();
    let ask = format!(
        "i=$1; while [ $i -lt $2 ]; do i=$((i+1)); \
         KUBERNETES_EXEC_INFO='{before}'$i'{after}' kubectl-oidc_login get-token {} && exit 1; done",
        flags.join(" ")
    );
    fs::write(&script, ask)?;
    let at_first = memory()?;
    let mut slowest = Duration::ZERO;
    for round in 0..ROUNDS {
        let mut kubectl = scene.person.command("/bin/sh");
        kubectl.args(["-c", "cp /bin/sh kubectl && exec ./kubectl \"$@\"", "sh"]);
        kubectl
            .arg(&script)
            .args([round, round + 1].map(|round| (round * ASKS).to_string()));
        let said = said(kubectl.output()?)?;
        let refused = said.err.matches("[not-trusted]").count();
        ensure!(refused == ASKS as usize, "{refused}: {:.2000}", said.err);
        let begun = Instant::now();
        scene.works("in between")?;
        slowest = slowest.max(begun.elapsed());
    }
    let waiting = names(&scene)?;
    ensure!(waiting.len() == 64, "{}", waiting.len());
    let grown = memory()?.saturating_sub(at_first);
    ensure!(grown < 64 * 1024, "{grown} KiB more");
    ensure!(
        scene.person.resident() == Some(resident),
        "another resident"
    );
    println!("the resident grew by {grown} KiB; the slowest kubectl took {slowest:?}");
    table.row(
        21,
        format!(
            "{} questions about different servers, in a loop",
            ROUNDS * ASKS
        ),
        "each is answered; 64 wait; every kubectl of the person's own is served in between",
    );
    // Control: one more that is the person's own can be answered like any other.
    let own = AttackerApi::start().await?;
    let file = scene.kubeconfig(&[("new", attackers(&own))], scene.exec("kubectl", &[]));
    let file = scene.hostile("own", &file)?;
    let mut asking = scene
        .person
        .at_terminal(&format!("kubectl --kubeconfig {file} get --raw /api"))?;
    let shows = |one: &serde_json::Value| one.to_string().contains(own.url());
    until("its question", || {
        let waiting = scene.person.fob(&["trusts", "--pending"])?;
        Ok(waiting.as_array().is_some_and(|all| all.iter().any(shows)))
    })?;
    let mut typed = asking.stdin.take().context("no pipe")?;
    typed.write_all(b"y\n")?;
    until("its end", || Ok(asking.try_wait()?.is_some()))?;
    ensure!(own.saw_authorization(), "it was allowed");
    table.row(
        21,
        "control: the person's own new server, after all those",
        "asked about on its terminal, and allowed",
    );
    Ok(())
}
