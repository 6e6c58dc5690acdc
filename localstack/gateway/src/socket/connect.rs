//! Opening a socket: the upgrade request is checked, `$connect` decides, and only then is it a
//! WebSocket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::connection::{Connection, Queue};
use super::function_answer::FunctionAnswer;
use super::{Ending, INTEGRATION_TIME, MAX_URL_CHARACTERS, event, session};
use crate::front::integration::{self, Failure};
use crate::front::{Answer, Front, Peer, ids, json_answer, message, milliseconds};

/// From 101 to the connection being ours; it only has to leave hyper.
const UPGRADE_TIME: Duration = Duration::from_secs(10);

/// Answers an upgrade request: 101, or why not.
///
/// The work goes on in a task of its own when the client leaves during `$connect`, because the
/// function may have written a row that only `$disconnect` removes.
pub(crate) async fn open(front: Arc<Front>, mut request: Request<Incoming>, peer: Peer) -> Answer {
    if let Some(refusal) = refusal(&request) {
        let (request_id, status) = (ids::socket(), refusal.status().as_u16());
        tracing::info!(request_id, route = "$connect", status, "malformed upgrade request");
        return refusal;
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let (tell, told) = oneshot::channel();
    tokio::spawn(decide(front, request.map(|_| ()), peer, upgrade, tell));
    told.await.unwrap_or_else(|_| message(500, "Internal server error"))
}

/// The answer to a request that is no WebSocket upgrade. AWS's words for these are not
/// documented; these tell a developer what is missing.
fn refusal<B>(request: &Request<B>) -> Option<Answer> {
    if request.uri().to_string().len() > MAX_URL_CHARACTERS {
        return Some(message(414, "Request-URI Too Long"));
    }
    match create_response_with_body(request, || ()) {
        Ok(_) if has_valid_key(request.headers()) => None,
        Ok(_) => Some(message(400, "Bad Request: Sec-WebSocket-Key is not 16 bytes in base64")),
        Err(wrong) => {
            let is_upgrade = crate::front::inbound::asks_for_a_socket(request.headers());
            let status = if is_upgrade && !is_wrong_version(request.headers()) { 400 } else { 426 };
            let mut answer = message(status, &wrong.to_string());
            let headers = answer.headers_mut();
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            Some(answer)
        }
    }
}

fn has_valid_key(headers: &HeaderMap) -> bool {
    use base64::Engine;
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    let decoded = key.and_then(|key| base64::engine::general_purpose::STANDARD.decode(key).ok());
    decoded.is_some_and(|key| key.len() == 16)
}

fn is_wrong_version(headers: &HeaderMap) -> bool {
    headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version != "13")
}

async fn decide(
    front: Arc<Front>,
    request: Request<()>,
    peer: Peer,
    upgrade: OnUpgrade,
    tell: oneshot::Sender<Answer>,
) {
    let headers = request.headers();
    let host = text(headers, &header::HOST).unwrap_or(&front.authority).to_owned();
    let user_agent = text(headers, &header::USER_AGENT).unwrap_or_default().to_owned();
    let source_ip = peer.address.ip().to_string();
    let (connection, queue) = Connection::new(host, source_ip, user_agent);
    let connection = Arc::new(connection);
    let answer = ask(&front, &connection, &request).await;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        // The client may be gone; a refusal leaves nothing behind.
        let _ = tell.send(answer);
        return;
    }
    // Posts are taken from here on and wait in the queue for the upgrade, so that a client that
    // sees 101 misses nothing posted to it afterwards.
    front.connections.add(&connection);
    front.usage.socket_opened(&connection.id);
    if tell.send(answer).is_err() {
        session::end(&front, &connection, &Ending::cut()).await;
        return;
    }
    run(&front, connection, queue, upgrade).await;
    // Held to here: the place of this connection among all.
    drop(peer);
}

async fn run(front: &Arc<Front>, connection: Arc<Connection>, queue: Queue, upgrade: OnUpgrade) {
    match tokio::time::timeout(UPGRADE_TIME, upgrade).await {
        Ok(Ok(upgraded)) => session::run(front, &connection, queue, upgraded).await,
        Ok(Err(_)) | Err(_) => session::end(front, &connection, &Ending::cut()).await,
    }
}

/// Calls `$connect`. A 2xx is the 101; any other status is the upgrade's own, with its body.
async fn ask(front: &Arc<Front>, connection: &Connection, request: &Request<()>) -> Answer {
    let switching = match create_response_with_body(request, Full::default) {
        Ok(switching) => switching,
        Err(wrong) => return message(400, &wrong.to_string()),
    };
    // The route is optional on AWS: without one every upgrade is welcome.
    let Some(route) = front.model.socket.routes.get("$connect") else { return switching };
    let started = Instant::now();
    let (parts, ()) = request.clone().into_parts();
    let event = event::connect(connection, &front.model.socket.stage, &parts);
    let called =
        integration::call(&front.invoke, &route.function, &event.value, INTEGRATION_TIME).await;
    let answer = match called {
        Ok(answer) => match FunctionAnswer::read(&answer) {
            Ok(answer) => judge(&answer, switching, request.headers()),
            Err(wrong) => {
                tracing::error!(request_id = event.request_id, %wrong, "malformed answer");
                own_words(502, connection, &event.request_id)
            }
        },
        Err(failure) => {
            tracing::error!(request_id = event.request_id, %failure, "integration failed");
            own_words(status_of(&failure), connection, &event.request_id)
        }
    };
    tracing::info!(
        request_id = event.request_id,
        route = "$connect",
        connection_id = connection.id,
        status = answer.status().as_u16(),
        duration_ms = milliseconds(started.elapsed()),
        "socket event"
    );
    answer
}

/// Developers report 502 for a function that fails (its own timeout is a failure too) or answers
/// nonsense, and 504 for the gateway's time limit.
fn status_of(failure: &Failure) -> u16 {
    match failure {
        Failure::GatewayTimeout => 504,
        Failure::Invoke(_) | Failure::AnswerTooLarge => 502,
    }
}

fn own_words(status: u16, connection: &Connection, request_id: &str) -> Answer {
    json_answer(status, &event::error("Internal server error", &connection.id, request_id))
}

fn judge(answer: &FunctionAnswer, mut switching: Answer, asked: &HeaderMap) -> Answer {
    if (200..300).contains(&answer.status) {
        let chosen = answer.header(header::SEC_WEBSOCKET_PROTOCOL.as_str());
        let chosen = chosen.filter(|chosen| is_offered(asked, chosen));
        if let Some(Ok(chosen)) = chosen.map(HeaderValue::from_str) {
            switching.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
        }
        return switching;
    }
    // 1xx, or no HTTP status at all, cannot refuse anything.
    let status = if (300..600).contains(&answer.status) { answer.status } else { 502 };
    let mut refusal = message(status, "");
    *refusal.body_mut() = Full::from(answer.body.clone());
    let kind = answer.header("content-type").and_then(|kind| HeaderValue::from_str(kind).ok());
    if let Some(kind) = kind {
        refusal.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    refusal
}

/// A protocol that was not offered would make the client fail the handshake.
fn is_offered(asked: &HeaderMap, chosen: &str) -> bool {
    let lines = asked.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offers = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    offers.any(|offer| offer.trim() == chosen)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
