//! The gateway's one port: the HTTP API, the WebSocket API with its `@connections`, and the
//! gateway's own pages, all behind one listener, told apart by the path.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::faults::Faults;
use crate::http_api::{self, Routes};
use crate::invoke::Invoke;
use crate::model::Model;
use crate::schedules::Schedules;
use crate::socket::{self, Connections};
use crate::usage::Usage;

pub(crate) mod clock;
mod fault_pages;
pub(crate) mod ids;
pub(crate) mod inbound;
pub(crate) mod integration;
mod pages;

use clock::Clock;

/// Sockets and HTTP connections at one time; further ones wait in the kernel's backlog.
const MAX_CONNECTIONS: usize = 10_000;
/// Whoever has not finished sending headers by then is cut off (slow-loris). It runs on an idle
/// connection too, so it is longer than clients keep one (90 s), lest both end it at once.
const HEADER_TIME: Duration = Duration::from_secs(120);
/// Hyper answers 431 by itself beyond this; AWS's own, smaller limit is in `inbound`.
const HEADER_BUFFER_BYTES: usize = 64 * 1024;
/// How long requests and `$disconnect` events may still run once the gateway is asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What the front serves beside the template's two APIs.
#[derive(Clone)]
pub struct Options {
    /// How much faster than real time the idle and duration limits of sockets pass; 1.0 is AWS.
    pub clock_rate: f64,
    /// What `/_gateway/schedules` may fire.
    pub schedules: Arc<Schedules>,
    /// Where requests and messages are counted.
    pub usage: Arc<Usage>,
    /// What goes wrong on purpose.
    pub faults: Arc<Faults>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock_rate: 1.0,
            schedules: Arc::default(),
            usage: Arc::default(),
            faults: Arc::default(),
        }
    }
}

pub(crate) type Answer = Response<Full<Bytes>>;

/// Everything a request can reach. Dropped when the last request and the last socket are gone.
pub(crate) struct Front {
    pub model: Arc<Model>,
    pub routes: Routes,
    pub invoke: Arc<dyn Invoke>,
    pub clock: Clock,
    pub connections: Connections,
    pub schedules: Arc<Schedules>,
    pub usage: Arc<Usage>,
    pub faults: Arc<Faults>,
    /// `127.0.0.1:8080`, used where the client sent no Host.
    pub authority: String,
    pub stopping: watch::Receiver<bool>,
    /// Nothing is ever sent; its closing tells `serve` that nobody holds the front any more.
    _alive: mpsc::Sender<Infallible>,
}

/// Who is at the other end of a TCP connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub address: SocketAddr,
    /// Given back when the connection ends, an upgraded one too.
    _place: Arc<OwnedSemaphorePermit>,
}

/// Serves until `shutdown` is ready, then closes all sockets (1001) and waits up to five seconds
/// for what is under way.
///
/// # Errors
/// The listener has no address, or the clock's rate is not a positive number.
pub async fn serve(
    listener: TcpListener,
    model: Arc<Model>,
    invoke: Arc<dyn Invoke>,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let (alive, mut all_gone) = mpsc::channel(1);
    let front = Arc::new(Front {
        routes: Routes::new(&model.http.routes),
        model,
        invoke,
        clock: Clock::new(options.clock_rate)?,
        connections: Connections::default(),
        schedules: options.schedules,
        usage: options.usage,
        faults: options.faults,
        authority: listener.local_addr()?.to_string(),
        stopping,
        _alive: alive,
    });
    let mut shutdown = pin!(shutdown);
    tokio::select! {
        () = &mut shutdown => {}
        () = accept_all(&listener, &front) => {}
    }
    drop(listener);
    drop(front);
    // Nobody listening means that nobody is left to stop.
    let _ = stop.send(true);
    if tokio::time::timeout(STOP_GRACE, all_gone.recv()).await.is_err() {
        tracing::warn!("the gateway stops although some requests have not ended");
    }
    Ok(())
}

async fn accept_all(listener: &TcpListener, front: &Arc<Front>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, address)) => {
                let peer = Peer { address, _place: Arc::new(place) };
                tokio::spawn(serve_connection(Arc::clone(front), stream, peer));
            }
            // Out of file descriptors, most likely; a tight loop would not free any.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve_connection(front: Arc<Front>, stream: TcpStream, peer: Peer) {
    // Small answers at once; failure only costs latency.
    let _ = stream.set_nodelay(true);
    let stopping = front.stopping.clone();
    let service = service_fn(move |request| {
        let (front, peer) = (Arc::clone(&front), peer.clone());
        async move { Ok::<_, Infallible>(answer(front, request, peer).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BUFFER_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

/// Ready once the gateway is asked to stop.
pub(crate) async fn stopped(mut stopping: watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn answer(front: Arc<Front>, request: Request<Incoming>, peer: Peer) -> Answer {
    let started = Instant::now();
    let request_id = ids::request();
    let (route, answer) = match inbound::refusal(&request) {
        Some(refusal) => (String::from("refused"), refusal),
        None => match destination(&front.model.socket.stage, &request) {
            Destination::Socket => return socket::open(front, request, peer).await,
            Destination::Management(id) => {
                let route = format!("{} @connections", request.method());
                (route, socket::manage(&front, request, &id).await)
            }
            Destination::Page(page) => pages::answer(&front, request, &page).await,
            Destination::Elsewhere => (String::from("none"), message(403, "Forbidden")),
            Destination::HttpApi => {
                front.usage.http_request();
                http_api::answer(&front, request, &peer, &request_id).await
            }
        },
    };
    tracing::info!(
        request_id,
        route,
        status = answer.status().as_u16(),
        duration_ms = milliseconds(started.elapsed()),
        "http request"
    );
    answer
}

enum Destination {
    /// With the path behind `/_gateway/`.
    Page(String),
    Socket,
    /// With the connection's id as it stands in the path.
    Management(String),
    /// A WebSocket upgrade on a path that is no stage.
    Elsewhere,
    HttpApi,
}

fn destination<B>(stage: &str, request: &Request<B>) -> Destination {
    let path = request.uri().path();
    if let Some(page) = path.strip_prefix("/_gateway/") {
        return Destination::Page(page.to_owned());
    }
    let below_stage = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    if let Some(rest) = below_stage.filter(|_| !stage.is_empty()) {
        if rest.is_empty() || rest == "/" {
            return Destination::Socket;
        }
        if let Some(id) = rest.strip_prefix("/@connections/") {
            return Destination::Management(id.to_owned());
        }
    }
    if inbound::asks_for_a_socket(request.headers()) {
        return Destination::Elsewhere;
    }
    Destination::HttpApi
}

/// API Gateway's own way to say something: `{"message": …}`.
pub(crate) fn message(status: u16, text: &str) -> Answer {
    json_answer(status, &json!({ "message": text }))
}

pub(crate) fn json_answer(status: u16, body: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
    answer
}

/// For log lines: milliseconds with three decimals.
pub(crate) fn milliseconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
