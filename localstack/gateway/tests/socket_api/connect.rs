//! `$connect` decides the upgrade.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use gateway::invoke::InvokeError;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Error;

use crate::client::{Client, answering_connect, connection_id, disconnection, echoing, post};
use crate::front_support::{TestGateway, socket_model};

async fn refusal(gateway: &TestGateway) -> (u16, String) {
    match Client::ask(gateway, "/socket", &[]).await {
        Err(Error::Http(answer)) => {
            let status = answer.status().as_u16();
            (status, String::from_utf8(answer.into_body().unwrap_or_default()).unwrap())
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the socket opened"),
    }
}

#[tokio::test]
async fn the_connect_event_says_everything_about_the_upgrade() {
    let gateway = echoing(1.0).await;
    let path = "/socket?ticket=a%2Bb&x=1&x=2";
    let headers = [("origin", "https://app.example"), ("user-agent", "test/1"), ("x-two", "2")];
    let _open = Client::ask(&gateway, path, &headers).await.unwrap();
    let event = gateway.functions.calls_of("socket-connect").remove(0);
    assert_eq!(event["queryStringParameters"], json!({ "ticket": "a+b", "x": "2" }));
    let all = &event["multiValueQueryStringParameters"];
    assert_eq!(*all, json!({ "ticket": ["a+b"], "x": ["1", "2"] }));
    assert_eq!(event["multiValueHeaders"]["x-two"], json!(["2"]));
    assert_eq!(event["isBase64Encoded"], false);

    let event: ApiGatewayWebsocketProxyRequest = serde_json::from_value(event).unwrap();
    assert_eq!(event.headers["origin"], "https://app.example");
    assert_eq!(event.query_string_parameters.first("ticket"), Some("a+b"));
    let context = event.request_context;
    assert_eq!(context.route_key.as_deref(), Some("$connect"));
    assert_eq!(context.event_type.as_deref(), Some("CONNECT"));
    assert_eq!(context.message_direction.as_deref(), Some("IN"));
    assert_eq!(context.stage.as_deref(), Some("socket"));
    assert_eq!(context.domain_name.as_deref(), Some("127.0.0.1"));
    assert_eq!(context.identity.source_ip.as_deref(), Some("127.0.0.1"));
    assert_eq!(context.identity.user_agent.as_deref(), Some("test/1"));
    assert_eq!(context.request_id, context.extended_request_id);
    assert!(context.connection_id.unwrap().ends_with('='));
    assert!(context.connected_at > 0 && context.request_time_epoch >= context.connected_at);
}

#[tokio::test]
async fn a_refusing_function_chooses_status_and_body_of_the_upgrade() {
    for status in [401, 403, 429, 500, 503] {
        let headers = json!({ "content-type": "application/problem+json" });
        let answer =
            json!({ "statusCode": status, "headers": headers, "body": "{\"code\":\"x\"}" });
        let gateway = answering_connect(Ok(answer)).await;
        assert_eq!(refusal(&gateway).await, (status, r#"{"code":"x"}"#.to_owned()));
        let id = connection_id(&gateway).await;
        assert_eq!(post(&gateway, &id, "{}").await, 410);
        assert!(gateway.functions.calls_of("socket-disconnect").is_empty());
    }
}

#[tokio::test]
async fn a_failing_function_refuses_with_the_gateways_own_words() {
    for (answer, status) in [
        (Err(InvokeError::Function("a stack trace".into())), 502),
        (Err(InvokeError::Crashed), 502),
        (Err(InvokeError::Timeout(1)), 502),
        (Ok(Value::Null), 502),
        (Ok(json!({ "raw": "not json" })), 502),
        (Ok(json!({ "status": 200 })), 502),
        (Ok(json!({ "statusCode": 200, "Data": "x" })), 502),
        (Ok(json!({ "statusCode": 101 })), 502),
    ] {
        let gateway = answering_connect(answer.clone()).await;
        let (given, body) = refusal(&gateway).await;
        assert_eq!(given, status, "{answer:?}");
        assert!(!body.contains("stack trace"));
    }
}

#[tokio::test]
async fn a_subprotocol_is_echoed_only_if_it_was_offered_and_chosen() {
    let chosen =
        |headers: Value| answering_connect(Ok(json!({ "statusCode": 200, "headers": headers })));
    let offer = [("sec-websocket-protocol", "chat.v1, ticket.secret")];

    let gateway = chosen(json!({ "Sec-WebSocket-Protocol": "chat.v1" })).await;
    let (_open, response) = Client::ask(&gateway, "/socket", &offer).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v1");
    // Not offered, not echoed; tungstenite would refuse the answer otherwise.
    Client::ask(&gateway, "/socket", &[]).await.unwrap();

    let gateway = chosen(json!({})).await;
    match Client::ask(&gateway, "/socket", &offer).await {
        Err(Error::Protocol(_)) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a subprotocol was echoed that nobody chose"),
    }
}

#[tokio::test]
async fn a_post_before_connect_has_answered_finds_nobody_and_one_after_it_is_not_lost() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let gateway = TestGateway::start(socket_model(), 1.0, move |_, _| {
        let held = Arc::clone(&held);
        async move {
            held.acquire().await.unwrap().forget();
            Ok(json!({ "statusCode": 200 }))
        }
    })
    .await;
    let talk = async {
        let mut client = Client::connect(&gateway).await;
        client.hear().await
    };
    let post_twice = async {
        let id = connection_id(&gateway).await;
        assert_eq!(post(&gateway, &id, "{}").await, 410);
        gate.add_permits(1);
        while post(&gateway, &id, r#"{"n":1}"#).await == 410 {}
    };
    let (heard, ()) = tokio::join!(talk, post_twice);
    assert_eq!(heard, json!({ "n": 1 }));
}

#[tokio::test]
async fn a_client_that_leaves_during_connect_is_reported_as_gone() {
    for notices in [false, true] {
        leave_during_connect(notices).await;
    }
}

async fn leave_during_connect(notices: bool) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let gateway = TestGateway::start(socket_model(), 1.0, move |function, _| {
        let held = Arc::clone(&held);
        async move {
            if function == "socket-connect" {
                held.acquire().await.unwrap().forget();
            }
            Ok(json!({ "statusCode": 200 }))
        }
    })
    .await;
    let mut stream = TcpStream::connect(&gateway.address).await.unwrap();
    stream.write_all(upgrade("GET /socket", "").as_bytes()).await.unwrap();
    let id = connection_id(&gateway).await;
    drop(stream);
    // Whether the gateway has noticed by the time the function answers or not: it is reported.
    tokio::time::sleep(Duration::from_millis(if notices { 100 } else { 0 })).await;
    gate.add_permits(1);
    assert_eq!(disconnection(&gateway).await.0, 1006);
    assert_eq!(post(&gateway, &id, "{}").await, 410);
}

fn upgrade(line: &str, more: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn malformed_upgrades_are_refused_before_any_function_runs() {
    let gateway = echoing(1.0).await;
    let good = upgrade("GET /socket", "");
    let without = |line: &str| good.replace(line, "");
    let long = "a".repeat(4200);
    for (request, status) in [
        (without("Upgrade: websocket\r\n"), 426),
        (without("Connection: Upgrade\r\n"), 400),
        (without("Sec-WebSocket-Version: 13\r\n"), 400),
        (good.replace("Version: 13", "Version: 8"), 426),
        (without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400),
        (good.replace("dGhlIHNhbXBsZSBub25jZQ==", "%%%"), 400),
        (upgrade("POST /socket", "Content-Length: 0\r\n"), 400),
        (upgrade("GET /other", ""), 403),
        (upgrade("GET /", ""), 403),
        (upgrade("GET /socket2", ""), 403),
        (upgrade("GET /socket/deeper", ""), 403),
        (upgrade(&format!("GET /socket?ticket={long}"), ""), 414),
        (upgrade("GET /socket", &format!("x: {long}{long}{long}\r\n")), 431),
    ] {
        let answer = gateway.raw_head(request.as_bytes()).await;
        let line = request.lines().next().unwrap().chars().take(40).collect::<String>();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line} {status}: {answer}");
    }
    assert!(gateway.functions.calls_of("socket-connect").is_empty());
}
