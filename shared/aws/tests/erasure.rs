//! Who is erased is gone from the table, and does not come back through a door left open.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod emulator;

use aws::LiveTable;
use domain::{Presence, Seq, Status, limits};
use emulator::scripted::scripted;
use emulator::{clients, table, table_name};
use serde_json::json;
use service::port::{
    Acquaintance, ConnectionStore, LiveErasure, MembershipCopies, MembershipCopy, PresenceStore,
    SendGate,
};
use testkit::ambient::at_ms;
use testkit::contract::live::sample::{connection, conversation, identity, user};

#[tokio::test]
async fn a_ticket_that_is_still_good_opens_nothing() {
    let table = table().await;
    assert!(table.open(&connection("phone", 1, at_ms(0))).await.unwrap());
    table.erase(user(1), at_ms(2)).await.unwrap();
    let late = connection("late", 1, at_ms(1));
    assert!(!table.open(&late).await.unwrap());
    assert_eq!(table.get(&late.id).await.unwrap(), None);
    assert_eq!(table.residue(user(1)).await.unwrap(), []);
}

#[tokio::test]
async fn a_socket_that_was_pruned_does_not_list_itself_again() {
    let table = table().await;
    let (pruned, kept) = (connection("pruned", 1, at_ms(0)), connection("kept", 1, at_ms(0)));
    for opened in [&pruned, &kept] {
        assert!(table.open(opened).await.unwrap());
    }
    table.prune(&pruned).await.unwrap();
    table.erase(user(1), at_ms(2)).await.unwrap();
    assert_eq!(table.touch(&pruned.id, at_ms(2)).await.unwrap(), None);
    table.set(&pruned.id, Status::Online, at_ms(3)).await.unwrap();
    let found = ConnectionStore::of_users(&table, &[user(1)], at_ms(4)).await.unwrap();
    assert_eq!(found, []);
    assert_eq!(table.residue(user(1)).await.unwrap(), []);
}

#[tokio::test]
async fn an_erasure_that_was_cut_short_is_finished_by_the_next() {
    let clients = clients().await;
    let name = table_name(&clients).await;
    let table = LiveTable::new(clients.dynamodb(), &name);
    let opened = connection("phone", 1, at_ms(0));
    assert!(table.open(&opened).await.unwrap());
    let key = |name: &str, value: String| {
        (name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(value))
    };
    let closed = clients.dynamodb().update_item().table_name(&name);
    let key = [key("pk", format!("U#{}", user(1))), key("sk", "LIVE".to_owned())];
    closed
        .set_key(Some(key.into()))
        .update_expression("SET erased = :true")
        .expression_attribute_values(":true", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
        .send()
        .await
        .unwrap();
    assert_eq!(table.residue(user(1)).await.unwrap(), [("connections", 1), ("presence", 1)]);
    table.erase(user(1), at_ms(2)).await.unwrap();
    assert_eq!(table.get(&opened.id).await.unwrap(), None);
    assert_eq!(table.residue(user(1)).await.unwrap(), []);
}

#[tokio::test]
async fn the_end_of_a_session_after_the_erasure_leaves_nothing_to_be_seen() {
    let table = table().await;
    assert!(table.open(&connection("phone", 1, at_ms(0))).await.unwrap());
    table.erase(user(1), at_ms(2)).await.unwrap();
    table.end_session(identity(1), at_ms(1)).await.unwrap();
    assert!(!table.announce(user(1), Presence::Offline).await.unwrap());
    assert_eq!(table.residue(user(1)).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_left_of_the_item_goes_within_hours_whatever_comes_late() {
    let clients = clients().await;
    let name = table_name(&clients).await;
    let table = LiveTable::new(clients.dynamodb(), &name);
    let (open, late) = (connection("phone", 1, at_ms(0)), connection("late", 1, at_ms(0)));
    for opened in [&open, &late] {
        assert!(table.open(opened).await.unwrap());
    }
    table.prune(&late).await.unwrap();
    table.end_session(identity(1), at_ms(1)).await.unwrap();
    table.erase(user(1), at_ms(2)).await.unwrap();
    // The record of a pruned socket is left, and its end comes after that of its person.
    assert!(table.close(&late.id, at_ms(3)).await.unwrap().is_some());
    table.end_session(identity(1), at_ms(4)).await.unwrap();
    let key = |name: &str, value: String| {
        (name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(value))
    };
    let key = [key("pk", format!("U#{}", user(1))), key("sk", "LIVE".to_owned())];
    let read = clients.dynamodb().get_item().table_name(&name).set_key(Some(key.into()));
    let left = read.send().await.unwrap().item.unwrap();
    let mut names: Vec<_> = left.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["erased", "expires_at", "pk", "sk"]);
    let end: i64 = left["expires_at"].as_n().unwrap().parse().unwrap();
    let latest = at_ms(2).plus(limits::CONNECTION_RECORD_LIFETIME).unix_ms() / 1_000 + 1;
    assert!(end <= latest, "{end} and not {latest}");
}

#[tokio::test]
async fn more_watchers_than_one_call_removes_are_all_removed() {
    let table = table().await;
    let person = [Acquaintance { user_id: user(1), shares_last_seen: true }];
    for number in 0..30 {
        let socket = connection(&format!("c{number}"), 100 + number, at_ms(0));
        table.watch(&socket, &person, at_ms(60_000)).await.unwrap();
    }
    assert_eq!(table.residue(user(1)).await.unwrap(), [("watches", 30)]);
    table.erase(user(1), at_ms(2)).await.unwrap();
    assert_eq!(table.residue(user(1)).await.unwrap(), []);
}

#[tokio::test]
async fn who_only_was_announced_leaves_no_item() {
    let table = table().await;
    assert!(table.announce(user(1), Presence::Online).await.unwrap());
    table.erase(user(1), at_ms(2)).await.unwrap();
    assert_eq!(table.residue(user(1)).await.unwrap(), []);
}

#[tokio::test]
async fn copies_of_memberships_are_left_to_the_memberships() {
    let table = table().await;
    let copy = MembershipCopy {
        conversation_id: conversation(1),
        user_id: user(1),
        is_active: true,
        version: Seq(1),
    };
    table.write(&[copy]).await.unwrap();
    table.erase(user(1), at_ms(2)).await.unwrap();
    assert!(table.is_member(user(1), conversation(1)).await.unwrap());
}

#[tokio::test]
async fn an_erasure_asks_for_nothing_but_keys() {
    let service = scripted(vec![
        (400, json!({"__type": "ConditionalCheckFailedException"})),
        (200, json!({"Items": [], "Count": 0})),
    ])
    .await;
    LiveTable::new(service.clients.dynamodb(), "live").erase(user(1), at_ms(2)).await.unwrap();
    let operations: Vec<_> = service.calls().into_iter().map(|(name, _)| name).collect();
    assert_eq!(operations, ["UpdateItem", "Query"]);
}
