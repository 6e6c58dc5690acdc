//! Who watches whom, on a real table and on one that says what it is told to.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod emulator;

use aws::LiveTable;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{UserId, limits};
use emulator::scripted::scripted;
use emulator::{clients, table_name};
use serde_json::{Value, json};
use service::port::{Acquaintance, Failure, PresenceStore};
use testkit::ambient::at_ms;
use testkit::contract::live::sample::{connection, connection_id, session, user};

fn acquaintance(of: UserId) -> Acquaintance {
    Acquaintance { user_id: of, shares_last_seen: true }
}

fn watch_item(name: &str) -> Value {
    json!({
        "pk": {"S": format!("W#{}", user(1))},
        "sk": {"S": format!("000000000000/{}", connection_id(name))},
        "user": {"S": user(2).to_string()}, "session": {"S": session(2).to_string()},
        "since": {"N": at_ms(0).unix_ms().to_string()},
        "seen": {"N": at_ms(0).unix_ms().to_string()},
        "sees": {"BOOL": true}, "until_ms": {"N": at_ms(90_000).unix_ms().to_string()},
    })
}

fn page(names: &[&str], last: Option<&str>) -> (u16, Value) {
    let items: Vec<_> = names.iter().map(|name| watch_item(name)).collect();
    let mut page = json!({"Items": items, "Count": items.len()});
    if let Some(last) = last {
        page["LastEvaluatedKey"] = json!({"pk": watch_item(last)["pk"], "sk": {"S": last}});
    }
    (200, page)
}

