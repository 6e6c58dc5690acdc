//! The standard queues: at least once, in no order.

mod people;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::UserId;
use futures::{StreamExt, TryStreamExt};
use service::port::{
    Failure, FanOutJob, FanOutQueue, PresenceQueue, PushLog, PushRecord, ReceiptClaim,
    ReceiptQueue, RecordJob,
};

use crate::queues::{WHAT, bug, described};
use crate::{batch, call, jobs};

pub use people::{SqsErasureQueue, SqsMailQueue};

/// Calls under way at once: the jobs of the largest group take two rounds.
const CALLS_AT_ONCE: usize = 8;
/// The longest that SQS holds a message back.
const DELAY_MAX_SECONDS: u64 = 900;

/// Sends to one queue.
struct Sender {
    client: Client,
    queue_url: String,
}

impl Sender {
    async fn send(&self, body: String, delay_seconds: Option<i32>) -> Result<(), Failure> {
        let send = self.client.send_message().queue_url(&self.queue_url).message_body(body);
        let sent = send.set_delay_seconds(delay_seconds).send().await;
        sent.map(drop).map_err(|error| call::failure(WHAT, error))
    }

    /// In as few calls as it takes, some of them at once.
    async fn send_all(&self, bodies: Vec<String>) -> Result<(), Failure> {
        let calls = batch::calls(bodies);
        let sent: Vec<_> = calls.iter().map(|call| self.send_call(call)).collect();
        futures::stream::iter(sent).buffer_unordered(CALLS_AT_ONCE).try_collect().await
    }

    /// What SQS did not take is sent once more.
    async fn send_call(&self, bodies: &[String]) -> Result<(), Failure> {
        let left = self.send_some(bodies).await?;
        if !left.is_empty() && !self.send_some(&left).await?.is_empty() {
            return Err(Failure::unavailable(WHAT, "jobs were not taken, twice"));
        }
        Ok(())
    }

    /// Answers what SQS did not take and may take the next time.
    async fn send_some(&self, bodies: &[String]) -> Result<Vec<String>, Failure> {
        let entry = |(index, body): (usize, &String)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
            entry.message_body(body).build()
        };
        let entries = bodies.iter().enumerate().map(entry).collect::<Result<_, _>>();
        let send = self.client.send_message_batch().queue_url(&self.queue_url);
        let answer = send.set_entries(Some(entries.map_err(bug)?)).send().await;
        let failed = answer.map_err(|error| call::failure(WHAT, error))?.failed;
        if let Some(refused) = failed.iter().find(|entry| entry.sender_fault) {
            return Err(Failure::bug(WHAT, described(refused)));
        }
        let left = failed.iter().filter_map(|entry| bodies.get(entry.id.parse::<usize>().ok()?));
        Ok(left.cloned().collect())
    }
}

/// Into `events-to-fan-out`.
pub struct SqsFanOutQueue(Sender);

impl SqsFanOutQueue {
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self(Sender { client, queue_url: queue_url.into() })
    }
}

#[async_trait]
impl FanOutQueue for SqsFanOutQueue {
    async fn enqueue(&self, jobs: Vec<FanOutJob>) -> Result<(), Failure> {
        let mut bodies = Vec::with_capacity(jobs.len());
        for job in &jobs {
            bodies.extend(jobs::encode_fan_out(job).map_err(|why| Failure::bug(WHAT, why))?);
        }
        self.0.send_all(bodies).await
    }
}

/// Into `receipts-to-record`: receipts, and the pushes of those who have no database at hand.
pub struct SqsReceiptQueue(Sender);

impl SqsReceiptQueue {
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self(Sender { client, queue_url: queue_url.into() })
    }
}

fn record(job: &RecordJob) -> Result<String, Failure> {
    jobs::encode_record(job).map_err(|why| Failure::bug(WHAT, why))
}

#[async_trait]
impl ReceiptQueue for SqsReceiptQueue {
    async fn enqueue(&self, claim: ReceiptClaim) -> Result<(), Failure> {
        self.0.send(record(&RecordJob::Receipt(claim))?, None).await
    }
}

#[async_trait]
impl PushLog for SqsReceiptQueue {
    async fn record(&self, pushes: &[PushRecord]) -> Result<(), Failure> {
        let bodies = pushes.iter().map(|push| record(&RecordJob::Push(*push)));
        self.0.send_all(bodies.collect::<Result<_, _>>()?).await
    }
}

/// Into `presence-to-announce`.
pub struct SqsPresenceQueue(Sender);

impl SqsPresenceQueue {
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self(Sender { client, queue_url: queue_url.into() })
    }
}

#[async_trait]
impl PresenceQueue for SqsPresenceQueue {
    /// A part of a second counts as a whole one: never earlier than asked.
    async fn enqueue(&self, user: UserId, delay: Duration) -> Result<(), Failure> {
        let body = jobs::encode_announcement(user).map_err(|why| Failure::bug(WHAT, why))?;
        let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
        let seconds = i32::try_from(seconds.min(DELAY_MAX_SECONDS)).unwrap_or(0);
        self.0.send(body, Some(seconds)).await
    }
}
