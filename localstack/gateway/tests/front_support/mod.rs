//! A gateway on a free loopback port with functions made of closures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use gateway::front::{self, Options};
use gateway::invoke::{Invoke, InvokeError};
use gateway::model::{HttpApi, HttpRoute, Model, Resources, SocketApi, SocketRoute};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than anything here takes; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

type Handler =
    dyn Fn(String, Value) -> BoxFuture<'static, Result<Value, InvokeError>> + Send + Sync;

/// Functions that remember what they were asked.
pub struct FakeFunctions {
    handler: Box<Handler>,
    calls: Mutex<Vec<(String, Value)>>,
}

#[async_trait]
impl Invoke for FakeFunctions {
    async fn invoke(&self, function: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        let event: Value = serde_json::from_slice(&event).unwrap();
        self.calls.lock().unwrap().push((function.to_owned(), event.clone()));
        match (self.handler)(function.to_owned(), event).await? {
            // For answers that are not JSON.
            Value::Object(fields) if fields.contains_key("raw") => {
                Ok(Bytes::from(fields["raw"].as_str().unwrap().to_owned()))
            }
            answer => Ok(Bytes::from(answer.to_string())),
        }
    }

    fn status(&self) -> Value {
        json!({ "get-user": { "processes": [] } })
    }
}

impl FakeFunctions {
    pub fn calls_of(&self, function: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == function).map(|(_, event)| event.clone()).collect()
    }

    /// Waits until a function was called so often, and gives its events.
    pub async fn wait_for(&self, function: &str, count: usize) -> Vec<Value> {
        let enough = async {
            loop {
                let calls = self.calls_of(function);
                if calls.len() >= count {
                    return calls;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, enough).await;
        waited.unwrap_or_else(|_| panic!("{function} was not called {count} times"))
    }
}

/// A running gateway; ends with the test.
pub struct TestGateway {
    pub address: String,
    pub functions: Arc<FakeFunctions>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

impl TestGateway {
    pub async fn start<F, A>(model: Model, clock_rate: f64, handler: F) -> Self
    where
        F: Fn(String, Value) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Value, InvokeError>> + Send + 'static,
    {
        Self::start_with(model, Options { clock_rate, ..Options::default() }, handler).await
    }

    pub async fn start_with<F, A>(model: Model, options: Options, handler: F) -> Self
    where
        F: Fn(String, Value) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Value, InvokeError>> + Send + 'static,
    {
        let handler: Box<Handler> = Box::new(move |name, event| Box::pin(handler(name, event)));
        let functions = Arc::new(FakeFunctions { handler, calls: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let invoke: Arc<dyn Invoke> = Arc::<FakeFunctions>::clone(&functions);
        let shutdown = async move { drop(stopped.await) };
        let served = tokio::spawn(front::serve(listener, model.into(), invoke, options, shutdown));
        Self { address, functions, stop: Some(stop), served }
    }

    /// As the gateway ends when it is told to.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(PATIENCE, self.served).await.unwrap().unwrap().unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Writes bytes as they are and reads the head of the answer.
    pub async fn raw_head(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
            let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await;
            assert_ne!(read.expect("the gateway did not answer").unwrap(), 0, "no answer");
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Writes bytes as they are and reads until the gateway closes.
    pub async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        // A reset after the answer is as good as an end.
        let _ = tokio::time::timeout(PATIENCE, read).await.expect("the gateway did not answer");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

pub fn http_model(routes: &[(&str, &str, &str)]) -> Model {
    let routes = routes.iter().map(|(method, path, function)| HttpRoute {
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        function: (*function).to_owned(),
    });
    model(HttpApi { routes: routes.collect(), cors: None }, SocketApi::default())
}

/// `$connect`, `$disconnect`, `$default` (answers), `heartbeat` (answers) and `quiet`.
pub fn socket_model() -> Model {
    let route = |function: &str, has_route_response| SocketRoute {
        function: function.to_owned(),
        has_route_response,
    };
    let routes = [
        ("$connect", route("socket-connect", true)),
        ("$disconnect", route("socket-disconnect", false)),
        ("$default", route("socket-message", true)),
        ("heartbeat", route("socket-heartbeat", true)),
        ("quiet", route("socket-quiet", false)),
    ];
    let socket = SocketApi {
        stage: "socket".to_owned(),
        route_selection: "$request.body.type".to_owned(),
        routes: routes.map(|(key, route)| (key.to_owned(), route)).into(),
    };
    model(HttpApi::default(), socket)
}

fn model(http: HttpApi, socket: SocketApi) -> Model {
    Model {
        functions: BTreeMap::new(),
        http,
        socket,
        event_sources: Vec::new(),
        schedules: Vec::new(),
        resources: Resources::default(),
    }
}
