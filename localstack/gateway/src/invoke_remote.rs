//! Sends events to a Lambda Invoke API instead of hosting the functions: `cargo lambda watch`
//! starts them then, and builds them anew when their source changes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;

use crate::invoke::{Invoke, InvokeError};

/// `cargo lambda watch` deadlocks with more than a hundred queued calls.
const MAX_IN_FLIGHT: usize = 32;

/// Further calls wait this long for a place.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// `cargo lambda watch` never answers a call whose function crashed or does not compile, so the
/// limit is ours. It covers a build, so it is not the function's own timeout.
const CALL_LIMIT: Duration = Duration::from_secs(120);

/// Lambda's limit for an answer.
const MAX_ANSWER_BYTES: usize = 6_291_556;

/// Functions that run somewhere else.
pub struct RemoteFunctions {
    base: String,
    known: BTreeSet<String>,
    client: Client<HttpConnector, Full<Bytes>>,
    places: Semaphore,
}

impl RemoteFunctions {
    /// `base` is the address of the Invoke API, `http://127.0.0.1:9000`; only `functions` exist.
    pub fn at(base: &Uri, functions: impl Iterator<Item = String>) -> Self {
        Self {
            base: base.to_string().trim_end_matches('/').to_owned(),
            known: functions.collect(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            places: Semaphore::new(MAX_IN_FLIGHT),
        }
    }

    async fn call(&self, function: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        let unavailable = |error: &dyn std::error::Error| {
            InvokeError::Unavailable(format!("{} does not answer: {error}", self.base))
        };
        let request =
            Request::post(format!("{}/2015-03-31/functions/{function}/invocations", self.base))
                .header(header::CONTENT_TYPE, "application/json")
                .body(Full::new(event))
                .map_err(|error| unavailable(&error))?;
        let response = self.client.request(request).await.map_err(|error| unavailable(&error))?;
        let status = response.status();
        let is_error = response.headers().contains_key("x-amz-function-error");
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| unavailable(&*error))?.to_bytes();
        match status {
            StatusCode::OK if !is_error => Ok(body),
            // Watch reports a function's error as 500, and without Lambda's header.
            StatusCode::OK | StatusCode::INTERNAL_SERVER_ERROR => {
                Err(InvokeError::Function(String::from_utf8_lossy(&body).into_owned()))
            }
            StatusCode::TOO_MANY_REQUESTS => Err(InvokeError::Throttled),
            other => Err(InvokeError::Unavailable(format!("{} answered {other}", self.base))),
        }
    }
}

#[async_trait]
impl Invoke for RemoteFunctions {
    async fn invoke(&self, function: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        if !self.known.contains(function) {
            return Err(InvokeError::Unavailable(format!("there is no function {function}")));
        }
        let place = tokio::time::timeout(MAX_WAIT, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else { return Err(InvokeError::Throttled) };
        let begin = Instant::now();
        let answer = tokio::time::timeout(CALL_LIMIT, self.call(function, event)).await;
        let limit_ms = u64::try_from(CALL_LIMIT.as_millis()).unwrap_or(u64::MAX);
        let answer = answer.unwrap_or(Err(InvokeError::Timeout(limit_ms)));
        let duration_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let error = answer.as_ref().err().map(ToString::to_string);
        tracing::info!(function, duration_ms, error, "invoked remotely");
        answer
    }
}
