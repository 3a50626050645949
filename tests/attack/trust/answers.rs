//! Threat 4: an answer to our question that the person's browser or window did not give: on our page, by other pages and
//! programs; in the window, by whoever gets at its descriptor.

use std::fs;
use std::io::ErrorKind;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use playground::AttackerApi;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use rustix::thread::{
    CapabilitySet, capabilities, remove_capability_from_bounding_set, set_capabilities,
};
use serde_json::Value;
use url::Url;
use world::desk::Desk;
use world::parts;
use world::person::said;
use world::user::Other;
use world::wait;

use crate::scene::{ONE_REQUEST, Scene, Seat, attackers};
use crate::sign_in::exchange;
use crate::table::Table;

/// A question about the attacker's server stands on our page, and the person's browser shows it.
struct Asked {
    scene: Scene,
    attacker: AttackerApi,
    waiting: Child,
    trusts: Value,
    port: u16,
    path: String,
    /// As the browser was given it: `name=value`.
    cookie: String,
    /// The form's one-time token.
    token: String,
    /// The whole reply.
    page: String,
}

impl Asked {
    async fn set() -> Result<Self> {
        let scene = Scene::signed_in(Seat::default()).await?;
        let noted = scene.noting_browser()?;
        let attacker = AttackerApi::start().await?;
        let servers = [("prod", attackers(&attacker))];
        let file = scene.kubeconfig(&servers, scene.exec("kubectl", &[]));
        let file = scene.hostile("hostile", &file)?;
        let trusts = scene.person.fob(&["trusts"])?;
        let waiting = scene
            .person
            .start(&[&["--kubeconfig", &file], ONE_REQUEST].concat())?;
        let url = Url::parse(&scene.opened(&noted).await?)?;
        let (port, path) = (url.port().context("no port")?, url.path().to_owned());
        let page = exchange(
            port,
            "127.0.0.1",
            &format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"),
        )?;
        let between = |before: &str, after: &str| -> Result<String> {
            let (_, rest) = page.split_once(before).with_context(|| page.clone())?;
            Ok(rest.split_once(after).map_or("", |(it, _)| it).to_owned())
        };
        Ok(Self {
            cookie: between("set-cookie: ", ";")?,
            token: between("name=\"token\" value=\"", "\"")?,
            scene,
            attacker,
            waiting,
            trusts,
            port,
            path,
            page,
        })
    }

