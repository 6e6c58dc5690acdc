//! `GET /v1/sync`: what a device missed while it was away.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Device, State, System, WAIT, now_unix_ms};
use protocol::body::Sync;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{claim, sync, until_marks, until_stored};
use crate::people::{a_pair, draft, people};

/// As if nothing had happened in these conversations for an hour.
async fn age(conversations: &[Uuid]) {
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let ids: Vec<_> = conversations.iter().map(|id| format!("'{id}'")).collect();
    let ids = ids.join(", ");
    // The trigger that notes every change of a member stays out of it.
    let statements = format!(
        "SET session_replication_role = replica;
         UPDATE conversations SET touched_at = touched_at - interval '1 hour' WHERE id IN ({ids});
         UPDATE members SET changed_at = changed_at - interval '1 hour'
            WHERE conversation_id IN ({ids})"
    );
    database.batch_execute(&statements).await.unwrap();
}

async fn remove(conversation: Uuid, user: Uuid) {
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let remove = "UPDATE members SET left_seq = (SELECT last_seq FROM conversations WHERE id = $1)
        WHERE conversation_id = $1 AND user_id = $2";
    assert_eq!(database.execute(remove, &[&conversation, &user]).await.unwrap(), 1);
}

fn ids(sync: &Sync) -> Vec<Uuid> {
    sync.conversations.iter().map(|entry| entry.conversation.id).collect()
}

#[tokio::test]
async fn the_first_sync_has_everything_and_the_next_only_what_changed() {
    let (ada, bob, direct) = a_pair().await;
    let group = ada.open_group("Quiet", &[bob.id()]).await.unwrap().id;
    let everything = sync(&bob, "").await;
    let mut expected = [direct, group];
    expected.sort_unstable();
    assert_eq!(ids(&everything), expected);
    assert_eq!((everything.removed.len(), everything.has_more), (0, false));
    let list = bob.conversations().await.unwrap().items;
    assert!(everything.conversations.iter().all(|entry| list.contains(entry)));

    age(&expected).await;
    let nothing = sync(&bob, &format!("cursor={}", everything.next_cursor)).await;
    assert_eq!((ids(&nothing), nothing.removed.len()), (vec![], 0));
    ada.send(direct, &draft("something new")).await.unwrap();
    until_stored(&ada, direct, 1).await;
    let news = sync(&bob, &format!("cursor={}", nothing.next_cursor)).await;
    assert_eq!(ids(&news), [direct]);
    let [entry] = &news.conversations[..] else { panic!("one entry") };
    assert_eq!((entry.conversation.last_seq, entry.unread_count), (1, 1));
    assert_eq!(entry.last_message.as_ref().unwrap().text.as_deref(), Some("something new"));
}

