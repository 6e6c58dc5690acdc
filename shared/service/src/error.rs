//! The ten kinds of errors, each an answer: what happened, to what, what now.

use std::error::Error as Source;

use domain::Invalid;

use crate::port::Failure;

/// One field of a request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The path inside the body or the name of the parameter: `members[2].user_id`.
    pub name: String,
    pub code: &'static str,
    pub detail: String,
}

impl FieldError {
    pub fn new(name: impl Into<String>, invalid: Invalid) -> Self {
        Self { name: name.into(), code: invalid.code, detail: invalid.detail }
    }
}

/// Every way a use case ends without its result. A transport maps it with one total match.
/// `Display` never repeats the source; the chain is logged once, at the edge.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was sent may be well-formed, and is worth nothing.
    #[error("{detail}")]
    BadRequest { code: &'static str, detail: &'static str },
    #[error("some of the values given are not valid")]
    Invalid(Vec<FieldError>),
    /// `code`: `unauthenticated`, `invalid_credentials`, `refresh_token_invalid`, ….
    #[error("{detail}")]
    Unauthenticated { code: &'static str, detail: &'static str },
    #[error("{detail}")]
    Forbidden { code: &'static str, detail: &'static str },
    #[error("{detail}")]
    NotFound { code: &'static str, detail: &'static str },
    #[error("{detail}")]
    Conflict { code: &'static str, detail: &'static str },
    /// It was there, and will not be again.
    #[error("{detail}")]
    Gone { code: &'static str, detail: &'static str },
    #[error("too many requests")]
    TooMany { retry_after_ms: u64 },
    #[error("{what} is not available at the moment")]
    Unavailable {
        what: &'static str,
        #[source]
        source: Box<dyn Source + Send + Sync>,
    },
    #[error("an error of ours in {what}")]
    Bug {
        what: &'static str,
        #[source]
        source: Box<dyn Source + Send + Sync>,
    },
}

impl Error {
    pub fn invalid(name: impl Into<String>, invalid: Invalid) -> Self {
        Self::Invalid(vec![FieldError::new(name, invalid)])
    }

    /// The same answer for a conversation that does not exist and for one that is not the
    /// caller's.
    pub fn conversation_not_found() -> Self {
        let detail = "there is no such conversation, or you are not a member of it";
        Self::NotFound { code: "conversation_not_found", detail }
    }

    /// The same for a message that does not exist and for one that the caller may not see.
    pub fn message_not_found() -> Self {
        let detail = "there is no such message, or you may not see it";
        Self::NotFound { code: "message_not_found", detail }
    }

    pub fn user_not_found() -> Self {
        Self::NotFound { code: "user_not_found", detail: "there is no such user" }
    }

    pub fn unauthenticated() -> Self {
        let detail = "a valid access token is required";
        Self::Unauthenticated { code: "unauthenticated", detail }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable { what, source } => Self::Unavailable { what, source },
            Failure::Bug { what, source } => Self::Bug { what, source },
        }
    }
}
