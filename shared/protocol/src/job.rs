//! Queue jobs. Imperative and versioned: a worker refuses what it does not know.

use domain::{ConnectionId, ConversationId, Draft, Timestamp, TraceId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Fields;
use crate::frame::Said;
use crate::value::{MessageDraft, Progress};

/// One frame's messages on their way into history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersistMessagesV1 {
    pub job: PersistMessagesTag,
    pub conversation_id: Uuid,
    pub sender_id: Uuid,
    pub accepted_at: String,
    /// Nil in jobs of a release that did not trace.
    #[serde(default)]
    pub trace_id: Uuid,
    pub messages: Vec<MessageDraft>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PersistMessagesTag {
    #[serde(rename = "persist-messages/1")]
    V1,
}

impl PersistMessagesV1 {
    pub fn new<'a>(
        conversation_id: ConversationId,
        sender_id: UserId,
        accepted_at: Timestamp,
        trace_id: TraceId,
        drafts: impl Iterator<Item = &'a Draft>,
    ) -> Self {
        Self {
            job: PersistMessagesTag::V1,
            conversation_id: conversation_id.0,
            sender_id: sender_id.0,
            accepted_at: accepted_at.to_string(),
            trace_id: trace_id.0,
            messages: drafts.map(MessageDraft::from).collect(),
        }
    }

    /// The drafts and when they were accepted, or every field that is wrong.
    pub fn parse(&self) -> Result<(Timestamp, Vec<Draft>), Fields> {
        let mut fields = Fields::default();
        let accepted_at = fields.check("accepted_at", self.accepted_at.parse());
        let drafts = fields.each("messages", &self.messages, MessageDraft::parse);
        fields.finish(accepted_at.map(|at| (at, drafts)))
    }
}

/// One thing to say to many sockets: to these connections, or to all of these members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FanOutEventsV1 {
    pub job: FanOutEventsTag,
    pub event: Said,
    /// Of the messages in it.
    #[serde(default)]
    pub trace_ids: Vec<Uuid>,
    pub to: FanOutTo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FanOutEventsTag {
    #[serde(rename = "fan-out-events/1")]
    V1,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FanOutTo {
    Connections(Vec<JobConnection>),
    Members(Vec<JobRecipient>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobConnection {
    pub connection_id: String,
    pub user_id: Uuid,
    pub session_id: Uuid,
    pub since: String,
    pub seen_at: String,
}

impl JobConnection {
    /// The opaque id, checked.
    pub fn id(&self) -> Result<ConnectionId, domain::Invalid> {
        ConnectionId::parse(self.connection_id.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecipient {
    pub user_id: Uuid,
    pub joined_seq: i64,
}

/// What one device claims to have, or its person to have read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordReceiptV1 {
    pub job: RecordReceiptTag,
    pub conversation_id: Uuid,
    pub user_id: Uuid,
    #[serde(flatten)]
    pub progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordReceiptTag {
    #[serde(rename = "record-receipt/1")]
    V1,
}

/// Sockets that took a frame, for the trace of its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPushV1 {
    pub job: RecordPushTag,
    pub conversation_id: Uuid,
    pub after: i64,
    pub through: i64,
    pub devices: u32,
    /// When they were pushed to. Missing in jobs of a release that did not tell it.
    #[serde(default)]
    pub at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordPushTag {
    #[serde(rename = "record-push/1")]
    V1,
}

/// Somebody may have come or gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncePresenceV1 {
    pub job: AnnouncePresenceTag,
    pub user_id: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnnouncePresenceTag {
    #[serde(rename = "announce-presence/1")]
    V1,
}

/// Somebody is to get a mail. Whose address it is, and the token in it, are found out by who
/// sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMailV1 {
    pub job: SendMailTag,
    pub mail: MailOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendMailTag {
    #[serde(rename = "send-mail/1")]
    V1,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MailOrder {
    VerifyEmail { user_id: Uuid },
    ResetPassword { email: String },
    NewSignIn { user_id: Uuid, session_id: Uuid },
}

/// An account whose owner has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseAccountV1 {
    pub job: EraseAccountTag,
    pub user_id: Uuid,
    /// What must not be found anywhere afterwards.
    pub email: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EraseAccountTag {
    #[serde(rename = "erase-account/1")]
    V1,
}
