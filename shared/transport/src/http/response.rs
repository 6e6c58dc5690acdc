//! What a handler says over HTTP.

use serde::Serialize;

use crate::quota::Quota;

/// A status and a JSON body, or no body at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) retry_after_seconds: Option<u64>,
    /// What is left of the limit that the request was counted against.
    pub(crate) quota: Option<Quota>,
    /// Its name, for an answer that a browser keeps as a file.
    pub(crate) file_name: Option<String>,
}

impl Response {
    pub(crate) fn json(status: u16, content_type: &'static str, body: &impl Serialize) -> Self {
        // Our own answers are plain structs of text and numbers; they always serialise.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let (retry_after_seconds, quota, file_name) = (None, None, None);
        Self { status, content_type, body, retry_after_seconds, quota, file_name }
    }
}

pub fn ok(body: &impl Serialize) -> Response {
    Response::json(200, "application/json", body)
}

/// As [`ok`], for a browser to keep as a file. The name is ours: plain letters, digits, `-`, `.`.
pub fn download(file_name: String, body: &impl Serialize) -> Response {
    Response { file_name: Some(file_name), ..ok(body) }
}

pub fn created(body: &impl Serialize) -> Response {
    Response::json(201, "application/json", body)
}

/// 201 for something new, 200 for what was there before.
pub fn ok_or_created(is_new: bool, body: &impl Serialize) -> Response {
    if is_new { created(body) } else { ok(body) }
}

pub fn accepted(body: &impl Serialize) -> Response {
    Response::json(202, "application/json", body)
}

/// 202 with nothing to say: what was asked for is on its way, if there is anything to do at all.
pub fn accepted_empty() -> Response {
    accepted(&serde_json::Map::new())
}

/// 503 with a body that says what is down.
pub fn unavailable(body: &impl Serialize) -> Response {
    Response::json(503, "application/json", body)
}

pub fn no_content() -> Response {
    let (status, content_type, body) = (204, "", vec![]);
    let (retry_after_seconds, quota, file_name) = (None, None, None);
    Response { status, content_type, body, retry_after_seconds, quota, file_name }
}
