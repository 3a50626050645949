//! Threats 10, 11 and 12: the sign-in's own addresses, and who else comes to them. Each single
//! reply is held to its rules in `provider/tests/it/threats.rs`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::{Context, Result, ensure};
use playground::{Endpoint, Fault};
use serde_json::json;
use url::Url;
use world::browser::Browser;
use world::person::said;
use world::user::Other;

use crate::scene::{ONE_REQUEST, Scene, Seat, browser_of};
use crate::table::Table;

fn mallory() -> Seat {
    Seat {
        config: json!({ "users": [{}, { "name": "mallory", "password": "mallory", "groups": [] }] }),
        ..Seat::default()
    }
}

/// What is answered to these bytes.
pub(crate) fn exchange(port: u16, host: &str, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect((host, port))?;
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    // Its end, or a reset.
    drop(stream.read_to_end(&mut reply));
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// Somebody else has read the address, and is there first.
pub(crate) async fn read_address(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::set(mallory()).await?;
    let noted = scene.noting_browser()?;
    let waiting = scene.person.start(ONE_REQUEST)?;
    let address = scene.opened(&noted).await?;
    let url = Url::parse(&address)?;
    let port = url.port().context("no port")?;
    for host in ["127.0.0.1", "::1"] {
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n",
            url.path()
        );
        let reply = other.does(|| exchange(port, host, &request))??;
        ensure!(
            reply.starts_with("HTTP/1.1 404") && !reply.to_lowercase().contains("set-cookie"),
            "{reply}"
        );
    }
    ensure!(scene.playground.counters().logins_shown == 0);
    let ca = Some(scene.ca.clone());
    let mut person = Browser::new(world::browser::Settings {
        ca,
        ..browser_of("test", "no")
    })?;
    let page = person.open(&address).await?;
    ensure!(page.status == 200, "{page:?}");
    let waited = said(waiting.wait_with_output()?)?;
    ensure!(waited.ok, "{waited:?}");
    let status = scene.person.fob(&["status"])?;
    ensure!(status["accounts"][0]["name"] == "test", "{status:#}");
    table.row(
        10,
        "another user opens the sign-in's address first",
        "turned away, and voids nothing: the person signs in",
    );
    Ok(())
}

/// Somebody whose connections can't be told from the person's (a relay's, say) was first, and is
/// finishing it as somebody else when the person comes.
pub(crate) async fn finished_as_another(table: &Table) -> Result<()> {
    let scene = Scene::set(mallory()).await?;
    let noted = scene.noting_browser()?;
    let mut waiting = scene.person.start(ONE_REQUEST)?;
    let address = scene.opened(&noted).await?;
    let slow = Fault::Slow {
        milliseconds: 1_500,
    }
    .at(Endpoint::Token)
    .times(1);
    scene.playground.fault(slow).await?;
    let ca = Some(scene.ca.clone());
    let browser = |user: &str| {
        Browser::new(world::browser::Settings {
            ca: ca.clone(),
            ..browser_of(user, "no")
        })
    };
    let (mut first, theirs) = (browser("mallory")?, address.clone());
    let first = tokio::spawn(async move { first.open(&theirs).await.map(|page| page.status) });
    let exchanged = |what: &playground::What| {
        matches!(
            what,
            playground::What::Request {
                endpoint: Endpoint::Token,
                ..
            }
        )
    };
    scene.playground.event(exchanged).await;
    let page = browser("test")?.open(&address).await?;
    ensure!(
        page.status == 403 && page.title.contains("used"),
        "{page:?}"
    );
    let theirs = first.await?;
    ensure!(!matches!(theirs, Ok(200)), "{theirs:?}");
    let status = scene.person.fob(&["status"])?;
    ensure!(!status.to_string().contains("mallory"), "{status:#}");
    ensure!(scene.served() == 0, "a token went out");
    waiting.kill()?;
    waiting.wait()?;
    table.row(
        10,
        "a ticket used by somebody else, then visited without its cookie",
        "what was begun from it is void; nobody is signed in",
    );
    Ok(())
}

/// After the end of a session somebody else signs in on the same page.
pub(crate) async fn another_person(table: &Table) -> Result<()> {
    let mut seat = mallory();
    seat.config["token_seconds"] = json!(3);
    let scene = Scene::signed_in(seat).await?;
    scene.browser("mallory", "mallory")?;
    scene
        .playground
        .fault(Fault::RevokedSessions { user: None })
        .await?;
    let said = loop {
        let said = scene.person.kubectl(ONE_REQUEST)?;
        if !said.ok {
            break said;
        }
    };
    ensure!(said.err.contains("[other-person]"), "{said:?}");
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(!said.ok && said.err.contains("[other-person]"), "{said:?}");
    let status = scene.person.fob(&["status"])?;
    ensure!(status["accounts"][0]["name"] != "mallory", "{status:#}");
    table.row(
        10,
        "a new sign-in to the same account by somebody else",
        "refused, and both are named",
    );
    Ok(())
}

