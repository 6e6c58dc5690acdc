//! `PresenceQueue`

use std::time::Duration;

use async_trait::async_trait;
use domain::{UserId, limits};
use service::port::PresenceQueue;

use super::sample::user;

/// The queue from both ends.
#[async_trait]
pub trait Announcements: Send + Sync {
    fn queue(&self) -> &dyn PresenceQueue;
    /// Everything in the queue that is due now, in no order, without waiting for more.
    async fn drain(&self) -> Vec<UserId>;
}

/// One test a promise.
#[macro_export]
macro_rules! presence_queue_promises {
    ($open:expr) => {
        $crate::promises! {
            presence_queue, ($crate::contract::live::presence_queue), $open,
            [an_announcement_is_due_at_once, an_announcement_may_wait, many_people_all_arrive]
        }
    };
}

async fn enqueue(port: &impl Announcements, number: u128, delay: Duration) {
    port.queue().enqueue(user(number), delay).await.expect("enqueue");
}

pub async fn an_announcement_is_due_at_once(port: &impl Announcements) {
    enqueue(port, 1, Duration::ZERO).await;
    assert_eq!(port.drain().await, [user(1)]);
    assert_eq!(port.drain().await, []);
}

pub async fn an_announcement_may_wait(port: &impl Announcements) {
    // Far longer than a test takes.
    enqueue(port, 1, limits::OFFLINE_GRACE * 20).await;
    enqueue(port, 2, Duration::ZERO).await;
    assert_eq!(port.drain().await, [user(2)]);
}

pub async fn many_people_all_arrive(port: &impl Announcements) {
    for number in 0..23 {
        enqueue(port, number, Duration::ZERO).await;
    }
    let mut due = port.drain().await;
    due.sort();
    assert_eq!(due, (0..23).map(user).collect::<Vec<_>>());
}
