//! A socket's life from 101 to `$disconnect`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use futures::stream::SplitStream;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::connection::{Connection, Queue};
use super::function_answer::FunctionAnswer;
use super::writer::{self, Socket, Written};
use super::{
    CLOSE_TIME, Ending, IDLE_TIME, INTEGRATION_TIME, LONGEST_TIME, MAX_FRAME_BYTES, MAX_IN_FLIGHT,
    MAX_MESSAGE_BYTES, STALL_TIME, event, faulty,
};
use crate::faults::DisconnectFault;
use crate::front::{Front, integration, milliseconds, stopped};

/// What a closing client may still have under way; beyond it the connection is cut.
const MAX_DRAINED_BYTES: u64 = 1024 * 1024;

/// Who ended the socket decides what is still to be said.
enum End {
    /// The client closed; the library echoes its code.
    Client(Ending),
    /// The gateway wants to close, and the client has to hear it.
    Gateway(Ending),
    /// The close frame is out already.
    Said(Ending),
    /// Nobody is there to hear anything.
    Cut,
}

/// Serves an upgraded connection until it ends.
pub(super) async fn run(
    front: &Arc<Front>,
    connection: &Arc<Connection>,
    mut queue: Queue,
    upgraded: Upgraded,
) {
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_frame_size(Some(MAX_FRAME_BYTES))
        .max_message_size(Some(MAX_MESSAGE_BYTES));
    let socket = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(socket, Role::Server, Some(config)).await;
    let (mut sink, mut stream) = socket.split();
    let end = {
        let mut writing = pin!(writer::run(&mut sink, &mut queue, connection));
        let end = tokio::select! {
            end = read(front, connection, &mut stream) => end,
            written = &mut writing => said(written),
            () = connection.cut_off() => End::Cut,
        };
        let end = match end {
            // The writer says it, behind what is queued.
            End::Gateway(ending) => {
                report(front, connection, &ending);
                connection.close(ending.clone());
                let written = tokio::time::timeout(STALL_TIME, &mut writing).await;
                if written.is_ok() { End::Said(ending) } else { End::Cut }
            }
            other => other,
        };
        match &end {
            End::Client(ending) | End::Said(ending) => report(front, connection, ending),
            End::Gateway(_) | End::Cut => report(front, connection, &Ending::cut()),
        }
        end
    };
    drop(queue);
    match end {
        // Reading on lets the library send the echo of the client's close frame.
        End::Client(_) => drop(tokio::time::timeout(CLOSE_TIME, stream.next()).await),
        End::Said(_) => {
            if let Ok(socket) = stream.reunite(sink) {
                drop(tokio::time::timeout(CLOSE_TIME, drain(socket)).await);
            }
        }
        End::Gateway(_) | End::Cut => {}
    }
}

fn said(written: Written) -> End {
    match written {
        Written::Closed(ending) => End::Said(ending),
        Written::Broken => End::Cut,
    }
}

/// Takes messages until something ends the socket.
async fn read(
    front: &Arc<Front>,
    connection: &Arc<Connection>,
    stream: &mut SplitStream<Socket>,
) -> End {
    let places = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    let mut stopping = pin!(stopped(front.stopping.clone()));
    let mut over = pin!(lifetime(front, connection));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, stream.next().await)
        };
        let (place, received) = tokio::select! {
            () = &mut over => return End::Gateway(Ending::going_away()),
            () = &mut stopping => return End::Gateway(Ending::going_away()),
            next = next => next,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { return End::Cut };
        match received {
            Some(Ok(Message::Text(text))) => {
                connection.touch();
                front.usage.frame_in(text.len());
                faulty::frame(front, connection, text, place);
            }
            Some(Ok(Message::Binary(_))) => {
                // "If a client app sends a binary frame, API Gateway rejects it and disconnects
                // the client with code 1003."
                return End::Gateway(Ending::new(1003, "Binary frames are not supported"));
            }
            Some(Ok(Message::Close(frame))) => return End::Client(by_client(frame)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return by_error(&error),
            None => return End::Cut,
        }
    }
}

/// Ready when the socket was idle for too long or has lived for two hours, on the test's clock.
async fn lifetime(front: &Front, connection: &Connection) {
    let idle = front.clock.shorten(IDLE_TIME);
    let longest = connection.opened() + front.clock.shorten(LONGEST_TIME);
    loop {
        let until = longest.min(connection.last_active() + idle);
        if until <= tokio::time::Instant::now() {
            return;
        }
        tokio::time::sleep_until(until).await;
    }
}

/// A close frame without a code is 1005, with the words that AWS uses for it.
fn by_client(frame: Option<CloseFrame>) -> Ending {
    match frame {
        Some(frame) => Ending::new(frame.code.into(), frame.reason.as_str()),
        None => Ending::new(1005, "Client-side close frame status not set"),
    }
}

fn by_error(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Gateway(Ending::new(1009, "Message too big")),
        Error::Utf8(_) => End::Gateway(Ending::new(1007, "Text is not UTF-8")),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Cut,
        Error::Protocol(_) => End::Gateway(Ending::new(1002, "Protocol error")),
        _ => End::Cut,
    }
}

/// Reads what the client still sends, so that closing does not reset the connection and take the
/// close frame away from it.
async fn drain(mut socket: Socket) {
    let raw = socket.get_mut();
    // A client that is gone already needs no end of stream.
    let _ = raw.shutdown().await;
    let mut rest = raw.take(MAX_DRAINED_BYTES);
    drop(tokio::io::copy(&mut rest, &mut tokio::io::sink()).await);
}

/// Takes the socket out of the map (410 from now on) and tells the function, in a task of its
/// own; only the first call does anything.
fn report(front: &Arc<Front>, connection: &Arc<Connection>, ending: &Ending) {
    if front.connections.remove(&connection.id).is_some() {
        front.usage.socket_closed(&connection.id);
        let (front, connection) = (Arc::clone(front), Arc::clone(connection));
        let ending = ending.clone();
        tokio::spawn(async move { disconnect(&front, &connection, &ending).await });
    }
}

/// For a socket that never came to be one although `$connect` said yes.
pub(super) async fn end(front: &Arc<Front>, connection: &Arc<Connection>, ending: &Ending) {
    if front.connections.remove(&connection.id).is_some() {
        front.usage.socket_closed(&connection.id);
        disconnect(front, connection, ending).await;
    }
}

/// Best effort, like AWS: a failure is logged and nothing else.
async fn disconnect(front: &Front, connection: &Connection, ending: &Ending) {
    let api = &front.model.socket;
    let Some(route) = api.routes.get("$disconnect") else { return };
    match front.faults.disconnect(&connection.id) {
        Some(DisconnectFault::Skip) => return,
        Some(DisconnectFault::Delay(by)) => tokio::time::sleep(by).await,
        None => {}
    }
    let started = Instant::now();
    let event = event::disconnect(connection, &api.stage, ending);
    let called =
        integration::call(&front.invoke, &route.function, &event.value, INTEGRATION_TIME).await;
    let status = match called {
        Ok(answer) => FunctionAnswer::read(&answer).map_or(500, |answer| answer.status),
        Err(failure) => {
            tracing::error!(request_id = event.request_id, %failure, "integration failed");
            500
        }
    };
    tracing::info!(
        request_id = event.request_id,
        route = "$disconnect",
        connection_id = connection.id,
        close_code = ending.code,
        status,
        duration_ms = milliseconds(started.elapsed()),
        "socket event"
    );
}