    /// A form that says always.
    fn always(&self, token: &str, headers: &[&str]) -> String {
        let port = self.port;
        let body = format!("token={token}&answer=always&other=0");
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        format!(
            "POST /answer HTTP/1.1\r\nHost: localhost:{port}\r\n{headers}\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn has_cookie(&self) -> String {
        format!("Cookie: {}", self.cookie)
    }

    /// Nobody was told, trusted or given anything; the question waits.
    fn unanswered(&mut self, what: &str) -> Result<()> {
        ensure!(
            self.scene.person.fob(&["trusts"])? == self.trusts,
            "{what}: trusted"
        );
        ensure!(
            !self.attacker.saw_authorization(),
            "{what}: a token went out"
        );
        ensure!(self.waiting.try_wait()?.is_none(), "{what}: answered");
        Ok(())
    }
}

/// Other pages, other profiles and other users, who know all that they could.
pub(crate) async fn on_page(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let mut asked = Asked::set().await?;
    let page = asked.page.to_lowercase();
    for header in [
        "x-frame-options: deny",
        "frame-ancestors 'none'",
        "default-src 'none'",
        "form-action 'self'",
        "script-src 'nonce-",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
    ] {
        ensure!(page.contains(header), "no {header}: {page}");
    }
    ensure!(page.matches("<script").count() == 1, "{page}");
    let (cookie, token) = (asked.has_cookie(), asked.token.clone());
    let origin = format!("Origin: http://localhost:{}", asked.port);
    let guessed = cookie.replace(|c: char| c.is_ascii_digit(), "0");
    for (what, request) in [
        (
            "a form of another site's page, sent by itself",
            asked.always(
                &token,
                &[
                    &cookie,
                    "Origin: https://evil.example",
                    "Sec-Fetch-Site: cross-site",
                ],
            ),
        ),
        (
            "a page on another port of this computer, which is the same site",
            asked.always(
                &token,
                &[
                    &cookie,
                    "Origin: http://localhost:3000",
                    "Sec-Fetch-Site: same-site",
                ],
            ),
        ),
        (
            "the same in a browser that says no more than its origin",
            asked.always(&token, &[&cookie, "Origin: http://localhost:3000"]),
        ),
        (
            "a page without an origin, in a sandboxed frame",
            asked.always(&token, &[&cookie, "Origin: null"]),
        ),
        (
            "an address that was typed or clicked elsewhere",
            asked.always(&token, &[&cookie, "Sec-Fetch-Site: none"]),
        ),
        (
            "both of two words for its origin",
            asked.always(&token, &[&cookie, &origin, "Origin: https://evil.example"]),
        ),
        (
            "another profile of the browser, without the cookie",
            asked.always(&token, &[&origin]),
        ),
        (
            "a guessed cookie",
            asked.always(&token, &[&guessed, &origin]),
        ),
        ("a guessed token", asked.always("x", &[&cookie, &origin])),
        ("no token", asked.always("", &[&cookie, &origin])),
        (
            "a GET",
            format!(
                "GET /answer?token={token}&answer=always HTTP/1.1\r\nHost: localhost:{}\r\n{cookie}\r\nConnection: close\r\n\r\n",
                asked.port
            ),
        ),
    ] {
        let reply = exchange(asked.port, "127.0.0.1", &request)?;
        ensure!(reply.starts_with("HTTP/1.1 4"), "{what}: {reply}");
        asked.unanswered(what)?;
        table.row(
            4,
            format!("a question on our page is answered by {what}"),
            "refused; the question waits",
        );
    }
    // Cookies are sent to every port of a host: another user who listens on one has it, if the person comes by.
    for host in ["127.0.0.1", "::1"] {
        let request = asked.always(&token, &[&cookie, &origin, "Sec-Fetch-Site: same-origin"]);
        let reply = other.does(|| exchange(asked.port, host, &request))??;
        ensure!(reply.starts_with("HTTP/1.1 4"), "{reply}");
        asked.unanswered("another user")?;
    }
    table.row(
        4,
        "another user's program, which has the cookie and the token",
        "refused; the question waits",
    );

    // The same from the browser that was asked counts; and a no stays one, whoever has kept the form.
    let no = asked
        .always(&token, &[&cookie, &origin, "Sec-Fetch-Site: same-origin"])
        .replace("answer=always&other=0", "answer=no&other=00000");
    let reply = exchange(asked.port, "127.0.0.1", &no)?;
    ensure!(reply.starts_with("HTTP/1.1 303"), "{reply}");
    let request = asked.always(&token, &[&cookie, &origin, "Sec-Fetch-Site: same-origin"]);
    // The page may be gone by then.
    drop(exchange(asked.port, "127.0.0.1", &request));
    let said = said(asked.waiting.wait_with_output()?)?;
    ensure!(!said.ok && said.err.contains("[trust-refused"), "{said:?}");
    ensure!(asked.scene.person.fob(&["trusts"])? == asked.trusts);
    ensure!(!asked.attacker.saw_authorization(), "a token went out");
    table.row(
        4,
        "the person's no, and then the same form with a yes",
        "the no holds; no trust, no token",
    );
    Ok(())
}

/// Somebody else opens the address, too: which of them is the person, nobody knows.
pub(crate) async fn on_page_opened_twice(table: &Table) -> Result<()> {
    let mut asked = Asked::set().await?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n",
        asked.path, asked.port
    );
    let second = exchange(asked.port, "127.0.0.1", &request)?;
    ensure!(
        second.starts_with("HTTP/1.1 403") && !second.contains("name=\"token\""),
        "{second}"
    );
    let (cookie, token) = (asked.has_cookie(), asked.token.clone());
    let request = asked.always(&token, &[&cookie, "Sec-Fetch-Site: same-origin"]);
    let reply = exchange(asked.port, "127.0.0.1", &request)?;
    ensure!(reply.starts_with("HTTP/1.1 4"), "{reply}");
    asked.unanswered("opened twice")?;
    asked.waiting.kill()?;
    asked.waiting.wait()?;
    table.row(
        4,
        "another profile opens the question's address after the person's has",
        "void for both; no answer counts",
    );
    Ok(())
}

