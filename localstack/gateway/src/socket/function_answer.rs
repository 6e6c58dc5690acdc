//! What a function behind a WebSocket route may answer. API Gateway is stricter here than for
//! HTTP: no shorthand, and a field that it does not know fails the integration.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    status_code: u16,
    headers: Option<Map<String, Value>>,
    multi_value_headers: Option<Map<String, Value>>,
    body: Option<String>,
    #[serde(rename = "isBase64Encoded")]
    _is_base64_encoded: Option<bool>,
}

/// A well-formed answer.
#[derive(Debug)]
pub(super) struct FunctionAnswer {
    pub status: u16,
    pub body: String,
    headers: Map<String, Value>,
}

impl FunctionAnswer {
    /// # Errors
    /// Says what is wrong, for the log.
    pub fn read(answer: &Bytes) -> Result<Self, serde_json::Error> {
        let fields: Fields = serde_json::from_slice(answer)?;
        let mut headers = fields.headers.unwrap_or_default();
        headers.extend(fields.multi_value_headers.unwrap_or_default());
        let body = fields.body.unwrap_or_default();
        Ok(Self { status: fields.status_code, body, headers })
    }

    /// A header's value, found without case; the first one if it has several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match found?.1 {
            Value::Array(values) => values.first()?.as_str(),
            value => value.as_str(),
        }
    }
}
