//! Sockets that are gone are forgotten; sockets that are just coming are not.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{System, WAIT, eventually, now_unix_ms, unique_name};

use crate::calls::seq_pushed;
use crate::emulator::{Table, number, text};
use crate::people::{a_pair, client_id, draft};

/// As `$connect` leaves it in the user's item.
fn entry(session: uuid::Uuid, since: i64) -> AttributeValue {
    let times = [("since", number(since)), ("seen", number(since))];
    let all = times.into_iter().chain([("session", text(session))]);
    AttributeValue::M(all.map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<_, _>>())
}

#[tokio::test]
async fn a_device_that_went_without_a_word_is_pruned_at_the_next_push_and_a_fresh_one_is_not() {
    let (ada, bob, conversation) = a_pair().await;
    let mut his = bob.socket().await.unwrap();
    let table = Table::of(System::shared().await.unwrap());
    let item = format!("U#{}", bob.id());
    let (gone, coming) = (unique_name("c#gone"), unique_name("c#coming"));
    table.set(&item, "LIVE", &gone, entry(bob.session_id, now_unix_ms() - 60_000)).await;
    // Its `$connect` is not answered yet: 410 as well. Younger than the guard for as long as the
    // story takes on a slow machine.
    table.set(&item, "LIVE", &coming, entry(bob.session_id, now_unix_ms() + 60_000)).await;

    ada.send(conversation, &draft("anybody there?")).await.unwrap();
    his.pushed(conversation).await.unwrap();
    // What cannot be forgotten in time is left to the next push: so there is a next one.
    let is_pruned = || async {
        if table.has_attribute(&item, "LIVE", &gone).await {
            ada.send(conversation, &draft("anybody?")).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            return None;
        }
        Some(())
    };
    eventually("the dead socket is forgotten", WAIT, is_pruned).await.unwrap();
    assert!(table.has_attribute(&item, "LIVE", &coming).await, "the fresh one was forgotten");

    // The live one goes on.
    let last = draft("still there?");
    ada.send(conversation, &last).await.unwrap();
    seq_pushed(&mut his, conversation, client_id(&last)).await;
}

#[tokio::test]
async fn a_closed_socket_leaves_nothing_behind() {
    let (_, bob, _) = a_pair().await;
    let mut staying = bob.socket().await.unwrap();
    let mut closing = bob.socket().await.unwrap();
    let cut = bob.socket().await.unwrap();
    closing.close().await.unwrap();
    drop(cut);
    let table = Table::of(System::shared().await.unwrap());
    let item = format!("U#{}", bob.id());
    let is_alone = || async { (table.connections(&item).await == 1).then_some(()) };
    eventually("one socket is left", WAIT, is_alone).await.unwrap();
    let frame = staying.say_frame("heartbeat", serde_json::json!({ "cursors": [] })).await.unwrap();
    staying.answer_to(frame).await.unwrap();
}
