//! How sockets end, and what `$disconnect` hears of it.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use futures::SinkExt;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::client::{Client, connection_id, disconnection, echoing, post};

#[tokio::test]
async fn the_clients_close_code_is_echoed_and_reported() {
    for (code, reason) in [(1000, "bye"), (1001, ""), (4321, "own code")] {
        let gateway = echoing(1.0).await;
        let mut client = Client::connect(&gateway).await;
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        client.socket.close(Some(frame)).await.unwrap();
        assert_eq!(client.hear_close().await, code);
        assert_eq!(disconnection(&gateway).await, (i64::from(code), reason.to_owned()));
    }
}

#[tokio::test]
async fn a_close_without_a_code_is_1005() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    client.socket.close(None).await.unwrap();
    let reason = "Client-side close frame status not set".to_owned();
    assert_eq!(disconnection(&gateway).await, (1005, reason));
}

#[tokio::test]
async fn the_disconnect_event_is_one_that_functions_can_read() {
    let gateway = echoing(1.0).await;
    let client = Client::connect(&gateway).await;
    drop(client);
    let event = gateway.functions.wait_for("socket-disconnect", 1).await.remove(0);
    let event: ApiGatewayWebsocketProxyRequest = serde_json::from_value(event).unwrap();
    let context = event.request_context;
    assert_eq!(context.event_type.as_deref(), Some("DISCONNECT"));
    assert_eq!(context.route_key.as_deref(), Some("$disconnect"));
    assert_eq!(context.disconnect_status_code, Some(1006));
    assert_eq!(context.connection_id, Some(connection_id(&gateway).await));
}

#[tokio::test]
async fn a_cut_connection_is_reported_once_and_gone_at_once() {
    let gateway = echoing(1.0).await;
    let client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    assert_eq!(post(&gateway, &id, "{}").await, 200);
    drop(client);
    assert_eq!(disconnection(&gateway).await.0, 1006);
    assert_eq!(post(&gateway, &id, "{}").await, 410);
    let functions = std::sync::Arc::clone(&gateway.functions);
    gateway.stop().await;
    assert_eq!(functions.calls_of("socket-disconnect").len(), 1);
}

#[tokio::test]
async fn a_client_that_only_stops_sending_is_gone_too() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    let MaybeTlsStream::Plain(stream) = client.socket.get_mut() else { panic!("no plain stream") };
    stream.shutdown().await.unwrap();
    assert_eq!(disconnection(&gateway).await.0, 1006);
}

#[tokio::test]
async fn frames_after_the_clients_close_reach_no_function() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    client.say(&json!({ "type": "heartbeat" })).await;
    client.hear().await;
    client.socket.send(Message::Close(None)).await.unwrap();
    let MaybeTlsStream::Plain(stream) = client.socket.get_mut() else { panic!("no plain stream") };
    // A masked text frame "{}", past the library's own refusal.
    let _ = stream.write_all(&[0x81, 0x82, 0, 0, 0, 0, b'{', b'}']).await;
    disconnection(&gateway).await;
    assert!(gateway.functions.calls_of("socket-message").is_empty());
}

#[tokio::test]
async fn a_stopping_gateway_says_goodbye_to_everybody() {
    let gateway = echoing(1.0).await;
    let mut clients = [Client::connect(&gateway).await, Client::connect(&gateway).await];
    let functions = std::sync::Arc::clone(&gateway.functions);
    let goodbyes = async {
        for client in &mut clients {
            assert_eq!(client.hear_close().await, 1001);
        }
    };
    tokio::join!(gateway.stop(), goodbyes);
    assert_eq!(functions.calls_of("socket-disconnect").len(), 2);
}
