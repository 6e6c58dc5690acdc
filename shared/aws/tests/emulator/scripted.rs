//! An AWS service that says what a test tells it to, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws::Clients;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::clients_at;

#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, Value)>,
    calls: Vec<(String, Value)>,
}

pub struct Scripted {
    script: Arc<Mutex<Script>>,
    pub clients: Clients,
    pub url: String,
}

/// With these answers, one a call; every later call ends with a 500.
pub async fn scripted(answers: Vec<(u16, Value)>) -> Scripted {
    let script = Script { answers: answers.into(), calls: Vec::new() };
    let script = Arc::new(Mutex::new(script));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(answer).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://{address}");
    Scripted { script, clients: clients_at(&url).await, url }
}

impl Scripted {
    /// The operation and the body of every call.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.script.lock().expect("lock").calls.clone()
    }

    pub fn operations(&self) -> Vec<String> {
        self.calls().into_iter().map(|(operation, _)| operation).collect()
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default();
    let body = serde_json::from_str(&body).expect("every call has a JSON body");
    let mut script = script.lock().expect("lock");
    script.calls.push((operation.to_owned(), body));
    let over = || (500, json!({"__type": "InternalServerError"}));
    let (status, answer) = script.answers.pop_front().unwrap_or_else(over);
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
}
