//! Cross-origin rules. When the API has them, the gateway answers preflights itself and its
//! headers replace whatever the function says about origins.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;

use crate::front::Answer;
use crate::model::Cors;

/// The answer to a preflight; `None` if the request is none. A foreign origin gets no headers,
/// which is how browsers are told no.
pub(super) fn preflight<B>(rules: &Cors, request: &Request<B>) -> Option<Answer> {
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN)?;
    if request.method() != Method::OPTIONS
        || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return None;
    }
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    if decorate(rules, Some(origin), answer.headers_mut()) {
        let headers = answer.headers_mut();
        set_list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &rules.allow_methods);
        set_list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &rules.allow_headers);
        if let Some(seconds) = rules.max_age_seconds {
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
        }
    }
    Some(answer)
}

/// Puts the gateway's headers in place of the function's; says whether the origin is allowed.
pub(super) fn decorate(
    rules: &Cors,
    origin: Option<&HeaderValue>,
    headers: &mut HeaderMap,
) -> bool {
    let theirs: Vec<_> = headers.keys().filter(|name| is_cors(name.as_str())).cloned().collect();
    for name in theirs {
        headers.remove(name);
    }
    let allowed = origin.and_then(|origin| allowed_origin(rules, origin));
    let Some(allowed) = allowed else { return false };
    if allowed != "*" {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    set_list(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &rules.expose_headers);
    if rules.allow_credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    true
}

fn is_cors(name: &str) -> bool {
    name.starts_with("access-control-")
}

/// `*` stays `*`; a listed origin, or one under `https://*`, is named back.
fn allowed_origin(rules: &Cors, origin: &HeaderValue) -> Option<HeaderValue> {
    let text = origin.to_str().ok()?;
    let rule = rules.allow_origins.iter().find(|rule| match rule.as_str() {
        "*" => true,
        "https://*" | "http://*" => text.starts_with(rule.trim_end_matches('*')),
        exact => exact.eq_ignore_ascii_case(text),
    })?;
    Some(if rule == "*" { HeaderValue::from_static("*") } else { origin.clone() })
}

fn set_list(headers: &mut HeaderMap, name: header::HeaderName, values: &[String]) {
    if values.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&values.join(",")) {
        headers.insert(name, value);
    }
}
