//! The fakes of the live side keep the promises of their ports.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{ConnectionId, EmailAddress, UserId};
use service::port::{
    ErasureQueue, FanOutJob, FanOutQueue, MailJob, MailQueue, PersistLane, PersistQueue,
    PresenceQueue, PushLog, PushOutcome, Pusher, Quarantined, ReceiptQueue, RecordJob,
};
use testkit::ambient::FrozenClock;
use testkit::contract::live::erasure_queue::Goodbyes;
use testkit::contract::live::fan_out_queue::FanOut;
use testkit::contract::live::mail_queue::Mails;
use testkit::contract::live::persist_lane::Lane;
use testkit::contract::live::presence_queue::Announcements;
use testkit::contract::live::pusher::Sockets;
use testkit::contract::live::record_queue::Records;
use testkit::live::{FakeLive, FakePusher, FakeQueues, ReceivedJob};

async fn table() -> FakeLive {
    FakeLive::default()
}

struct Queues(Arc<FakeQueues>);

async fn queues() -> Queues {
    Queues(FakeQueues::new(FrozenClock::new()))
}

#[async_trait]
impl Lane for Queues {
    fn queue(&self) -> &dyn PersistQueue {
        &*self.0
    }

    fn lane(&self) -> &dyn PersistLane {
        &*self.0
    }

    async fn receive(&self, most: usize) -> Vec<ReceivedJob> {
        self.0.receive(most)
    }

    async fn quarantined(&self) -> Vec<Quarantined> {
        self.0.quarantined()
    }
}

#[async_trait]
impl FanOut for Queues {
    fn queue(&self) -> &dyn FanOutQueue {
        &*self.0
    }

    async fn drain(&self) -> Vec<FanOutJob> {
        self.0.drain_fan_out()
    }
}

#[async_trait]
impl Records for Queues {
    fn receipts(&self) -> &dyn ReceiptQueue {
        &*self.0
    }

    fn push_log(&self) -> &dyn PushLog {
        &*self.0
    }

    async fn drain(&self) -> Vec<RecordJob> {
        self.0.drain_records()
    }
}

#[async_trait]
impl Announcements for Queues {
    fn queue(&self) -> &dyn PresenceQueue {
        &*self.0
    }

    async fn drain(&self) -> Vec<UserId> {
        self.0.drain_presence()
    }
}

#[async_trait]
impl Mails for Queues {
    fn queue(&self) -> &dyn MailQueue {
        &*self.0
    }

    async fn drain(&self) -> Vec<MailJob> {
        self.0.drain_mails()
    }
}

#[async_trait]
impl Goodbyes for Queues {
    fn queue(&self) -> &dyn ErasureQueue {
        &*self.0
    }

    async fn drain(&self) -> Vec<(UserId, EmailAddress)> {
        self.0.drain_erasures()
    }
}

struct Pushes(Arc<FakePusher>);

async fn pushes() -> Pushes {
    Pushes(FakePusher::new())
}

#[async_trait]
impl Sockets for Pushes {
    fn pusher(&self) -> &dyn Pusher {
        &*self.0
    }

    fn behave(&self, id: &ConnectionId, outcome: PushOutcome) {
        self.0.answer(id, outcome);
    }

    async fn heard(&self, id: &ConnectionId) -> usize {
        self.0.heard_by(id).len()
    }
}

testkit::live_table_promises!(table());
testkit::persist_lane_promises!(queues());
testkit::fan_out_queue_promises!(queues());
testkit::record_queue_promises!(queues());
testkit::presence_queue_promises!(queues());
testkit::mail_queue_promises!(queues());
testkit::erasure_queue_promises!(queues());
testkit::pusher_promises!(pushes());
