//! The one door to provider and Kubernetes API: it counts requests, sets their `Date`, and lets
//! armed faults strike. Behind it everything is honest.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::clock::http_date;
use crate::fault::{Connection, Endpoint, Fault, Stage};
use crate::forge;
use crate::journal::What;
use crate::provider::Provider;
use crate::server::CloseConnection;

/// No request to us is longer.
const LONGEST: usize = 1024 * 1024;

/// The provider's door.
pub(crate) async fn provider_door(
    State(provider): State<Arc<Provider>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path().to_owned();
    let endpoint = provider.endpoint(&parts.method, &path, &body);
    let request = Request::from_parts(parts, Body::from(body));
    let Some(endpoint) = endpoint else {
        return next.run(request).await;
    };
    provider.journal.write(What::Request { endpoint, path });
    pass(&provider, endpoint, request, next).await
}

/// The Kubernetes API's door.
pub(crate) async fn kubernetes_door(
    State(provider): State<Arc<Provider>>,
    request: Request,
    next: Next,
) -> Response {
    pass(&provider, Endpoint::Kubernetes, request, next).await
}

async fn pass(
    provider: &Arc<Provider>,
    endpoint: Endpoint,
    request: Request,
    next: Next,
) -> Response {
    let _under_way = provider.journal.begin(endpoint);
    let faults = &provider.faults;
    faults.strike(Stage::Event, endpoint, |fault| {
        if let Err(error) = provider.happen(fault) {
            tracing::error!(%error, ?fault, "a fault did not take effect");
        }
        true
    });
    let mut instead = None;
    faults.strike(Stage::Instead, endpoint, |fault| {
        let first = instead.is_none();
        if first {
            instead = substitute(fault, request.uri().query());
        }
        first
    });
    let mut reply = match instead {
        Some(reply) => reply,
        None => Reply::read(next.run(request).await).await,
    };
    reply.date = provider.clock.now();
    forge::rewrite(provider, endpoint, &mut reply);

    let (mut delay, mut silence) = (Duration::ZERO, None);
    faults.strike(Stage::Delivery, endpoint, |fault| {
        if let Fault::Slow { milliseconds } = fault {
            delay += Duration::from_millis(*milliseconds);
        } else if let Fault::Silent { connection } = fault {
            silence = Some(*connection);
        }
        true
    });
    tokio::time::sleep(delay).await;
    match silence {
        None => {}
        Some(Connection::Held) => std::future::pending().await,
        Some(Connection::Closed) => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(CloseConnection);
            return response;
        }
    }
    if endpoint != Endpoint::Kubernetes {
        provider.journal.write(What::Answered {
            endpoint,
            status: reply.status.as_u16(),
            error: reply
                .json()
                .and_then(|json| json["error"].as_str().map(str::to_owned)),
        });
    }
    reply.into_response()
}

/// A reply whose body was read, so that it can be changed.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What its `Date` says.
    pub(crate) date: i64,
}

impl Reply {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        // Our own handlers' bodies are in memory: reading them does not fail.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
            date: 0,
        }
    }

    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers,
            body: body.into(),
            date: 0,
        }
    }

    /// Its JSON, if it is short enough to be an error.
    fn json(&self) -> Option<Value> {
        let short = !self.status.is_success() && self.body.len() < 10_000;
        short
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
    }
}

impl IntoResponse for Reply {
    fn into_response(mut self) -> Response {
        self.headers.remove(header::CONTENT_LENGTH);
        if let Ok(date) = HeaderValue::from_str(&http_date(self.date)) {
            self.headers.insert(header::DATE, date);
        }
        (self.status, self.headers, self.body).into_response()
    }
}

/// What comes in place of an answer.
fn substitute(fault: &Fault, query: Option<&str>) -> Option<Reply> {
    const JSON: &str = "application/json";
    const GARBAGE: &[u8] = b"\x00\xff\xfe{\"issuer\": \xc3\x28 <html> \x1b]52;c;eA==\x07 ]]]";
    if let Fault::Status { code, body } = fault {
        let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = body.clone().unwrap_or_default();
        let content_type = if body.starts_with('{') {
            JSON
        } else {
            "text/html"
        };
        Some(Reply::new(status, content_type, body))
    } else if let Fault::Redirect { to } = fault {
        redirect(to)
    } else if let Fault::PassedOn { to } = fault {
        redirect(&format!("{to}?{}", query.unwrap_or_default()))
    } else if let Fault::Huge { bytes } = fault {
        let padding = "x".repeat(bytes.saturating_sub(r#"{"padding":""}"#.len()));
        Some(Reply::new(
            StatusCode::OK,
            JSON,
            format!(r#"{{"padding":"{padding}"}}"#),
        ))
    } else if *fault == Fault::DisabledClient {
        let body = json!({
            "error": "invalid_client",
            "error_description": "Invalid client or Invalid client credentials",
        });
        Some(Reply::new(StatusCode::UNAUTHORIZED, JSON, body.to_string()))
    } else {
        (*fault == Fault::Garbage).then(|| Reply::new(StatusCode::OK, JSON, GARBAGE))
    }
}

fn redirect(to: &str) -> Option<Reply> {
    let mut reply = Reply::new(StatusCode::FOUND, "text/html", "");
    reply
        .headers
        .insert(header::LOCATION, HeaderValue::from_str(to).ok()?);
    Some(reply)
}
