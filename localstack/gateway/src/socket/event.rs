//! The proxy events of a WebSocket API.

use std::collections::BTreeMap;

use http::request::Parts;
use serde_json::{Map, Value, json};

use super::Ending;
use super::connection::Connection;
use crate::front::clock::Clock;
use crate::front::ids;
use crate::front::inbound::{header_values, query_values};

const API_ID: &str = "local-socket";

/// One event and the id under which the log and the client know it.
pub(super) struct Event {
    pub request_id: String,
    pub value: Value,
}

/// The upgrade request. Header names come in lower case (hyper keeps no other); readers of
/// headers compare without case.
pub(super) fn connect(connection: &Connection, stage: &str, parts: &Parts) -> Event {
    let mut headers = header_values(&parts.headers);
    headers.entry("x-forwarded-for".into()).or_default().push(connection.source_ip.clone());
    headers.insert("x-forwarded-proto".into(), vec!["http".into()]);
    let mut fields = Map::new();
    fields.insert("headers".into(), json!(last_of_each(&headers)));
    fields.insert("multiValueHeaders".into(), json!(headers));
    let query = query_values(parts.uri.query());
    if !query.is_empty() {
        fields.insert("queryStringParameters".into(), json!(last_of_each(&query)));
        fields.insert("multiValueQueryStringParameters".into(), json!(query));
    }
    event(fields, connection, stage, ("$connect", "CONNECT"), Map::new())
}

/// One message of the client.
pub(super) fn message(connection: &Connection, stage: &str, route: &str, body: &str) -> Event {
    let mut fields = Map::new();
    fields.insert("body".into(), json!(body));
    let context = Map::from_iter([("messageId".into(), json!(ids::socket()))]);
    event(fields, connection, stage, (route, "MESSAGE"), context)
}

/// The end. AWS sends these four headers and no others.
pub(super) fn disconnect(connection: &Connection, stage: &str, ending: &Ending) -> Event {
    let headers = [
        ("Host", connection.host.as_str()),
        ("x-api-key", ""),
        ("X-Forwarded-For", ""),
        ("x-restapi", ""),
    ];
    let single: BTreeMap<_, _> = headers.into_iter().collect();
    let multiple: BTreeMap<_, _> =
        headers.into_iter().map(|(name, value)| (name, [value])).collect();
    let mut fields = Map::new();
    fields.insert("headers".into(), json!(single));
    fields.insert("multiValueHeaders".into(), json!(multiple));
    let context = Map::from_iter([
        ("disconnectStatusCode".into(), json!(ending.code)),
        ("disconnectReason".into(), json!(ending.reason)),
    ]);
    event(fields, connection, stage, ("$disconnect", "DISCONNECT"), context)
}

/// API Gateway's own frame, and its answer to a `$connect` that failed.
pub(super) fn error(text: &str, connection_id: &str, request_id: &str) -> Value {
    json!({ "message": text, "connectionId": connection_id, "requestId": request_id })
}

fn event(
    mut fields: Map<String, Value>,
    connection: &Connection,
    stage: &str,
    (route, kind): (&str, &str),
    mut context: Map<String, Value>,
) -> Event {
    let request_id = ids::socket();
    let now = Clock::now();
    let host = &connection.host;
    let common = [
        ("routeKey", json!(route)),
        ("eventType", json!(kind)),
        ("extendedRequestId", json!(request_id)),
        ("requestTime", json!(now.common_log())),
        ("messageDirection", json!("IN")),
        ("stage", json!(stage)),
        ("connectedAt", json!(connection.connected_at.epoch_ms())),
        ("requestTimeEpoch", json!(now.epoch_ms())),
        ("identity", identity(connection)),
        ("requestId", json!(request_id)),
        ("domainName", json!(host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name))),
        ("connectionId", json!(connection.id)),
        ("apiId", json!(API_ID)),
    ];
    context.extend(common.into_iter().map(|(name, value)| (name.to_owned(), value)));
    fields.insert("requestContext".into(), Value::Object(context));
    fields.insert("isBase64Encoded".into(), json!(false));
    Event { request_id, value: Value::Object(fields) }
}

/// Who is connected, as events and `GET @connections` say it.
pub(super) fn identity(connection: &Connection) -> Value {
    if connection.user_agent.is_empty() {
        return json!({ "sourceIp": connection.source_ip });
    }
    json!({ "sourceIp": connection.source_ip, "userAgent": connection.user_agent })
}

fn last_of_each(all: &BTreeMap<String, Vec<String>>) -> BTreeMap<&str, &str> {
    let pairs = all.iter().filter_map(|(name, values)| Some((name.as_str(), values.last()?)));
    pairs.map(|(name, value)| (name, value.as_str())).collect()
}