#[tokio::test]
async fn what_one_read_on_another_device_comes_with_sync() {
    let (ada, bob, conversation) = a_pair().await;
    ada.send(conversation, &draft("read me")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    let cursor = sync(&bob, "").await.next_cursor;
    age(&[conversation]).await;
    let tablet = bob.another_device().await.unwrap();
    claim(&tablet, conversation, json!({ "read": 1 })).await.expect_status(204).unwrap();
    until_marks(&tablet, conversation, bob.id(), (1, 1)).await;
    let news = sync(&bob, &format!("cursor={cursor}")).await;
    let [entry] = &news.conversations[..] else { panic!("{news:?}") };
    assert_eq!((entry.my.delivered, entry.my.read, entry.unread_count), (1, 1, 0));
}

#[tokio::test]
async fn an_app_that_comes_back_knows_what_was_read_on_another() {
    let (ada, bob, conversation) = a_pair().await;
    let tablet = bob.another_device().await.unwrap();
    let phone = Device::start(&bob, &[conversation]).await.unwrap();
    ada.send(conversation, &draft("read me")).await.unwrap();
    let is_unread = |state: &State| state.unread(conversation) == 1;
    phone.until("an unread message", WAIT, is_unread).await.unwrap();
    phone.go_offline();
    phone.until("offline", WAIT, |state| !state.is_online()).await.unwrap();
    let other = Device::start(&tablet, &[conversation]).await.unwrap();
    other.until("the message", WAIT, is_unread).await.unwrap();
    other.mark_read(conversation, 1);
    until_marks(&bob, conversation, bob.id(), (1, 1)).await;
    phone.go_online();
    let is_read = |state: &State| state.unread(conversation) == 0;
    phone.until("nothing unread", WAIT, is_read).await.unwrap();
}

#[tokio::test]
async fn a_sync_comes_in_pages_that_have_each_conversation_once() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(ada.open_group(&format!("{number}"), &[bob.id()]).await.unwrap().id);
    }
    expected.sort_unstable();
    let mut seen = Vec::new();
    let mut query = "limit=2".to_owned();
    let last = loop {
        let page = sync(&bob, &query).await;
        seen.extend(ids(&page));
        assert!(seen.len() <= expected.len(), "the pages do not end");
        if !page.has_more {
            break page.next_cursor;
        }
        query = format!("limit=2&cursor={}", page.next_cursor);
    };
    assert_eq!(seen, expected);
    age(&expected).await;
    let after = sync(&bob, &format!("cursor={last}")).await;
    assert_eq!((ids(&after), after.has_more), (vec![], false));
}

#[tokio::test]
async fn what_one_was_removed_from_is_named_once_one_has_a_cursor() {
    let (ada, bob, kept) = a_pair().await;
    let group = ada.open_group("Without bob", &[bob.id()]).await.unwrap().id;
    let cursor = sync(&bob, "").await.next_cursor;
    let phone = Device::start(&bob, &[group, kept]).await.unwrap();
    phone.until("the group", WAIT, |s: &State| s.cursor(group) == 1).await.unwrap();
    phone.go_offline();
    phone.until("offline", WAIT, |state| !state.is_online()).await.unwrap();
    age(&[group, kept]).await;
    remove(group, bob.id()).await;
    let news = sync(&bob, &format!("cursor={cursor}")).await;
    assert_eq!((ids(&news), news.removed), (vec![], vec![group]));
    let everything = sync(&bob, "").await;
    assert_eq!((ids(&everything), everything.removed), (vec![kept], vec![]));
    phone.go_online();
    phone.until("the removal", WAIT, |state| state.is_removed(group)).await.unwrap();
    assert!(!phone.look(|state| state.is_removed(kept)));
}

fn cursor_of(unix_ms: i64) -> String {
    let bytes = [&[1][..], &unix_ms.to_be_bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_cursor_that_is_none_is_refused_and_one_that_is_too_old_is_gone() {
    let (_, bob, conversation) = a_pair().await;
    let long = "A".repeat(2_000);
    for cursor in ["", "x", "AQ", "%00", "'%20OR%201=1", "..%2F..", &long] {
        let answer = bob.get(&format!("/v1/sync?cursor={cursor}")).await.unwrap();
        let problem = answer.expect_problem(422, "validation_failed").unwrap();
        assert_eq!(problem.fields.unwrap()[0].code, "invalid_cursor", "{cursor:.20}");
    }
    for limit in ["0", "201", "-1", "x"] {
        let answer = bob.get(&format!("/v1/sync?limit={limit}")).await.unwrap();
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    let days = |count: i64| now_unix_ms() - count * 24 * 3_600_000;
    for old in [days(31), 0, -1] {
        let answer = bob.get(&format!("/v1/sync?cursor={}", cursor_of(old))).await.unwrap();
        answer.expect_problem(410, "cursor_expired").unwrap();
    }
    let young = sync(&bob, &format!("cursor={}", cursor_of(days(29)))).await;
    assert_eq!(ids(&young), [conversation]);
}
