//! A request as its function sees it: payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::routes::Found;
use crate::front::clock::Stamp;
use crate::front::ids;
use crate::front::inbound::{header_values, query_values};

const ACCOUNT_ID: &str = "000000000000";
const API_ID: &str = "local-http";

/// What an event is made of.
pub(super) struct Facts<'a> {
    pub parts: &'a Parts,
    pub body: &'a Bytes,
    pub found: &'a Found,
    pub peer: SocketAddr,
    pub authority: &'a str,
    pub request_id: &'a str,
    pub now: Stamp,
}

/// Fields that AWS leaves out when they are empty are left out here too.
pub(super) fn request(facts: &Facts<'_>) -> Value {
    let parts = facts.parts;
    let query = parts.uri.query().unwrap_or_default();
    let mut event = Map::new();
    event.insert("version".into(), json!("2.0"));
    event.insert("routeKey".into(), json!(facts.found.route_key));
    event.insert("rawPath".into(), json!(parts.uri.path()));
    event.insert("rawQueryString".into(), json!(query));
    let cookies = cookies(parts);
    if !cookies.is_empty() {
        event.insert("cookies".into(), json!(cookies));
    }
    event.insert("headers".into(), json!(headers(facts)));
    let parameters = query_values(parts.uri.query());
    if !parameters.is_empty() {
        event.insert("queryStringParameters".into(), json!(joined(parameters)));
    }
    if !facts.found.parameters.is_empty() {
        event.insert("pathParameters".into(), json!(facts.found.parameters));
    }
    event.insert("requestContext".into(), context(facts));
    let (body, encoded) = body(parts, facts.body);
    if !body.is_empty() {
        event.insert("body".into(), json!(body));
    }
    event.insert("isBase64Encoded".into(), json!(encoded));
    Value::Object(event)
}

fn context(facts: &Facts<'_>) -> Value {
    let parts = facts.parts;
    let domain = text(parts, header::HOST.as_str()).unwrap_or(facts.authority);
    let domain = domain.rsplit_once(':').map_or(domain, |(name, _)| name);
    json!({
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or(domain),
        "http": {
            "method": parts.method.as_str(),
            "path": parts.uri.path(),
            "protocol": format!("{:?}", parts.version),
            "sourceIp": facts.peer.ip().to_string(),
            "userAgent": text(parts, header::USER_AGENT.as_str()).unwrap_or_default(),
        },
        "requestId": facts.request_id,
        "routeKey": facts.found.route_key,
        "stage": "$default",
        "time": facts.now.common_log(),
        "timeEpoch": facts.now.epoch_ms(),
    })
}

/// Lower-case names, duplicates joined by commas, cookies apart, and the forwarding headers that
/// API Gateway adds.
fn headers(facts: &Facts<'_>) -> BTreeMap<String, String> {
    let mut all = header_values(&facts.parts.headers);
    all.remove(header::COOKIE.as_str());
    all.entry("host".into()).or_insert_with(|| vec![facts.authority.to_owned()]);
    all.entry("x-forwarded-for".into()).or_default().push(facts.peer.ip().to_string());
    let port = facts.authority.rsplit_once(':').map_or("80", |(_, port)| port);
    all.insert("x-forwarded-port".into(), vec![port.to_owned()]);
    all.insert("x-forwarded-proto".into(), vec!["http".into()]);
    all.entry("x-amzn-trace-id".into()).or_insert_with(|| vec![trace_id(facts.now)]);
    joined(all)
}

fn trace_id(now: Stamp) -> String {
    let random = ids::request().replace('-', "");
    format!("Root=1-{:08x}-{}", now.epoch_ms() / 1000, random.get(..24).unwrap_or(&random))
}

fn joined(all: BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    all.into_iter().map(|(name, values)| (name, values.join(","))).collect()
}

fn cookies(parts: &Parts) -> Vec<String> {
    let lines = parts.headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).map(str::trim);
    pairs.filter(|pair| !pair.is_empty()).map(str::to_owned).collect()
}

fn text<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// The body and whether it is base64: text types as they are, if they are UTF-8, all else encoded
/// (forms too, as HTTP APIs do it).
fn body(parts: &Parts, body: &Bytes) -> (String, bool) {
    if body.is_empty() {
        return (String::new(), false);
    }
    let kind = text(parts, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    match std::str::from_utf8(body) {
        Ok(body) if is_text(kind) => (body.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&&*kind)
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}
