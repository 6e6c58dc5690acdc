//! The gateway's own pages, below `/_gateway/`. They are for developers and scripts on this
//! machine; AWS has nothing like them.

use std::sync::Arc;

use http::{Method, Request, header};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::fault_pages::{self, nothing_to_say};
use super::{Answer, Front, json_answer, message, milliseconds};

/// The page's route for the log, and the answer. `page` is the path behind `/_gateway/`.
pub(super) async fn answer(
    front: &Arc<Front>,
    request: Request<Incoming>,
    page: &str,
) -> (String, Answer) {
    let method = request.method().clone();
    // A web page that a developer happens to read must not turn anything here.
    if method != Method::GET && request.headers().contains_key(header::ORIGIN) {
        return (String::from("none"), message(403, "Web pages may not use the gateway's pages"));
    }
    let (name, rest) = page.split_once('/').unwrap_or((page, ""));
    let route = format!("{method} /_gateway/{name}");
    let answer = match (name, method.as_str(), rest) {
        ("functions", "GET", "") => json_answer(200, &front.invoke.status()),
        ("schedules", "GET", "") => json_answer(200, &front.schedules.as_json()),
        ("schedules", "POST", id) if !id.is_empty() => fire(front, id).await,
        ("usage", "GET", "") => json_answer(200, &front.usage.as_json()),
        ("usage", "DELETE", "") => {
            front.usage.reset();
            nothing_to_say()
        }
        ("faults", _, rest) => fault_pages::answer(front, request, rest).await,
        _ => return (String::from("none"), message(404, "Not Found")),
    };
    (route, answer)
}

async fn fire(front: &Front, id: &str) -> Answer {
    let Some(fired) = front.schedules.fire(id).await else {
        return message(404, "The template has no such rule; GET /_gateway/schedules lists them");
    };
    let mut body = json!({
        "rule": id,
        "function": fired.function,
        "duration_ms": milliseconds(fired.took),
    });
    match fired.answer {
        Ok(answer) => {
            // Most functions answer JSON; whatever else it is, is shown as text.
            body["answer"] = serde_json::from_slice(&answer)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&answer).into_owned()));
            json_answer(200, &body)
        }
        Err(failure) => {
            body["message"] = Value::from(failure.to_string());
            json_answer(502, &body)
        }
    }
}