#[tokio::test]
async fn watches_that_ended_long_ago_are_not_read_again_for_each_announcement() {
    let clients = clients().await;
    let name = table_name(&clients).await;
    let live = LiveTable::new(clients.dynamodb(), &name);
    for (name, end) in [("a", 90), ("b", 3_600), ("c", 7_200)] {
        let by = connection(name, 2, at_ms(0));
        live.watch(&by, &[acquaintance(user(1))], at_ms(end * 1_000)).await.unwrap();
    }
    let service = scripted(vec![page(&[], None)]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    table.watchers(user(1), at_ms(3_700_000)).await.unwrap();
    let asked = &service.calls()[0].1;
    let query = clients.dynamodb().query().table_name(&name);
    let read = query
        .key_condition_expression(asked["KeyConditionExpression"].as_str().unwrap())
        .expression_attribute_values(":person", AttributeValue::S(format!("W#{}", user(1))))
        .expression_attribute_values(":first", text(&asked["ExpressionAttributeValues"][":first"]))
        .send()
        .await
        .unwrap();
    assert_eq!(read.count, 1, "only what ends after");
}

fn text(value: &Value) -> AttributeValue {
    AttributeValue::S(value["S"].as_str().unwrap().to_owned())
}

/// Its two items are of one socket.
#[tokio::test]
async fn who_renews_their_watch_is_told_once() {
    let clients = clients().await;
    let live = LiveTable::new(clients.dynamodb(), table_name(&clients).await);
    let by = connection("a", 2, at_ms(0));
    for end in [90, 150, 210, 270] {
        live.watch(&by, &[acquaintance(user(1))], at_ms(end * 1_000)).await.unwrap();
    }
    let watchers = live.watchers(user(1), at_ms(1_000)).await.unwrap();
    assert_eq!(watchers.len(), 1);
}

/// A page may be empty, since what has ended is left out, and not be the last.
#[tokio::test]
async fn a_broadcast_that_reads_only_the_first_page_of_a_scan() {
    let pages = [page(&["a"], Some("a")), page(&[], Some("b")), page(&["c", "d"], None)];
    let service = scripted(pages.to_vec()).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let watchers = table.watchers(user(1), at_ms(0)).await.unwrap();
    let ids: Vec<_> = watchers.iter().map(|watcher| watcher.connection.id.clone()).collect();
    assert_eq!(ids, ["a", "c", "d"].map(connection_id));
    assert_eq!(service.operations(), ["Query"; 3]);
    let calls = service.calls();
    let starts: Vec<_> = calls.iter().map(|(_, body)| &body["ExclusiveStartKey"]["sk"]).collect();
    assert_eq!(starts, [&Value::Null, &json!({"S": "a"}), &json!({"S": "b"})]);
    assert!(calls.iter().all(|(_, body)| body["ConsistentRead"] == true));
}

#[tokio::test]
async fn no_number_of_watchers_is_read_without_end() {
    let service = scripted(vec![page(&[], Some("a")); 100]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    assert!(table.watchers(user(1), at_ms(0)).await.unwrap().is_empty());
    assert_eq!(service.calls().len(), 50);

    let crowd = |page_number: usize| {
        let names: Vec<_> = (0..600).map(|number| format!("c{page_number}-{number}")).collect();
        page(&names.iter().map(String::as_str).collect::<Vec<_>>(), Some("a"))
    };
    let service = scripted((0..3).map(crowd).collect()).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let watchers = table.watchers(user(1), at_ms(0)).await.unwrap();
    assert_eq!((watchers.len(), service.calls().len()), (limits::WATCHERS_PER_USER, 2));
}

#[tokio::test]
async fn fifty_people_are_watched_with_two_calls_and_each_named_once() {
    let service = scripted(vec![(200, json!({"UnprocessedItems": {}})); 2]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let mut people: Vec<_> = (0..50).map(|number| acquaintance(user(number))).collect();
    people.push(acquaintance(user(0)));
    table.watch(&connection("a", 1, at_ms(0)), &people, at_ms(90_000)).await.unwrap();
    assert_eq!(service.operations(), ["BatchWriteItem"; 2]);
    let puts: usize = service
        .calls()
        .iter()
        .map(|(_, body)| body["RequestItems"]["live"].as_array().unwrap().len())
        .sum();
    assert_eq!(puts, 50);
}

#[tokio::test]
async fn watches_that_dynamodb_left_are_written_again_and_at_last_unavailable() {
    let left = json!({"UnprocessedItems": {"live": [{"PutRequest": {"Item": watch_item("a")}}]}});
    let service = scripted(vec![(200, left.clone()), (200, json!({}))]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let (watcher, people) = (connection("a", 2, at_ms(0)), [acquaintance(user(1))]);
    table.watch(&watcher, &people, at_ms(90_000)).await.unwrap();
    assert_eq!(service.calls().len(), 2);

    let service = scripted(vec![(200, left); 10]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let watched = table.watch(&watcher, &people, at_ms(90_000)).await;
    assert!(matches!(watched, Err(Failure::Unavailable { .. })));
    assert_eq!(service.calls().len(), 4);
}

/// What it costs does not depend on how many others watch, nor without end on what is listed.
#[tokio::test]
async fn to_end_what_one_person_watches_of_another_takes_two_reads_and_a_write() {
    let mut person = json!({"pk": {"S": format!("U#{}", user(2))}, "sk": {"S": "LIVE"}});
    for number in 0..60 {
        let since = json!({"N": at_ms(number).unix_ms().to_string()});
        person[format!("c#socket-{number}")] = json!({"M": {
            "session": {"S": session(2).to_string()}, "since": since, "seen": since,
        }});
    }
    let found = |items: &[Value]| json!({"Responses": {"live": items}});
    let watch = watch_item("a");
    let answers = [found(&[person]), found(std::slice::from_ref(&watch)), json!({})];
    let service = scripted(answers.map(|answer| (200, answer)).to_vec()).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    let ended = table.end_watches(user(2), user(1), at_ms(1_000)).await.unwrap();
    assert_eq!(ended, [connection("a", 2, at_ms(0))]);
    assert_eq!(service.operations(), ["BatchGetItem", "BatchGetItem", "BatchWriteItem"]);
    let calls = service.calls();
    let asked = |call: usize| &calls[call].1["RequestItems"]["live"];
    assert!([0, 1].into_iter().all(|read| asked(read)["ConsistentRead"] == true));
    let keys = asked(1)["Keys"].as_array().unwrap();
    assert_eq!(keys.len(), 100, "the most that one call takes");
    let is_of = |number: u32, key: &Value| {
        key["sk"]["S"].as_str().unwrap().ends_with(&format!("/socket-{number}"))
    };
    assert_eq!(keys.iter().filter(|key| is_of(59, key)).count(), 2, "the newest, at both ends");
    let key = json!({"pk": watch["pk"], "sk": watch["sk"]});
    assert_eq!(*asked(2), json!([{"DeleteRequest": {"Key": key}}]));
}
