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

/// A push has a moment for what it forgets, and leaves the rest to the next one: so on a slow
/// machine there may be some of them.
const PUSHES_MOST: usize = 5;
const UNTIL_PRUNED: Duration = Duration::from_secs(5);

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

    let is_pruned = || async { (!table.has_attribute(&item, "LIVE", &gone).await).then_some(()) };
    let mut pushes = 0;
    loop {
        assert!(pushes < PUSHES_MOST, "the dead socket is not forgotten");
        pushes += 1;
        let message = draft("anybody there?");
        ada.send(conversation, &message).await.unwrap();
        seq_pushed(&mut his, conversation, client_id(&message)).await;
        if eventually("the dead socket is forgotten", UNTIL_PRUNED, is_pruned).await.is_ok() {
            break;
        }
    }
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
