//! How many calls a step takes, and what is done about answers that no emulator gives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod emulator;

use std::time::Duration;

use aws::{
    LiveTable, SqsFanOutQueue, SqsPersistLane, SqsPersistQueue, SqsPresenceQueue, SqsReceiptQueue,
};
use domain::{Seq, TokenBucket, limits};
use emulator::scripted::{Scripted, scripted};
use serde_json::{Value, json};
use service::port::{
    ConnectionStore, Failure, FanOutJob, FanOutQueue, PersistLane, PersistQueue, PresenceQueue,
    PushLog, PushRecord, RateLimiter, Receipt, ReceiptClaim, ReceiptQueue, SendGate,
};
use testkit::ambient::{SeededEntropy, at_ms};
use testkit::contract::live::sample::{
    connection, connection_id, conversation, message, messages_new, recipients, session,
    submission, user,
};

fn connection_item() -> Value {
    json!({
        "pk": {"S": format!("C#{}", connection_id("a"))}, "sk": {"S": "C"},
        "user": {"S": user(1).to_string()}, "session": {"S": session(1).to_string()},
        "since": {"N": at_ms(0).unix_ms().to_string()},
    })
}

fn membership_item(in_conversation: u128) -> Value {
    json!({
        "pk": {"S": format!("V#{}/{}", conversation(in_conversation), user(1))},
        "sk": {"S": "V"}, "active": {"BOOL": true}, "version": {"N": "1"},
    })
}

fn live_key() -> Value {
    json!({"pk": {"S": format!("U#{}", user(1))}, "sk": {"S": "LIVE"}})
}

#[tokio::test]
async fn the_second_frame_of_a_connection_takes_one_strongly_consistent_read() {
    let service = scripted(vec![
        (200, json!({"Responses": {"live": [connection_item()]}})),
        (200, json!({"Item": membership_item(1)})),
        (200, json!({"Responses": {"live": [membership_item(2), connection_item()]}})),
    ])
    .await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    for number in [1, 2] {
        let standing = table.of_connection(&connection_id("a"), conversation(number)).await;
        let standing = standing.unwrap();
        assert_eq!(standing.connection, Some(connection("a", 1, at_ms(0))));
        assert!(standing.is_member, "conversation {number}");
    }
    assert_eq!(service.operations(), ["BatchGetItem", "GetItem", "BatchGetItem"]);
    let second = &service.calls()[2].1["RequestItems"]["live"];
    assert_eq!(second["Keys"].as_array().unwrap().len(), 2);
    assert_eq!(second["ConsistentRead"], true);
}

#[tokio::test]
async fn keys_that_dynamodb_left_are_asked_for_again() {
    let left =
        json!({"live": {"Keys": [{"pk": {"S": format!("U#{}", user(1))}, "sk": {"S": "LIVE"}}]}});
    let entry = json!({"M": {
        "session": {"S": session(1).to_string()},
        "since": {"N": at_ms(0).unix_ms().to_string()},
        "seen": {"N": at_ms(0).unix_ms().to_string()},
    }});
    let mut item = live_key();
    item[format!("c#{}", connection_id("a"))] = entry;
    let service = scripted(vec![
        (200, json!({"Responses": {"live": []}, "UnprocessedKeys": left})),
        (200, json!({"Responses": {"live": [item]}, "UnprocessedKeys": {}})),
    ])
    .await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let found = table.of_users(&[user(1)], at_ms(1)).await.unwrap();
    assert_eq!(found, [connection("a", 1, at_ms(0))]);
}

