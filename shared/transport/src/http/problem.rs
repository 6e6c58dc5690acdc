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
            Error::BadRequest { code, .. } => (400, code, "The request is worth nothing"),
            Error::Invalid(_) => (422, "validation_failed", "Some values are not valid"),
            Error::Unauthenticated { code, .. } => (401, code, "Not signed in"),
            Error::Forbidden { code, .. } => (403, code, "Not allowed"),
            Error::NotFound { code, .. } => (404, code, "Not found"),
            Error::Conflict { code, .. } => (409, code, "Conflict"),
            Error::Gone { code, .. } => (410, code, "Gone"),
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

    fn source() -> Box<dyn std::error::Error + Send + Sync> {
        "a cause".into()
    }

    #[test]
    fn every_kind_of_error_has_its_status_and_code() {
        let field = FieldError { name: "a".into(), code: "required", detail: "is required".into() };
        let kinds: Vec<(Rejection, u16, &str)> = vec![
            (Rejection::NotJson("line 1, column 2".into()), 400, "invalid_json"),
            (Rejection::TooLarge { max_bytes: 7 }, 413, "body_too_large"),
            (Rejection::UnknownFrame, 400, "unknown_frame"),
            (Error::Invalid(vec![field]).into(), 422, "validation_failed"),
            (Error::BadRequest { code: "c", detail: "d" }.into(), 400, "c"),
            (Error::Unauthenticated { code: "c", detail: "d" }.into(), 401, "c"),
            (Error::Forbidden { code: "c", detail: "d" }.into(), 403, "c"),
            (Error::NotFound { code: "c", detail: "d" }.into(), 404, "c"),
            (Error::Conflict { code: "c", detail: "d" }.into(), 409, "c"),
            (Error::Gone { code: "c", detail: "d" }.into(), 410, "c"),
            (Error::TooMany { retry_after_ms: 10 }.into(), 429, "too_many_requests"),
            (Error::Unavailable { what: "w", source: source() }.into(), 503, "unavailable"),
            (Error::Bug { what: "w", source: source() }.into(), 500, "internal"),
        ];
        for (rejection, status, code) in kinds {
            let answer = answer(&rejection, "r-1");
            assert_eq!((answer.status, answer.content_type), (status, "application/problem+json"));
            let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!((problem.status, problem.code.as_str()), (status, code));
            assert!(!problem.title.is_empty() && !problem.detail.is_empty());
            assert_eq!(problem.fields.is_some(), status == 422);
            assert_eq!(problem.retry_after_seconds.is_some(), matches!(status, 429 | 503));
            assert_eq!(answer.retry_after_seconds, problem.retry_after_seconds);
        }
    }
}
