//! `ErasureQueue`

use async_trait::async_trait;
use domain::{EmailAddress, UserId};
use service::port::ErasureQueue;

use super::sample::user;

/// The queue from both ends.
#[async_trait]
pub trait Goodbyes: Send + Sync {
    fn queue(&self) -> &dyn ErasureQueue;
    /// Everything in the queue, in no order; it is empty afterwards.
    async fn drain(&self) -> Vec<(UserId, EmailAddress)>;
}

/// One test a promise.
#[macro_export]
macro_rules! erasure_queue_promises {
    ($open:expr) => {
        $crate::promises! {
            erasure_queue, ($crate::contract::live::erasure_queue), $open,
            [who_is_to_be_erased_arrives_with_their_address]
        }
    };
}

pub async fn who_is_to_be_erased_arrives_with_their_address(port: &impl Goodbyes) {
    let email = |name: &str| EmailAddress::parse(&format!("{name}@example.org")).expect("one");
    let mut sent = vec![(user(1), email("ada+lists")), (user(2), email("bob"))];
    for (user, email) in &sent {
        port.queue().enqueue(*user, email).await.expect("enqueue");
    }
    let mut arrived = port.drain().await;
    arrived.sort_by_key(|(user, _)| *user);
    sent.sort_by_key(|(user, _)| *user);
    assert_eq!(arrived, sent);
    assert_eq!(port.drain().await, []);
}
