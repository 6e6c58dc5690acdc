//! `@connections`: what functions do to a socket, in the words of the API Gateway management API
//! so that the AWS SDK understands the errors.

use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::connection::Refused;
use super::{Ending, MAX_MESSAGE_BYTES, event, faulty};
use crate::front::inbound::{self, BodyRefusal};
use crate::front::{Answer, Front, ids, json_answer};

/// POST sends, GET tells, DELETE closes. `raw_id` is as it stands in the path, so `=` may be
/// `%3D`. No signature is asked for: the gateway listens on the loopback address only.
pub(crate) async fn manage(front: &Front, request: Request<Incoming>, raw_id: &str) -> Answer {
    let Some(id) = inbound::decode_strictly(raw_id) else {
        return failure(400, "BadRequestException", "Invalid connectionId", raw_id);
    };
    match *request.method() {
        Method::POST => post(front, request, &id).await,
        Method::GET => get(front, &id),
        Method::DELETE => delete(front, &id),
        _ => failure(403, "ForbiddenException", "Only POST, GET and DELETE are known here", &id),
    }
}

async fn post(front: &Front, request: Request<Incoming>, id: &str) -> Answer {
    let body = match inbound::read_body(request.into_body(), MAX_MESSAGE_BYTES).await {
        Ok(body) => body,
        Err(BodyRefusal::TooLarge) => {
            let words = "A message may have at most 128 KB";
            return failure(413, "PayloadTooLargeException", words, id);
        }
        Err(BodyRefusal::TooSlow | BodyRefusal::Broken) => {
            return failure(400, "BadRequestException", "The body did not arrive", id);
        }
    };
    // Looked up after the body arrived: a socket that ended meanwhile is gone.
    let Some(connection) = front.connections.get(id) else { return gone(id) };
    // API Gateway sends text frames only; other bytes would make the client fail the connection.
    let Ok(text) = Utf8Bytes::try_from(body) else {
        return failure(400, "BadRequestException", "A message must be UTF-8", id);
    };
    let bytes = text.len();
    match faulty::push(front, &connection, text) {
        Ok(()) => {
            front.usage.posted(bytes);
            json_answer(200, &json!({}))
        }
        Err(Refused::Gone) => gone(id),
        Err(Refused::Full) => {
            let words = "The WebSocket client side buffer is full";
            failure(429, "LimitExceededException", words, id)
        }
        Err(Refused::Fault(410)) => gone(id),
        Err(Refused::Fault(429)) => {
            failure(429, "LimitExceededException", "A fault rule says so", id)
        }
        Err(Refused::Fault(status)) => {
            failure(status, "InternalServerErrorException", "A fault rule says so", id)
        }
    }
}

fn get(front: &Front, id: &str) -> Answer {
    let Some(connection) = front.connections.get(id) else { return gone(id) };
    let body = json!({
        "connectedAt": connection.connected_at.rfc3339(),
        "identity": event::identity(&connection),
        "lastActiveAt": connection.last_active_at().rfc3339(),
    });
    json_answer(200, &body)
}

/// The open sockets' ids, oldest first, so that a test can choose one.
pub(crate) fn list(front: &Front) -> Value {
    let all = front.connections.oldest_first();
    json!({ "connections": all.iter().map(|open| open.id.as_str()).collect::<Vec<&str>>() })
}

/// What was posted before still reaches the client; later posts are answered 410.
fn delete(front: &Front, id: &str) -> Answer {
    let Some(connection) = front.connections.get(id) else { return gone(id) };
    connection.close(Ending::deleted());
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

fn gone(id: &str) -> Answer {
    failure(410, "GoneException", "The connection is gone", id)
}

/// The SDK tells errors apart by the header, not by the status.
fn failure(status: u16, kind: &'static str, text: &str, id: &str) -> Answer {
    let mut answer = json_answer(status, &event::error(text, id, &ids::socket()));
    answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    answer
}
