//! The queues, read as a worker reads them.

use async_trait::async_trait;
use aws::{
    SqsErasureQueue, SqsFanOutQueue, SqsMailQueue, SqsPersistLane, SqsPersistQueue,
    SqsPresenceQueue, SqsReceiptQueue, jobs,
};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use domain::{EmailAddress, UserId};
use service::port::{
    ErasureQueue, FanOutJob, FanOutQueue, MailJob, MailQueue, PersistLane, PersistQueue,
    PresenceQueue, PushLog, Quarantined, Receipt, ReceiptQueue, RecordJob,
};
use testkit::ambient::SeededEntropy;
use testkit::contract::live::erasure_queue::Goodbyes;
use testkit::contract::live::fan_out_queue::FanOut;
use testkit::contract::live::mail_queue::Mails;
use testkit::contract::live::persist_lane::Lane;
use testkit::contract::live::presence_queue::Announcements;
use testkit::contract::live::record_queue::Records;
use testkit::live::ReceivedJob;

use super::{clients, unique};

pub struct Queues {
    client: Client,
    queue: SqsPersistQueue,
    lane: SqsPersistLane,
    fan_out: SqsFanOutQueue,
    records: SqsReceiptQueue,
    announcements: SqsPresenceQueue,
    mails: SqsMailQueue,
    goodbyes: SqsErasureQueue,
    persist_url: String,
    quarantine_url: String,
    fan_out_url: String,
    records_url: String,
    announcements_url: String,
    mails_url: String,
    goodbyes_url: String,
}

pub async fn queues() -> Queues {
    let client = clients().await.sqs();
    let persist_url = create(&client, "messages-to-persist.fifo").await;
    let quarantine_url = create(&client, "quarantined-messages.fifo").await;
    let fan_out_url = create(&client, "events-to-fan-out").await;
    let records_url = create(&client, "receipts-to-record").await;
    let announcements_url = create(&client, "presence-to-announce").await;
    let mails_url = create(&client, "mail-to-send").await;
    let goodbyes_url = create(&client, "accounts-to-erase").await;
    let entropy = SeededEntropy::new(1);
    let lane = SqsPersistLane::new(client.clone(), &persist_url, &quarantine_url, entropy.clone());
    Queues {
        queue: SqsPersistQueue::new(client.clone(), &persist_url, entropy),
        lane,
        fan_out: SqsFanOutQueue::new(client.clone(), &fan_out_url),
        records: SqsReceiptQueue::new(client.clone(), &records_url),
        announcements: SqsPresenceQueue::new(client.clone(), &announcements_url),
        mails: SqsMailQueue::new(client.clone(), &mails_url),
        goodbyes: SqsErasureQueue::new(client.clone(), &goodbyes_url),
        client,
        persist_url,
        quarantine_url,
        fan_out_url,
        records_url,
        announcements_url,
        mails_url,
        goodbyes_url,
    }
}

