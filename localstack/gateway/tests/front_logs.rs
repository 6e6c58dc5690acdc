//! What the gateway writes down about requests and sockets, and what it must never write down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

mod front_support;
use front_support::{TestGateway, socket_model};
use gateway::model::HttpRoute;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn gateway() -> TestGateway {
    let mut model = socket_model();
    model.http.routes.push(HttpRoute {
        method: "POST".into(),
        path: "/v1/users/{user_id}".into(),
        function: "update-me".into(),
    });
    TestGateway::start(model, 1.0, |_, _| async {
        let headers = json!({ "sec-websocket-protocol": "chat.v1" });
        Ok(json!({ "statusCode": 200, "headers": headers, "body": "{\"a\":\"secret\"}" }))
    })
    .await
}

async fn talk(gateway: &TestGateway) {
    let client = reqwest::Client::new();
    let request = client.post(gateway.url("/v1/users/secret?token=secret")).body("secret");
    request.bearer_auth("secret").send().await.unwrap();

    let url = format!("ws://{}/socket?ticket=secret", gateway.address);
    let mut request = url.into_client_request().unwrap();
    let offer = "chat.v1, ticket.secret".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", offer);
    let (mut socket, _) = connect_async(request).await.unwrap();
    socket.send(Message::text(r#"{"type":"heartbeat","a":"secret"}"#)).await.unwrap();
    socket.next().await.unwrap().unwrap();
    let close = CloseFrame { code: 4000.into(), reason: "secret".into() };
    socket.close(Some(close)).await.unwrap();
    gateway.functions.wait_for("socket-disconnect", 1).await;
}

#[tokio::test]
async fn each_request_and_socket_event_is_one_line_without_a_secret() {
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || written.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let gateway = gateway().await;
    talk(&gateway).await;
    gateway.stop().await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let from_gateway = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let from_gateway: Vec<Value> = from_gateway
        .filter(|line| line["target"].as_str().unwrap().starts_with("gateway"))
        .collect();
    for line in &from_gateway {
        assert!(!line.to_string().contains("secret"), "{line}");
    }
    let routes = ["POST /v1/users/{user_id}", "$connect", "heartbeat", "$disconnect"];
    for route in routes {
        let lines = from_gateway.iter().map(|line| &line["fields"]);
        let lines: Vec<&Value> = lines.filter(|fields| fields["route"] == route).collect();
        assert_eq!(lines.len(), 1, "{route}");
        assert!(lines[0]["request_id"].is_string());
        assert!(lines[0]["duration_ms"].is_f64());
        assert_eq!(lines[0]["status"], if route == "$connect" { 101 } else { 200 });
        assert_eq!(lines[0]["connection_id"].is_string(), !route.starts_with("POST"));
    }
}
