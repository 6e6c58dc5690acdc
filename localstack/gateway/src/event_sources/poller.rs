//! One mapping: takes batches, at most as many at once as may run.
//!
//! The order within a FIFO group is SQS's doing: while a message of a group is invisible, the
//! queue gives out no other message of that group. So two batches never share a group, as long
//! as a batch is deleted, or becomes visible again, as a whole. Nothing here may reorder that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::batch;
use super::outcome::{Outcome, judge};
use crate::invoke::Invoke;
use crate::model::EventSource;
use crate::resources::causes;
use crate::usage::{PollerCall, Usage};

/// The emulator looks for messages every 100 ms during a long poll. While messages flow, that is
/// too slow, so the poller asks often and without waiting; when they stop, it waits there. One
/// second and no more, because an emulator goes on with the poll of a gateway that has ended and
/// gives the next message to nobody.
const BUSY_FOR: Duration = Duration::from_secs(2);
const BUSY_PAUSE: Duration = Duration::from_millis(20);
const LONG_POLL_SECONDS: i32 = 1;

/// After an error the next try waits this long, then twice as long, up to the limit.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// SQS gives out and deletes at most ten messages a call.
const MAX_PER_CALL: usize = 10;

/// A delete that fails would mean a needless redelivery.
const DELETE_TRIES: usize = 3;

pub(super) struct Poller {
    pub(super) source: EventSource,
    pub(super) queue_url: String,
    pub(super) queue_arn: String,
    pub(super) region: String,
    pub(super) concurrency: usize,
    pub(super) client: Client,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) usage: Arc<Usage>,
}

/// How eagerly to ask.
struct Pace {
    last_message: Option<Instant>,
    backoff: Duration,
}

impl Pace {
    fn is_busy(&self) -> bool {
        self.last_message.is_some_and(|at| at.elapsed() < BUSY_FOR)
    }

    fn wait_seconds(&self) -> i32 {
        if self.is_busy() { 0 } else { LONG_POLL_SECONDS }
    }
}

impl Poller {
    pub(super) async fn run(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let finished = Arc::new(Notify::new());
        let mut batches = JoinSet::new();
        let mut pace = Pace { last_message: None, backoff: FIRST_BACKOFF };
        loop {
            let taken = tokio::select! {
                biased;
                // An error means that the gateway is gone, which is a stop too.
                _ = stopping.wait_for(|stop| *stop) => break,
                taken = self.take(&slots, &finished, &mut pace) => taken,
            };
            if let Some((slot, messages)) = taken {
                let poller = Arc::clone(&self);
                let finished = Arc::clone(&finished);
                batches.spawn(async move {
                    poller.handle(messages).await;
                    drop(slot);
                    // In a FIFO queue a group may have become free with this batch.
                    finished.notify_one();
                });
            }
            while batches.try_join_next().is_some() {}
        }
        while batches.join_next().await.is_some() {}
    }

    /// One look into the queue, when there is a free slot; then a pause if there was nothing.
    async fn take(
        &self,
        slots: &Arc<Semaphore>,
        finished: &Notify,
        pace: &mut Pace,
    ) -> Option<(OwnedSemaphorePermit, Vec<Message>)> {
        let slot = Arc::clone(slots).acquire_owned().await.ok()?;
        match self.collect(pace.wait_seconds()).await {
            Ok(messages) => {
                if pace.backoff > FIRST_BACKOFF {
                    tracing::info!(queue = %self.source.queue, "the queue answers again");
                    pace.backoff = FIRST_BACKOFF;
                }
                if !messages.is_empty() {
                    pace.last_message = Some(Instant::now());
                    return Some((slot, messages));
                }
                if pace.is_busy() {
                    let _ = tokio::time::timeout(BUSY_PAUSE, finished.notified()).await;
                }
            }
            Err(error) => {
                if pace.backoff == FIRST_BACKOFF {
                    tracing::warn!(queue = %self.source.queue, error, "the queue does not answer");
                }
                tokio::time::sleep(pace.backoff).await;
                pace.backoff = (pace.backoff * 2).min(MAX_BACKOFF);
            }
        }
        None
    }

