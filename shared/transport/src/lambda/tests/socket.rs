//! The WebSocket API.

use std::sync::{Arc, Mutex};

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use domain::{Invalid, limits};
use futures::FutureExt;
use protocol::frame::{MessageAccepted, MessageSend, Said};
use serde_json::{Value, json};
use service::{Error as ServiceError, FieldError};

use super::super::handle_socket;
use crate::Rejection;
use crate::socket::{Closed, Frame, Route, Upgrade};

/// An event as a WebSocket API sends it, with some of it replaced.
fn socket_event(changes: Value) -> ApiGatewayWebsocketProxyRequest {
    let mut event = json!({
        "requestContext": {
            "routeKey": "$default",
            "eventType": "MESSAGE",
            "extendedRequestId": "Kx2bQ",
            "requestTime": "01/Mar/2026:12:00:00 +0000",
            "messageDirection": "IN",
            "stage": "v1",
            "connectedAt": 1_772_366_400_000_i64,
            "requestTimeEpoch": 1_772_366_400_001_i64,
            "identity": { "sourceIp": "203.0.113.7", "userAgent": "Confab/1.0" },
            "requestId": "r-1",
            "domainName": "socket.example.org",
            "connectionId": "L0SM9cOFvHcCIhw=",
            "apiId": "api",
            "messageId": "m-1"
        },
        "body": null,
        "isBase64Encoded": false
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(fields) if name == "requestContext" => {
                for (field, value) in fields {
                    event[name][field] = value.clone();
                }
            }
            _ => event[name] = value.clone(),
        }
    }
    serde_json::from_value(event).unwrap()
}

fn echo() -> Route {
    Route::Frame(Arc::new(|frame: Frame| {
        async move {
            match frame.frame_type() {
                "silent" => Ok(None),
                "message.send" => {
                    let (to, drafts) = frame.data::<MessageSend>()?.parse()?;
                    let client_ids = drafts.iter().map(|draft| draft.client_id.0).collect();
                    let conversation_id = to.0;
                    Ok(Some(Said::MessageAccepted(MessageAccepted { conversation_id, client_ids })))
                }
                _ => Err(Rejection::UnknownFrame),
            }
        }
        .boxed()
    }))
}

const FRAME_ID: &str = "5b1c7a90-0f3e-4d2b-9c8a-7f6e5d4c3b2a";

/// The frame that goes back, or null.
async fn say(text: &str) -> Value {
    let event = socket_event(json!({ "body": text }));
    let answer = handle_socket(&echo(), event).await.unwrap();
    assert_eq!(answer["statusCode"], 200);
    answer["body"].as_str().map_or(Value::Null, |frame| serde_json::from_str(frame).unwrap())
}

#[tokio::test]
async fn a_frame_is_answered_in_reply_to_it_or_not_at_all() {
    let sent = include_str!("../../../../protocol/examples/client-message-send.json");
    let answer = say(sent).await;
    assert_eq!(answer["type"], "message.accepted");
    assert_eq!(answer["in_reply_to"], FRAME_ID);
    let silent = json!({ "type": "silent", "id": FRAME_ID }).to_string();
    assert_eq!(say(&silent).await, Value::Null);
    let unknown = json!({ "type": "dance", "id": FRAME_ID, "data": 7 }).to_string();
    let answer = say(&unknown).await;
    assert_eq!(
        (&answer["data"]["code"], &answer["in_reply_to"]),
        (&json!("unknown_frame"), &json!(FRAME_ID),)
    );
}

#[tokio::test]
async fn one_bad_message_is_named_by_its_client_id() {
    let frame = json!({
        "type": "message.send",
        "id": FRAME_ID,
        "data": {
            "conversation_id": "01935b80-1000-7c00-9a00-00000000c001",
            "messages": [
                { "client_id": "8d6f2c1a-3b4e-4f5a-9c6d-7e8f90a1b2c3", "text": "fine" },
                { "client_id": "8d6f2c1a-3b4e-4f5a-9c6d-7e8f90a1b2c4", "text": "" },
                { "client_id": "not an id", "text": "fine" },
            ],
        },
    });
    let answer = say(&frame.to_string()).await;
    assert_eq!(answer["data"]["code"], "validation_failed");
    let expected = json!([
        { "client_id": "8d6f2c1a-3b4e-4f5a-9c6d-7e8f90a1b2c4", "code": "invalid_text_length" },
        { "client_id": "not an id", "code": "invalid_uuid" },
    ]);
    assert_eq!(answer["data"]["items"], expected);
}

