//! Every frame that needs no database — one arm a frame, one service call an arm.

use std::process::ExitCode;

use protocol::frame::{MessageAccepted, MessageSend, PresenceSet, ReceiptData};
use service::{PresenceStatus, Progress, SocketMessages, SocketReceipts};
use transport::connect::FrameDesk;
use transport::socket::{self, Frame, Said};
use transport::{Rejection, connect};

pub async fn socket_message(desk: FrameDesk, frame: Frame) -> Result<Option<Said>, Rejection> {
    match frame.frame_type() {
        "message.send" => send(desk.messages, frame).await.map(Some),
        "receipt" => claim(desk.receipts, frame).await.map(|()| None),
        "presence.set" => set(desk.status, frame).await.map(|()| None),
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

async fn claim(receipts: SocketReceipts, frame: Frame) -> Result<(), Rejection> {
    let (conversation_id, claim) = frame.data::<ReceiptData>()?.parse()?;
    let progress = Progress { delivered: claim.delivered, read: claim.read };
    Ok(receipts.claim(&frame.connection_id, conversation_id, progress).await?)
}

async fn set(status: PresenceStatus, frame: Frame) -> Result<(), Rejection> {
    let wanted = frame.data::<PresenceSet>()?.parse()?;
    Ok(status.set(&frame.connection_id, wanted).await?)
}

pub fn main() -> ExitCode {
    socket::serve_frames(connect::frame_desk, socket_message)
}
