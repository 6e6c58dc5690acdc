//! `/_gateway/faults`, only there with `--faults`: what is to go wrong, and what has.

use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;

use super::inbound::{self, BodyRefusal};
use super::{Answer, Front, json_answer, message};
use crate::socket;

/// A rule has a few hundred bytes.
const MAX_RULE_BYTES: usize = 16 * 1024;

/// `rest` is the path behind `/_gateway/faults/`.
pub(super) async fn answer(front: &Arc<Front>, request: Request<Incoming>, rest: &str) -> Answer {
    if !front.faults.is_allowed() {
        return message(404, "Not Found");
    }
    match (request.method().as_str(), rest) {
        ("GET", "") => json_answer(200, &front.faults.as_json()),
        ("GET", "connections") => json_answer(200, &socket::list(front)),
        ("POST", "") => add(front, request).await,
        ("DELETE", "") => {
            front.faults.clear();
            nothing_to_say()
        }
        ("DELETE", id) => match id.parse() {
            Ok(id) if front.faults.remove(id) => nothing_to_say(),
            _ => message(404, "There is no such rule; GET /_gateway/faults lists them"),
        },
        _ => message(404, "Not Found"),
    }
}

async fn add(front: &Arc<Front>, request: Request<Incoming>) -> Answer {
    let rule = match inbound::read_body(request.into_body(), MAX_RULE_BYTES).await {
        Ok(rule) => rule,
        Err(BodyRefusal::TooLarge) => return message(413, "A rule may have at most 16 KB"),
        Err(BodyRefusal::TooSlow) => return message(408, "Request Timeout"),
        Err(BodyRefusal::Broken) => return message(400, "Bad Request"),
    };
    match front.faults.add(&rule) {
        Ok(id) if front.faults.is_cut(id) => {
            json_answer(201, &json!({ "id": id, "cut": socket::cut(front, id) }))
        }
        Ok(id) => json_answer(201, &json!({ "id": id })),
        Err(refusal) => message(refusal.status, &refusal.to_string()),
    }
}

pub(super) fn nothing_to_say() -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}
