//! The only file that knows the Lambda event types.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::{Timestamp, limits};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use service::port::{Clock, Entropy, Receipt};
use tokio::time::Instant;
use tracing::Instrument;

use crate::ambient::{SystemClock, SystemEntropy};
use crate::entry::Serving;
use crate::http::{Request, Response, Route, answer};
use crate::queue::{Batch, Job, Worker};
use crate::quota::{self, Quota};
use crate::schedule::Task;
use crate::socket::{self, Closed, Frame, Upgrade};
use crate::telemetry;
use crate::usage::Meter;

/// Left of a function's time for sending its answer.
const ANSWER_MARGIN: Duration = Duration::from_millis(300);

/// API Gateway HTTP API, payload format 2.0.
pub(crate) fn serve_http(route: Route, meter: Meter) -> Serving {
    let route = Arc::new(route);
    Box::pin(lambda_http::run(lambda_http::service_fn(move |event: lambda_http::Request| {
        let (route, meter) = (Arc::clone(&route), meter.clone());
        async move {
            let (request, span) = read_request(event);
            let request_id = request.request_id.clone();
            let response = metered(&meter, respond(&route, request)).instrument(span).await;
            write_response(response, &request_id)
        }
    })))
}

/// Ends an invocation with the line that tells what it used.
async fn metered<T>(meter: &Meter, work: impl Future<Output = T>) -> T {
    let done = work.await;
    meter.tell();
    done
}

fn read_request(event: lambda_http::Request) -> (Request, tracing::Span) {
    let header = |name: &str| event.headers().get(name).and_then(|value| value.to_str().ok());
    let bearer = header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    let user_agent = header("user-agent").map(str::to_owned);
    let (request_id, source_ip) = match event.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            (context.request_id.clone(), context.http.source_ip.clone())
        }
        _ => (None, None),
    };
    let pairs = |map: lambda_http::aws_lambda_events::query_map::QueryMap| {
        map.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let (path, query): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (pairs(event.path_parameters()), pairs(event.query_string_parameters()));
    let request_id = request_id.unwrap_or_else(|| SystemEntropy.uuid_v7().to_string());
    let conversation_id = path.get("conversation_id").cloned();
    let span = tracing::info_span!("http", request_id, conversation_id);
    let body = match event.into_body() {
        Body::Empty => vec![],
        Body::Text(text) => text.into_bytes(),
        Body::Binary(bytes) => bytes,
        _ => vec![],
    };
    let caller = None;
    (Request { path, query, body, bearer, caller, source_ip, user_agent, request_id }, span)
}

async fn respond(route: &Route, mut request: Request) -> Response {
    let request_id = request.request_id.clone();
    if let (Some(verifier), Some(token)) = (&route.verifier, &request.bearer) {
        match verifier.verify(token).await {
            Ok(caller) => request.caller = Some(caller),
            Err(error) => return answer(&error.into(), &request_id),
        }
    }
    let (answered, noted) = quota::noted_by((route.handler)(request)).await;
    let response = answered.unwrap_or_else(|rejection| answer(&rejection, &request_id));
    let quota = noted.told(response.status == 429);
    Response { quota, ..response }
}

fn write_response(
    response: Response,
    request_id: &str,
) -> Result<lambda_http::Response<Body>, Error> {
    let mut builder = lambda_http::Response::builder()
        .status(response.status)
        .header("x-request-id", request_id)
        .header("cache-control", "no-store");
    if let Some(seconds) = response.retry_after_seconds {
        builder = builder.header("retry-after", seconds);
    }
    for (name, value) in response.quota.into_iter().flat_map(Quota::headers) {
        builder = builder.header(name, value);
    }
    if let Some(name) = response.file_name {
        builder = builder.header("content-disposition", format!("attachment; filename=\"{name}\""));
    }
    if response.status == 401 {
        builder = builder.header("www-authenticate", "Bearer");
    }
    if response.body.is_empty() {
        return Ok(builder.body(Body::Empty)?);
    }
    let text = String::from_utf8(response.body)?;
    Ok(builder.header("content-type", response.content_type).body(Body::Text(text))?)
}

/// API Gateway WebSocket API.
pub(crate) fn serve_socket(route: socket::Route, meter: Meter) -> Serving {
    let route = Arc::new(route);
    let handle = move |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
        let (route, meter) = (Arc::clone(&route), meter.clone());
        async move {
            let context = &event.payload.request_context;
            let connection_id = context.connection_id.clone();
            let request_id = context.request_id.clone();
            let span = tracing::info_span!("socket", request_id, connection_id);
            metered(&meter, handle_socket(&route, event.payload)).instrument(span).await
        }
    };
    Box::pin(lambda_runtime::run(service_fn(handle)))
}

