//! The queues about single people: mails to send, accounts to erase.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use domain::{EmailAddress, UserId};
use service::port::{ErasureQueue, Failure, MailJob, MailQueue};

use super::Sender;
use crate::jobs;
use crate::queues::WHAT;

/// Into `mail-to-send`.
pub struct SqsMailQueue(Sender);

impl SqsMailQueue {
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self(Sender { client, queue_url: queue_url.into() })
    }
}

#[async_trait]
impl MailQueue for SqsMailQueue {
    async fn enqueue(&self, job: MailJob) -> Result<(), Failure> {
        let body = jobs::encode_mail(&job).map_err(|why| Failure::bug(WHAT, why))?;
        self.0.send(body, None).await
    }
}

/// Into `accounts-to-erase`.
pub struct SqsErasureQueue(Sender);

impl SqsErasureQueue {
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self(Sender { client, queue_url: queue_url.into() })
    }
}

#[async_trait]
impl ErasureQueue for SqsErasureQueue {
    async fn enqueue(&self, user: UserId, email: &EmailAddress) -> Result<(), Failure> {
        let body = jobs::encode_erasure(user, email).map_err(|why| Failure::bug(WHAT, why))?;
        self.0.send(body, None).await
    }
}
