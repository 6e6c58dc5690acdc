//! Frames as they are said.

use protocol::frame::{
    ClientFrame, Cursor, HeartbeatData, MessageSend, PresenceSet, PresenceWatch, ReceiptData,
    TypingData,
};
use protocol::value::{MessageDraft, Progress};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::presence::Saying;

fn frame(frame_type: &str, id: Uuid, data: impl Serialize) -> ClientFrame {
    // Plain structs of text and numbers always serialise.
    let data = serde_json::to_value(data).unwrap_or(Value::Null);
    ClientFrame { frame_type: frame_type.to_owned(), id, data }
}

pub(crate) fn send(id: Uuid, conversation: Uuid, messages: Vec<MessageDraft>) -> ClientFrame {
    let conversation_id = Some(conversation.to_string());
    frame("message.send", id, MessageSend { conversation_id, messages: Some(messages) })
}

pub(crate) fn receipt(
    id: Uuid,
    conversation: Uuid,
    delivered: i64,
    read: Option<i64>,
) -> ClientFrame {
    let progress = Progress { delivered: Some(delivered), read };
    let conversation_id = Some(conversation.to_string());
    frame("receipt", id, ReceiptData { conversation_id, progress })
}

pub(crate) fn typing(id: Uuid, conversation: Uuid, is_active: bool) -> ClientFrame {
    let conversation_id = Some(conversation.to_string());
    frame("typing", id, TypingData { conversation_id, active: Some(is_active) })
}

pub(crate) fn presence(id: Uuid, saying: Saying) -> ClientFrame {
    match saying {
        Saying::Set(status) => frame("presence.set", id, PresenceSet { status: Some(status) }),
        Saying::Watch(users) => {
            let user_ids = Some(users.iter().map(Uuid::to_string).collect());
            frame("presence.watch", id, PresenceWatch { user_ids })
        }
    }
}

pub(crate) fn heartbeat(id: Uuid, cursors: Vec<Cursor>) -> ClientFrame {
    frame("heartbeat", id, HeartbeatData { cursors })
}
