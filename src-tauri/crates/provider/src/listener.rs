//! The loopback ports, and HTTP on them (threats 10, 11, 21): who may connect, what a request may
//! be, and the headers of every reply.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::account::ListenAddress;
use broker::problem::Problem;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::desk::{Content, Desk, NOTHING, Response, Visitor};
use crate::os;

const CONNECTIONS: usize = 64;
const HEADERS: usize = 32 * 1024;
const FORM: usize = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// One port of this computer, held on both of its addresses.
#[derive(Debug)]
pub(crate) struct Ports {
    listeners: Vec<TcpListener>,
    pub(crate) port: u16,
    /// Which of the addresses it is, in the order in which they were tried.
    pub(crate) index: usize,
}

/// Takes the first address that is free. Whatever a listen address says, both 127.0.0.1 and ::1
/// are held: `localhost` is either, and another user could take the other one.
pub(crate) async fn bind(addresses: &[ListenAddress]) -> Result<Ports, Problem> {
    let named = |address: &ListenAddress| format!("{}:{}", address.host, address.port);
    for address in addresses {
        if !["127.0.0.1", "::1", "localhost"].contains(&address.host.as_str()) {
            return Err(Problem::ListenNotLoopback {
                address: named(address),
            });
        }
    }
    for (index, address) in addresses.iter().enumerate() {
        if let Some((listeners, port)) = both_families(address.port).await {
            return Ok(Ports {
                listeners,
                port,
                index,
            });
        }
    }
    let names = addresses.iter().map(named).collect::<Vec<_>>().join(", ");
    Err(Problem::PortsTaken { addresses: names })
}

/// Takes any port: for a page that no provider comes back to.
pub(crate) async fn bind_any() -> Result<Ports, Problem> {
    let any = ListenAddress {
        host: "127.0.0.1".to_owned(),
        port: 0,
    };
    bind(&[any]).await
}

/// Serves browsers until `serving` is dropped.
pub(crate) fn serve(ports: Ports, desk: &Arc<Desk>, serving: &mut JoinSet<()>) {
    for listener in ports.listeners {
        serving.spawn(accept(listener, Arc::clone(desk)));
    }
}

/// A connection, and whether it has said what it wants.
struct Connection {
    task: AbortHandle,
    asked: Arc<AtomicBool>,
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    // Dropped with this future, and every connection with it.
    let mut tasks = JoinSet::new();
    let mut connections: VecDeque<Connection> = VecDeque::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Too many open files, or a peer that is gone: no reason to end the sign-in.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while tasks.try_join_next().is_some() {}
        connections.retain(|connection| !connection.task.is_finished());
        if connections.len() >= CONNECTIONS && !make_room(&mut connections) {
            continue;
        }
        let asked = Arc::new(AtomicBool::new(false));
        let task = tasks.spawn(serve_one(
            stream,
            peer,
            Arc::clone(&desk),
            Arc::clone(&asked),
        ));
        connections.push_back(Connection { task, asked });
    }
}

/// Ends the oldest connection that has not said what it wants: a browser does so at once.
fn make_room(connections: &mut VecDeque<Connection>) -> bool {
    let idle = connections
        .iter()
        .position(|one| !one.asked.load(Ordering::SeqCst));
    let idle = idle.and_then(|index| connections.remove(index));
    idle.inspect(|idle| idle.task.abort()).is_some()
}

async fn serve_one(stream: TcpStream, peer: SocketAddr, desk: Arc<Desk>, asked: Arc<AtomicBool>) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let last = AtomicBool::new(false);
    let service = service_fn(|request| async {
        let response = respond(request, (peer, local), &desk, &asked).await;
        last.fetch_or(response.last, Ordering::SeqCst);
        Ok::<_, std::convert::Infallible>(render(response, &desk))
    });
    let served = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .half_close(false)
        .max_buf_size(HEADERS)
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if served.is_ok() && last.into_inner() {
        desk.outcome_was_fetched();
    }
}

