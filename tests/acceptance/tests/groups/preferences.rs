//! One's own side of a conversation.

use harness::Client;
use protocol::body::{ConversationEntry, My};
use protocol::frame::{ConversationChanged, Said};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::{
    changed, conversation_of, database, edit, entry, heard_until, prefer, sync, told_message,
    told_state,
};
use crate::people::people;

async fn preferred(client: &Client, conversation: Uuid, body: Value) -> My {
    prefer(client, conversation, body).await.expect(200).unwrap()
}

fn of(feed: Vec<ConversationEntry>, conversation: Uuid) -> Option<My> {
    feed.into_iter().find(|entry| entry.conversation.id == conversation).map(|entry| entry.my)
}

/// As if nothing had happened to it for an hour.
async fn let_rest(conversation: Uuid) {
    // Without the trigger that writes when a member was changed.
    let rest = format!(
        "SET session_replication_role = replica;
         UPDATE conversations SET touched_at = now() - interval '1 hour'
            WHERE id = '{conversation}';
         UPDATE members SET changed_at = now() - interval '1 hour'
            WHERE conversation_id = '{conversation}'"
    );
    database().await.batch_execute(&rest).await.unwrap();
}

#[tokio::test]
async fn preferences_are_ones_own_and_reach_ones_other_devices() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let mut earlier = bob.socket().await.unwrap();
    let group = ada.open_group("Loud", &[bob.id()]).await.unwrap();
    told_message(&mut earlier, group.id, 1).await;
    told_state(&mut earlier, &group).await;
    let group = group.id;
    // All that is told of the opening knows its sockets by now: this one hears nothing of it.
    let mut his = bob.socket().await.unwrap();
    let tablet = ada.another_device().await.unwrap();
    let_rest(group).await;
    let cursor = format!("cursor={}", sync(&tablet, "").await.next_cursor);
    assert_eq!(of(sync(&tablet, &cursor).await.conversations, group), None, "nothing happened");
    let bobs_cursor = format!("cursor={}", sync(&bob, "").await.next_cursor);

    let until = "2099-12-31T22:00:00.000Z";
    let body = json!({ "muted_until": "2099-12-31T23:00:00+01:00", "archived": true });
    let mine = preferred(&ada, group, body).await;
    assert_eq!(mine.muted_until.as_deref(), Some(until));
    assert_eq!((mine.archived, mine.pinned, mine.role.as_str()), (true, false, "owner"));
    // What is absent stays as it is.
    let mine = preferred(&ada, group, json!({ "pinned": true, "archived": false })).await;
    assert_eq!(mine.muted_until.as_deref(), Some(until));
    assert_eq!((mine.archived, mine.pinned), (false, true));
    assert_eq!(preferred(&ada, group, json!({})).await, mine);
    assert_eq!(entry(&ada, group).await.unwrap().my, mine);
    assert_eq!(of(sync(&tablet, &cursor).await.conversations, group), Some(mine));
    let mine = preferred(&ada, group, json!({ "muted_until": null })).await;
    assert_eq!((mine.muted_until, mine.pinned), (None, true));

    // Others see nothing of it, hear nothing of it, and it takes no number.
    let his_own = entry(&bob, group).await.unwrap();
    assert_eq!((his_own.my.pinned, his_own.conversation.last_seq), (false, 1));
    assert_eq!(of(sync(&bob, &bobs_cursor).await.conversations, group), None);
    let now = changed(&edit(&ada, group, json!({ "title": "Quiet" })).await);
    assert_eq!(now.last_seq, 2);
    let heard = heard_until(&mut his, |said| news_of(said) == Some(group)).await;
    let first = heard.last().unwrap();
    assert!(is_of_the_title(first, now.last_seq), "{first:#?}");
}

/// Which conversation this tells something new of. Who never says what they have is nudged when
/// they are behind for long.
fn news_of(said: &Said) -> Option<Uuid> {
    conversation_of(said).filter(|_| !matches!(said, Said::Nudge(_)))
}

/// This tells of the title: its message, or the state after it.
fn is_of_the_title(said: &Said, number: i64) -> bool {
    match said {
        Said::MessageNew(new) => new.through == number,
        Said::ConversationChanged(ConversationChanged::Is { conversation }) => {
            conversation.last_seq == number
        }
        _ => false,
    }
}

#[tokio::test]
async fn hostile_preferences_are_refused_and_strangers_have_none() {
    let [ada, bob, eve] = people(["ada", "bob", "eve"]).await;
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let before = preferred(&ada, direct, json!({ "pinned": true })).await;
    for hostile in [
        json!({ "muted_until": "tomorrow" }),
        json!({ "muted_until": "" }),
        json!({ "muted_until": 4_000_000_000_i64 }),
        json!({ "muted_until": "2099-13-01T00:00:00Z" }),
        json!({ "muted_until": "+99999-01-01T00:00:00Z" }),
        json!({ "archived": "yes" }),
        json!({ "archived": true, "pinned": 1 }),
        json!([true]),
        Value::Null,
    ] {
        let answer = prefer(&ada, direct, hostile.clone()).await;
        let refused = answer.expect_problem(422, "validation_failed");
        refused.unwrap_or_else(|failure| panic!("{hostile}: {failure}"));
    }
    assert_eq!(entry(&ada, direct).await.unwrap().my, before);
    let stranger = prefer(&eve, direct, json!({ "pinned": true })).await;
    stranger.expect_problem(404, "conversation_not_found").unwrap();
}
