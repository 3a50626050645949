//! A hostile Kubernetes API, as a kubeconfig from a stranger may name it: it answers like a cluster
//! and notes who sent it an `Authorization`.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::watch;

use crate::random::fingerprint;
use crate::server::{Listeners, Server};
use crate::tls::Authority;

/// A running attacker. It ends when it is dropped.
pub struct AttackerApi {
    url: String,
    ca_pem: String,
    seen: Arc<Seen>,
    server: Server,
}

/// A request that reached the attacker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The fingerprint of what followed `Bearer `, or of the whole header; absent without one.
    pub authorization: Option<String>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Sighting>>,
    count: watch::Sender<usize>,
}

impl AttackerApi {
    /// Starts one, with a certificate authority of its own.
    ///
    /// # Errors
    /// No port that is free.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at(0).await
    }

    /// Starts one on this port, where somebody else was a moment ago, say; 0 takes a free one.
    ///
    /// # Errors
    /// A port that is taken.
    pub async fn start_at(port: u16) -> anyhow::Result<Self> {
        // An error says that the process has chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = Authority::new()?;
        let listeners = Listeners::bind(port).await?;
        let url = format!("https://127.0.0.1:{}", listeners.port());
        let seen = Arc::<Seen>::default();
        let app = Router::new().fallback(note).with_state(Arc::clone(&seen));
        let acceptor = authority.certificate()?.acceptor();
        let server = Server::start(listeners, Some(acceptor), app);
        Ok(Self {
            url,
            ca_pem: authority.pem().to_owned(),
            seen,
            server,
        })
    }

    /// Ends it, and waits until its port is free.
    ///
    /// # Errors
    /// It has ended by itself.
    pub async fn end(self) -> anyhow::Result<()> {
        self.server.close().await
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its certificate authority, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// All requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Sighting> {
        self.seen
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether it got hold of any credentials.
    #[must_use]
    pub fn saw_authorization(&self) -> bool {
        self.seen()
            .iter()
            .any(|sighting| sighting.authorization.is_some())
    }

    /// Sleeps until it has seen `count` requests. Give it a deadline of your own.
    pub async fn wait_for(&self, count: usize) {
        // The sender lives as long as `self`: there is no error to report.
        let _ = self
            .seen
            .count
            .subscribe()
            .wait_for(|&seen| seen >= count)
            .await;
    }
}

async fn note(State(seen): State<Arc<Seen>>, request: Request<Body>) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).map(|value| {
        let value = String::from_utf8_lossy(value.as_bytes());
        fingerprint(value.strip_prefix("Bearer ").unwrap_or(&value))
    });
    seen.requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Sighting {
            method: request.method().to_string(),
            path: request.uri().to_string(),
            authorization,
        });
    seen.count.send_modify(|count| *count += 1);
    let list = json!({ "kind": "List", "apiVersion": "v1", "metadata": {}, "items": [] });
    Json(list).into_response()
}
