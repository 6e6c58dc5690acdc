//! One message of a client on its way to its function, and the answer on its way back.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::connection::Connection;
use super::function_answer::FunctionAnswer;
use super::{INTEGRATION_TIME, MAX_MESSAGE_BYTES, event, faulty, route};
use crate::front::integration::{self, Failure};
use crate::front::{Front, ids, milliseconds};

/// Why the client gets API Gateway's frame instead of the function's.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error(transparent)]
    Failed(#[from] Failure),
    #[error("the function's answer is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("the function's body is larger than a message may be")]
    TooLarge,
}

/// Runs beside the socket's other messages; AWS promises no order among them.
pub(super) async fn handle(front: Arc<Front>, connection: Arc<Connection>, text: Utf8Bytes) {
    let started = Instant::now();
    let api = &front.model.socket;
    let Some((key, route)) = route::select(api, &text) else {
        let request_id = ids::socket();
        say(&front, &connection, &event::error("Forbidden", &connection.id, &request_id)).await;
        log(&request_id, "none", &connection, 403, started);
        return;
    };
    let event = event::message(&connection, &api.stage, key, &text);
    let types = front.faults.is_armed().then(|| faulty::types_of(&front, &text));
    drop(text);
    let called =
        integration::call(&front.invoke, &route.function, &event.value, INTEGRATION_TIME).await;
    let status = match read(called) {
        // The function's status is not the client's business: API Gateway sends the body of a
        // 500 as it sends that of a 200.
        Ok(answer) => {
            let is_lost = types.is_some_and(|(key, kind)| {
                front.faults.drops_answer(&connection.id, &[&key, &kind])
            });
            if route.has_route_response && !answer.body.is_empty() && !is_lost {
                answer_client(&front, &connection, answer.body).await;
            }
            answer.status
        }
        Err(unanswered) => {
            let request_id = &event.request_id;
            tracing::error!(request_id, function = route.function, %unanswered, "no answer");
            let words = "Internal server error";
            say(&front, &connection, &event::error(words, &connection.id, request_id)).await;
            500
        }
    };
    log(&event.request_id, key, &connection, status, started);
}

fn read(called: Result<bytes::Bytes, Failure>) -> Result<FunctionAnswer, Unanswered> {
    let answer = FunctionAnswer::read(&called?)?;
    if answer.body.len() > MAX_MESSAGE_BYTES { Err(Unanswered::TooLarge) } else { Ok(answer) }
}

async fn say(front: &Front, connection: &Connection, frame: &Value) {
    answer_client(front, connection, frame.to_string()).await;
}

async fn answer_client(front: &Front, connection: &Connection, text: String) {
    front.usage.frame_out(text.len());
    connection.answer(Utf8Bytes::from(text)).await;
}

fn log(request_id: &str, route: &str, connection: &Connection, status: u16, started: Instant) {
    tracing::info!(
        request_id,
        route,
        connection_id = connection.id,
        status,
        duration_ms = milliseconds(started.elapsed()),
        "socket event"
    );
}