async fn handle_socket(
    route: &socket::Route,
    event: ApiGatewayWebsocketProxyRequest,
) -> Result<Value, Error> {
    let connection_id = event.request_context.connection_id.clone().unwrap_or_default();
    let connection_id = domain::ConnectionId::parse(connection_id)?;
    match route {
        socket::Route::Upgrade(handler) => {
            let header = |name: &str| event.headers.get(name).and_then(|v| v.to_str().ok());
            let ticket = event.query_string_parameters.first("ticket").map(str::to_owned);
            let offers = header("sec-websocket-protocol").unwrap_or_default().to_owned();
            let origin = header("origin").map(str::to_owned);
            let upgrade = Upgrade::new(connection_id, ticket, origin, &offers);
            let request_id = event.request_context.request_id.unwrap_or_default();
            Ok(answer_upgrade(handler, upgrade, &request_id).await)
        }
        socket::Route::Frame(handler) => {
            let text = event.body.unwrap_or_default();
            let body = answer_frame(handler, connection_id, &text).await;
            Ok(json!({ "statusCode": 200, "body": body }))
        }
        socket::Route::Closed(handler) => match handler(Closed { connection_id }).await {
            Ok(()) => Ok(json!({ "statusCode": 200 })),
            Err(rejection) => {
                answer(&rejection, "");
                Ok(json!({ "statusCode": 500 }))
            }
        },
    }
}

async fn answer_upgrade(
    handler: &socket::Served<Upgrade, ()>,
    upgrade: Upgrade,
    request_id: &str,
) -> Value {
    let echoes = upgrade.offers_subprotocol;
    match handler(upgrade).await {
        Ok(()) if echoes => json!({
            "statusCode": 200,
            "headers": { "Sec-WebSocket-Protocol": socket::SUBPROTOCOL },
        }),
        Ok(()) => json!({ "statusCode": 200 }),
        Err(rejection) => {
            let response = answer(&rejection, request_id);
            json!({
                "statusCode": response.status,
                "headers": { "content-type": response.content_type },
                "body": String::from_utf8(response.body).unwrap_or_default(),
            })
        }
    }
}

/// The text of the frame that goes back, or nothing.
async fn answer_frame(
    handler: &socket::Served<Frame, Option<socket::Said>>,
    connection_id: domain::ConnectionId,
    text: &str,
) -> Option<String> {
    let said = |in_reply_to, said| socket::frame_text(SystemEntropy.uuid_v7(), in_reply_to, said);
    let frame = match Frame::read(connection_id, text) {
        Ok(frame) => frame,
        Err(rejection) => return Some(said(None, socket::problem_frame(&rejection, &Value::Null))),
    };
    let id = frame.id();
    // Kept so that a refused message can be named.
    let sent = frame.raw_data().clone();
    match handler(frame).await {
        Ok(answer) => answer.map(|answer| said(Some(id), answer)),
        Err(rejection) => Some(said(Some(id), socket::problem_frame(&rejection, &sent))),
    }
}

/// SQS with `ReportBatchItemFailures`.
pub(crate) fn serve_queue(worker: Worker, meter: Meter) -> Serving {
    let handle = move |event: LambdaEvent<SqsEvent>| {
        let (worker, meter) = (Arc::clone(&worker), meter.clone());
        async move {
            let (event, context) = event.into_parts();
            let span = tracing::info_span!("queue", request_id = context.request_id);
            let deadline = Instant::now() + time_to_work(context.deadline, SystemClock.now());
            let jobs = event.records.into_iter().map(read_job).collect();
            let work = worker(Batch { jobs, deadline });
            let failed = metered(&meter, work).instrument(span).await;
            let mut response = SqsBatchResponse::default();
            for message_id in failed {
                response.add_failure(message_id);
            }
            Ok::<_, Error>(response)
        }
    };
    Box::pin(lambda_runtime::run(service_fn(handle)))
}

/// From now to the deadline (milliseconds since 1970), less the margin.
///
/// An invocation begins with time left and at most 15 minutes of it. A deadline that says
/// otherwise is not one: `cargo lambda watch` sends the same number for ever.
fn time_to_work(deadline_ms: u64, now: Timestamp) -> Duration {
    let deadline = i64::try_from(deadline_ms).ok().and_then(Timestamp::from_unix_ms);
    let left = deadline.map_or(Duration::ZERO, |deadline| deadline.since(now));
    let is_real = !left.is_zero() && left <= limits::INVOCATION_MAX;
    let left = if is_real { left } else { limits::INVOCATION_ASSUMED };
    left.saturating_sub(ANSWER_MARGIN)
}

fn read_job(message: SqsMessage) -> Job {
    let attribute = |name: &str| message.attributes.get(name).cloned();
    Job {
        group_id: attribute("MessageGroupId").unwrap_or_default(),
        // A count that cannot be read must not make a healthy job look poisoned.
        receive_count: attribute("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok())
            .unwrap_or(1),
        receipt: Receipt {
            message_id: message.message_id.unwrap_or_default(),
            handle: message.receipt_handle.unwrap_or_default(),
        },
        body: message.body.unwrap_or_default(),
    }
}

/// EventBridge. Whatever the event says, the work is the same.
pub(crate) fn serve_schedule(task: Task, meter: Meter) -> Serving {
    let handle = move |event: LambdaEvent<IgnoredAny>| {
        let (task, meter) = (Arc::clone(&task), meter.clone());
        async move {
            let span = tracing::info_span!("schedule", request_id = event.context.request_id);
            metered(&meter, run_task(&task)).instrument(span).await
        }
    };
    Box::pin(lambda_runtime::run(service_fn(handle)))
}

async fn run_task(task: &Task) -> Result<(), Error> {
    task().await.map_err(|failure| {
        tracing::error!(error = telemetry::chain(&failure), "the scheduled work failed");
        Error::from(failure)
    })
}

#[cfg(test)]
mod tests;