/// Somebody listens where the browser would come back to.
pub(crate) async fn squatted_ports(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::set(Seat::default()).await?;
    let bind = |host: &str, port: u16| -> Result<TcpListener> {
        let listener = other.does(|| TcpListener::bind((host, port)))??;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    let first = bind("::1", 8000)?;
    scene.works("beside a squatter of [::1]:8000")?;
    let starts: Vec<_> = scene
        .pages()?
        .into_iter()
        .filter(|step| step.url.contains("/start/"))
        .collect();
    ensure!(
        starts.iter().all(|step| step.url.contains(":18000/")),
        "{starts:?}"
    );
    ensure!(first.accept().is_err(), "somebody came to the squatter");
    table.row(
        11,
        "another user listens on [::1]:8000 alone",
        "the port does not count: 18000, and nobody comes to them",
    );

    let second = bind("127.0.0.1", 18000)?;
    scene.person.kubectl(&["fob", "logout"])?;
    let before = scene.playground.counters().logins_shown;
    let said = scene.person.kubectl(&["fob", "login"])?;
    ensure!(!said.ok && said.err.contains("[ports-taken]"), "{said:?}");
    ensure!(scene.playground.counters().logins_shown == before);
    ensure!(first.accept().is_err() && second.accept().is_err());
    table.row(
        11,
        "and on 127.0.0.1:18000",
        "an error that names them; no browser is sent anywhere",
    );
    Ok(())
}

/// What a page of another site, or a name that was bound anew, can send to the listener.
pub(crate) async fn foreign_requests(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat::default()).await?;
    let noted = scene.noting_browser()?;
    let waiting = scene.person.start(ONE_REQUEST)?;
    let address = scene.opened(&noted).await?;
    let url = Url::parse(&address)?;
    let (port, path) = (url.port().context("no port")?, url.path());
    let get = |path: &str, host: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    };
    let here = format!("localhost:{port}");
    for (what, request) in [
        (
            "a Host of the attacker's",
            get(path, &format!("evil.example:{port}")),
        ),
        ("a Host without a port", get(path, "localhost")),
        ("no Host", format!("GET {path} HTTP/1.0\r\n\r\n")),
        ("a path that is none", get("/../etc/passwd", &here)),
        ("a guessed ticket", get("/start/guess", &here)),
        ("a code without a state", get("/?code=x", &here)),
        ("a guessed state", get("/?code=x&state=x", &here)),
        (
            "an error with a guessed state",
            get(
                "/?error=access_denied&error_description=%3Cscript%3E&state=x",
                &here,
            ),
        ),
        (
            "an answer to a question from another site",
            format!(
                "POST /answer HTTP/1.1\r\nHost: {here}\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\nConnection: close\r\n\r\nanswer=always"
            ),
        ),
    ] {
        let reply = exchange(port, "127.0.0.1", &request)?;
        let status = reply.split(' ').nth(1).unwrap_or("400");
        ensure!(status.starts_with('4'), "{what}: {reply}");
        ensure!(
            !reply.contains("<script") && !reply.to_lowercase().contains("set-cookie"),
            "{what}: {reply}"
        );
        if reply.contains("<html") {
            let headers = reply.to_lowercase();
            for header in [
                "cache-control: no-store",
                "referrer-policy: no-referrer",
                "default-src 'none'",
                "frame-ancestors 'none'",
            ] {
                ensure!(headers.contains(header), "{what}: no {header}: {reply}");
            }
        }
        table.row(
            11,
            format!("the listener is sent {what}"),
            format!("{status}; nothing changes"),
        );
    }
    let ca = Some(scene.ca.clone());
    let mut person = Browser::new(world::browser::Settings {
        ca,
        ..browser_of("test", "no")
    })?;
    let page = person.open(&address).await?;
    ensure!(
        page.status == 200 && !page.url.contains("code="),
        "{page:?}"
    );
    let waited = said(waiting.wait_with_output()?)?;
    ensure!(waited.ok, "the sign-in goes on: {waited:?}");
    table.row(
        11,
        "and after all that",
        "the person signs in, at an address that is clean afterwards",
    );
    Ok(())
}

