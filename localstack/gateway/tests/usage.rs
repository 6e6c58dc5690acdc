//! `/_gateway/usage`: what AWS would bill for what a test has done.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

mod gateway_support;

use futures::{SinkExt, StreamExt};
use gateway_support::{Gateway, eventually, fresh_stack, sdk};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

fn url(gateway: &Gateway) -> String {
    format!("{}/_gateway/usage", gateway.url)
}

async fn usage(gateway: &Gateway) -> Value {
    reqwest::get(url(gateway)).await.unwrap().json().await.unwrap()
}

async fn reset(gateway: &Gateway) {
    let answer = reqwest::Client::new().delete(url(gateway)).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

/// A request whose function prints `line` on its way.
async fn print(gateway: &Gateway, line: &str) {
    let url = format!("{}/orders/7", gateway.url);
    let order = reqwest::Client::new().post(url).json(&json!({ "do": "write", "text": line }));
    assert!(order.send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn what_functions_print_about_their_usage_is_added_up() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    let line = |usage: &str| json!({ "level": "DEBUG", "message": "usage", "usage": usage });
    for printed in [
        line(r#"{"dynamodb.read_units":1.5,"sqs.requests":1}"#),
        line(r#"{"dynamodb.read_units":2.5,"own.counter":7}"#),
        line("not json"),
        line(r#"{"sqs.requests":"many"}"#),
        json!({ "message": "usage", "usage": 7 }),
        json!({ "message": "other", "usage": "{\"sqs.requests\":1}" }),
    ] {
        print(&gateway, &printed.to_string()).await;
    }
    let expected = json!({ "dynamodb.read_units": 4.0, "sqs.requests": 1.0, "own.counter": 7.0 });
    // Lines and answers take different ways out of a process.
    let is_added = async || usage(&gateway).await["functions"]["obey"] == expected;
    eventually("all lines are added up", is_added).await;
    let usage = usage(&gateway).await;
    assert_eq!(usage["http"]["requests"], 6);
    let lambda = &usage["lambda"]["obey"];
    assert_eq!(lambda["invocations"], 6);
    assert_eq!(lambda["memory_mb"], 256);
    // Six rounded up, and the cold start.
    assert!(lambda["billed_ms"].as_u64().unwrap() >= 6 + lambda["init_ms"].as_u64().unwrap());
    assert!(lambda["init_ms"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn sockets_posts_and_queues_are_counted_from_the_last_reset() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    let (mut socket, _) = connect_async(&gateway.socket_url).await.unwrap();
    reset(&gateway).await;
    let large = "x".repeat(30 * 1024);
    for body in ["small", &large] {
        socket.send(Message::text(body)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(body));
    }
    let sqs = aws_sdk_sqs::Client::new(&sdk().await);
    let queue = format!("{}-ordered.fifo", gateway.stack);
    let queue_url = sqs.get_queue_url().queue_name(&queue).send().await.unwrap().queue_url.unwrap();
    let message = sqs.send_message().queue_url(queue_url).message_body("m");
    message.message_group_id("g").message_deduplication_id("d").send().await.unwrap();
    let of_queue = async || usage(&gateway).await["sqs_pollers"][&queue].clone();
    eventually("the message is deleted", async || of_queue().await["deletes"] == 1).await;

    let counted = usage(&gateway).await;
    let socket = &counted["socket"];
    assert_eq!([&socket["frames_in"], &socket["units_in"]], [2, 2]);
    assert_eq!([&socket["frames_out"], &socket["units_out"]], [2, 2]);
    assert!(socket["connection_minutes"].as_f64().unwrap() > 0.0);
    let queue = of_queue().await;
    assert_eq!(queue["is_fifo"], true);
    assert!(queue["receives"].as_u64() > queue["empty_receives"].as_u64(), "{queue}");
    assert_eq!(counted["management"], json!({ "posts": 0, "units": 0 }));
}
