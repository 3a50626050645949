//! The Kubernetes API: enough for kubectl, with kube-apiserver's words where it says no.

mod authenticate;
mod authorize;
mod discovery;
mod objects;
mod protobuf;
mod request;
mod reviews;
mod status;
mod table;

use std::sync::{Arc, PoisonError, RwLock};

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::Value;

use crate::config::Rule;
use crate::journal::What;
use crate::provider::Provider;
use crate::random::fingerprint;
use authenticate::bearer;
use authorize::Decision;
use objects::Kind;
use request::{Attributes, Target};
use status::Failure;

/// The API server.
pub(crate) struct Kubernetes {
    provider: Arc<Provider>,
    pub(crate) admin_token: String,
    rules: RwLock<Vec<Rule>>,
}

impl Kubernetes {
    pub(crate) fn new(provider: Arc<Provider>, admin_token: String) -> Self {
        let rules = RwLock::new(provider.config.kube.rules.clone());
        Self {
            provider,
            admin_token,
            rules,
        }
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(answer).with_state(self)
    }

    /// Who may do what from now on.
    pub(crate) fn set_rules(&self, rules: Vec<Rule>) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    fn rules(&self) -> Vec<Rule> {
        self.rules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn answer(State(kube): State<Arc<Kubernetes>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1024 * 1024).await.unwrap_or_default();
    let user = kube.authenticate(&parts.headers);
    let attributes = request::attributes(&parts.method, &parts.uri);
    let reply = match &user {
        Err(error) => {
            // The client is told no more than that; the server's log says why.
            tracing::info!(%error, "Unable to authenticate the request");
            Err(Failure::unauthorized())
        }
        Ok(user) => match authorize::decide(&kube.rules(), user, &attributes) {
            Decision::Denied => Err(Failure::forbidden(user, &attributes)),
            Decision::Allowed => serve(
                &kube,
                user,
                &attributes,
                &parts.method,
                &parts.headers,
                &body,
            ),
        },
    };
    let reply = reply.unwrap_or_else(IntoResponse::into_response);
    kube.provider.journal.write(What::Kubernetes {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        authorization: parts
            .headers
            .get(header::AUTHORIZATION)
            .map(|value| fingerprint(bearer(value).unwrap_or_default())),
        user: user.ok().map(|user| user.name),
        status: reply.status().as_u16(),
    });
    reply
}

fn serve(
    kube: &Kubernetes,
    user: &authenticate::User,
    attributes: &Attributes,
    method: &Method,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Failure> {
    let now = kube.provider.clock.now();
    let resource = match &attributes.target {
        Target::Path(path) => {
            return discovery::document(path, now).ok_or_else(Failure::no_such_path);
        }
        Target::Resource(resource) => resource,
    };
    if let Some(review) = reviews::answer(&kube.rules(), user, resource, method, body, now) {
        return review
            .map(|review| (axum::http::StatusCode::CREATED, Json(review)).into_response());
    }
    let kind = Kind::of(resource).ok_or_else(Failure::no_such_path)?;
    if *method != Method::GET {
        return Err(Failure::method_not_allowed());
    }
    let as_table = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("as=Table"));
    let mut items = kind.items(resource.namespace.as_deref());
    let reply: Value = match &resource.name {
        Some(name) => {
            items.retain(|item| item["metadata"]["name"] == name.as_str());
            match items.pop() {
                None => return Err(Failure::not_found(resource)),
                Some(item) if as_table => table::of(kind, &[item], now),
                Some(item) => item,
            }
        }
        None if as_table => table::of(kind, &items, now),
        None => kind.list(items),
    };
    Ok(Json(reply).into_response())
}