pub async fn create(client: &Client, name: &str) -> String {
    let mut create = client
        .create_queue()
        .queue_name(format!("{}-{name}", unique("test")))
        .attributes(QueueAttributeName::VisibilityTimeout, "30");
    if name.ends_with(".fifo") {
        create = create
            .attributes(QueueAttributeName::FifoQueue, "true")
            .attributes(QueueAttributeName::DeduplicationScope, "messageGroup")
            .attributes(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId");
    }
    let created = create.send().await.expect("the emulator makes a queue");
    created.queue_url.expect("a queue has an address")
}

impl Queues {
    /// What is there now, hidden from now on.
    async fn drain_bodies(&self, queue_url: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        // No promise sends more than a hundred jobs.
        for _ in 0..100 {
            let messages = self.messages(queue_url, 10).await;
            if messages.is_empty() {
                break;
            }
            bodies.extend(messages.into_iter().map(|message| message.body.expect("a body")));
        }
        bodies
    }

    async fn messages(&self, queue_url: &str, most: usize) -> Vec<Message> {
        let receive = self.client.receive_message().queue_url(queue_url);
        let receive = receive
            .max_number_of_messages(i32::try_from(most).expect("at most ten"))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        receive.send().await.expect("receive").messages.unwrap_or_default()
    }
}

fn received(message: Message) -> ReceivedJob {
    let attributes = message.attributes.expect("system attributes");
    let receives = &attributes[&MessageSystemAttributeName::ApproximateReceiveCount];
    let body = message.body.expect("a body");
    ReceivedJob {
        receipt: Receipt {
            message_id: message.message_id.expect("an id"),
            handle: message.receipt_handle.expect("a handle"),
        },
        submissions: jobs::decode_persist(&body).expect("a job of ours"),
        receives: receives.parse().expect("a number"),
    }
}

fn quarantined(message: Message) -> Quarantined {
    let attributes = message.message_attributes.expect("attributes");
    let text = |name: &str| attributes.get(name)?.string_value.clone();
    Quarantined {
        conversation_id: text("conversation_id").map(|id| id.parse().expect("an id")),
        body: message.body.expect("a body"),
        reason: text("reason").expect("a reason"),
        at: text("quarantined_at").expect("a time").parse().expect("a time"),
    }
}

#[async_trait]
impl Lane for Queues {
    fn queue(&self) -> &dyn PersistQueue {
        &self.queue
    }

    fn lane(&self) -> &dyn PersistLane {
        &self.lane
    }

    async fn receive(&self, most: usize) -> Vec<ReceivedJob> {
        self.messages(&self.persist_url, most).await.into_iter().map(received).collect()
    }

    async fn quarantined(&self) -> Vec<Quarantined> {
        self.messages(&self.quarantine_url, 10).await.into_iter().map(quarantined).collect()
    }
}

#[async_trait]
impl FanOut for Queues {
    fn queue(&self) -> &dyn FanOutQueue {
        &self.fan_out
    }

    async fn drain(&self) -> Vec<FanOutJob> {
        let bodies = self.drain_bodies(&self.fan_out_url).await;
        let job = |body: String| jobs::decode_fan_out(&body).expect("a job of ours");
        bodies.into_iter().map(job).collect()
    }
}

#[async_trait]
impl Records for Queues {
    fn receipts(&self) -> &dyn ReceiptQueue {
        &self.records
    }

    fn push_log(&self) -> &dyn PushLog {
        &self.records
    }

    async fn drain(&self) -> Vec<RecordJob> {
        let bodies = self.drain_bodies(&self.records_url).await;
        let job = |body: String| jobs::decode_record(&body).expect("a job of ours");
        bodies.into_iter().map(job).collect()
    }
}

#[async_trait]
impl Announcements for Queues {
    fn queue(&self) -> &dyn PresenceQueue {
        &self.announcements
    }

    async fn drain(&self) -> Vec<UserId> {
        let bodies = self.drain_bodies(&self.announcements_url).await;
        let user = |body: String| jobs::decode_announcement(&body).expect("a job of ours");
        bodies.into_iter().map(user).collect()
    }
}

#[async_trait]
impl Mails for Queues {
    fn queue(&self) -> &dyn MailQueue {
        &self.mails
    }

    async fn drain(&self) -> Vec<MailJob> {
        let bodies = self.drain_bodies(&self.mails_url).await;
        let job = |body: String| jobs::decode_mail(&body).expect("a job of ours");
        bodies.into_iter().map(job).collect()
    }
}

#[async_trait]
impl Goodbyes for Queues {
    fn queue(&self) -> &dyn ErasureQueue {
        &self.goodbyes
    }

    async fn drain(&self) -> Vec<(UserId, EmailAddress)> {
        let bodies = self.drain_bodies(&self.goodbyes_url).await;
        let job = |body: String| jobs::decode_erasure(&body).expect("a job of ours");
        bodies.into_iter().map(job).collect()
    }
}
