//! The Lambda Runtime API (2018-06-01) and as much of the Extensions API (2020-01-01) as a
//! runtime needs to register itself for a graceful end.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::pool::{Next, Pool};
use super::process::{Delivery, Process};
use crate::invoke::InvokeError;

/// Lambda's limit for an answer: 6 MB and a little for its envelope.
const MAX_ANSWER_BYTES: usize = 6_291_556;

/// A larger answer is still read to its end up to this, because a runtime that is cut off while
/// it sends takes that for the end of the host.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;

/// While a rule of `--faults` waits for a line: lines that were printed before the answer take
/// another way and may come later than it.
const LINES_TIME: Duration = Duration::from_millis(50);

#[derive(Clone)]
struct Context {
    pool: Arc<Pool>,
    process: Arc<Process>,
}

pub(super) fn router(pool: Arc<Pool>, process: Arc<Process>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .route("/2020-01-01/extension/register", post(register))
        .route("/2020-01-01/extension/event/next", get(no_extension_event))
        .layer(DefaultBodyLimit::max(MAX_READ_BYTES))
        .with_state(Context { pool, process })
}

async fn next(State(context): State<Context>) -> Response<Body> {
    let delivery = match context.pool.next(&context.process) {
        Next::Now(delivery) => Some(delivery),
        Next::Later(given) => given.await.ok(),
        Next::Never => None,
    };
    match delivery {
        Some(delivery) if !delivery.is_withheld => event(&context.pool.spec().arn, delivery),
        // It is about to be ended; an answer would only make it ask again.
        _ => std::future::pending().await,
    }
}

fn event(arn: &str, delivery: Delivery) -> Response<Body> {
    let deadline_ms = (since_epoch() + delivery.timeout).as_millis();
    let trace = delivery.request_id.replace('-', "");
    let (epoch, random) = trace.split_at_checked(8).unwrap_or_default();
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &delivery.request_id)
        .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
        .header("lambda-runtime-invoked-function-arn", arn)
        .header("lambda-runtime-trace-id", format!("Root=1-{epoch}-{random};Sampled=0"))
        .body(Body::from(delivery.event))
        .unwrap_or_else(|_| {
            said(StatusCode::INTERNAL_SERVER_ERROR, "the event has no valid header")
        })
}

#[expect(clippy::disallowed_methods, reason = "the host stands for AWS, which sets the deadline")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

async fn response(
    State(context): State<Context>,
    Path(request_id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    let (status, answer) = match body {
        Ok(body) if body.len() <= MAX_ANSWER_BYTES => (StatusCode::ACCEPTED, Ok(body)),
        Ok(_) => (StatusCode::PAYLOAD_TOO_LARGE, Err(too_large())),
        Err(rejection) => (rejection.status(), Err(too_large())),
    };
    conclude(&context, &request_id, status, answer).await
}

fn too_large() -> InvokeError {
    let error = json!({
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": format!("the answer is larger than {MAX_ANSWER_BYTES} bytes"),
    });
    InvokeError::Function(error.to_string())
}

async fn error(
    State(context): State<Context>,
    Path(request_id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    let text = body.map(|body| String::from_utf8_lossy(&body).into_owned());
    let answer = Err(InvokeError::Function(text.unwrap_or_default()));
    conclude(&context, &request_id, StatusCode::ACCEPTED, answer).await
}

async fn conclude(
    context: &Context,
    request_id: &str,
    status: StatusCode,
    answer: Result<Bytes, InvokeError>,
) -> Response<Body> {
    let spec = context.pool.spec();
    if spec.faults.watches_lines(&spec.function.name) {
        tokio::time::sleep(LINES_TIME).await;
    }
    if context.process.answered(request_id, answer) {
        said(status, "OK")
    } else {
        said(StatusCode::BAD_REQUEST, "the process does not work on that request")
    }
}

async fn init_error(State(context): State<Context>, body: Bytes) -> Response<Body> {
    let name = &context.pool.spec().function.name;
    let report = String::from_utf8_lossy(&body);
    tracing::error!(function = %name, report = %report, "the function cannot start");
    said(StatusCode::ACCEPTED, "OK")
}

async fn register(State(context): State<Context>) -> Response<Body> {
    let name = &context.pool.spec().function.name;
    let body =
        json!({ "functionName": name, "functionVersion": "$LATEST", "handler": "bootstrap" });
    Response::builder()
        .header("lambda-extension-identifier", format!("{name}-{}", context.process.id()))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap_or_else(|_| said(StatusCode::INTERNAL_SERVER_ERROR, "the name is no valid header"))
}

/// There are no events for extensions here; a process learns of its end by SIGTERM.
async fn no_extension_event() -> Response<Body> {
    std::future::pending().await
}

fn said(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({ "status": text }).to_string()));
    *response.status_mut() = status;
    response
}
