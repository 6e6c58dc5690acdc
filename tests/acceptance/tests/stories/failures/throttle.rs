//! A DynamoDB that asks everybody to slow down, before one that does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Passes everything on to the emulator; while it is closed, calls to DynamoDB are refused.
pub struct Throttle {
    pub url: String,
    gate: Gate,
    task: AbortHandle,
}

#[derive(Clone)]
struct Gate {
    emulator: String,
    client: reqwest::Client,
    is_closed: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Throttle {
    pub async fn before(emulator: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gate = Gate {
            emulator: emulator.trim_end_matches('/').to_owned(),
            client: reqwest::Client::new(),
            is_closed: Arc::default(),
            refused: Arc::default(),
        };
        let app = Router::new().fallback(pass).with_state(gate.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, gate, task: task.abort_handle() }
    }

    pub fn close(&self) {
        self.gate.is_closed.store(true, Ordering::Relaxed);
    }

    pub fn open(&self) {
        self.gate.is_closed.store(false, Ordering::Relaxed);
    }

    /// How many calls were refused.
    pub fn refused(&self) -> usize {
        self.gate.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    State(gate): State<Gate>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let is_table = target.is_some_and(|target| target.starts_with("DynamoDB_"));
    if is_table && gate.is_closed.load(Ordering::Relaxed) {
        gate.refused.fetch_add(1, Ordering::Relaxed);
        return refusal();
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let asked = gate.client.request(method, format!("{}{path}", gate.emulator));
    let Ok(answer) = asked.headers(headers).body(body).send().await else {
        return answer_of(StatusCode::BAD_GATEWAY, &HeaderMap::new(), Bytes::new());
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    answer_of(status, &headers, answer.bytes().await.unwrap_or_default())
}

/// In DynamoDB's words.
fn refusal() -> Response<Body> {
    let words = r#"{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException",
        "message": "Rate of requests exceeds the allowed throughput."}"#;
    answer_of(StatusCode::BAD_REQUEST, &HeaderMap::new(), Bytes::from_static(words.as_bytes()))
}

fn answer_of(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    // What frames the body is this server's own.
    let kept = headers.iter().filter(|(name, _)| {
        !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection")
    });
    answer.headers_mut().extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    answer
}