    /// A batch: one receive, or as many as fit into the batching window.
    async fn collect(&self, wait_seconds: i32) -> Result<Vec<Message>, String> {
        let size = usize::try_from(self.source.batch_size).unwrap_or(MAX_PER_CALL);
        let mut messages = self.receive(size, wait_seconds).await?;
        let begin = Instant::now();
        while !messages.is_empty()
            && messages.len() < size
            && begin.elapsed() < self.source.batching_window
        {
            tokio::time::sleep(BUSY_PAUSE).await;
            match self.receive(size - messages.len(), 0).await {
                Ok(more) => messages.extend(more),
                // What has been received must be handled.
                Err(_) => break,
            }
        }
        Ok(messages)
    }

    async fn receive(&self, most: usize, wait_seconds: i32) -> Result<Vec<Message>, String> {
        let most = i32::try_from(most.min(MAX_PER_CALL)).unwrap_or(1);
        let received = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(most)
            .wait_time_seconds(wait_seconds)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await;
        match received {
            Ok(received) => {
                let messages = received.messages.unwrap_or_default();
                self.count(PollerCall::Receive { is_empty: messages.is_empty() });
                Ok(messages)
            }
            Err(error) => Err(causes(&error)),
        }
    }

    fn count(&self, call: PollerCall) {
        let queue = &self.source.queue;
        // Only the names of FIFO queues may, and must, end so.
        self.usage.polled(queue, queue.ends_with(".fifo"), call);
    }

    async fn handle(&self, messages: Vec<Message>) {
        let event = batch::event(&messages, &self.queue_arn, &self.region);
        let ids: Vec<&str> = messages.iter().filter_map(Message::message_id).collect();
        let outcome = match self.invoke.invoke(&self.source.function, event).await {
            Ok(answer) => judge(&answer, &ids, self.source.reports_item_failures),
            Err(error) => Outcome::NothingDone(error.to_string()),
        };
        match outcome {
            Outcome::DoneExcept(failed) => {
                let is_done = |message: &&Message| {
                    message.message_id().is_some_and(|id| !failed.contains(id))
                };
                let done: Vec<&Message> = messages.iter().filter(is_done).collect();
                if !failed.is_empty() {
                    let (failed, of) = (failed.len(), messages.len());
                    tracing::warn!(queue = %self.source.queue, failed, of, "part of it failed");
                }
                self.delete(&done).await;
            }
            Outcome::NothingDone(why) => {
                let of = messages.len();
                tracing::warn!(queue = %self.source.queue, of, why, "a whole batch failed");
            }
        }
    }

    async fn delete(&self, messages: &[&Message]) {
        for chunk in messages.chunks(MAX_PER_CALL) {
            let mut entries = Vec::with_capacity(chunk.len());
            for (index, message) in chunk.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(message.receipt_handle().unwrap_or_default());
                entries.extend(entry.build().ok());
            }
            self.delete_entries(entries).await;
        }
    }

    async fn delete_entries(&self, mut entries: Vec<DeleteMessageBatchRequestEntry>) {
        for attempt in 1..=DELETE_TRIES {
            let request = self.client.delete_message_batch().queue_url(&self.queue_url);
            let why = match request.set_entries(Some(entries.clone())).send().await {
                Ok(deleted) => {
                    self.count(PollerCall::Delete);
                    let failed = deleted.failed();
                    entries.retain(|entry| failed.iter().any(|failure| failure.id == entry.id));
                    failed.first().map_or(String::new(), |failure| failure.code.clone())
                }
                Err(error) => causes(&error),
            };
            if entries.is_empty() {
                return;
            }
            if attempt == DELETE_TRIES {
                let left = entries.len();
                tracing::warn!(queue = %self.source.queue, left, why, "messages will come again");
                return;
            }
            tokio::time::sleep(FIRST_BACKOFF).await;
        }
    }
}
