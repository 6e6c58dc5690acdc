//! The history, kept in Postgres.

use std::collections::BTreeMap;
use std::error::Error as Source;

use async_trait::async_trait;
use domain::{ConversationId, Draft, Message, Rejection, Seq, Timestamp, TraceId, UserId};

use super::Failure;
use crate::{MessagePage, Recipient, Window};

/// One accepted message on its way into history.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    pub conversation_id: ConversationId,
    pub sender_id: UserId,
    pub draft: Draft,
    pub accepted_at: Timestamp,
    pub trace_id: TraceId,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It has its number now.
    Stored(Message),
    /// It had its number before (or stands earlier in the same batch); the first content won.
    Known(Message),
    Rejected(Rejection),
}

/// The verdict on the submission at the same index.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    pub verdict: Verdict,
}

/// One committed transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    /// One for each submission, in their order.
    pub appended: Vec<Appended>,
    /// The active members of every conversation with a stored or known message, as the
    /// transaction saw them under its locks.
    pub recipients: BTreeMap<ConversationId, Vec<Recipient>>,
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Connection lost, classes 08, 53, 57, 40, timed out: the same again later.
    #[error("the history cannot be written at the moment")]
    Transient(#[source] Box<dyn Source + Send + Sync>),
    /// Class 22: the store cannot hold this content, and never will.
    #[error("the history refused the content")]
    BadData(#[source] Box<dyn Source + Send + Sync>),
    /// Anything else; may be one poisoned message.
    #[error("the history failed in an unknown way")]
    Unknown(#[source] Box<dyn Source + Send + Sync>),
}

/// What changed after a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesPage {
    /// With rev > after, ascending by rev.
    pub items: Vec<Message>,
    /// The cursor to keep.
    pub through: Seq,
    pub last_seq: Seq,
    pub has_more: bool,
}

#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Writes all submissions in one transaction of two statements: locks, then append.
    /// A `(conversation, sender, client_id)` is stored once, whatever is sent how often.
    async fn append(&self, submissions: &[Submission]) -> Result<Commit, AppendError>;
    /// `None` for who is not an active member; only what is after they joined.
    async fn page(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        window: Window,
        limit: u32,
    ) -> Result<Option<MessagePage>, Failure>;
    /// `None` for who is not an active member; one snapshot.
    async fn changes(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Result<Option<ChangesPage>, Failure>;
    /// `SELECT 1`: tells a poisoned message from a database that is down.
    async fn ping(&self) -> Result<(), Failure>;
}
