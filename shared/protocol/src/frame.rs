//! Socket frames: `{"type", "id", "data"}` both ways, `in_reply_to` on an answer.

use domain::{ConversationId, Draft, Invalid, Seq, Status, UserId, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::Fields;
use crate::value::{
    ContactRequest, Conversation, MemberMarks, Message, MessageDraft, ParsedProgress, Presence,
    Progress,
};

/// A client's frame before its data is looked at. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientFrame {
    #[serde(rename = "type")]
    pub frame_type: String,
    /// The client's own name of the frame; the answer repeats it.
    pub id: Uuid,
    #[serde(default)]
    pub data: Value,
}

/// `message.send`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageSend {
    pub conversation_id: Option<String>,
    pub messages: Option<Vec<MessageDraft>>,
}

impl MessageSend {
    /// Where to, and 1 to 10 drafts; or every field that is wrong.
    pub fn parse(&self) -> Result<(ConversationId, Vec<Draft>), Fields> {
        let mut fields = Fields::default();
        let to = fields.required("conversation_id", self.conversation_id.as_deref(), str::parse);
        let count = |messages: &Vec<MessageDraft>| {
            (1..=limits::MESSAGES_PER_FRAME)
                .contains(&messages.len())
                .then_some(())
                .ok_or_else(|| Invalid::new("invalid_message_count", "must be 1 to 10 messages"))
        };
        if fields.required("messages", self.messages.as_ref(), count).is_none() {
            return Err(fields);
        }
        let drafts = fields.each("messages", self.messages.iter().flatten(), MessageDraft::parse);
        fields.finish(to.map(|to| (to, drafts)))
    }
}

/// `heartbeat`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeartbeatData {
    pub cursors: Vec<Cursor>,
}

impl HeartbeatData {
    /// At most 200 cursors, none negative.
    pub fn parse(&self) -> Result<Vec<(ConversationId, Seq)>, Fields> {
        if self.cursors.len() > limits::CURSORS_PER_HEARTBEAT {
            let invalid = Invalid::new("too_many_cursors", "must be at most 200 cursors");
            return Err(Fields::one("cursors", invalid));
        }
        let mut fields = Fields::default();
        let mut cursors = Vec::with_capacity(self.cursors.len());
        for (index, Cursor { conversation_id, cursor }) in self.cursors.iter().enumerate() {
            let seq = fields.check(&format!("cursors[{index}].cursor"), Seq::parse(*cursor));
            cursors.extend(seq.map(|seq| (ConversationId(*conversation_id), seq)));
        }
        fields.finish(Some(cursors))
    }
}

/// `receipt`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReceiptData {
    pub conversation_id: Option<String>,
    #[serde(flatten)]
    pub progress: Progress,
}

impl ReceiptData {
    /// Where, and how far; or every field that is wrong.
    pub fn parse(&self) -> Result<(ConversationId, ParsedProgress), Fields> {
        let mut fields = Fields::default();
        let to = fields.required("conversation_id", self.conversation_id.as_deref(), str::parse);
        match self.progress.parse() {
            Ok(progress) => fields.finish(to.map(|to| (to, progress))),
            Err(refused) => {
                fields.0.extend(refused.0);
                Err(fields)
            }
        }
    }
}

/// `typing`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypingData {
    pub conversation_id: Option<String>,
    pub active: Option<bool>,
}

impl TypingData {
    pub fn parse(&self) -> Result<(ConversationId, bool), Fields> {
        let mut fields = Fields::default();
        let to = fields.required("conversation_id", self.conversation_id.as_deref(), str::parse);
        let active = fields.required("active", self.active, Ok);
        fields.finish(to.zip(active))
    }
}

/// `presence.set`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceSet {
    pub status: Option<String>,
}

impl PresenceSet {
    pub fn parse(&self) -> Result<Status, Fields> {
        let mut fields = Fields::default();
        let status = fields.required("status", self.status.as_deref(), str::parse);
        fields.finish(status)
    }
}

