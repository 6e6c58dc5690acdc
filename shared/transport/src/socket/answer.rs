//! What goes back to a socket: at most one frame.

use protocol::frame::{ErrorData, ErrorItem, MessageSend, Said, ServerFrame};
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

/// Every error as an `error` frame. The cause is logged here, once. `sent` is what the client
/// sent, so that a refused message can be named by its `client_id`.
pub(crate) fn problem_frame(rejection: &Rejection, sent: Option<&MessageSend>) -> Said {
    let (code, retry_after_ms) = classify(rejection);
    if matches!(code, "internal" | "unavailable") {
        tracing::error!(code, error = chain(rejection), "frame failed");
    } else {
        tracing::info!(code, "frame refused");
    }
    let items = sent.and_then(|sent| items(rejection, sent));
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
            Error::Unauthenticated { code, .. }
            | Error::Forbidden { code, .. }
            | Error::NotFound { code, .. }
            | Error::Conflict { code, .. } => (code, None),
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
fn items(rejection: &Rejection, sent: &MessageSend) -> Option<Vec<ErrorItem>> {
    let Rejection::Service(Error::Invalid(fields)) = rejection else {
        return None;
    };
    let messages = sent.messages.as_ref()?;
    let item = |field: &FieldError| {
        let index: usize = field.name.strip_prefix("messages[")?.split_once(']')?.0.parse().ok()?;
        let client_id = messages.get(index)?.client_id.clone();
        Some(ErrorItem { client_id, code: field.code.to_owned() })
    };
    let items: Vec<_> = fields.iter().filter_map(item).collect();
    (!items.is_empty()).then_some(items)
}
