//! Threat 10: whose program is at the other end of a connection to the sign-in, and what comes of it
//! where somebody sees to it that this can hardly be told.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketType};
use url::Url;
use world::browser::Browser;
use world::parts::Missing;
use world::person::said;
use world::user::Other;

use crate::scene::{ONE_REQUEST, Scene, Seat, browser_of};
use crate::table::Table;

/// More lines than fit into the 16 MiB that are read of a table.
const LINES: usize = 130_000;

/// What is answered to these bytes on this connection.
fn exchange(mut stream: TcpStream, request: &str) -> Result<String> {
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    // Its end, or a reset.
    drop(stream.read_to_end(&mut reply));
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

fn get(url: &Url) -> String {
    let (path, port) = (url.path(), url.port().unwrap_or_default());
    format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")
}

/// A sign-in that waits for a browser, and its address.
async fn waiting(scene: &Scene, command: &[&str]) -> Result<(Child, Url)> {
    let noted = scene.noting_browser()?;
    let waiting = scene.person.start(command)?;
    let address = Url::parse(&scene.opened(&noted).await?)?;
    Ok((waiting, address))
}

/// The person comes with the same address, and signs in.
async fn person_signs_in(scene: &Scene, waiting: Child, url: &Url) -> Result<()> {
    let ca = Some(scene.ca.clone());
    let mut person = Browser::new(world::browser::Settings {
        ca,
        ..browser_of("test", "no")
    })?;
    let page = person.open(url.as_str()).await?;
    ensure!(page.status == 200, "{page:?}");
    let waited = said(waiting.wait_with_output()?)?;
    ensure!(waited.ok, "{waited:?}");
    Ok(())
}

fn turned_away(reply: &str) -> Result<()> {
    let refused = ["HTTP/1.1 404", "HTTP/1.1 403"];
    ensure!(
        refused.iter().any(|status| reply.starts_with(status))
            && !reply.to_lowercase().contains("set-cookie"),
        "{reply}"
    );
    Ok(())
}

/// A socket of IPv6 that is connected to an address of IPv4.
pub(crate) async fn mapped(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::set(Seat::default()).await?;
    let (child, url) = waiting(&scene, ONE_REQUEST).await?;
    let port = url.port().context("no port")?;
    let connect = || TcpStream::connect(("::ffff:127.0.0.1", port));
    let reply = other.does(|| exchange(connect()?, &get(&url)))??;
    turned_away(&reply)?;
    ensure!(scene.playground.counters().logins_shown == 0);
    // The control: the way is open, to the person's own programs.
    person_signs_in(&scene, child, &url).await?;
    scene.person.kubectl(&["fob", "logout"])?;
    let (mut child, url) = waiting(&scene, &["fob", "login"]).await?;
    let reply = exchange(connect()?, &get(&url))?;
    ensure!(reply.starts_with("HTTP/1.1 303"), "{reply}");
    child.kill()?;
    child.wait()?;
    table.row(
        10,
        "another user opens the sign-in's address from a socket of IPv6 to ::ffff:127.0.0.1",
        "turned away, and voids nothing; the person's own such socket is served",
    );
    Ok(())
}

/// Who asked is gone before anybody can look who it was.
pub(crate) async fn gone(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::set(Seat::default()).await?;
    let (child, url) = waiting(&scene, ONE_REQUEST).await?;
    let port = url.port().context("no port")?;
    other.does(|| -> Result<()> {
        for round in 0..200 {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.write_all(get(&url).as_bytes())?;
            if round % 2 == 0 {
                set_socket_linger(&stream, Some(Duration::ZERO))?;
            }
        }
        Ok(())
    })??;
    person_signs_in(&scene, child, &url).await?;
    let log = scene.person.log();
    let lines = log.matches("came to this sign-in").count();
    ensure!(lines <= 2, "{lines} lines: {log}");
    table.row(
        10,
        "another user opens the sign-in's address 200 times, and resets or closes at once",
        "nothing is used up: the person signs in; the log has a line or two of it",
    );
    Ok(())
}

/// Another user's connection stands in the kernel's table behind more than anybody reads.
pub(crate) async fn flooded(table: &Table) -> Result<()> {
    let other = Other::somebody()?;
    let scene = Scene::set(Seat::default()).await?;
    let (mut child, url) = waiting(&scene, ONE_REQUEST).await?;
    let port = url.port().context("no port")?;
    let reply = other.does(|| -> Result<Option<String>> {
        let listeners: Vec<TcpListener> = (2..102)
            .map(|last| TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), 0)))
            .collect::<std::io::Result<_>>()?;
        for listener in listeners.iter().cycle().take(LINES) {
            // Whoever closes first leaves a line for a minute.
            let Ok(near) = TcpStream::connect(listener.local_addr()?) else {
                break;
            };
            drop(near);
            drop(listener.accept()?);
        }
        // Where a connection stands in the table is chance, by its addresses. More than 64 at once would not be kept.
        let mine = (1..=60)
            .map(|last| connected_from(Ipv4Addr::new(127, 9, 0, last), port))
            .collect::<std::io::Result<Vec<_>>>()?;
        let seen = std::fs::read_to_string("/proc/net/tcp")?;
        for stream in mine {
            if is_beyond(&seen, stream.local_addr()?, port) {
                return exchange(stream, &get(&url)).map(Some);
            }
        }
        Ok(None)
    })??;
    let Some(reply) = reply else {
        child.kill()?;
        child.wait()?;
        return Err(Missing {
            name: "table of connections that is long".to_owned(),
            why: "the kernel keeps too few that are closed (net.ipv4.tcp_max_tw_buckets)"
                .to_owned(),
        }
        .into());
    };
    turned_away(&reply)?;
    person_signs_in(&scene, child, &url).await?;
    table.row(
        10,
        "another user makes the table of connections longer than anybody reads",
        "turned away all the same, and voids nothing: the person signs in",
    );
    Ok(())
}

fn connected_from(near: Ipv4Addr, port: u16) -> std::io::Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(near, 0))?;
    rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    Ok(socket.into())
}

fn is_beyond(table: &str, near: SocketAddr, far: u16) -> bool {
    let SocketAddr::V4(near) = near else {
        return false;
    };
    let word = |ip: &Ipv4Addr| u32::from_ne_bytes(ip.octets());
    let (ip, localhost) = (word(near.ip()), word(&Ipv4Addr::LOCALHOST));
    let line = format!("{ip:08X}:{:04X} {localhost:08X}:{far:04X} ", near.port());
    let at = table.find(&line);
    at.is_some_and(|at| at > 16 * 1024 * 1024)
}
