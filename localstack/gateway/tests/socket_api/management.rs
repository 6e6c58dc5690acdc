//! `@connections`, by plain HTTP and by the AWS SDK.

use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client as Management, Config};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::client::{Client, connection_id, connections_url, disconnection, echoing, post};
use crate::front_support::TestGateway;

fn management(gateway: &TestGateway) -> Management {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(gateway.url("/socket"))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .build();
    Management::from_conf(config)
}

#[tokio::test]
async fn the_sdk_posts_reads_and_deletes_and_understands_gone() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    let sdk = management(&gateway);
    let text = Blob::new(r#"{"n":1}"#);
    sdk.post_to_connection().connection_id(&id).data(text.clone()).send().await.unwrap();
    assert_eq!(client.hear().await, json!({ "n": 1 }));

    let seen = sdk.get_connection().connection_id(&id).send().await.unwrap();
    assert_eq!(seen.identity().unwrap().source_ip(), Some("127.0.0.1"));
    assert!(seen.last_active_at().unwrap() >= seen.connected_at().unwrap());

    sdk.delete_connection().connection_id(&id).send().await.unwrap();
    let late = sdk.post_to_connection().connection_id(&id).data(text).send().await;
    assert!(late.unwrap_err().into_service_error().is_gone_exception());
    let late = sdk.get_connection().connection_id(&id).send().await;
    assert!(late.unwrap_err().into_service_error().is_gone_exception());
    let late = sdk.delete_connection().connection_id(&id).send().await;
    assert!(late.unwrap_err().into_service_error().is_gone_exception());
    assert_eq!(client.hear_close().await, 1000);
    assert_eq!(disconnection(&gateway).await, (1000, "Connection Closed Normally".to_owned()));
}

#[tokio::test]
async fn the_sdk_understands_that_a_payload_is_too_large() {
    let gateway = echoing(1.0).await;
    let _client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    let data = Blob::new(vec![b'x'; 128 * 1024 + 1]);
    let sent = management(&gateway).post_to_connection().connection_id(&id).data(data).send().await;
    assert!(sent.unwrap_err().into_service_error().is_payload_too_large_exception());
}

#[tokio::test]
async fn a_large_post_arrives_whole_in_frames_of_32_kilobytes() {
    let gateway = echoing(1.0).await;
    let url = format!("ws://{}/socket", gateway.address);
    // This client refuses larger frames.
    let config = WebSocketConfig::default().max_frame_size(Some(32 * 1024));
    let (socket, _) =
        tokio_tungstenite::connect_async_with_config(url, Some(config), false).await.unwrap();
    let mut client = Client { socket };
    let id = connection_id(&gateway).await;
    // Two bytes a character, so that a frame may end inside one.
    let text = format!("x{}", "é".repeat(64 * 1024 - 1));
    assert_eq!(post(&gateway, &id, text.clone()).await, 200);
    assert_eq!(client.next().await, Message::text(text));
}

#[tokio::test]
async fn posts_to_one_socket_keep_their_order_and_come_before_a_deletion() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    for n in 0..200 {
        assert_eq!(post(&gateway, &id, json!({ "n": n }).to_string()).await, 200);
    }
    let delete = reqwest::Client::new().delete(connections_url(&gateway, &id)).send();
    assert_eq!(delete.await.unwrap().status(), 204);
    for n in 0..200 {
        assert_eq!(client.hear().await, json!({ "n": n }));
    }
    assert_eq!(client.hear_close().await, 1000);
}

#[tokio::test]
async fn what_is_wrong_with_a_management_call_is_said_with_its_kind() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    let http = reqwest::Client::new();
    let known = connections_url(&gateway, &id);
    let bad = gateway.url("/socket/@connections/%ff");
    let unknown = connections_url(&gateway, "AAAAAAAAAAAAAAA=");
    let empty = gateway.url("/socket/@connections/");
    for (request, status, kind) in [
        (http.post(unknown).body("{}"), 410, "GoneException"),
        (http.post(empty).body("{}"), 410, "GoneException"),
        (http.get(bad), 400, "BadRequestException"),
        (http.post(&known).body(vec![0xff, 0xfe]), 400, "BadRequestException"),
        (http.put(&known), 403, "ForbiddenException"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["x-amzn-errortype"], kind);
        assert!(answer.json::<Value>().await.unwrap()["message"].is_string());
    }
    client.has_heard_nothing().await;
}

#[tokio::test]
async fn a_deleted_connection_is_gone_although_its_client_has_not_read_so_far() {
    let gateway = echoing(1.0).await;
    let _deaf = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    let large = "x".repeat(100 * 1024);
    while post(&gateway, &id, large.clone()).await == 200 {}
    let delete = || reqwest::Client::new().delete(connections_url(&gateway, &id)).send();
    assert_eq!(delete().await.unwrap().status(), 204);
    assert_eq!(post(&gateway, &id, "{}").await, 410);
    assert_eq!(delete().await.unwrap().status(), 410);
}

#[tokio::test]
async fn a_post_counts_as_usage_by_its_size_unless_nobody_got_it() {
    let gateway = echoing(1.0).await;
    let _client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    for (id, bytes) in [(&*id, 10), (&*id, 32 * 1024 + 1), ("AAAAAAAAAAAAAAA=", 10)] {
        post(&gateway, id, "x".repeat(bytes)).await;
    }
    let usage = reqwest::get(gateway.url("/_gateway/usage")).await.unwrap();
    let usage: Value = usage.json().await.unwrap();
    assert_eq!(usage["management"], json!({ "posts": 2, "units": 3 }));
}