#[tokio::test]
async fn hostile_frames_get_an_error_frame_and_no_more() {
    let deep = "[".repeat(20_000);
    let long = " ".repeat(limits::FRAME_MAX_BYTES + 1);
    for (text, code) in [
        ("", "invalid_json"),
        ("hello", "invalid_json"),
        (&deep, "invalid_json"),
        (&long, "frame_too_large"),
        ("null", "validation_failed"),
        ("{}", "validation_failed"),
        ("{\"type\":\"message.send\"}", "validation_failed"),
        ("{\"type\":\"message.send\",\"id\":7}", "validation_failed"),
    ] {
        let answer = say(text).await;
        assert_eq!(answer["data"]["code"], code, "{:?}", text.get(..20));
        assert!(answer.get("in_reply_to").is_none());
    }
    for data in [json!(null), json!([]), json!("x"), json!({ "messages": 7 })] {
        let frame = json!({ "type": "message.send", "id": FRAME_ID, "data": data });
        let answer = say(&frame.to_string()).await;
        assert_eq!(answer["data"]["code"], "validation_failed", "{data}");
        assert_eq!(answer["in_reply_to"], FRAME_ID);
    }
}

#[tokio::test]
async fn an_event_without_a_connection_is_an_error_and_no_panic() {
    for id in [json!(null), json!(""), json!("a\nb"), json!("x".repeat(200))] {
        let event = socket_event(json!({ "requestContext": { "connectionId": id } }));
        assert!(handle_socket(&echo(), event).await.is_err(), "{id}");
    }
    let event = socket_event(json!({ "body": null }));
    let answer = handle_socket(&echo(), event).await.unwrap();
    assert!(answer["body"].as_str().unwrap().contains("invalid_json"));
}

/// Opens for the ticket `good`, and remembers what it was asked.
fn door(asked: Arc<Mutex<Vec<Upgrade>>>) -> Route {
    Route::Upgrade(Arc::new(move |upgrade: Upgrade| {
        let verdict = if upgrade.ticket() == "good" {
            Ok(())
        } else {
            Err(ServiceError::unauthenticated().into())
        };
        asked.lock().unwrap().push(upgrade);
        async move { verdict }.boxed()
    }))
}

#[tokio::test]
async fn an_upgrade_takes_its_ticket_from_the_query_or_the_subprotocols() {
    let asked = Arc::new(Mutex::new(vec![]));
    let door = door(asked.clone());
    let query = socket_event(json!({
        "queryStringParameters": { "ticket": "good" },
        "headers": { "Origin": "https://chat.example" },
    }));
    assert_eq!(handle_socket(&door, query).await.unwrap(), json!({ "statusCode": 200 }));
    let offered = socket_event(json!({
        "headers": { "Sec-WebSocket-Protocol": "chat.v1, ticket.good" },
    }));
    let answer = handle_socket(&door, offered).await.unwrap();
    assert_eq!(answer["headers"]["Sec-WebSocket-Protocol"], "chat.v1", "and never the ticket");
    let origins: Vec<_> = asked.lock().unwrap().iter().map(|one| one.origin.clone()).collect();
    assert_eq!(origins, [Some("https://chat.example".to_owned()), None]);
}

#[tokio::test]
async fn a_refused_upgrade_answers_with_its_status() {
    let door = door(Arc::default());
    for changes in [json!({}), json!({ "queryStringParameters": { "ticket": "bad" } })] {
        let answer = handle_socket(&door, socket_event(changes)).await.unwrap();
        assert_eq!(answer["statusCode"], 401);
        assert_eq!(answer["headers"]["content-type"], "application/problem+json");
        assert!(!answer["body"].as_str().unwrap().contains("bad"), "the ticket is not repeated");
    }
}

#[tokio::test]
async fn a_close_that_fails_says_so_to_the_platform() {
    let closed = |verdict: fn() -> Result<(), Rejection>| {
        Route::Closed(Arc::new(move |_: Closed| async move { verdict() }.boxed()))
    };
    let answer = handle_socket(&closed(|| Ok(())), socket_event(json!({}))).await.unwrap();
    assert_eq!(answer["statusCode"], 200);
    let fails = closed(|| {
        let field = FieldError::new("x", Invalid::new("x", "x"));
        Err(ServiceError::Invalid(vec![field]).into())
    });
    let answer = handle_socket(&fails, socket_event(json!({}))).await.unwrap();
    assert_eq!(answer["statusCode"], 500);
}
