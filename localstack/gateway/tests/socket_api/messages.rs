//! Frames become events, and answers become frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use gateway::invoke::InvokeError;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::client::{Client, answering_messages, connection_id, echoing};
use crate::front_support::{TestGateway, socket_model};

#[tokio::test]
async fn a_message_goes_to_its_route_and_the_answer_comes_back() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    for (frame, function) in [
        (json!({ "type": "heartbeat", "id": "1" }), "socket-heartbeat"),
        (json!({ "type": "message.send", "text": "é" }), "socket-message"),
        (json!({ "type": "$connect" }), "socket-message"),
        (json!(["no object"]), "socket-message"),
    ] {
        client.say(&frame).await;
        assert_eq!(client.hear().await, frame);
        let event = gateway.functions.calls_of(function).pop().unwrap();
        assert_eq!(event["body"], frame.to_string());
    }
    assert_eq!(gateway.functions.calls_of("socket-connect").len(), 1);
}

#[tokio::test]
async fn the_message_event_names_its_connection() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    client.say(&json!({ "type": "heartbeat" })).await;
    client.hear().await;
    let event = gateway.functions.calls_of("socket-heartbeat").remove(0);
    let event: ApiGatewayWebsocketProxyRequest = serde_json::from_value(event).unwrap();
    assert_eq!(event.body.as_deref(), Some(r#"{"type":"heartbeat"}"#));
    let context = event.request_context;
    assert_eq!(context.event_type.as_deref(), Some("MESSAGE"));
    assert_eq!(context.route_key.as_deref(), Some("heartbeat"));
    assert_eq!(context.connection_id, Some(connection_id(&gateway).await));
    assert!(context.message_id.is_some());
}

#[tokio::test]
async fn a_route_without_a_response_and_an_empty_body_say_nothing() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    client.say(&json!({ "type": "quiet" })).await;
    gateway.functions.wait_for("socket-quiet", 1).await;
    client.has_heard_nothing().await;

    let gateway = answering_messages(Ok(json!({ "statusCode": 200, "body": "" }))).await;
    let mut client = Client::connect(&gateway).await;
    client.say(&json!({ "type": "heartbeat" })).await;
    gateway.functions.wait_for("socket-heartbeat", 1).await;
    client.has_heard_nothing().await;
}

#[tokio::test]
async fn the_body_of_an_unhappy_status_is_sent_like_any_other() {
    let answer = json!({ "statusCode": 500, "body": r#"{"type":"error"}"# });
    let gateway = answering_messages(Ok(answer)).await;
    let mut client = Client::connect(&gateway).await;
    client.say(&json!({ "type": "heartbeat" })).await;
    assert_eq!(client.hear().await, json!({ "type": "error" }));
}

#[tokio::test]
async fn a_failed_integration_is_told_with_the_gateways_own_frame() {
    let huge = "x".repeat(128 * 1024 + 1);
    for answer in [
        Err(InvokeError::Function("a stack trace".into())),
        Err(InvokeError::Crashed),
        Err(InvokeError::Timeout(1)),
        Err(InvokeError::Throttled),
        Err(InvokeError::Unavailable("no".into())),
        Ok(Value::Null),
        Ok(json!("text")),
        Ok(json!({ "body": "no status" })),
        Ok(json!({ "statusCode": 200, "Data": "unknown field" })),
        Ok(json!({ "statusCode": 200, "body": { "no": "text" } })),
        Ok(json!({ "raw": "not json" })),
        Ok(json!({ "statusCode": 200, "body": huge })),
    ] {
        let gateway = answering_messages(answer).await;
        let mut client = Client::connect(&gateway).await;
        // Also on a route without a route response.
        for kind in ["heartbeat", "quiet"] {
            client.say(&json!({ "type": kind })).await;
            let frame = client.hear().await;
            assert_eq!(frame["message"], "Internal server error");
            assert_eq!(frame["connectionId"], connection_id(&gateway).await);
            assert!(frame["requestId"].is_string());
            assert_eq!(frame.as_object().unwrap().len(), 3);
        }
    }
}

#[tokio::test]
async fn a_message_that_has_no_route_at_all_is_forbidden() {
    let mut model = socket_model();
    model.socket.routes.remove("$default");
    let gateway =
        TestGateway::start(model, 1.0, |_, _| async { Ok(json!({ "statusCode": 200 })) }).await;
    let mut client = Client::connect(&gateway).await;
    client.say(&json!({ "type": "unknown" })).await;
    assert_eq!(client.hear().await["message"], "Forbidden");
}

#[tokio::test]
async fn frames_of_one_socket_run_at_the_same_time_and_may_be_swapped() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let gateway = TestGateway::start(socket_model(), 1.0, move |function, event| {
        let held = Arc::clone(&held);
        async move {
            match function.as_str() {
                // The first frame's function ends only after the second's.
                "socket-message" => held.acquire().await.unwrap().forget(),
                "socket-heartbeat" => held.add_permits(1),
                _ => {}
            }
            Ok(json!({ "statusCode": 200, "body": event["body"] }))
        }
    })
    .await;
    let mut client = Client::connect(&gateway).await;
    client.say(&json!({ "type": "message.send" })).await;
    gateway.functions.wait_for("socket-message", 1).await;
    client.say(&json!({ "type": "heartbeat" })).await;
    let mut heard = vec![client.hear().await, client.hear().await];
    heard.sort_by_key(ToString::to_string);
    assert_eq!(heard, [json!({ "type": "heartbeat" }), json!({ "type": "message.send" })]);
}

#[tokio::test]
async fn a_socket_has_at_most_sixty_four_frames_in_flight() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let (now, peak, held) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&gate));
    let gateway = TestGateway::start(socket_model(), 1.0, move |function, _| {
        let (now, peak, held) = (Arc::clone(&now), Arc::clone(&peak), Arc::clone(&held));
        async move {
            if function == "socket-heartbeat" {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                held.acquire().await.unwrap().forget();
                now.fetch_sub(1, Ordering::SeqCst);
            }
            Ok(json!({ "statusCode": 200, "body": "{}" }))
        }
    })
    .await;
    let mut client = Client::connect(&gateway).await;
    for _ in 0..100 {
        client.say(&json!({ "type": "heartbeat" })).await;
    }
    gateway.functions.wait_for("socket-heartbeat", 64).await;
    gate.add_permits(100);
    for _ in 0..100 {
        client.hear().await;
    }
    assert_eq!(most.load(Ordering::SeqCst), 64);
}
