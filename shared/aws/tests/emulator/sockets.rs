//! `@connections` as API Gateway answers it, on a port of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws::ManagementPusher;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::ConnectionId;
use service::port::{PushOutcome, Pusher};
use testkit::ambient::SeededEntropy;
use testkit::contract::live::pusher::Sockets;
use tokio::net::TcpListener;

use super::clients_at;

/// What each socket answers, what it heard, and how often it was called.
#[derive(Default)]
struct Known {
    answers: BTreeMap<String, u16>,
    frames: BTreeMap<String, Vec<String>>,
    calls: BTreeMap<String, usize>,
}

type Shared = Arc<Mutex<Known>>;

pub struct Gateway {
    known: Shared,
    pusher: ManagementPusher,
}

pub async fn gateway() -> Gateway {
    let known = Shared::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let connection = post(say).delete(hang_up);
    let router = Router::new().route("/socket/@connections/{connection_id}", connection);
    let router = router.with_state(known.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = clients_at("http://127.0.0.1:1").await;
    let client = client.management(&format!("http://{address}/socket"));
    Gateway { known, pusher: ManagementPusher::new(client, SeededEntropy::new(1)) }
}

impl Gateway {
    /// From now on this socket's calls end with this status.
    pub fn answer(&self, id: &ConnectionId, status: u16) {
        self.known.lock().expect("lock").answers.insert(id.to_string(), status);
    }

    pub fn calls(&self, id: &ConnectionId) -> usize {
        self.known.lock().expect("lock").calls.get(id.as_str()).copied().unwrap_or(0)
    }

    pub fn frames(&self, id: &ConnectionId) -> Vec<String> {
        self.known.lock().expect("lock").frames.get(id.as_str()).cloned().unwrap_or_default()
    }
}

async fn say(State(known): State<Shared>, Path(id): Path<String>, frame: String) -> Response {
    let mut known = known.lock().expect("lock");
    *known.calls.entry(id.clone()).or_default() += 1;
    let status = known.answers.get(&id).copied().unwrap_or(410);
    if status == 200 {
        known.frames.entry(id).or_default().push(frame);
    }
    answer(status)
}

async fn hang_up(State(known): State<Shared>, Path(id): Path<String>) -> Response {
    match known.lock().expect("lock").answers.insert(id, 410) {
        Some(200) => StatusCode::NO_CONTENT.into_response(),
        status => answer(status.unwrap_or(410)),
    }
}

fn answer(status: u16) -> Response {
    let name = match status {
        200 => return StatusCode::OK.into_response(),
        403 => "ForbiddenException",
        410 => "GoneException",
        413 => "PayloadTooLargeException",
        429 => "LimitExceededException",
        _ => "InternalServerException",
    };
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("x-amzn-errortype", name)], "{\"message\":\"no\"}").into_response()
}

#[async_trait]
impl Sockets for Gateway {
    fn pusher(&self) -> &dyn Pusher {
        &self.pusher
    }

    fn behave(&self, id: &ConnectionId, outcome: PushOutcome) {
        self.answer(
            id,
            match outcome {
                PushOutcome::Delivered => 200,
                PushOutcome::Gone => 410,
                PushOutcome::Failed => 429,
            },
        );
    }

    async fn heard(&self, id: &ConnectionId) -> usize {
        self.frames(id).len()
    }
}
