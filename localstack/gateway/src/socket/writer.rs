//! The only place that writes messages to a socket, one after the other, in the order in which
//! they were queued.

use futures::stream::SplitSink;
use futures::{Sink, SinkExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::connection::{Connection, Outgoing, Queue};
use super::{Ending, MAX_FRAME_BYTES, STALL_TIME};

pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How writing ended.
pub(super) enum Written {
    /// The close frame is out.
    Closed(Ending),
    /// The client did not read for too long, or its connection is gone.
    Broken,
}

/// Writes until it has written a close frame, or cannot write. Memory is bounded by the queue.
pub(super) async fn run(
    sink: &mut SplitSink<Socket, Message>,
    queue: &mut Queue,
    connection: &Connection,
) -> Written {
    // The queue is never closed before this ends: the connection holds its other end.
    while let Some(next) = queue.recv().await {
        match next {
            Outgoing::Text(text) => {
                let bytes = text.len();
                let sent = tokio::time::timeout(STALL_TIME, send(sink, text)).await;
                connection.written(bytes);
                if !matches!(sent, Ok(Ok(()))) {
                    return Written::Broken;
                }
                connection.touch();
            }
            Outgoing::Close(ending) => {
                let reason = Utf8Bytes::from(ending.reason.as_str());
                let frame = CloseFrame { code: ending.code.into(), reason };
                let closing = sink.send(Message::Close(Some(frame)));
                return match tokio::time::timeout(STALL_TIME, closing).await {
                    Ok(Ok(())) => Written::Closed(ending),
                    Ok(Err(_)) | Err(_) => Written::Broken,
                };
            }
        }
    }
    Written::Broken
}

/// "A message larger than 32 KB must be split into multiple frames, each 32 KB or smaller. This
/// applies to @connections commands": the gateway does the splitting, the client's library puts
/// the frames together again.
async fn send<S, E>(sink: &mut S, text: Utf8Bytes) -> Result<(), E>
where
    S: Sink<Message, Error = E> + Unpin,
{
    if text.len() <= MAX_FRAME_BYTES {
        return sink.send(Message::Text(text)).await;
    }
    let mut rest = bytes::Bytes::from(text);
    let mut kind = Data::Text;
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(MAX_FRAME_BYTES));
        let frame = Frame::message(piece, OpCode::Data(kind), rest.is_empty());
        sink.send(Message::Frame(frame)).await?;
        kind = Data::Continue;
    }
    Ok(())
}