/// The way by which the window's answers count is in no other process, and can't be had from there.
pub(crate) async fn window_descriptor(table: &Table) -> Result<()> {
    // What only root sees is looked at, too.
    let _ = Other::somebody()?;
    let table = table.clone();
    let apart = thread::spawn(move || -> Result<()> {
        // What is started from here is as a person's programs are: none may look into every other.
        remove_capability_from_bounding_set(CapabilitySet::SYS_PTRACE)?;
        tokio::runtime::Runtime::new()?.block_on(descriptor(&table))
    });
    apart.join().map_err(|_| anyhow!("the thread"))?
}

async fn descriptor(table: &Table) -> Result<()> {
    let program = parts::window("kubefob-window-released")?;
    let scene = Scene::signed_in(Seat::default()).await?;
    let person = &scene.person;
    fs::copy(program, person.path().join("kubefob-window"))?;
    let shown = said(person.command("kubefob-window").output()?)?;
    ensure!(shown.ok, "{shown:?}");
    let mut desk = Desk::at(person)?;
    desk.until("a view", |_| true)?;
    // The one that was started by hand had it shown and ended.
    let wait = wait::up_to(Duration::from_secs(60));
    let window = wait.until_async("one window", async || {
        let with = |pid: &u32| Some((*pid, fs::read_link(format!("/proc/{pid}/fd/3")).ok()?));
        let mut found = person.windows().iter().filter_map(with).collect::<Vec<_>>();
        Ok(found.pop().filter(|_| found.is_empty()))
    });
    let (window, consent) = window.await?;
    let consent = consent.display().to_string();
    ensure!(consent.starts_with("socket:["), "{consent}");

    // As root we see every process's descriptors.
    let mut looked = 0;
    for process in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let open = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten();
        for descriptor in open.flatten() {
            looked += 1;
            let is_it = fs::read_link(descriptor.path())
                .is_ok_and(|it| it.display().to_string() == consent);
            let allowed = pid == window && descriptor.file_name() == "3";
            ensure!(!is_it || allowed, "{pid} has it: {:?}", descriptor.path());
        }
    }
    table.row(
        4,
        format!("the window's descriptor, looked for among {looked} of all processes"),
        "in the window alone, once; its pages' processes have not inherited it",
    );

    // A process of the same user, with the same rights as these.
    let resident = person.resident().context("no resident")?;
    let mut victim = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::piped())
        .spawn()?;
    let plain = victim.id();
    let tried = thread::spawn(move || -> Result<()> {
        let mut rights = capabilities(None)?;
        rights.effective.remove(CapabilitySet::SYS_PTRACE);
        rights.permitted.remove(CapabilitySet::SYS_PTRACE);
        set_capabilities(None, rights)?;
        let take = |pid: u32, number: i32| -> Result<std::result::Result<(), Errno>> {
            let pid = Pid::from_raw(i32::try_from(pid)?).context("no process")?;
            let process = pidfd_open(pid, PidfdFlags::empty())?;
            Ok(pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).map(drop))
        };
        let plain = take(plain, 0)?;
        ensure!(plain == Ok(()), "not even of any program: {plain:?}");
        // Until it has begun to run, its libraries are loaded.
        wait::up_to(Duration::from_secs(60))
            .every(Duration::from_millis(10))
            .until("a window that lets nothing be taken", || {
                Ok(take(window, 3)? == Err(Errno::PERM))
            })?;
        for number in 0..64 {
            for pid in [window, resident] {
                let took = take(pid, number)?;
                ensure!(took == Err(Errno::PERM), "{pid} {number}: {took:?}");
            }
        }
        for pid in [window, resident] {
            for file in ["fd/3", "mem"] {
                let opened = fs::File::open(format!("/proc/{pid}/{file}"));
                let refused = opened.map_err(|error| error.kind()).err();
                ensure!(
                    refused == Some(ErrorKind::PermissionDenied),
                    "{pid} {file}: {refused:?}"
                );
            }
        }
        Ok(())
    });
    let tried = tried.join().map_err(|_| anyhow!("the thread"))?;
    victim.kill()?;
    victim.wait()?;
    tried?;
    table.row(
        4,
        "once the window runs, another program of the same user duplicates it (pidfd_getfd), opens it anew, reads memory",
        "not permitted, of window and resident alike",
    );
    Ok(())
}
