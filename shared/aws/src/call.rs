//! What a call that failed means to a port.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use service::port::Failure;

/// Longer explanations of a service are cut.
const DETAIL_MAX_CHARACTERS: usize = 300;

/// A call to AWS that did not succeed: the service's own code and words, never our request.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {detail}")]
pub(crate) struct CallFailed {
    code: String,
    detail: String,
}

impl CallFailed {
    pub(crate) fn new(code: &str, detail: &str) -> Self {
        let detail = detail.chars().take(DETAIL_MAX_CHARACTERS).collect();
        Self { code: code.to_owned(), detail }
    }
}

/// Throttled, timed out, unreachable or a 5xx: unavailable. Anything else that the service refused
/// will be refused again.
pub(crate) fn failure<E>(what: &'static str, error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let SdkError::ServiceError(refused) = &error else {
        let is_ours = matches!(error, SdkError::ConstructionFailure(_));
        let failed =
            CallFailed::new(if is_ours { "not sent" } else { "no answer" }, &chain(&error));
        return match is_ours {
            true => Failure::bug(what, failed),
            false => Failure::unavailable(what, failed),
        };
    };
    let status = refused.raw().status().as_u16();
    let code = refused.err().code().unwrap_or("no code");
    let failed = CallFailed::new(code, refused.err().message().unwrap_or("no message"));
    if status >= 500 || status == 429 || is_throttling(code) {
        return Failure::unavailable(what, failed);
    }
    Failure::bug(what, failed)
}

fn is_throttling(code: &str) -> bool {
    ["Throttl", "ThroughputExceeded", "LimitExceeded", "OverLimit", "InternalServerError"]
        .iter()
        .any(|word| code.contains(word))
}

/// The words of an error and of everything beneath it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    // An error that is its own source would never end.
    for _ in 0..8 {
        let Some(beneath) = source else { break };
        words = format!("{words}: {beneath}");
        source = beneath.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_is_told_from_a_refusal() {
        for code in ["ThrottlingException", "ProvisionedThroughputExceededException", "OverLimit"] {
            assert!(is_throttling(code), "{code}");
        }
        for code in ["ValidationException", "AccessDeniedException", "QueueDoesNotExist"] {
            assert!(!is_throttling(code), "{code}");
        }
    }

    #[test]
    fn a_long_explanation_is_cut() {
        let failed = CallFailed::new("Code", &"é".repeat(10_000));
        assert_eq!(failed.detail.chars().count(), DETAIL_MAX_CHARACTERS);
    }
}
