//! The control endpoint, for other processes. Its paths are told at `Playground::control_url`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::config::Rule;
use crate::fault::{Armed, FaultId};
use crate::playground::{Addresses, World};

pub(crate) fn router(world: Arc<World>, addresses: Addresses, secret_path: &str) -> Router {
    let routes = Router::new()
        .route("/log", get(log))
        .route("/counters", get(counters))
        .route("/faults", get(faults).post(arm).delete(lift_all))
        .route("/faults/{id}", delete(lift))
        .route("/clock", get(clock).post(advance))
        .route("/rules", put(rules))
        .route(
            "/",
            get(move || std::future::ready(Json(addresses.clone()))),
        )
        .with_state(world);
    Router::new().nest(&format!("/{secret_path}"), routes)
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait: u64,
}

async fn log(State(world): State<Arc<World>>, Query(since): Query<Since>) -> Response {
    let journal = &world.provider.journal;
    let deadline = Duration::from_secs(since.wait);
    // Nothing came in time: the list is empty.
    let _ = tokio::time::timeout(deadline, journal.wait(since.after)).await;
    Json(journal.since(since.after)).into_response()
}

async fn counters(State(world): State<Arc<World>>) -> Response {
    Json(world.provider.journal.counters()).into_response()
}

async fn faults(State(world): State<Arc<World>>) -> Response {
    let all = world.provider.faults.all();
    let all: Vec<_> = all
        .iter()
        .map(|(id, armed)| json!({ "id": id, "armed": armed }))
        .collect();
    Json(all).into_response()
}

async fn arm(State(world): State<Arc<World>>, Json(armed): Json<Armed>) -> Response {
    match world.arm(armed).await {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(error) => refusal(&error),
    }
}

async fn lift(State(world): State<Arc<World>>, Path(id): Path<u64>) -> Response {
    done(&world.lift(Some(FaultId(id))).await)
}

async fn lift_all(State(world): State<Arc<World>>) -> Response {
    done(&world.lift(None).await)
}

async fn clock(State(world): State<Arc<World>>) -> Response {
    let clock = &world.provider.clock;
    Json(json!({ "now": clock.now(), "offset": clock.offset() })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: i64,
}

async fn advance(State(world): State<Arc<World>>, Json(told): Json<Advance>) -> Response {
    world.advance(told.advance);
    clock(State(world)).await
}

async fn rules(State(world): State<Arc<World>>, Json(rules): Json<Vec<Rule>>) -> Response {
    world.kube.set_rules(rules);
    StatusCode::NO_CONTENT.into_response()
}

fn done(outcome: &anyhow::Result<()>) -> Response {
    match outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refusal(error),
    }
}

fn refusal(error: &anyhow::Error) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(json!({ "error": format!("{error:#}") })),
    )
        .into_response()
}
