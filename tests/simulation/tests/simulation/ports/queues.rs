//! The SQS ports.

use std::time::Duration;

use async_trait::async_trait;
use domain::UserId;
use service::port::{
    Failure, FanOutJob, FanOutQueue, PersistLane, PersistQueue, PresenceQueue, Quarantined,
    Receipt, ReceiptClaim, ReceiptQueue, Submission,
};

use super::Ports;

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[async_trait]
impl PersistQueue for Ports {
    async fn enqueue(&self, submissions: &[Submission]) -> Result<(), Failure> {
        self.step("enqueue", async {
            PersistQueue::enqueue(&*self.world.lane, submissions).await?;
            self.world.book.accepted(&self.world, submissions);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl PersistLane for Ports {
    async fn delete(&self, receipts: &[Receipt]) -> Result<(), Failure> {
        self.step("delete", self.world.lane.delete(receipts)).await
    }

    async fn defer(&self, receipts: &[Receipt], seconds: u32) -> Result<(), Failure> {
        self.step("defer", self.world.lane.defer(receipts, seconds)).await
    }

    async fn quarantine(&self, job: Quarantined) -> Result<(), Failure> {
        self.step("quarantine", async {
            self.world.count("quarantined", "lane");
            self.world.lane.quarantine(job).await
        })
        .await
    }
}

#[async_trait]
impl FanOutQueue for Ports {
    async fn enqueue(&self, jobs: Vec<FanOutJob>) -> Result<(), Failure> {
        self.step("enqueue fan-out", async {
            jobs.into_iter().for_each(|job| self.world.fan_out.send(&self.world, job, 0));
            Ok::<_, Failure>(())
        })
        .await
    }
}

#[async_trait]
impl ReceiptQueue for Ports {
    async fn enqueue(&self, claim: ReceiptClaim) -> Result<(), Failure> {
        self.step("enqueue receipt", async {
            self.world.receipts.send(&self.world, claim, 0);
            Ok::<_, Failure>(())
        })
        .await
    }
}

#[async_trait]
impl PresenceQueue for Ports {
    async fn enqueue(&self, user: UserId, delay: Duration) -> Result<(), Failure> {
        self.step("enqueue presence", async {
            self.world.presence.send(&self.world, user, ms(delay));
            Ok::<_, Failure>(())
        })
        .await
    }
}
