//! What is asked of AWS is counted as it is billed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod emulator;

use std::collections::BTreeMap;

use aws::{Clients, LiveTable, ManagementPusher, SqsPersistQueue, SqsReceiptQueue};
use domain::Seq;
use emulator::scripted::scripted;
use emulator::{clients, table_name};
use serde_json::json;
use service::port::{
    ConnectionStore, MembershipCopies, MembershipCopy, PersistQueue, PushLog, PushRecord, Pusher,
    TicketStore,
};
use testkit::ambient::{SeededEntropy, at_ms};
use testkit::contract::live::sample::{
    connection, connection_id, conversation, identity, message, message_rejected, messages_new,
    submission, user,
};

async fn table() -> (Clients, LiveTable) {
    let clients = clients().await;
    let table = LiveTable::new(clients.dynamodb(), table_name(&clients).await);
    clients.usage().take();
    (clients, table)
}

fn counted(clients: &Clients, expected: &[(&'static str, u64)]) {
    assert_eq!(clients.usage().take(), BTreeMap::from_iter(expected.iter().copied()));
}

#[tokio::test]
async fn nothing_done_is_nothing_counted_and_what_was_taken_is_not_taken_again() {
    let (clients, table) = table().await;
    counted(&clients, &[]);
    table.issue("digest", identity(1), at_ms(1)).await.unwrap();
    counted(&clients, &[("dynamodb.requests", 1), ("dynamodb.write_units", 1)]);
    counted(&clients, &[]);
}

#[tokio::test]
async fn a_strong_read_is_a_unit_for_each_item_and_a_weak_one_half_of_it() {
    let (clients, table) = table().await;
    for number in 0..11 {
        table.open(&connection(&format!("c{number}"), number, at_ms(0))).await.unwrap();
    }
    clients.usage().take();
    table.get(&connection_id("c1")).await.unwrap();
    counted(&clients, &[("dynamodb.requests", 1), ("dynamodb.read_units", 1)]);
    let few: Vec<_> = (0..4).map(user).collect();
    table.of_users(&few, at_ms(1)).await.unwrap();
    counted(&clients, &[("dynamodb.requests", 1), ("dynamodb.read_units", 4)]);
    // Eleven halves: the odd one is told the next time.
    let many: Vec<_> = (0..11).map(user).collect();
    table.of_users(&many, at_ms(1)).await.unwrap();
    counted(&clients, &[("dynamodb.requests", 1), ("dynamodb.read_units", 5)]);
    table.of_users(&many, at_ms(1)).await.unwrap();
    counted(&clients, &[("dynamodb.requests", 1), ("dynamodb.read_units", 6)]);
}

#[tokio::test]
async fn a_write_whose_condition_failed_is_billed() {
    let (clients, table) = table().await;
    let (conversation_id, user_id) = (conversation(1), user(1));
    let copy = MembershipCopy { conversation_id, user_id, is_active: true, version: Seq(2) };
    for _ in 0..2 {
        table.write(&[copy]).await.unwrap();
        counted(&clients, &[("dynamodb.requests", 1), ("dynamodb.write_units", 1)]);
    }
}

#[tokio::test]
async fn every_attempt_is_a_request_and_a_throttled_one_costs_no_capacity() {
    let code = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
    let service = scripted(vec![(400, json!({"__type": code})); 10]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    assert!(table.get(&connection_id("a")).await.is_err());
    counted(&service.clients, &[("dynamodb.requests", 3)]);
}

#[tokio::test]
async fn what_dynamodb_tells_is_believed() {
    let told = json!({"ConsumedCapacity": {"TableName": "live", "CapacityUnits": 7.0}});
    let service = scripted(vec![(200, told)]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    table.get(&connection_id("a")).await.unwrap();
    counted(&service.clients, &[("dynamodb.requests", 1), ("dynamodb.read_units", 7)]);
    assert_eq!(service.calls()[0].1["ReturnConsumedCapacity"], "TOTAL");
}

#[tokio::test]
async fn a_scan_is_noticed() {
    let (clients, _) = table().await;
    let name = table_name(&clients).await;
    clients.usage().take();
    clients.dynamodb().scan().table_name(name).send().await.unwrap();
    assert_eq!(clients.usage().take().get("dynamodb.scans"), Some(&1));
}

#[tokio::test]
async fn sqs_bills_every_64_kb_and_fifo_apart() {
    let service = scripted(vec![(200, json!({"MessageId": "1"})); 10]).await;
    let sqs = service.clients.sqs();
    let entropy = SeededEntropy::new(1);
    let queue = SqsPersistQueue::new(sqs.clone(), "http://127.0.0.1/queue.fifo", entropy);
    queue.enqueue(&[submission(1, 1)]).await.unwrap();
    counted(&service.clients, &[("sqs.fifo_units", 1), ("sqs.requests", 1), ("sqs.units", 1)]);

    let body = "x".repeat(100_000);
    let send = sqs.send_message().queue_url("http://127.0.0.1/queue").message_body(body);
    send.send().await.unwrap();
    counted(&service.clients, &[("sqs.requests", 1), ("sqs.units", 2)]);
}

#[tokio::test]
async fn ten_pushes_are_noted_in_one_request() {
    let taken = json!({"Successful": [], "Failed": []});
    let service = scripted(vec![(200, taken); 3]).await;
    let queue = SqsReceiptQueue::new(service.clients.sqs(), "http://127.0.0.1/queue");
    let conversation_id = conversation(1);
    let push = PushRecord { conversation_id, after: Seq(0), through: Seq(1), devices: 3, at: None };
    queue.record(&[push; 10]).await.unwrap();
    counted(&service.clients, &[("sqs.requests", 1), ("sqs.units", 1)]);
    queue.record(&[]).await.unwrap();
    counted(&service.clients, &[]);
}

#[tokio::test]
async fn each_frame_to_a_socket_is_a_post_of_at_least_one_unit() {
    let service = scripted(vec![(200, json!({})); 10]).await;
    let clients = &service.clients;
    let client = clients.management(&service.url);
    let pusher = ManagementPusher::new(client, SeededEntropy::new(1));
    pusher.push(&connection_id("a"), &message_rejected()).await;
    counted(clients, &[("management.posts", 1), ("management.units", 1)]);
    let text = "x".repeat(8_000);
    let news = messages_new((1..=6).map(|seq| message(seq, &text)).collect());
    pusher.push(&connection_id("a"), &news).await;
    counted(clients, &[("management.posts", 2), ("management.units", 2)]);
}

#[tokio::test]
async fn clients_can_share_one_counter() {
    let usage = aws::Usage::default();
    let service = scripted(vec![(200, json!({})); 2]).await;
    for _ in 0..2 {
        let clients = emulator::counted_clients_at(&service.url, usage.clone()).await;
        let table = LiveTable::new(clients.dynamodb(), "live");
        table.get(&connection_id("a")).await.unwrap();
    }
    assert_eq!(usage.take().get("dynamodb.requests"), Some(&2));
}