async fn respond(
    request: Request<Incoming>,
    ends: (SocketAddr, SocketAddr),
    desk: &Desk,
    asked: &AtomicBool,
) -> Response {
    let headers = request.headers();
    let host = single(headers, header::HOST.as_str());
    let port = ends.1.port();
    if !host.is_some_and(|host| desk.place().answers_to(host, port)) {
        return Response::word(404, NOTHING);
    }
    let visitor = Visitor {
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        cookies: cookies(headers),
        ends,
    };
    let path = visitor.path.as_str();
    if request.method() == Method::GET {
        asked.store(true, Ordering::SeqCst);
        return match path.strip_prefix("/start/") {
            Some(ticket) => desk.start(ticket, &visitor).await,
            None if path == "/outcome" => desk.outcome(&visitor).await,
            None if path == desk.place().callback => desk.callback(&visitor).await,
            None => Response::word(404, NOTHING),
        };
    }
    if request.method() == Method::POST && path == "/answer" && is_same_origin(headers, desk, port)
    {
        return match body(request).await {
            Some(form) => {
                asked.store(true, Ordering::SeqCst);
                desk.answer(&form, &visitor).await
            }
            None => Response::word(400, "This form can't be read."),
        };
    }
    Response::word(404, NOTHING)
}

/// Whether a page of ours sent it. The browser's own word (Sec-Fetch-Site) is the best; a policy
/// of `no-referrer` makes `Origin` null, so that null alone says nothing.
fn is_same_origin(headers: &HeaderMap, desk: &Desk, port: u16) -> bool {
    if headers.contains_key("sec-fetch-site") {
        return single(headers, "sec-fetch-site") == Some("same-origin");
    }
    if !headers.contains_key("origin") {
        return true;
    }
    single(headers, "origin")
        .and_then(|origin| origin.strip_prefix("http://"))
        .is_some_and(|host| desk.place().answers_to(host, port))
}

/// A header that stands there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn cookies(headers: &HeaderMap) -> String {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .collect::<Vec<_>>()
        .join("; ")
}

async fn body(request: Request<Incoming>) -> Option<String> {
    let whole = Limited::new(request.into_body(), FORM).collect();
    let whole = tokio::time::timeout(PATIENCE, whole).await.ok()?.ok()?;
    String::from_utf8(whole.to_bytes().to_vec()).ok()
}

fn render(response: Response, desk: &Desk) -> hyper::Response<Full<Bytes>> {
    let nonce = desk.nonce();
    let script = match &response.content {
        Content::Page(page) if page.asks() => format!("script-src 'nonce-{nonce}'; "),
        Content::Page(_) | Content::Word(_) | Content::To(_) => String::new(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; {script}form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    let mut builder = hyper::Response::builder()
        .status(StatusCode::from_u16(response.status).unwrap_or(StatusCode::OK))
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::REFERRER_POLICY, "no-referrer")
        .header(header::CONTENT_SECURITY_POLICY, policy)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::X_FRAME_OPTIONS, "DENY")
        .header("cross-origin-opener-policy", "same-origin")
        .header("cross-origin-resource-policy", "same-origin");
    if let Some(cookie) = response.cookie {
        builder = builder.header(header::SET_COOKIE, cookie);
    }
    let (kind, body) = match response.content {
        Content::Page(page) => ("text/html; charset=utf-8", page.document(&nonce)),
        Content::Word(word) => ("text/plain; charset=utf-8", word.to_owned()),
        Content::To(address) => {
            builder = builder.header(header::LOCATION, address);
            ("text/plain; charset=utf-8", String::new())
        }
    };
    builder
        .header(header::CONTENT_TYPE, kind)
        .body(Full::new(Bytes::from(body)))
        .unwrap_or_else(|_| hyper::Response::new(Full::default()))
}

async fn both_families(port: u16) -> Option<(Vec<TcpListener>, u16)> {
    // Any port: the one that the first family got may be taken in the other.
    let tries = if port == 0 { 16 } else { 1 };
    for _ in 0..tries {
        let Ok(first) = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await else {
            continue;
        };
        let port = first.local_addr().ok()?.port();
        match TcpListener::bind((IpAddr::V6(Ipv6Addr::LOCALHOST), port)).await {
            Ok(second) => return Some((vec![first, second], port)),
            Err(error) if is_without_ipv6(&error) => return Some((vec![first], port)),
            Err(_) => {}
        }
    }
    None
}

fn is_without_ipv6(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || os::is_family_missing(error)
}
