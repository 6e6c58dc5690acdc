//! Messages: accepted, read page by page, and caught up with.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::value::Message;

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
