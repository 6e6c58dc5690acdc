//! A WebSocket client for the tests, and functions that they share.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use gateway::faults::Faults;
use gateway::front::Options;
use gateway::invoke::InvokeError;
use http::Response;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::front_support::{PATIENCE, TestGateway, socket_model};

pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub async fn connect(gateway: &TestGateway) -> Self {
        Self::ask(gateway, "/socket", &[]).await.unwrap().0
    }

    /// With a path and headers of the test's choice.
    pub async fn ask(
        gateway: &TestGateway,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, Response<Option<Vec<u8>>>), Error> {
        let url = format!("ws://{}{path}", gateway.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let (socket, response) = connect_async(request).await?;
        Ok((Self { socket }, response))
    }

    pub async fn say(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// One frame exactly as given.
    pub async fn say_raw(&mut self, payload: impl Into<bytes::Bytes>, kind: Data, last: bool) {
        let frame = Frame::message(payload, OpCode::Data(kind), last);
        // The gateway may have closed already when the frame is a forbidden one.
        let _ = self.socket.send(Message::Frame(frame)).await;
    }

    pub async fn hear(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text: {other:?}"),
        }
    }

    pub async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
        next.expect("nothing came").expect("the connection ended").unwrap()
    }

    /// The code with which the gateway closes, whatever comes before.
    pub async fn hear_close(&mut self) -> u16 {
        self.hear_close_frame().await.0
    }

    /// Code and words.
    pub async fn hear_close_frame(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Message::Close(Some(CloseFrame { code, reason })) => {
                    return (code.into(), reason.to_string());
                }
                Message::Close(None) => panic!("no code"),
                _ => {}
            }
        }
    }

    /// Nothing of what the gateway said so far was overlooked: a ping is answered behind it.
    pub async fn has_heard_nothing(&mut self) {
        self.socket.send(Message::Ping("p".into())).await.unwrap();
        match self.next().await {
            Message::Pong(payload) => assert_eq!(&payload[..], b"p"),
            other => panic!("{other:?}"),
        }
    }
}

/// Functions that accept, and answer a message with its own body.
pub async fn echoing(clock_rate: f64) -> TestGateway {
    TestGateway::start(socket_model(), clock_rate, |function, event| async move {
        Ok(match function.as_str() {
            "socket-message" | "socket-heartbeat" | "socket-quiet" => {
                json!({ "statusCode": 200, "body": event["body"] })
            }
            _ => json!({ "statusCode": 200 }),
        })
    })
    .await
}

/// As `echoing`, and things can be made to go wrong.
pub async fn fallible() -> TestGateway {
    let faults = Arc::new(Faults::allowed(["socket-message".to_owned()].into_iter()));
    let options = Options { faults, ..Options::default() };
    TestGateway::start_with(socket_model(), options, |function, event| async move {
        Ok(match function.as_str() {
            "socket-connect" | "socket-disconnect" => json!({ "statusCode": 200 }),
            _ => json!({ "statusCode": 200, "body": event["body"] }),
        })
    })
    .await
}

/// All functions answer alike, but `$connect` and `$disconnect` go well.
pub async fn answering_messages(answer: Result<Value, InvokeError>) -> TestGateway {
    TestGateway::start(socket_model(), 1.0, move |function, _| {
        let answer = answer.clone();
        async move {
            match function.as_str() {
                "socket-connect" | "socket-disconnect" => Ok(json!({ "statusCode": 200 })),
                _ => answer,
            }
        }
    })
    .await
}

pub async fn answering_connect(answer: Result<Value, InvokeError>) -> TestGateway {
    TestGateway::start(socket_model(), 1.0, move |_, _| {
        let answer = answer.clone();
        async move { answer }
    })
    .await
}

/// The id of the connection that was opened last.
pub async fn connection_id(gateway: &TestGateway) -> String {
    let events = gateway.functions.wait_for("socket-connect", 1).await;
    let context = &events.last().unwrap()["requestContext"];
    context["connectionId"].as_str().unwrap().to_owned()
}

pub fn connections_url(gateway: &TestGateway, id: &str) -> String {
    gateway.url(&format!("/socket/@connections/{}", id.replace('=', "%3D")))
}

pub async fn post(gateway: &TestGateway, id: &str, body: impl Into<reqwest::Body>) -> u16 {
    let request = reqwest::Client::new().post(connections_url(gateway, id)).body(body);
    request.send().await.unwrap().status().as_u16()
}

/// The end as its function heard it: code and reason.
pub async fn disconnection(gateway: &TestGateway) -> (i64, String) {
    let events = gateway.functions.wait_for("socket-disconnect", 1).await;
    assert_eq!(events.len(), 1);
    let context = &events[0]["requestContext"];
    let reason = context["disconnectReason"].as_str().unwrap().to_owned();
    (context["disconnectStatusCode"].as_i64().unwrap(), reason)
}
