//! The HTTP API: finds the route, makes the event (payload format 2.0), calls the function and
//! turns its answer, or its failure, into what API Gateway would say.

use std::time::Duration;

use http::{HeaderValue, Request};
use hyper::body::Incoming;

use crate::front::clock::Clock;
use crate::front::inbound::{self, BodyRefusal};
use crate::front::integration::{self, Failure};
use crate::front::{Answer, Front, Peer, message};
use crate::invoke::InvokeError;

mod cors;
mod event;
mod function_answer;
mod routes;

pub(crate) use routes::Routes;
use routes::{Found, NoRoute};

/// "Integration timeout: 30 seconds", "Payload size: 10 MB" (HTTP API quotas).
const INTEGRATION_TIME: Duration = Duration::from_secs(30);
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// The route's key, for the log, and the answer.
pub(crate) async fn answer(
    front: &Front,
    request: Request<Incoming>,
    peer: &Peer,
    request_id: &str,
) -> (String, Answer) {
    let rules = front.model.http.cors.as_ref();
    if let Some(answer) = rules.and_then(|rules| cors::preflight(rules, &request)) {
        return (String::from("preflight"), answer);
    }
    let origin = request.headers().get(http::header::ORIGIN).cloned();
    let (route, mut answer) = match front.routes.find(request.method(), request.uri().path()) {
        Err(NoRoute::BadPath) => (String::from("none"), message(400, "Bad Request")),
        Err(NoRoute::Unknown) => (String::from("none"), message(404, "Not Found")),
        Ok(found) => {
            let answer = integrate(front, request, peer, request_id, &found).await;
            (found.route_key, answer)
        }
    };
    if let Some(rules) = rules {
        cors::decorate(rules, origin.as_ref(), answer.headers_mut());
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        answer.headers_mut().insert("apigw-requestid", id);
    }
    (route, answer)
}

async fn integrate(
    front: &Front,
    request: Request<Incoming>,
    peer: &Peer,
    request_id: &str,
    found: &Found,
) -> Answer {
    let (parts, body) = request.into_parts();
    let body = match inbound::read_body(body, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(BodyRefusal::TooLarge) => return message(413, "Request Entity Too Large"),
        Err(BodyRefusal::TooSlow) => return message(408, "Request Timeout"),
        Err(BodyRefusal::Broken) => return message(400, "Bad Request"),
    };
    let facts = event::Facts {
        parts: &parts,
        body: &body,
        found,
        peer: peer.address,
        authority: &front.authority,
        request_id,
        now: Clock::now(),
    };
    let event = event::request(&facts);
    match integration::call(&front.invoke, &found.function, &event, INTEGRATION_TIME).await {
        Ok(answer) => function_answer::read(&answer).unwrap_or_else(|wrong| {
            tracing::error!(request_id, function = found.function, %wrong, "malformed answer");
            message(500, "Internal Server Error")
        }),
        Err(failure) => {
            tracing::error!(request_id, function = found.function, %failure, "integration failed");
            failed(&failure)
        }
    }
}

/// HTTP APIs answer 500 when the function failed, its own timeout included, and 503 when the
/// service could not get an answer from Lambda at all: too busy, unreachable, or the integration's
/// 30 s passed. 504 is what REST APIs and private integrations answer.
fn failed(failure: &Failure) -> Answer {
    match failure {
        Failure::GatewayTimeout
        | Failure::Invoke(InvokeError::Throttled | InvokeError::Unavailable(_)) => {
            message(503, "Service Unavailable")
        }
        Failure::AnswerTooLarge
        | Failure::Invoke(
            InvokeError::Function(_) | InvokeError::Timeout(_) | InvokeError::Crashed,
        ) => message(500, "Internal Server Error"),
    }
}