/// `presence.watch`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceWatch {
    pub user_ids: Option<Vec<String>>,
}

impl PresenceWatch {
    /// 1 to 50 people.
    pub fn parse(&self) -> Result<Vec<UserId>, Fields> {
        let mut fields = Fields::default();
        let count = |ids: &Vec<String>| {
            (1..=limits::PRESENCES_PER_REQUEST)
                .contains(&ids.len())
                .then_some(())
                .ok_or_else(|| Invalid::new("invalid_user_count", "must be 1 to 50 people"))
        };
        if fields.required("user_ids", self.user_ids.as_ref(), count).is_none() {
            return Err(fields);
        }
        let mut ids = Vec::new();
        for (index, raw) in self.user_ids.iter().flatten().enumerate() {
            ids.extend(fields.check(&format!("user_ids[{index}]"), raw.parse::<UserId>()));
        }
        fields.finish(Some(ids))
    }
}

/// How far a client has got in one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub conversation_id: Uuid,
    pub cursor: i64,
}

/// A frame of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerFrame {
    pub id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<Uuid>,
    #[serde(flatten)]
    pub said: Said,
}

/// What a frame of the server says: `type` and `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Said {
    #[serde(rename = "message.accepted")]
    MessageAccepted(MessageAccepted),
    #[serde(rename = "message.new")]
    MessageNew(Messages),
    /// Edits, deletions, reactions, pins.
    #[serde(rename = "message.changed")]
    MessageChanged(Messages),
    #[serde(rename = "message.rejected")]
    MessageRejected(MessageRejected),
    #[serde(rename = "conversation.changed")]
    ConversationChanged(ConversationChanged),
    #[serde(rename = "contact.changed")]
    ContactChanged(ContactChanged),
    #[serde(rename = "receipt.updated")]
    ReceiptUpdated(ReceiptUpdated),
    #[serde(rename = "typing")]
    Typing(Typing),
    #[serde(rename = "presence.changed")]
    PresenceChanged(PresenceChanged),
    #[serde(rename = "nudge")]
    Nudge(Nudge),
    #[serde(rename = "bye")]
    Bye(Bye),
    #[serde(rename = "heartbeat.ok")]
    HeartbeatOk(HeartbeatOk),
    #[serde(rename = "error")]
    Error(ErrorData),
}

/// Durable in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAccepted {
    pub conversation_id: Uuid,
    pub client_ids: Vec<Uuid>,
}

/// Everything in (after, through] that the receiver may see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Messages {
    pub conversation_id: Uuid,
    pub after: i64,
    pub through: i64,
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRejected {
    pub conversation_id: Uuid,
    pub client_id: Uuid,
    pub code: String,
    pub retryable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConversationChanged {
    Is {
        conversation: Conversation,
    },
    /// The receiver is not a member any more; `removed` is always true.
    Removed {
        conversation_id: Uuid,
        removed: bool,
    },
}

/// Something between the receiver and somebody: asked, accepted, declined, removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactChanged {
    pub user_id: Uuid,
    /// `requested`, `contacts`, `declined` or `removed`.
    pub status: String,
    pub request: Option<ContactRequest>,
}

/// How far others have got in what the receiver wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptUpdated {
    pub conversation_id: Uuid,
    pub marks: Vec<MemberMarks>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    pub conversation_id: Uuid,
    pub user_id: Uuid,
    pub active: bool,
    /// Not shown any longer after this; 0 when they stopped.
    pub expires_in_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceChanged {
    pub users: Vec<Presence>,
}

/// You are behind, or a frame was too large: fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nudge {
    pub conversation_id: Uuid,
    pub last_seq: i64,
}

/// Open the next socket first, then close this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    pub reason: String,
    pub reconnect_after_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatOk {
    pub now: String,
    /// Conversations of the heartbeat that went on without the client.
    pub behind: Vec<Nudge>,
}

/// One bad item refuses the whole frame, and nothing is enqueued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorData {
    pub code: String,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ErrorItem>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorItem {
    pub client_id: Option<String>,
    pub code: String,
}
