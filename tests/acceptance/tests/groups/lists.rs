//! One's own list of conversations.

use harness::{Client, WAIT, eventually};
use protocol::body::{ConversationEntry, List};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{ask, changed, edit, entry, path, until_stored};
use crate::people::{draft, people};

async fn unread(client: &Client, conversation: Uuid) -> u32 {
    entry(client, conversation).await.unwrap().unread_count
}

#[tokio::test]
async fn unread_are_the_undeleted_messages_of_others_beyond_what_was_read() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let group = ada.open_group("Counted", &[bob.id()]).await.unwrap().id;
    assert_eq!((unread(&ada, group).await, unread(&bob, group).await), (0, 0));
    for number in 2..=5 {
        ada.send(group, &draft(&format!("number {number}"))).await.unwrap();
        until_stored(&ada, group, number).await;
    }
    assert_eq!((unread(&ada, group).await, unread(&bob, group).await), (0, 4));
    // What the server says is read by nobody, and counts for nobody.
    changed(&edit(&ada, group, json!({ "title": "Renamed" })).await);
    assert_eq!(unread(&bob, group).await, 4);
    ask(&ada, Method::DELETE, &path(group, "/messages/3")).await.expect_status(204).unwrap();
    assert_eq!(unread(&bob, group).await, 3);
    let last = entry(&bob, group).await.unwrap().last_message.unwrap();
    assert_eq!((last.seq, last.kind.as_str()), (6, "system"));

    // What one says oneself neither counts nor reads what was before.
    bob.send(group, &draft("mine")).await.unwrap();
    until_stored(&ada, group, 8).await;
    assert_eq!((unread(&ada, group).await, unread(&bob, group).await), (1, 3));
    let read = json!({ "read": 4 });
    bob.post(&path(group, "/receipts"), &read).await.unwrap().expect_status(204).unwrap();
    let is_read = || async { (unread(&bob, group).await == 1).then_some(()) };
    eventually("three of four are read", WAIT, is_read).await.unwrap();
    let mine = entry(&bob, group).await.unwrap().my;
    assert_eq!(mine.read, 4);
    assert!(mine.delivered >= 4);
    assert_eq!(unread(&ada, group).await, 1, "it is his own mark");
}

/// The whole list, two at a time.
async fn by_two(client: &Client) -> Vec<Uuid> {
    let (mut ids, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let path = format!("/v1/conversations?{query}");
        let page: List<ConversationEntry> = client.get(&path).await.unwrap().expect(200).unwrap();
        assert!(page.items.len() <= 2 && ids.len() < 20, "the pages do not end");
        ids.extend(page.items.iter().map(|entry| entry.conversation.id));
        let Some(cursor) = page.next_cursor else { return ids };
        query = format!("limit=2&cursor={cursor}");
    }
}

#[tokio::test]
async fn the_most_recently_active_comes_first_on_every_page() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let mut expected = Vec::new();
    for number in 0..5 {
        let title = format!("Group {number}");
        expected.insert(0, ada.open_group(&title, &[bob.id()]).await.unwrap().id);
    }
    assert_eq!(by_two(&bob).await, expected);
    let mut to_the_top = |index: usize| {
        let id = expected.remove(index);
        expected.insert(0, id);
        (id, expected.clone())
    };
    let (talked, order) = to_the_top(3);
    ada.send(talked, &draft("up")).await.unwrap();
    until_stored(&ada, talked, 2).await;
    assert_eq!(by_two(&bob).await, order);
    let (renamed, order) = to_the_top(4);
    changed(&edit(&ada, renamed, json!({ "title": "Up" })).await);
    assert_eq!(by_two(&bob).await, order);
    // One's own preferences are no activity.
    crate::calls::prefer(&bob, order[4], json!({ "pinned": true })).await;
    assert_eq!(by_two(&bob).await, order);
    let list = bob.conversations().await.unwrap();
    assert_eq!((list.items.len(), &list.next_cursor), (5, &None));
    for entry in &list.items {
        let last = entry.last_message.as_ref().unwrap();
        assert_eq!(
            (last.seq, last.conversation_id),
            (entry.conversation.last_seq, entry.conversation.id)
        );
    }
    for hostile in ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=%00", "cursor=' OR 1=1"]
    {
        let answer = bob.get(&format!("/v1/conversations?{hostile}")).await.unwrap();
        let refused = answer.expect_problem(422, "validation_failed");
        refused.unwrap_or_else(|failure| panic!("{hostile}: {failure}"));
    }
}
