//! `PersistQueue` and `PersistLane`

use async_trait::async_trait;
use service::port::{Failure, PersistLane, PersistQueue, Quarantined, Receipt};

use super::sample::{conversation, submission};
use crate::ambient::at_ms;
use crate::live::ReceivedJob;

/// The queue from both ends.
#[async_trait]
pub trait Lane: Send + Sync {
    fn queue(&self) -> &dyn PersistQueue;
    fn lane(&self) -> &dyn PersistLane;
    /// What a worker would be given now, without waiting for more.
    async fn receive(&self, most: usize) -> Vec<ReceivedJob>;
    /// Everything that was set aside.
    async fn quarantined(&self) -> Vec<Quarantined>;
}

/// One test a promise.
#[macro_export]
macro_rules! persist_lane_promises {
    ($open:expr) => {
        $crate::promises! {
            persist_lane, ($crate::contract::live::persist_lane), $open,
            [
                a_job_arrives_as_it_was_sent,
                one_conversation_keeps_its_order,
                the_same_submission_sent_again_arrives_again,
                a_received_job_blocks_its_conversation_and_no_other,
                a_deleted_job_is_gone_and_its_conversation_goes_on,
                a_job_deferred_by_nothing_is_there_again,
                a_deferred_job_blocks_its_conversation_until_then,
                many_receipts_are_deleted_at_once,
                deleting_twice_is_fine,
                a_job_of_nobody_or_of_two_is_a_bug,
                a_job_set_aside_is_kept_as_it_came,
            ]
        }
    };
}

async fn send(port: &impl Lane, in_conversation: u128, number: u128) {
    let sent = port.queue().enqueue(&[submission(in_conversation, number)]).await;
    sent.expect("enqueue");
}

fn receipts(jobs: &[ReceivedJob]) -> Vec<Receipt> {
    jobs.iter().map(|job| job.receipt.clone()).collect()
}

/// The last part of the client ids, which tells the jobs apart.
fn numbers(jobs: &[ReceivedJob]) -> Vec<u128> {
    let number = |job: &ReceivedJob| job.submissions[0].draft.client_id.0.as_u128() & 0xffff;
    jobs.iter().map(number).collect()
}

pub async fn a_job_arrives_as_it_was_sent(port: &impl Lane) {
    let sent: Vec<_> = (1..=10).map(|number| submission(1, number)).collect();
    port.queue().enqueue(&sent).await.expect("enqueue");
    let received = port.receive(10).await;
    assert_eq!(received.len(), 1, "one queue message for the whole frame");
    assert_eq!(received[0].submissions, sent);
    assert_eq!(received[0].receives, 1);
}

pub async fn one_conversation_keeps_its_order(port: &impl Lane) {
    for number in 1..=5 {
        send(port, 1, number).await;
    }
    assert_eq!(numbers(&port.receive(10).await), [1, 2, 3, 4, 5]);
}

pub async fn the_same_submission_sent_again_arrives_again(port: &impl Lane) {
    send(port, 1, 1).await;
    send(port, 1, 1).await;
    assert_eq!(numbers(&port.receive(10).await), [1, 1]);
}

pub async fn a_received_job_blocks_its_conversation_and_no_other(port: &impl Lane) {
    send(port, 1, 1).await;
    assert_eq!(numbers(&port.receive(10).await), [1]);
    send(port, 1, 2).await;
    send(port, 2, 3).await;
    assert_eq!(numbers(&port.receive(10).await), [3]);
}

pub async fn a_deleted_job_is_gone_and_its_conversation_goes_on(port: &impl Lane) {
    send(port, 1, 1).await;
    let received = port.receive(10).await;
    send(port, 1, 2).await;
    port.lane().delete(&receipts(&received)).await.expect("delete");
    assert_eq!(numbers(&port.receive(10).await), [2]);
}

pub async fn a_job_deferred_by_nothing_is_there_again(port: &impl Lane) {
    send(port, 1, 1).await;
    send(port, 1, 2).await;
    let received = port.receive(10).await;
    port.lane().defer(&receipts(&received), 0).await.expect("defer");
    let again = port.receive(10).await;
    assert_eq!(numbers(&again), [1, 2]);
    assert_eq!(again[0].receives, 2);
}

pub async fn a_deferred_job_blocks_its_conversation_until_then(port: &impl Lane) {
    send(port, 1, 1).await;
    let received = port.receive(10).await;
    send(port, 1, 2).await;
    port.lane().defer(&receipts(&received), 300).await.expect("defer");
    assert_eq!(numbers(&port.receive(10).await), []);
}

pub async fn many_receipts_are_deleted_at_once(port: &impl Lane) {
    let mut received = Vec::new();
    for number in 1..=23 {
        send(port, number, number).await;
        received.extend(port.receive(10).await);
    }
    assert_eq!(received.len(), 23);
    let (deferred, deleted) = received.split_at(11);
    port.lane().delete(&receipts(deleted)).await.expect("delete");
    port.lane().defer(&receipts(deferred), 0).await.expect("defer");
    let mut left = port.receive(10).await;
    left.extend(port.receive(10).await);
    assert_eq!(left.len(), 11);
    port.lane().delete(&[]).await.expect("nothing to delete");
    port.lane().defer(&[], 1).await.expect("nothing to defer");
}

pub async fn deleting_twice_is_fine(port: &impl Lane) {
    send(port, 1, 1).await;
    let received = receipts(&port.receive(10).await);
    port.lane().delete(&received).await.expect("delete");
    port.lane().delete(&received).await.expect("delete again");
    port.lane().defer(&received, 1).await.expect("defer what is gone");
}

pub async fn a_job_of_nobody_or_of_two_is_a_bug(port: &impl Lane) {
    let none = port.queue().enqueue(&[]).await;
    assert!(matches!(none, Err(Failure::Bug { .. })));
    let two = port.queue().enqueue(&[submission(1, 1), submission(2, 2)]).await;
    assert!(matches!(two, Err(Failure::Bug { .. })));
    assert_eq!(numbers(&port.receive(10).await), []);
}

pub async fn a_job_set_aside_is_kept_as_it_came(port: &impl Lane) {
    let of_a_conversation = Quarantined {
        conversation_id: Some(conversation(1)),
        body: "{\"job\": \"what \u{1f680} is this\"}".to_owned(),
        reason: "it failed five times".to_owned(),
        at: at_ms(0),
    };
    let of_none = Quarantined {
        conversation_id: None,
        body: "not even JSON".to_owned(),
        ..of_a_conversation.clone()
    };
    port.lane().quarantine(of_a_conversation.clone()).await.expect("quarantine");
    port.lane().quarantine(of_none.clone()).await.expect("quarantine");
    let mut kept = port.quarantined().await;
    kept.sort_by_key(|job| job.conversation_id.is_none());
    assert_eq!(kept, [of_a_conversation, of_none]);
}
