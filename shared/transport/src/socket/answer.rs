//! What goes back to a socket: at most one frame.

use protocol::frame::{ErrorData, ErrorItem, Said, ServerFrame};
use serde_json::Value;
use service::{Error, FieldError};
use uuid::Uuid;

use crate::Rejection;
use crate::telemetry::chain;

/// A client tries again after so long when the server is not well.
const UNAVAILABLE_RETRY_MS: u64 = 1_000;

/// The text of a frame that answers another one.
pub(crate) fn frame_text(id: Uuid, in_reply_to: Option<Uuid>, said: Said) -> String {
    // Our own frames are plain structs of text and numbers; they always serialise.
    serde_json::to_string(&ServerFrame { id, in_reply_to, said }).unwrap_or_default()
}

/// Every error as an `error` frame. The cause is logged here, once. `sent` is the data of the
/// client's frame, whatever its shape, so that a refused message can be named by its `client_id`.
pub(crate) fn problem_frame(rejection: &Rejection, sent: &Value) -> Said {
    let (code, retry_after_ms) = classify(rejection);
    if matches!(code, "internal" | "unavailable") {
        tracing::error!(code, error = chain(rejection), "frame failed");
    } else {
        tracing::info!(code, "frame refused");
    }
    let items = items(rejection, sent);
    Said::Error(ErrorData {
        code: code.to_owned(),
        detail: detail(rejection),
        retry_after_ms,
        items,
    })
}

fn classify(rejection: &Rejection) -> (&'static str, Option<u64>) {
    match rejection {
        Rejection::NotJson(_) => ("invalid_json", None),
        Rejection::TooLarge { .. } => ("frame_too_large", None),
        Rejection::UnknownFrame => ("unknown_frame", None),
        Rejection::Service(error) => match error {
            Error::Invalid(_) => ("validation_failed", None),
            Error::BadRequest { code, .. }
            | Error::Unauthenticated { code, .. }
            | Error::Forbidden { code, .. }
            | Error::NotFound { code, .. }
            | Error::Conflict { code, .. }
            | Error::Gone { code, .. } => (code, None),
            Error::TooMany { retry_after_ms } => ("too_many_requests", Some(*retry_after_ms)),
            Error::Unavailable { .. } => ("unavailable", Some(UNAVAILABLE_RETRY_MS)),
            Error::Bug { .. } => ("internal", None),
        },
    }
}

fn detail(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Service(Error::Bug { .. }) => "something went wrong on our side".to_owned(),
        Rejection::Service(Error::Unavailable { .. }) => {
            "a part of the service is not available at the moment; try again".to_owned()
        }
        Rejection::Service(Error::Invalid(fields)) => fields
            .iter()
            .map(|FieldError { name, detail, .. }| format!("{name} {detail}").trim().to_owned())
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    }
}

/// `messages[3].text` → the `client_id` of the fourth message.
fn items(rejection: &Rejection, sent: &Value) -> Option<Vec<ErrorItem>> {
    let Rejection::Service(Error::Invalid(fields)) = rejection else {
        return None;
    };
    let messages = sent["messages"].as_array()?;
    let item = |field: &FieldError| {
        let index: usize = field.name.strip_prefix("messages[")?.split_once(']')?.0.parse().ok()?;
        let client_id = messages.get(index)?["client_id"].as_str().map(str::to_owned);
        Some(ErrorItem { client_id, code: field.code.to_owned() })
    };
    let items: Vec<_> = fields.iter().filter_map(item).collect();
    (!items.is_empty()).then_some(items)
}

#[cfg(test)]
mod tests {
    use domain::Invalid;
    use serde_json::json;

    use super::*;

    fn told(rejection: &Rejection, sent: &Value) -> ErrorData {
        match problem_frame(rejection, sent) {
            Said::Error(data) => data,
            other => panic!("{other:?}"),
        }
    }

    /// A send with so many messages, named `a`, `b`, ….
    fn sent(count: u8) -> Value {
        let draft = |number| json!({ "client_id": char::from(b'a' + number), "text": 5 });
        json!({ "messages": (0..count).map(draft).collect::<Vec<_>>() })
    }

    fn refused(names: &[&str]) -> Rejection {
        let field = |name: &&str| FieldError::new(*name, Invalid::new("required", "is required"));
        Error::Invalid(names.iter().map(field).collect()).into()
    }

    #[test]
    fn a_refused_message_is_named_by_its_client_id() {
        let rejection = refused(&["messages[1].text", "messages[0].kind", "messages[1].kind"]);
        let items = told(&rejection, &sent(2)).items.unwrap();
        let named: Vec<_> = items.iter().map(|item| item.client_id.as_deref()).collect();
        assert_eq!(named, [Some("b"), Some("a"), Some("b")]);
    }

    #[test]
    fn a_field_of_no_message_has_no_item() {
        let names =
            ["conversation_id", "messages", "messages[", "messages[x].text", "messages[9].text"];
        let data = told(&refused(&names), &sent(2));
        assert_eq!(data.items, None);
        assert!(data.detail.contains("conversation_id is required"), "{}", data.detail);
        assert_eq!(told(&refused(&["messages[0].text"]), &Value::Null).items, None);
    }

    #[test]
    fn only_what_passes_by_itself_says_when_to_try_again() {
        let busy = told(&Error::TooMany { retry_after_ms: 7 }.into(), &Value::Null);
        assert_eq!((busy.code.as_str(), busy.retry_after_ms), ("too_many_requests", Some(7)));
        let down = Error::Unavailable { what: "sqs", source: "host=10.0.0.7".into() };
        let down = told(&down.into(), &Value::Null);
        assert_eq!((down.code.as_str(), down.retry_after_ms), ("unavailable", Some(1_000)));
        assert!(!down.detail.contains("10.0.0.7"));
        let bug = Error::Bug { what: "history", source: "password=hunter2".into() };
        let bug = told(&bug.into(), &Value::Null);
        assert_eq!((bug.code.as_str(), bug.retry_after_ms), ("internal", None));
        assert!(!bug.detail.contains("hunter2"));
        for (rejection, code) in [
            (Rejection::NotJson("x".into()), "invalid_json"),
            (Rejection::TooLarge { max_bytes: 7 }, "frame_too_large"),
            (Rejection::UnknownFrame, "unknown_frame"),
            (Error::conversation_not_found().into(), "conversation_not_found"),
            (Error::unauthenticated().into(), "unauthenticated"),
        ] {
            let data = told(&rejection, &Value::Null);
            assert_eq!((data.code.as_str(), data.retry_after_ms), (code, None));
        }
    }
}
