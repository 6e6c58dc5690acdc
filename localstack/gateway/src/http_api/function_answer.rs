//! What a function may answer under payload format 2.0, read strictly.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Map, Value};

use crate::front::Answer;

/// What is wrong with an answer, for the log; the client only hears 500.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Malformed {
    #[error("it is not JSON")]
    NotJson,
    #[error("statusCode is not a number from 200 to 599")]
    Status,
    #[error("{0} is not of its type")]
    Field(&'static str),
    #[error("isBase64Encoded is true, but the body is not base64")]
    Base64,
}

/// These belong to the connection; hyper writes them.
const NOT_THE_FUNCTIONS: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TRAILER,
];

/// An object with `statusCode` says everything; any other JSON is the body of a 200.
pub(super) fn read(answer: &Bytes) -> Result<Answer, Malformed> {
    let answer = serde_json::from_slice::<Value>(answer).map_err(|_| Malformed::NotJson)?;
    match answer {
        Value::Object(fields) if fields.contains_key("statusCode") => structured(&fields),
        Value::String(text) => Ok(plain(text)),
        other => Ok(plain(other.to_string())),
    }
}

fn plain(body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

fn structured(fields: &Map<String, Value>) -> Result<Answer, Malformed> {
    let status = status(fields.get("statusCode")).ok_or(Malformed::Status)?;
    let body = body(fields)?;
    let has_body = !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let is_empty = body.is_empty();
    let mut answer = Response::new(Full::from(if has_body { body } else { Bytes::new() }));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers(fields)?;
    if has_body && !is_empty && !answer.headers().contains_key(header::CONTENT_TYPE) {
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, text);
    }
    Ok(answer)
}

fn status(value: Option<&Value>) -> Option<StatusCode> {
    let number = match value? {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (200..600).contains(&number).then(|| StatusCode::from_u16(number).ok()).flatten()
}

fn body(fields: &Map<String, Value>) -> Result<Bytes, Malformed> {
    let text = match fields.get("body") {
        None | Some(Value::Null) => return Ok(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Malformed::Field("body")),
    };
    match fields.get("isBase64Encoded") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(Bytes::from(text.clone())),
        Some(Value::Bool(true)) => {
            STANDARD.decode(text).map(Bytes::from).map_err(|_| Malformed::Base64)
        }
        Some(_) => Err(Malformed::Field("isBase64Encoded")),
    }
}

fn headers(fields: &Map<String, Value>) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::new();
    for (name, value) in object(fields, "headers")? {
        let value = scalar(value).ok_or(Malformed::Field("headers"))?;
        append(&mut headers, name, &value).ok_or(Malformed::Field("headers"))?;
    }
    for (name, values) in object(fields, "multiValueHeaders")? {
        let wrong = || Malformed::Field("multiValueHeaders");
        for value in values.as_array().ok_or_else(wrong)? {
            let value = scalar(value).ok_or_else(wrong)?;
            append(&mut headers, name, &value).ok_or_else(wrong)?;
        }
    }
    let cookies = match fields.get("cookies") {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(cookies)) => cookies,
        Some(_) => return Err(Malformed::Field("cookies")),
    };
    for cookie in cookies {
        let cookie = cookie.as_str().ok_or(Malformed::Field("cookies"))?;
        append(&mut headers, "set-cookie", cookie).ok_or(Malformed::Field("cookies"))?;
    }
    for name in NOT_THE_FUNCTIONS {
        headers.remove(name);
    }
    Ok(headers)
}

fn object<'a>(
    fields: &'a Map<String, Value>,
    name: &'static str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Malformed> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(entries)) => Ok(Some(entries)),
        Some(_) => Err(Malformed::Field(name)),
    }
    .map(|entries| entries.into_iter().flatten())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Option<()> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let value = HeaderValue::from_str(value).ok()?;
    headers.append(name, value);
    Some(())
}
