//! HTTP as it is said and heard: nothing is hidden, so that hostile requests can be made too.

use std::time::Duration;

use bytes::Bytes;
use protocol::body::Problem;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use crate::{Failure, Result, WAIT, documents};

/// Longer than any limit of the system itself.
const TIMEOUT: Duration = Duration::from_secs(40);

/// One system's HTTP API.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for error messages.
    asked: String,
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Api {
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(base: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build();
        let http = http.map_err(|e| Failure::cannot("make an HTTP client", e))?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to be completed by the caller; [`Self::send`] sends it.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// # Errors
    /// Nobody answered, or something that `docs/openapi.yaml` does not describe.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let request = request.build().map_err(|e| Failure::cannot("build a request", e))?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let asked = format!("{method} {path}");
        let failed = |e: reqwest::Error| {
            let why = std::error::Error::source(&e).map(ToString::to_string).unwrap_or_default();
            Failure::cannot(format!("do {asked} at {}", self.base), format!("{e} {why}"))
        };
        let response = self.http.execute(request).await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(failed)?;
        let answer = Answer { asked, status, headers, body };
        documents::check_answer(&answer, method.as_str(), &path)?;
        Ok(answer)
    }

    /// As an app does: what is not available at the moment is asked for again when the answer
    /// says. A repeat does no harm to what is asked for: what has a client id is done once, and
    /// whose first try was done after all signs in twice, or is told that their name is taken.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_patiently(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let until = Instant::now() + WAIT;
        loop {
            let again = request.try_clone();
            let again = again.ok_or_else(|| Failure::new("a stream cannot be sent twice"))?;
            let answer = self.send(again).await?;
            let wait = answer.header("retry-after").filter(|_| answer.status == 503);
            let wait = wait.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
            match wait {
                Some(wait) if Instant::now() + wait < until => sleep(wait).await,
                _ => return Ok(answer),
            }
        }
    }

    /// # Errors
    /// Nobody answered.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// # Errors
    /// Nobody answered.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }
}

impl Answer {
    #[cfg(test)]
    pub(crate) fn new(asked: &str, status: u16, headers: http::HeaderMap, body: Bytes) -> Self {
        Self { asked: asked.to_owned(), status, headers, body }
    }

    /// The body, if the answer has this status.
    ///
    /// # Errors
    /// Another status, or a body of another shape.
    pub fn expect<T: DeserializeOwned>(&self, status: u16) -> Result<T> {
        self.expect_status(status)?;
        self.json()
    }

    /// # Errors
    /// Another status.
    pub fn expect_status(&self, status: u16) -> Result<()> {
        if self.status == status {
            return Ok(());
        }
        let Self { asked, status: got, .. } = self;
        Err(Failure::new(format!("{asked} answered {got}, not {status}: {}", self.text())))
    }

    /// # Errors
    /// A body of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|e| {
            Failure::cannot(
                format!("read the answer to {}", self.asked),
                format!("{e}: {}", self.text()),
            )
        })
    }

    /// The problem, if the answer is this one.
    ///
    /// # Errors
    /// No problem, or another one.
    pub fn expect_problem(&self, status: u16, code: &str) -> Result<Problem> {
        let problem: Problem = self.expect(status)?;
        let media_type = self.header("content-type").unwrap_or_default();
        let is_right = problem.code == code && problem.status == status;
        if is_right && media_type.starts_with("application/problem+json") {
            return Ok(problem);
        }
        let asked = &self.asked;
        Err(Failure::new(format!("{asked}: not {status} {code} but {media_type} {problem:?}")))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