/// Addresses that the provider's discovery could have a browser or us open.
pub(crate) async fn hostile_discovery(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat::default()).await?;
    let noted = scene.noting_browser()?;
    for address in [
        "file:///etc/passwd",
        "kubefob://evil",
        "javascript:alert(1)",
        "-x",
        "--help",
        "$(touch /tmp/x)",
        "http://evil.example/",
        "https://evil.example/\u{1b}]52;c;AA\u{7}",
        "https://user:password@evil.example/",
        "https://evil.example/ -x",
    ] {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            let fault = Fault::EndpointUrl {
                name: name.to_owned(),
                url: address.to_owned(),
            };
            scene.playground.fault(fault).await?;
            let said = if scene
                .person
                .fob(&["accounts"])?
                .as_array()
                .is_some_and(Vec::is_empty)
            {
                scene.person.kubectl(ONE_REQUEST)?
            } else {
                scene.person.kubectl(&["fob", "login"])?
            };
            ensure!(
                !said.ok && said.err.contains("[bad-url]"),
                "{name} {address:?}: {said:?}"
            );
            ensure!(
                !said.err.contains('\u{1b}') && !said.err.contains('\u{7}'),
                "{said:?}"
            );
            let opened = std::fs::read_to_string(&noted)?;
            ensure!(opened.is_empty(), "{name} {address:?}: {opened}");
            scene.playground.lift_all().await?;
        }
        table.row(
            12,
            format!("discovery names {address:?}"),
            "refused before a browser is opened",
        );
    }
    Ok(())
}

/// The provider's redirect, once more: by another browser before, by anybody afterwards, and at the next sign-in.
pub(crate) async fn replayed(table: &Table) -> Result<()> {
    let scene = Scene::set(Seat::default()).await?;
    let noted = scene.noting_browser()?;
    let waiting = scene.person.start(ONE_REQUEST)?;
    let address = Url::parse(&scene.opened(&noted).await?)?;
    let port = address.port().context("no port")?;
    let get = |path: &str, cookie: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        )
    };
    let header = |reply: &str, name: &str| {
        let line = reply
            .lines()
            .find(|line| line.to_lowercase().starts_with(name));
        line.map(|line| line[name.len()..].trim().to_owned())
            .with_context(|| reply.to_owned())
    };
    let start = exchange(port, "127.0.0.1", &get(address.path(), ""))?;
    let cookie = header(&start, "set-cookie:")?;
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let to_provider = header(&start, "location:")?;
    let callback = scene.signed_in_at(&to_provider).await?;
    let path = format!("/?{}", callback.query().unwrap_or_default());

    let reply = exchange(port, "127.0.0.1", &get(&path, ""))?;
    ensure!(reply.starts_with("HTTP/1.1 400"), "{reply}");
    table.row(
        10,
        "the provider's redirect, by another browser, before the person's own",
        "400; nothing is exchanged or voided",
    );
    let reply = exchange(port, "127.0.0.1", &get(&path, &cookie))?;
    ensure!(header(&reply, "location:")? == "/outcome", "{reply}");
    let waited = said(waiting.wait_with_output()?)?;
    ensure!(waited.ok, "{waited:?}");
    // The page may linger; it shows what was, if anything.
    if let Ok(reply) = exchange(port, "127.0.0.1", &get(&path, &cookie)) {
        ensure!(!reply.contains("HTTP/1.1 200"), "{reply}");
    }
    let exchanges = scene.playground.counters().requests_at(Endpoint::Token);
    ensure!(exchanges == 1, "{exchanges} exchanges");
    table.row(
        10,
        "the same redirect again, after the sign-in",
        "the outcome once more, or nobody listens; exchanged once",
    );

    scene.person.kubectl(&["fob", "logout"])?;
    std::fs::write(&noted, "")?;
    let waiting = scene.person.start(&["fob", "login"])?;
    let address = scene.opened(&noted).await?;
    ensure!(Url::parse(&address)?.port() == Some(port), "{address}");
    for cookie in ["", &cookie] {
        let reply = exchange(port, "127.0.0.1", &get(&path, cookie))?;
        ensure!(reply.starts_with("HTTP/1.1 400"), "{reply}");
    }
    let exchanges = scene.playground.counters().requests_at(Endpoint::Token);
    ensure!(exchanges == 1, "{exchanges} exchanges");
    let ca = Some(scene.ca.clone());
    let mut person = Browser::new(world::browser::Settings {
        ca,
        ..browser_of("test", "no")
    })?;
    person.open(&address).await?;
    let waited = said(waiting.wait_with_output()?)?;
    ensure!(waited.ok, "{waited:?}");
    table.row(
        10,
        "the redirect of the sign-in before, at the next one",
        "400, and the next one goes on",
    );
    Ok(())
}
