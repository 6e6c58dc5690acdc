//! What every request must satisfy before any API looks at it, and how its parts are read.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use percent_encoding::percent_decode_str;

use super::{Answer, message};

/// "Total combined size of request line and header values: 10,240 bytes" (HTTP API quotas).
const MAX_HEADER_BYTES: usize = 10_240;
/// A body must arrive within the time that its function would have.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How much of a too large body is read and thrown away, so that its sender, still writing, can
/// read the answer instead of meeting a reset connection.
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// The answer to a request that no API accepts, whatever its path.
pub(crate) fn refusal<B>(request: &Request<B>) -> Option<Answer> {
    let line = request.method().as_str().len() + request.uri().to_string().len();
    let headers = request.headers();
    let bytes = headers.iter().fold(line, |sum, (name, value)| {
        sum.saturating_add(name.as_str().len()).saturating_add(value.len())
    });
    if bytes > MAX_HEADER_BYTES {
        return Some(message(431, "Request Header Fields Too Large"));
    }
    // The functions' header type takes visible ASCII only; anything else would break the event.
    if headers.values().any(|value| value.to_str().is_err()) {
        return Some(message(400, "Bad Request"));
    }
    None
}

/// Whether the client wants to leave HTTP for a WebSocket.
pub(crate) fn asks_for_a_socket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// All values of each header, by lower-case name.
pub(crate) fn header_values(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        all.entry(name.as_str().to_owned()).or_default().push(text);
    }
    all
}

/// All values of each query parameter, decoded; what is not UTF-8 becomes U+FFFD.
pub(crate) fn query_values(query: Option<&str>) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        all.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    all
}

/// The text that a piece of a path stands for; `None` for `%zz`, `%4` and what is not UTF-8.
pub(crate) fn decode_strictly(raw: &str) -> Option<String> {
    let bytes = raw.as_bytes();
    let valid = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        let digits = bytes.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !valid {
        return None;
    }
    percent_decode_str(raw).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRefusal {
    TooLarge,
    TooSlow,
    /// The client stopped in the middle, or its framing is wrong.
    Broken,
}

/// Reads a body of at most `max_bytes`. Memory stays within that limit whatever is sent.
pub(crate) async fn read_body(body: Incoming, max_bytes: usize) -> Result<Bytes, BodyRefusal> {
    let reading = tokio::time::timeout(BODY_TIME, read_up_to(body, max_bytes));
    reading.await.unwrap_or(Err(BodyRefusal::TooSlow))
}

async fn read_up_to(mut body: Incoming, max_bytes: usize) -> Result<Bytes, BodyRefusal> {
    let mut kept = BytesMut::new();
    let mut seen: usize = 0;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > MAX_DISCARDED_BYTES {
        return Err(BodyRefusal::TooLarge);
    }
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyRefusal::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > MAX_DISCARDED_BYTES {
            return Err(BodyRefusal::TooLarge);
        }
        if seen <= max_bytes {
            kept.extend_from_slice(&data);
        } else {
            kept = BytesMut::new();
        }
    }
    if seen > max_bytes { Err(BodyRefusal::TooLarge) } else { Ok(kept.freeze()) }
}
