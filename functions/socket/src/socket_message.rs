//! Every frame of a client but the heartbeat — one arm a frame, one service call an arm.

use std::process::ExitCode;

use protocol::frame::{MessageAccepted, MessageSend};
use service::SocketMessages;
use transport::socket::{self, Frame, Said};
use transport::{Rejection, connect};

pub async fn socket_message(
    messages: SocketMessages,
    frame: Frame,
) -> Result<Option<Said>, Rejection> {
    match frame.frame_type() {
        "message.send" => send(messages, frame).await.map(Some),
        _ => Err(Rejection::UnknownFrame),
    }
}

/// All messages of the frame are accepted, or none.
async fn send(messages: SocketMessages, frame: Frame) -> Result<Said, Rejection> {
    let (conversation_id, drafts) = frame.data::<MessageSend>()?.parse()?;
    let client_ids = drafts.iter().map(|draft| draft.client_id.0).collect();
    messages.send(&frame.connection_id, conversation_id, drafts).await?;
    let conversation_id = conversation_id.0;
    Ok(Said::MessageAccepted(MessageAccepted { conversation_id, client_ids }))
}

pub fn main() -> ExitCode {
    socket::serve_frames(connect::socket_messages, socket_message)
}
