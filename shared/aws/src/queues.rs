//! The lane of messages: `messages-to-persist.fifo`, and the quarantine beside it.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, MessageAttributeValue,
};
use service::port::{
    Entropy, Failure, PersistLane, PersistQueue, Quarantined, Receipt, Submission,
};

use crate::batch::ENTRIES_PER_CALL;
use crate::call::{self, CallFailed};
use crate::jobs;

/// How failures name this adapter.
pub(crate) const WHAT: &str = "sqs";
/// The group of quarantined jobs whose conversation nobody could read.
const NO_CONVERSATION: &str = "no-conversation";
/// Longer reasons are cut: they are words of ours, for people.
const REASON_MAX_CHARACTERS: usize = 1_000;

/// Into `messages-to-persist.fifo`.
pub struct SqsPersistQueue {
    client: Client,
    queue_url: String,
    entropy: Arc<dyn Entropy>,
}

impl SqsPersistQueue {
    pub fn new(client: Client, queue_url: impl Into<String>, entropy: Arc<dyn Entropy>) -> Self {
        Self { client, queue_url: queue_url.into(), entropy }
    }
}

#[async_trait]
impl PersistQueue for SqsPersistQueue {
    /// The deduplication id is fresh, and only the SDK's own retries repeat it: a client's honest
    /// resend must never be swallowed.
    async fn enqueue(&self, submissions: &[Submission]) -> Result<(), Failure> {
        let body = jobs::encode_persist(submissions).map_err(|why| Failure::bug(WHAT, why))?;
        let group = submissions.first().map(|first| first.conversation_id.to_string());
        let send = self.client.send_message().queue_url(&self.queue_url).message_body(body);
        let send = send.set_message_group_id(group);
        let sent = send.message_deduplication_id(self.entropy.uuid_v7().to_string()).send().await;
        sent.map(drop).map_err(|error| call::failure(WHAT, error))
    }
}

/// The worker's side of `messages-to-persist.fifo`, and the quarantine beside it.
pub struct SqsPersistLane {
    client: Client,
    queue_url: String,
    quarantine_url: String,
    entropy: Arc<dyn Entropy>,
}

impl SqsPersistLane {
    pub fn new(
        client: Client,
        queue_url: impl Into<String>,
        quarantine_url: impl Into<String>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (queue_url, quarantine_url) = (queue_url.into(), quarantine_url.into());
        Self { client, queue_url, quarantine_url, entropy }
    }

    /// A receipt that names nothing is of a message that is deleted already, or that will come
    /// again and be found in history: neither is a failure.
    async fn delete_some(&self, receipts: &[Receipt]) -> Result<(), Failure> {
        let entry = |(index, receipt): (usize, &Receipt)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(&receipt.handle).build()
        };
        let entries = receipts.iter().enumerate().map(entry).collect::<Result<_, _>>();
        let delete = self.client.delete_message_batch().queue_url(&self.queue_url);
        let answer = delete.set_entries(Some(entries.map_err(bug)?)).send().await;
        all_done(&answer.map_err(|error| call::failure(WHAT, error))?.failed)
    }

    /// A message that is not in flight is visible or deleted already: nothing is left to do.
    async fn defer_some(&self, receipts: &[Receipt], seconds: i32) -> Result<(), Failure> {
        let entry = |(index, receipt): (usize, &Receipt)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(&receipt.handle).visibility_timeout(seconds).build()
        };
        let entries = receipts.iter().enumerate().map(entry).collect::<Result<_, _>>();
        let change = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
        let answer = change.set_entries(Some(entries.map_err(bug)?)).send().await;
        all_done(&answer.map_err(|error| call::failure(WHAT, error))?.failed)
    }
}

#[async_trait]
impl PersistLane for SqsPersistLane {
    async fn delete(&self, receipts: &[Receipt]) -> Result<(), Failure> {
        for some in receipts.chunks(ENTRIES_PER_CALL) {
            match self.delete_some(some).await {
                Err(Failure::Unavailable { .. }) => self.delete_some(some).await?,
                done_or_bug => done_or_bug?,
            }
        }
        Ok(())
    }

    async fn defer(&self, receipts: &[Receipt], seconds: u32) -> Result<(), Failure> {
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        for some in receipts.chunks(ENTRIES_PER_CALL) {
            self.defer_some(some, seconds).await?;
        }
        Ok(())
    }

    /// The body stays as it came, so that it can be put back; what we know of it goes beside it.
    async fn quarantine(&self, job: Quarantined) -> Result<(), Failure> {
        let conversation = job.conversation_id.map(|id| id.to_string());
        let group = conversation.clone().unwrap_or_else(|| NO_CONVERSATION.to_owned());
        let mut send = self
            .client
            .send_message()
            .queue_url(&self.quarantine_url)
            .message_body(job.body)
            .message_group_id(group)
            .message_deduplication_id(self.entropy.uuid_v7().to_string())
            .message_attributes("reason", attribute(&printable(&job.reason))?)
            .message_attributes("quarantined_at", attribute(&job.at.to_string())?);
        if let Some(conversation) = conversation {
            send = send.message_attributes("conversation_id", attribute(&conversation)?);
        }
        send.send().await.map(drop).map_err(|error| call::failure(WHAT, error))
    }
}

pub(crate) fn bug(error: BuildError) -> Failure {
    Failure::bug(WHAT, error)
}

fn attribute(text: &str) -> Result<MessageAttributeValue, Failure> {
    let value = MessageAttributeValue::builder().data_type("String").string_value(text);
    value.build().map_err(bug)
}

/// SQS takes no control characters and no empty text.
fn printable(reason: &str) -> String {
    let allowed =
        reason.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}'..='\u{ffff}'));
    let text: String = allowed.take(REASON_MAX_CHARACTERS).collect();
    if text.is_empty() { "unknown".to_owned() } else { text }
}

pub(crate) fn described(entry: &BatchResultErrorEntry) -> CallFailed {
    CallFailed::new(&entry.code, entry.message.as_deref().unwrap_or("no message"))
}

/// `ReceiptHandleIsInvalid` and `MessageNotInflight` are the sender's faults and mean that nothing
/// is left to do.
fn all_done(failed: &[BatchResultErrorEntry]) -> Result<(), Failure> {
    match failed.iter().find(|entry| !entry.sender_fault) {
        None => Ok(()),
        Some(entry) => Err(Failure::unavailable(WHAT, described(entry))),
    }
}
