//! Messages: accepted, read page by page, and caught up with.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::{Change, Mention as DomainMention, MessageText};

use crate::Fields;
use crate::value::{MemberMarks, Mention, Message};

/// The answer to `POST …/messages`: durable in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAccepted {
    pub client_id: Uuid,
    pub accepted: bool,
}

/// A part of a history, ascending by seq.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageList {
    pub items: Vec<Message>,
    pub has_more_before: bool,
    pub has_more_after: bool,
}

/// What changed after a cursor, ascending by rev.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeList {
    pub items: Vec<Message>,
    pub through: i64,
    pub last_seq: i64,
    pub has_more: bool,
}

/// `PATCH …/messages/{seq}`: another text, and the mentions in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EditMessage {
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions: Option<Vec<Mention>>,
}

impl EditMessage {
    pub fn parse(&self) -> Result<Change, Fields> {
        let mut fields = Fields::default();
        let text = fields.required("text", self.text.as_deref(), MessageText::parse);
        let mentions = self.mentions.iter().flatten().map(DomainMention::from).collect();
        let text = fields.finish(text)?;
        Change::edit(text, mentions).map_err(|invalid| Fields::one("mentions", invalid))
    }
}

/// The marks of every active member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptList {
    pub items: Vec<MemberMarks>,
}

/// What became of one message, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTrace {
    pub conversation_id: Uuid,
    pub seq: i64,
    /// The same in the log lines of every function that had the message.
    pub trace_id: Option<Uuid>,
    pub accepted_at: String,
    pub stored_at: String,
    pub pushed: TracedPushes,
    pub delivered: Vec<TracedMember>,
    pub read: Vec<TracedMember>,
}

/// Sockets that took the frame; one that was told twice counts twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedPushes {
    pub devices: u32,
    pub first_at: Option<String>,
    pub last_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedMember {
    pub user_id: Uuid,
    pub at: String,
}
