//! A listener on loopback that can go away and come back on the same port.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// A reply with this among its extensions is not sent: the connection is closed.
#[derive(Clone)]
pub(crate) struct CloseConnection;

/// A running server. It ends when this is dropped, its connections with it.
#[derive(Debug)]
pub(crate) struct Server {
    orders: mpsc::Sender<(Order, oneshot::Sender<anyhow::Result<()>>)>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Open,
    Close,
    Disconnect,
}

impl Server {
    /// Serves on 127.0.0.1 and, where there is IPv6, on the same port of ::1.
    pub(crate) fn start(listeners: Listeners, tls: Option<TlsAcceptor>, app: Router) -> Self {
        let (orders, inbox) = mpsc::channel(1);
        let task = tokio::spawn(run(listeners, tls, app, inbox));
        Self { orders, task }
    }

    /// Closes listener and connections.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        self.order(Order::Close).await
    }

    /// Listens again on the same port.
    pub(crate) async fn open(&self) -> anyhow::Result<()> {
        self.order(Order::Open).await
    }

    /// Closes the connections alone.
    pub(crate) async fn disconnect(&self) -> anyhow::Result<()> {
        self.order(Order::Disconnect).await
    }

    async fn order(&self, order: Order) -> anyhow::Result<()> {
        let (done, outcome) = oneshot::channel();
        self.orders
            .send((order, done))
            .await
            .context("the server ended")?;
        outcome.await.context("the server ended")?
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The two families of one port.
#[derive(Debug)]
pub(crate) struct Listeners {
    port: u16,
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Listeners {
    /// Binds; port 0 takes one that is free in both families.
    pub(crate) async fn bind(port: u16) -> anyhow::Result<Self> {
        let attempts = if port == 0 { 50 } else { 1 };
        for _ in 0..attempts {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .await
                .with_context(|| format!("port {port} of 127.0.0.1"))?;
            let port = v4.local_addr()?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(v6) => {
                    return Ok(Self {
                        port,
                        v4,
                        v6: Some(v6),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(_) => return Ok(Self { port, v4, v6: None }),
            }
        }
        anyhow::bail!("port {port} of ::1 is taken")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.v6 {
            None => self.v4.accept().await,
            Some(v6) => tokio::select! {
                accepted = self.v4.accept() => accepted,
                accepted = v6.accept() => accepted,
            },
        }
    }
}

async fn run(
    listeners: Listeners,
    tls: Option<TlsAcceptor>,
    app: Router,
    mut inbox: mpsc::Receiver<(Order, oneshot::Sender<anyhow::Result<()>>)>,
) {
    let port = listeners.port();
    let mut open = Some(listeners);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = inbox.recv() => {
                let Some((order, done)) = order else { return };
                let outcome = match order {
                    Order::Open if open.is_some() => Ok(()),
                    Order::Open => Listeners::bind(port).await.map(|bound| open = Some(bound)),
                    Order::Close => {
                        open = None;
                        connections.shutdown().await;
                        Ok(())
                    }
                    Order::Disconnect => {
                        connections.shutdown().await;
                        Ok(())
                    }
                };
                // Whoever gave the order may have gone.
                let _ = done.send(outcome);
            }
            accepted = accept(open.as_ref()) => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, tls.clone(), app.clone()));
                }
                Err(error) => tracing::warn!(%error, "accept"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(open: Option<&Listeners>) -> io::Result<(TcpStream, SocketAddr)> {
    match open {
        Some(listeners) => listeners.accept().await,
        None => std::future::pending().await,
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, app: Router) {
    // Without it Nagle and delayed acknowledgements cost 40 ms a reply.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, app).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => serve(stream, app).await,
            Err(error) => tracing::debug!(%error, "TLS"),
        },
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, app: Router) {
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let app = app.clone();
        async move {
            let response = match app.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if response.extensions().get::<CloseConnection>().is_some() {
                return Err(io::Error::other("told to close the connection"));
            }
            Ok(response)
        }
    });
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "connection");
    }
}
