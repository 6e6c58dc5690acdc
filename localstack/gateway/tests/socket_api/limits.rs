//! Sizes, times, and clients that misbehave.

use std::time::Duration;

use futures::SinkExt;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;

use crate::client::{Client, connection_id, disconnection, echoing, post};

#[tokio::test]
async fn a_frame_of_32_kilobytes_passes_and_a_larger_one_closes_with_1009() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    let padding = "x".repeat(32 * 1024 - json!({ "pad": "" }).to_string().len());
    client.say(&json!({ "pad": padding })).await;
    assert_eq!(client.hear().await["pad"], padding);
    client.say_raw(vec![b'x'; 32 * 1024 + 1], Data::Text, true).await;
    assert_eq!(client.hear_close().await, 1009);
    assert_eq!(disconnection(&gateway).await.0, 1009);
    assert_eq!(gateway.functions.calls_of("socket-message").len(), 1);
}

#[tokio::test]
async fn a_frame_of_200_kilobytes_closes_with_1009() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    client.say_raw(vec![b'x'; 200 * 1024], Data::Text, true).await;
    assert_eq!(client.hear_close().await, 1009);
    assert_eq!(disconnection(&gateway).await.0, 1009);
}

#[tokio::test]
async fn a_message_of_128_kilobytes_in_frames_passes_and_a_larger_one_closes_with_1009() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    let frame = vec![b'x'; 32 * 1024];
    client.say_raw(frame.clone(), Data::Text, false).await;
    client.say_raw(frame.clone(), Data::Continue, false).await;
    client.say_raw(frame.clone(), Data::Continue, false).await;
    client.say_raw(frame.clone(), Data::Continue, true).await;
    match client.next().await {
        Message::Text(text) => assert_eq!(text.len(), 128 * 1024),
        other => panic!("{other:?}"),
    }
    client.say_raw(frame.clone(), Data::Text, false).await;
    for _ in 0..4 {
        client.say_raw(frame.clone(), Data::Continue, false).await;
    }
    assert_eq!(client.hear_close().await, 1009);
}

#[tokio::test]
async fn frames_that_the_api_does_not_take_close_with_their_code() {
    let cases: [(&[u8], Data, u16); 3] = [
        (b"\x00\x01", Data::Binary, 1003),
        (b"\xff\xfe", Data::Text, 1007),
        (b"nothing to continue", Data::Continue, 1002),
    ];
    for (payload, kind, code) in cases {
        let gateway = echoing(1.0).await;
        let mut client = Client::connect(&gateway).await;
        client.say_raw(payload, kind, true).await;
        assert_eq!(client.hear_close().await, code);
        assert_eq!(disconnection(&gateway).await.0, i64::from(code));
        assert!(gateway.functions.calls_of("socket-message").is_empty());
    }
}

#[tokio::test]
async fn bytes_that_are_no_websocket_frames_close_with_1002() {
    // An unmasked text frame; a reserved opcode; a fragmented ping; reserved bits.
    let cases: [&[u8]; 4] = [
        &[0x81, 0x02, b'{', b'}'],
        &[0x83, 0x80, 0, 0, 0, 0],
        &[0x09, 0x80, 0, 0, 0, 0],
        &[0xf1, 0x80, 0, 0, 0, 0],
    ];
    for bytes in cases {
        let gateway = echoing(1.0).await;
        let mut client = Client::connect(&gateway).await;
        let MaybeTlsStream::Plain(stream) = client.socket.get_mut() else { panic!("tls") };
        stream.write_all(bytes).await.unwrap();
        assert_eq!(client.hear_close().await, 1002, "{bytes:x?}");
        assert_eq!(disconnection(&gateway).await.0, 1002);
    }
}

#[tokio::test]
async fn an_idle_socket_is_closed_after_ten_minutes() {
    // Three seconds on this clock; the two hours are longer than the test waits.
    let gateway = echoing(200.0).await;
    let mut client = Client::connect(&gateway).await;
    assert_eq!(client.hear_close().await, 1001);
    assert_eq!(disconnection(&gateway).await, (1001, "Going away".to_owned()));
}

#[tokio::test]
async fn a_busy_socket_outlives_the_idle_limit_but_not_two_hours() {
    let gateway = echoing(400.0).await;
    let mut client = Client::connect(&gateway).await;
    // Idle is 1.5 s on this clock, and this takes more than two.
    for _ in 0..100 {
        client.say(&json!({ "type": "heartbeat" })).await;
        client.hear().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let id = connection_id(&gateway).await;
    // A post is as good as a message; the loop ends with the two hours (18 s).
    let mut posts = 0;
    while post(&gateway, &id, "{}").await == 200 {
        posts += 1;
        assert!(posts < 1000, "the socket outlives the two hours");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.hear_close_frame().await, (1001, "Going away".to_owned()));
    assert_eq!(disconnection(&gateway).await, (1001, "Going away".to_owned()));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_bounded_cut_off_and_nobody_elses_problem() {
    let gateway = echoing(1.0).await;
    let deaf = Client::connect(&gateway).await;
    let deaf_id = connection_id(&gateway).await;
    let large = "x".repeat(100 * 1024);
    let mut accepted = 0;
    while post(&gateway, &deaf_id, large.clone()).await == 200 {
        accepted += 1;
        assert!(accepted < 500, "the gateway takes posts without end");
    }
    let mut other = Client::connect(&gateway).await;
    other.say(&json!({ "type": "heartbeat" })).await;
    assert_eq!(other.hear().await, json!({ "type": "heartbeat" }));
    assert_eq!(disconnection(&gateway).await.0, 1006);
    assert_eq!(post(&gateway, &deaf_id, "{}").await, 410);
    drop(deaf);
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_without_harm() {
    let gateway = echoing(1.0).await;
    let mut client = Client::connect(&gateway).await;
    for _ in 0..1000 {
        client.socket.feed(Message::Ping("p".into())).await.unwrap();
    }
    client.socket.flush().await.unwrap();
    client.say(&json!({ "type": "heartbeat" })).await;
    loop {
        match client.next().await {
            Message::Pong(_) => {}
            Message::Text(_) => break,
            other => panic!("{other:?}"),
        }
    }
}
