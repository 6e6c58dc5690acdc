//! The HTTP API.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{SessionId, Timestamp, TokenBucket, UserId};
use futures::FutureExt;
use lambda_http::Body;
use serde_json::{Value, json};
use service::port::TokenVerifier;
use service::{Caller, Error as ServiceError};
use uuid::Uuid;

use super::super::{read_request, respond, write_response};
use crate::http::{Request, Route, answer, no_content, ok};
use crate::quota;

/// A request as an HTTP API sends it in payload format 2.0, with some of it replaced.
fn http_event(changes: Value) -> lambda_http::Request {
    let mut event = json!({
        "version": "2.0",
        "routeKey": "POST /v1/conversations/{conversation_id}/messages",
        "rawPath": "/v1/conversations/01935b80-1000-7c00-9a00-00000000c001/messages",
        "rawQueryString": "cursor=a%2Bb%26c&limit=10&empty=",
        "headers": {
            "authorization": "Bearer  abc.def.ghi",
            "content-type": "application/json",
            "host": "api.example.org",
            "user-agent": "Confab/1.0"
        },
        "queryStringParameters": { "cursor": "a+b&c", "limit": "10", "empty": "" },
        "pathParameters": { "conversation_id": "01935b80-1000-7c00-9a00-00000000c001" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example.org",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/v1/conversations/01935b80-1000-7c00-9a00-00000000c001/messages",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "Confab/1.0"
            },
            "requestId": "Kx2bQh4ZoAMEVxg=",
            "routeKey": "POST /v1/conversations/{conversation_id}/messages",
            "stage": "$default",
            "time": "01/Mar/2026:12:00:00 +0000",
            "timeEpoch": 1_772_366_400_000_i64
        },
        "body": "{\"a\":1}",
        "isBase64Encoded": false
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

fn read(changes: Value) -> Request {
    read_request(http_event(changes)).0
}

#[test]
fn a_request_is_read_as_it_was_sent() {
    let request = read(json!({}));
    assert_eq!(request.bearer.as_deref(), Some("abc.def.ghi"));
    assert_eq!(request.query["cursor"], "a+b&c");
    assert_eq!((request.limit().unwrap(), request.query["empty"].as_str()), (10, ""));
    assert!(request.conversation_id().is_ok());
    assert_eq!(request.address().as_deref(), Some("203.0.113.7"));
    assert_eq!(request.user_agent().as_deref(), Some("Confab/1.0"));
    assert_eq!(request.request_id, "Kx2bQh4ZoAMEVxg=");
    assert_eq!(request.body, b"{\"a\":1}");
    assert!(request.caller.is_none(), "only a verifier makes a caller");
}

#[test]
fn a_body_in_base64_is_decoded_and_no_body_is_empty() {
    let request = read(json!({ "body": "eyJhIjoxfQ==", "isBase64Encoded": true }));
    assert_eq!(request.body, b"{\"a\":1}");
    assert!(read(json!({ "body": null })).body.is_empty());
}

#[test]
fn only_a_bearer_token_is_a_token() {
    let bearer = |header: &str| read(json!({ "headers": { "authorization": header } })).bearer;
    assert_eq!(bearer("bearer abc").as_deref(), Some("abc"));
    for header in ["", "Bearer", "Basic YWRhOmFkYQ==", "abc.def.ghi", "Bearerabc"] {
        assert_eq!(bearer(header), None, "{header:?}");
    }
    assert_eq!(read(json!({ "headers": {} })).bearer, None);
}

#[test]
fn what_is_missing_or_strange_is_no_panic() {
    let bare = read(json!({ "headers": {}, "pathParameters": null, "rawQueryString": "" }));
    assert!(bare.conversation_id().is_err() && bare.query.is_empty());
    assert_eq!(bare.user_agent(), None);
    for query in ["%", "%zz", "a=%ff", "=", "&&&", "limit", "limit=1&limit=2"] {
        let request = read(json!({ "rawQueryString": query }));
        let _ = (request.limit(), request.window(), request.page());
    }
    let context = json!({
        "http": { "method": "GET", "path": "/", "protocol": null, "sourceIp": null },
        "timeEpoch": 0
    });
    let without_names = read(json!({ "requestContext": context }));
    assert_eq!(without_names.address(), None);
    assert_eq!(without_names.request_id.len(), 36, "one of our own");
}

/// Takes the token `good`.
struct OneToken;

#[async_trait]
impl TokenVerifier for OneToken {
    async fn verify(&self, token: &str) -> Result<Caller, ServiceError> {
        let id = Uuid::from_u128(1);
        let caller = Caller::verified(UserId(id), SessionId(id));
        if token == "good" { Ok(caller) } else { Err(ServiceError::unauthenticated()) }
    }
}

/// A route that answers with whether there is a caller.
fn route(verifier: Option<Arc<dyn TokenVerifier>>) -> Route {
    let handler = |request: Request| {
        async move {
            let caller = request.caller()?;
            Ok(ok(&json!({ "user": caller.user_id().to_string() })))
        }
        .boxed()
    };
    Route { handler: Arc::new(handler), verifier }
}

#[tokio::test]
async fn a_protected_route_answers_401_to_every_token_but_a_good_one() {
    let route = route(Some(Arc::new(OneToken)));
    for (header, status) in [("Bearer good", 200), ("Bearer bad", 401), ("", 401)] {
        let request = read(json!({ "headers": { "authorization": header } }));
        let request_id = request.request_id.clone();
        let response = respond(&route, request).await;
        assert_eq!(response.status, status, "{header:?}");
        let written = write_response(response, &request_id).unwrap();
        assert_eq!(written.headers()["x-request-id"], "Kx2bQh4ZoAMEVxg=");
        assert_eq!(written.headers()["cache-control"], "no-store");
        assert_eq!(written.headers().contains_key("www-authenticate"), status == 401);
    }
}

#[tokio::test]
async fn an_open_route_looks_at_no_token() {
    let request = read(json!({ "headers": { "authorization": "Bearer good" } }));
    assert_eq!(respond(&route(None), request).await.status, 401, "the handler asked for a caller");
}

#[test]
fn an_answer_says_when_to_come_again_and_nothing_of_an_empty_body() {
    let busy = answer(&ServiceError::TooMany { retry_after_ms: 1_500 }.into(), "r-1");
    let written = write_response(busy, "r-1").unwrap();
    assert_eq!(written.status(), 429);
    assert_eq!(written.headers()["retry-after"], "2");
    assert_eq!(written.headers()["content-type"], "application/problem+json");
    let nothing = write_response(no_content(), "r-1").unwrap();
    assert!(matches!(nothing.body(), Body::Empty));
    assert!(!nothing.headers().contains_key("content-type"));
}

/// What the headers of the answer say of the limit: how many, how many are left, when one more.
async fn limit_told(status: u16, taken: Option<Result<i64, u64>>) -> Option<[String; 4]> {
    let handler = move |_| {
        let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
        async move {
            if let Some(taken) = taken {
                quota::note(TokenBucket::per_minute(10), taken.map(at), at(0));
            }
            match taken {
                Some(Err(retry_after_ms)) => Err(ServiceError::TooMany { retry_after_ms }.into()),
                _ => Ok(no_content()),
            }
        }
        .boxed()
    };
    let route = Route { handler: Arc::new(handler), verifier: None };
    let written = write_response(respond(&route, read(json!({}))).await, "r-1").unwrap();
    assert_eq!(written.status(), status);
    let named = |name: &str| Some(written.headers().get(name)?.to_str().unwrap().to_owned());
    Some([
        named("ratelimit-limit")?,
        named("ratelimit-remaining")?,
        named("ratelimit-reset")?,
        named("ratelimit-policy")?,
    ])
}

#[tokio::test]
async fn an_answer_says_how_near_the_limit_is() {
    let told = limit_told(204, Some(Ok(12_000))).await.unwrap();
    assert_eq!(told, ["10", "8", "6", "10;w=60"]);
    let told = limit_told(429, Some(Err(5_001))).await.unwrap();
    assert_eq!(told, ["10", "0", "6", "10;w=60"]);
    assert_eq!(limit_told(204, None).await, None, "nothing was counted");
}
