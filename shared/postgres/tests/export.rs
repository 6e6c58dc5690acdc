//! What somebody takes along is all there, in parts that an answer can carry; and what they hid
//! stays hidden from all their devices.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod people;
mod support;

use std::collections::BTreeMap;

use domain::{Seq, direct_conversation_id};
use people::{People, at};
use postgres::{PgConversations, PgErasure, PgGroups};
use service::Preferences;
use service::port::{ConversationStore, Export, ExportPart, GroupStore, NewDirect, SyncFeed};

const MESSAGES: i64 = 450;

/// All parts, in turn.
async fn export(all: &People, number: u128) -> Vec<ExportPart> {
    let store = PgErasure::new(all.database());
    let (mut parts, mut cursor) = (Vec::new(), None);
    loop {
        let part = store.part(all.id(number), cursor.as_deref()).await.unwrap();
        cursor = part.next_cursor.clone();
        parts.push(part);
        if cursor.is_none() {
            return parts;
        }
    }
}

fn as_json_bytes(part: &ExportPart) -> usize {
    let records: Vec<BTreeMap<_, _>> =
        part.records.iter().map(|record| record.iter().cloned().collect()).collect();
    serde_json::to_vec(&records).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_exported_once_in_parts_that_an_answer_can_carry() {
    let all = People::new(2).await;
    let group = all.group(0, all.id(0), &[all.id(1)]).await;
    let sql = "
        INSERT INTO messages (conversation_id, seq, rev, client_id, sender_id, kind, text,
            created_at)
        SELECT $1, n, n, gen_random_uuid(),
            CASE WHEN n % 3 = 0 THEN $3::uuid ELSE $2::uuid END, 'text',
            repeat(chr(1) || '\"\\é', 1600), now()
        FROM generate_series(2::bigint, $4) n";
    let client = all.connect().await;
    client.execute(sql, &[&group.0, &all.id(0).0, &all.id(1).0, &(MESSAGES + 1)]).await.unwrap();
    let parts = export(&all, 0).await;
    let mut seqs = Vec::new();
    for part in &parts {
        assert!(part.records.len() <= 200);
        assert!(as_json_bytes(part) <= 2_001_000, "{}", as_json_bytes(part));
        if part.section == "messages" {
            let seq = |name: &(&str, Option<String>)| name.0 == "seq";
            let read = |record: &Vec<_>| {
                let seq = record.iter().find(|name| seq(name)).unwrap().1.clone();
                seq.unwrap().parse::<i64>().unwrap()
            };
            seqs.extend(part.records.iter().map(read));
        }
    }
    let mine: Vec<_> = (2..=MESSAGES + 1).filter(|seq| seq % 3 != 0).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, mine, "each once");
    let mut sections: Vec<_> = parts.iter().map(|part| part.section).collect();
    sections.dedup();
    let order = [
        "profile",
        "sessions",
        "contacts",
        "blocks",
        "conversations",
        "messages",
        "receipts",
        "reactions",
        "invites",
    ];
    assert_eq!(sections, order);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_conversation_leaves_the_other_devices_too_and_comes_back_with_a_message() {
    let all = People::new(2).await;
    let [ada, bob] = [all.id(0), all.id(1)];
    let id = direct_conversation_id(ada, bob);
    let conversations = PgConversations::new(all.database());
    let groups = PgGroups::new(all.database());
    let direct = NewDirect { id, creator: ada, other: bob, created_at: at() };
    conversations.open_direct(direct).await.unwrap();
    let cursor = conversations.changed_since(ada, None, 50).await.unwrap().next_cursor;
    assert!(groups.hide(ada, id).await.unwrap());
    let page = conversations.changed_since(ada, Some(&cursor), 50).await.unwrap();
    assert_eq!((page.conversations.len(), page.removed), (0, vec![id]));
    // The other one's list, and one's own marks, have nothing to do with it.
    let page = conversations.changed_since(bob, Some(&cursor), 50).await.unwrap();
    assert_eq!((page.conversations.len(), page.removed.len()), (1, 0));
    let pinned = Preferences { pinned: Some(true), ..Preferences::default() };
    let my = groups.prefer(ada, id, pinned).await.unwrap().unwrap();
    assert!(my.pinned && my.read == Seq(0));
    all.say(id, bob).await;
    let page = conversations.changed_since(ada, Some(&cursor), 50).await.unwrap();
    assert_eq!((page.conversations.len(), page.removed.len()), (1, 0));
}
