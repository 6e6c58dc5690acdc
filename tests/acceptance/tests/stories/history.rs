//! The history, page by page, and the feed of changes.

use harness::{Client, WAIT, eventually};
use uuid::Uuid;

use crate::people::{a_pair, draft, seqs};

/// A conversation with so many messages in it.
async fn with_messages(count: i64) -> (Client, Uuid) {
    let (ada, _, conversation) = a_pair().await;
    for number in 1..=count {
        ada.send(conversation, &draft(&format!("number {number}"))).await.unwrap();
    }
    let stored = || async {
        let now = ada.conversation(conversation).await.unwrap().last_seq;
        (now == count).then_some(())
    };
    eventually("all are stored", WAIT, stored).await.unwrap();
    (ada, conversation)
}

#[tokio::test]
async fn a_history_is_read_in_pages_from_either_end_and_around_a_message() {
    let (ada, conversation) = with_messages(9).await;
    for (query, expected, before, after) in [
        ("limit=4", vec![6, 7, 8, 9], true, false),
        ("before=6&limit=3", vec![3, 4, 5], true, true),
        ("before=3", vec![1, 2], false, true),
        ("before=1", vec![], false, true),
        ("after=0&limit=2", vec![1, 2], false, true),
        ("after=7", vec![8, 9], true, false),
        ("after=9", vec![], true, false),
        ("around=5&limit=4", vec![3, 4, 5, 6], true, true),
        ("", vec![1, 2, 3, 4, 5, 6, 7, 8, 9], false, false),
    ] {
        let page = ada.messages(conversation, query).await.unwrap();
        assert_eq!(seqs(&page.items), expected, "{query}");
        assert_eq!((page.has_more_before, page.has_more_after), (before, after), "{query}");
    }
}

#[tokio::test]
async fn the_feed_of_changes_goes_from_any_cursor_to_the_end() {
    let (ada, conversation) = with_messages(5).await;
    for after in 0..=5 {
        let page = ada.changes(conversation, after).await.unwrap();
        assert_eq!(seqs(&page.items), (after + 1..=5).collect::<Vec<_>>());
        assert_eq!((page.through, page.last_seq, page.has_more), (5, 5, false));
    }
    let path = format!("/v1/conversations/{conversation}/changes?after=1&limit=2");
    let page: protocol::body::ChangeList = ada.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!((seqs(&page.items), page.through), (vec![2, 3], 3));
    assert_eq!((page.last_seq, page.has_more), (5, true));
}

#[tokio::test]
async fn the_list_of_conversations_has_the_liveliest_first_and_comes_in_pages() {
    let (ada, bob, first) = a_pair().await;
    let second = ada.open_group("Second", &[bob.id()]).await.unwrap().id;
    let third = ada.open_group("Third", &[bob.id()]).await.unwrap().id;
    bob.send(first, &draft("now I am the liveliest")).await.unwrap();
    let is_stored =
        || async { (ada.conversation(first).await.unwrap().last_seq == 1).then_some(()) };
    eventually("the message is stored", WAIT, is_stored).await.unwrap();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/conversations?limit=1{cursor}");
        let page = ada.get(&path).await.unwrap();
        let page: protocol::body::List<protocol::body::ConversationEntry> =
            page.expect(200).unwrap();
        seen.extend(page.items);
        let Some(next) = page.next_cursor else { break };
        cursor = format!("&cursor={next}");
        assert!(seen.len() < 9, "the list does not end");
    }
    let ids: Vec<_> = seen.iter().map(|entry| entry.conversation.id).collect();
    assert_eq!(ids, [first, third, second]);
    assert_eq!(seen[0].unread_count, 1);
    assert_eq!(seen[0].last_message.as_ref().unwrap().sender_id, bob.id());
    assert_eq!(seen[1].unread_count, 0, "a system message is never unread");
}
