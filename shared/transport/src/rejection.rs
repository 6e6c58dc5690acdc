//! Why a request, a frame or a job got no result.

use domain::Invalid;
use protocol::Fields;
use service::{Error, FieldError};

/// What a handler returns instead of an answer.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    #[error(transparent)]
    Service(#[from] Error),
    /// The body is not JSON at all.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    #[error("it has more than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
    /// A frame type that the server does not know.
    #[error("there is no such frame type")]
    UnknownFrame,
}

impl From<Fields> for Rejection {
    fn from(fields: Fields) -> Self {
        let field = |(name, invalid)| FieldError::new(name, invalid);
        Self::Service(Error::Invalid(fields.0.into_iter().map(field).collect()))
    }
}

impl Rejection {
    pub fn field(name: &str, invalid: Invalid) -> Self {
        Self::Service(Error::invalid(name, invalid))
    }
}

/// Reads JSON of a known shape. Syntax errors and shape errors are told apart, and a shape error
/// names the field.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        Rejection::NotJson(format!("line {}, column {}", error.line(), error.column()))
    })?;
    read_value(value)
}

/// As [`read_json`], for what is JSON already.
pub(crate) fn read_value<T: serde::de::DeserializeOwned>(
    value: serde_json::Value,
) -> Result<T, Rejection> {
    if !value.is_object() {
        let invalid = Invalid::new("invalid_type", "must be a JSON object");
        return Err(Rejection::field("", invalid));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let name = if path == "." { String::new() } else { path };
        Rejection::field(&name, Invalid::new("invalid_type", error.into_inner().to_string()))
    })
}
