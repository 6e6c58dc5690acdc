//! `ReceiptQueue`, and `PushLog` where its notes go through the same queue

use async_trait::async_trait;
use domain::Seq;
use service::port::{PushLog, PushRecord, ReceiptClaim, ReceiptQueue, RecordJob};

use crate::ambient::at_ms;

use super::sample::{conversation, user};

/// The queue from both ends.
#[async_trait]
pub trait Records: Send + Sync {
    fn receipts(&self) -> &dyn ReceiptQueue;
    fn push_log(&self) -> &dyn PushLog;
    /// Everything in the queue, in no order; it is empty afterwards.
    async fn drain(&self) -> Vec<RecordJob>;
}

/// One test a promise.
#[macro_export]
macro_rules! record_queue_promises {
    ($open:expr) => {
        $crate::promises! {
            record_queue, ($crate::contract::live::record_queue), $open,
            [
                receipts_arrive_as_they_were_claimed,
                pushes_arrive_as_they_were_noted,
                no_push_is_fine,
                more_notes_than_one_call_takes_all_arrive,
            ]
        }
    };
}

fn sorted(mut jobs: Vec<RecordJob>) -> Vec<RecordJob> {
    jobs.sort_by_key(|job| format!("{job:?}"));
    jobs
}

fn push(number: u128) -> PushRecord {
    let conversation_id = conversation(number);
    let at = Some(at_ms(1_234));
    PushRecord { conversation_id, after: Seq(7), through: Seq(9), devices: 100, at }
}

pub async fn receipts_arrive_as_they_were_claimed(port: &impl Records) {
    let marks = [(Some(3), None), (None, Some(4)), (Some(i64::MAX), Some(0)), (None, None)];
    let claims = marks.map(|(delivered, read)| ReceiptClaim {
        conversation_id: conversation(1),
        user_id: user(1),
        delivered: delivered.map(Seq),
        read: read.map(Seq),
    });
    for claim in claims {
        port.receipts().enqueue(claim).await.expect("enqueue");
    }
    let sent = claims.map(RecordJob::Receipt).to_vec();
    assert_eq!(sorted(port.drain().await), sorted(sent));
}

pub async fn pushes_arrive_as_they_were_noted(port: &impl Records) {
    let claim = ReceiptClaim {
        conversation_id: conversation(1),
        user_id: user(2),
        delivered: Some(Seq(3)),
        read: None,
    };
    port.push_log().record(&[push(1), push(2)]).await.expect("record");
    port.receipts().enqueue(claim).await.expect("enqueue");
    let sent = vec![RecordJob::Push(push(1)), RecordJob::Push(push(2)), RecordJob::Receipt(claim)];
    assert_eq!(sorted(port.drain().await), sorted(sent));
}

pub async fn no_push_is_fine(port: &impl Records) {
    port.push_log().record(&[]).await.expect("record");
    assert_eq!(port.drain().await, []);
}

pub async fn more_notes_than_one_call_takes_all_arrive(port: &impl Records) {
    let pushes: Vec<_> = (0..23).map(push).collect();
    port.push_log().record(&pushes).await.expect("record");
    let sent = pushes.into_iter().map(RecordJob::Push).collect();
    assert_eq!(sorted(port.drain().await), sorted(sent));
}
