//! The queues.

use async_trait::async_trait;
use domain::{ConversationId, Timestamp, TraceId};

use super::{Failure, Submission};
use crate::{Connection, Event, Recipient};

/// Into `messages-to-persist.fifo`.
#[async_trait]
pub trait PersistQueue: Send + Sync {
    /// All submissions are of one sender and one conversation and become ONE queue message.
    /// `Ok` means durable.
    async fn enqueue(&self, submissions: &[Submission]) -> Result<(), Failure>;
}

/// What names one received queue message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receipt {
    pub message_id: String,
    pub handle: String,
}

/// A job that is set aside for people to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Quarantined {
    pub conversation_id: Option<ConversationId>,
    /// The queue message as it came.
    pub body: String,
    pub reason: String,
    pub at: Timestamp,
}

/// The worker's side of `messages-to-persist.fifo`.
#[async_trait]
pub trait PersistLane: Send + Sync {
    async fn delete(&self, receipts: &[Receipt]) -> Result<(), Failure>;
    /// Makes them visible again after so many seconds, so that their group is not blocked for the
    /// whole visibility timeout.
    async fn defer(&self, receipts: &[Receipt], seconds: u32) -> Result<(), Failure>;
    async fn quarantine(&self, job: Quarantined) -> Result<(), Failure>;
}

/// One thing to say to many sockets.
#[derive(Debug, Clone, PartialEq)]
pub enum FanOutJob {
    /// Connections that are known, at most 100.
    ToConnections { event: Event, trace_ids: Vec<TraceId>, connections: Vec<Connection> },
    /// Members whose connections are to be looked up, at most 100.
    ToMembers { event: Event, trace_ids: Vec<TraceId>, recipients: Vec<Recipient> },
}

/// Into `events-to-fan-out`.
#[async_trait]
pub trait FanOutQueue: Send + Sync {
    async fn enqueue(&self, jobs: Vec<FanOutJob>) -> Result<(), Failure>;
}
