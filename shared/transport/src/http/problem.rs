//! Every error as `application/problem+json`.

use protocol::body::{Problem, ProblemField};
use service::{Error, FieldError};

use crate::Rejection;
use crate::http::Response;
use crate::telemetry::chain;

/// After a 503 a client waits so long; Lambda and Postgres are back within seconds.
const UNAVAILABLE_RETRY_SECONDS: u64 = 2;

/// What the client gets instead of a result. The cause is logged here, once.
pub(crate) fn answer(rejection: &Rejection, request_id: &str) -> Response {
    let (status, code, title) = classify(rejection);
    if status >= 500 {
        tracing::error!(code, error = chain(rejection), "request failed");
    } else {
        tracing::info!(code, "request refused");
    }
    let retry_after_seconds = retry_after_seconds(rejection);
    let problem = Problem {
        problem_type: "about:blank".to_owned(),
        title: title.to_owned(),
        status,
        code: code.to_owned(),
        detail: detail(rejection),
        request_id: request_id.to_owned(),
        fields: fields(rejection),
        retry_after_seconds,
    };
    let answer = Response::json(status, "application/problem+json", &problem);
    Response { retry_after_seconds, ..answer }
}

/// Status, stable code and title. `docs/errors.md` lists the codes.
fn classify(rejection: &Rejection) -> (u16, &'static str, &'static str) {
    match rejection {
        Rejection::NotJson(_) => (400, "invalid_json", "The body is not JSON"),
        Rejection::TooLarge { .. } => (413, "body_too_large", "The body is too large"),
        Rejection::UnknownFrame => (400, "unknown_frame", "Unknown frame"),
        Rejection::Service(error) => match error {
            Error::Invalid(_) => (422, "validation_failed", "Some values are not valid"),
            Error::Unauthenticated { code, .. } => (401, code, "Not signed in"),
            Error::Forbidden { code, .. } => (403, code, "Not allowed"),
            Error::NotFound { code, .. } => (404, code, "Not found"),
            Error::Conflict { code, .. } => (409, code, "Conflict"),
            Error::TooMany { .. } => (429, "too_many_requests", "Too many requests"),
            Error::Unavailable { .. } => (503, "unavailable", "Not available at the moment"),
            Error::Bug { .. } => (500, "internal", "An error of ours"),
        },
    }
}

fn detail(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Service(Error::Bug { .. }) => {
            "something went wrong on our side; tell us the request_id if it happens again".into()
        }
        Rejection::Service(Error::Unavailable { .. }) => {
            "a part of the service is not available at the moment; try again".into()
        }
        other => other.to_string(),
    }
}

fn fields(rejection: &Rejection) -> Option<Vec<ProblemField>> {
    let Rejection::Service(Error::Invalid(fields)) = rejection else {
        return None;
    };
    let field = |FieldError { name, code, detail }: &FieldError| ProblemField {
        name: name.clone(),
        code: (*code).to_owned(),
        detail: detail.clone(),
    };
    Some(fields.iter().map(field).collect())
}

fn retry_after_seconds(rejection: &Rejection) -> Option<u64> {
    match rejection {
        Rejection::Service(Error::TooMany { retry_after_ms }) => {
            Some(retry_after_ms.div_ceil(1000))
        }
        Rejection::Service(Error::Unavailable { .. }) => Some(UNAVAILABLE_RETRY_SECONDS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_inside_is_never_told() {
        for error in [
            Error::Bug { what: "history", source: "password=hunter2".into() },
            Error::Unavailable { what: "postgres", source: "host=10.0.0.7".into() },
        ] {
            let answer = answer(&error.into(), "r-1");
            let text = String::from_utf8(answer.body).unwrap();
            assert!(!text.contains("hunter2") && !text.contains("10.0.0.7"), "{text}");
            assert!(text.contains("\"request_id\":\"r-1\""), "{text}");
        }
    }

    #[test]
    fn waiting_is_rounded_up_to_whole_seconds() {
        let answer = answer(&Error::TooMany { retry_after_ms: 1 }.into(), "r-1");
        assert_eq!((answer.status, answer.retry_after_seconds), (429, Some(1)));
    }
}