#[tokio::test]
async fn keys_that_dynamodb_keeps_leaving_are_unavailable() {
    let left =
        json!({"live": {"Keys": [{"pk": {"S": format!("U#{}", user(1))}, "sk": {"S": "LIVE"}}]}});
    let answer = (200, json!({"Responses": {"live": []}, "UnprocessedKeys": left}));
    let service = scripted(vec![answer; 10]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let found = table.of_users(&[user(1)], at_ms(1)).await;
    assert!(matches!(found, Err(Failure::Unavailable { .. })));
    assert_eq!(service.calls().len(), 4);
}

#[tokio::test]
async fn a_throttled_table_is_tried_three_times_and_then_unavailable() {
    let code = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
    let service = scripted(vec![(400, json!({"__type": code})); 10]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let found = table.get(&connection_id("a")).await;
    assert!(matches!(found, Err(Failure::Unavailable { .. })));
    assert_eq!(service.calls().len(), 3);
}

#[tokio::test]
async fn a_full_bucket_takes_one_call_and_a_contended_one_asks_to_wait() {
    let bucket = TokenBucket::per_second(5, 20);
    let full_at = at_ms(200).unix_ms().to_string();
    let taken = json!({ "Attributes": { "full_at": { "N": full_at } } });
    let service = scripted(vec![(200, taken)]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    assert_eq!(table.take("message/a", bucket, 1, at_ms(0)).await.unwrap(), Ok(at_ms(200)));
    assert_eq!(service.operations(), ["UpdateItem"]);

    let failed = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "Item": {"pk": {"S": "R#message/a"}, "sk": {"S": "R"}, "full_at": {"N": full_at}},
    });
    let service = scripted(vec![(400, failed); 10]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    assert_eq!(table.take("message/a", bucket, 1, at_ms(0)).await.unwrap(), Err(100));
    assert_eq!(service.operations(), ["UpdateItem"; 3]);
}

fn jobs(count: u32) -> Vec<FanOutJob> {
    let job = |number: u32| {
        let event = messages_new(vec![message(number.into(), "hello")]);
        FanOutJob::ToMembers { event, trace_ids: vec![], recipients: recipients(1) }
    };
    (1..=count).map(job).collect()
}

fn batch_answer(failed: &[&str], by_sender: bool) -> Value {
    let entry = |id: &&str| json!({"Id": id, "Code": "InternalError", "SenderFault": by_sender});
    json!({"Successful": [], "Failed": failed.iter().map(entry).collect::<Vec<_>>()})
}

#[tokio::test]
async fn jobs_that_sqs_did_not_take_are_sent_once_more() {
    let answers = vec![(200, batch_answer(&["1"], false)), (200, batch_answer(&[], false))];
    let service = scripted(answers).await;
    let queue = SqsFanOutQueue::new(service.clients.sqs(), "http://127.0.0.1/queue");
    queue.enqueue(jobs(3)).await.unwrap();
    let bodies: Vec<Vec<Value>> = service
        .calls()
        .iter()
        .map(|(_, body)| body["Entries"].as_array().unwrap().clone())
        .collect();
    assert_eq!((bodies[0].len(), bodies[1].len()), (3, 1));
    assert_eq!(bodies[0][1]["MessageBody"], bodies[1][0]["MessageBody"]);
}

#[tokio::test]
async fn jobs_that_sqs_did_not_take_twice_are_unavailable_and_refused_ones_a_bug() {
    let answers = vec![(200, batch_answer(&["0"], false)); 10];
    let service = scripted(answers).await;
    let queue = SqsFanOutQueue::new(service.clients.sqs(), "http://127.0.0.1/queue");
    let sent = queue.enqueue(jobs(1)).await;
    assert!(matches!(sent, Err(Failure::Unavailable { .. })));
    assert_eq!(service.calls().len(), 2);

    let service = scripted(vec![(200, batch_answer(&["0"], true))]).await;
    let queue = SqsFanOutQueue::new(service.clients.sqs(), "http://127.0.0.1/queue");
    assert!(matches!(queue.enqueue(jobs(1)).await, Err(Failure::Bug { .. })));
}

#[tokio::test]
async fn a_repeat_of_the_sdk_keeps_the_deduplication_id_and_a_resend_has_its_own() {
    let sent = (200, json!({"MessageId": "1"}));
    let service = scripted(vec![(500, json!({"__type": "x"})), sent.clone(), sent]).await;
    let entropy = SeededEntropy::new(1);
    let queue = SqsPersistQueue::new(service.clients.sqs(), "http://127.0.0.1/queue", entropy);
    for _ in 0..2 {
        queue.enqueue(&[submission(1, 1)]).await.unwrap();
    }
    let calls = service.calls();
    let ids: Vec<_> = calls.iter().map(|(_, body)| &body["MessageDeduplicationId"]).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    assert_eq!(calls[0].1["MessageGroupId"], conversation(1).to_string());
}

fn lane(service: &Scripted) -> SqsPersistLane {
    let (queue, quarantine) = ("http://127.0.0.1/queue", "http://127.0.0.1/quarantine");
    SqsPersistLane::new(service.clients.sqs(), queue, quarantine, SeededEntropy::new(1))
}

fn receipts(count: usize) -> Vec<Receipt> {
    let receipt = |id: usize| Receipt { message_id: id.to_string(), handle: format!("h{id}") };
    (0..count).map(receipt).collect()
}

#[tokio::test]
async fn what_sqs_did_not_delete_is_deleted_once_more() {
    let answers = vec![(200, batch_answer(&["1"], false)), (200, batch_answer(&[], false))];
    let service = scripted(answers).await;
    lane(&service).delete(&receipts(3)).await.unwrap();
    assert_eq!(service.operations(), ["DeleteMessageBatch"; 2]);

    let service = scripted(vec![(200, batch_answer(&["1"], false)); 10]).await;
    let deleted = lane(&service).delete(&receipts(3)).await;
    assert!(matches!(deleted, Err(Failure::Unavailable { .. })));
    assert_eq!(service.calls().len(), 2);
}

#[tokio::test]
async fn a_lane_that_may_not_delete_is_a_bug() {
    let service = scripted(vec![(400, json!({"__type": "AccessDeniedException"})); 10]).await;
    let lane = lane(&service);
    assert!(matches!(lane.delete(&receipts(1)).await, Err(Failure::Bug { .. })));
    assert!(matches!(lane.defer(&receipts(1), 1).await, Err(Failure::Bug { .. })));
}

#[tokio::test]
async fn a_receipt_that_names_nothing_is_no_failure() {
    let service = scripted(vec![(200, batch_answer(&["0"], true)); 2]).await;
    let lane = lane(&service);
    lane.delete(&receipts(1)).await.unwrap();
    lane.defer(&receipts(1), 1).await.unwrap();
    assert_eq!(service.calls().len(), 2);
}

#[tokio::test]
async fn an_announcement_waits_whole_seconds_and_never_longer_than_sqs_lets_it() {
    let service = scripted(vec![(200, json!({"MessageId": "1"})); 10]).await;
    let queue = SqsPresenceQueue::new(service.clients.sqs(), "http://127.0.0.1/queue");
    let waits = [Duration::ZERO, Duration::from_millis(1), limits::OFFLINE_GRACE, Duration::MAX];
    for wait in waits {
        PresenceQueue::enqueue(&queue, user(1), wait).await.unwrap();
    }
    let calls = service.calls();
    let delays: Vec<_> = calls.iter().map(|(_, body)| &body["DelaySeconds"]).collect();
    assert_eq!(delays, [0, 1, 15, 900]);
}

#[tokio::test]
async fn throttled_queues_are_unavailable() {
    let throttled = || scripted(vec![(400, json!({"__type": "RequestThrottled"})); 10]);
    let url = "http://127.0.0.1/queue";
    let (conversation_id, user_id) = (conversation(1), user(1));
    let claim = ReceiptClaim { conversation_id, user_id, delivered: Some(Seq(1)), read: None };
    let push = PushRecord { conversation_id, after: Seq(0), through: Seq(1), devices: 1, at: None };
    for step in 0..3 {
        let service = throttled().await;
        let records = SqsReceiptQueue::new(service.clients.sqs(), url);
        let announcements = SqsPresenceQueue::new(service.clients.sqs(), url);
        let sent = match step {
            0 => ReceiptQueue::enqueue(&records, claim).await,
            1 => records.record(&[push]).await,
            _ => announcements.enqueue(user_id, Duration::ZERO).await,
        };
        assert!(matches!(sent, Err(Failure::Unavailable { .. })), "step {step}");
        assert_eq!(service.calls().len(), 3, "step {step}");
    }
}
