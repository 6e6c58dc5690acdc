//! What a person wants to keep to themselves is kept, wherever it could be seen.

use acceptance::people::{a_pair, draft, people};
use harness::{Client, Socket, WAIT, eventually};
use protocol::body::{Me, MessageTrace};
use protocol::frame::{ReceiptUpdated, Said};
use protocol::value::Presence;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    heard_until, is_message, marks_of, presence_of, told, until_marks, until_stored, update_me,
    watch,
};

/// One setting after the other: what is absent stays.
async fn share(client: &Client, receipts: bool, last_seen: bool) {
    let one = json!({ "settings": { "share_receipts": receipts } });
    update_me(client, &one).await.expect_status(200).unwrap();
    let other = json!({ "settings": { "share_last_seen": last_seen } });
    let me: Me = update_me(client, &other).await.expect(200).unwrap();
    assert_eq!((me.settings.share_receipts, me.settings.share_last_seen), (receipts, last_seen));
}

async fn claim(client: &Client, conversation: Uuid, delivered: i64, read: i64) {
    let body = json!({ "delivered": delivered, "read": read });
    let path = format!("/v1/conversations/{conversation}/receipts");
    client.post(&path, &body).await.unwrap().expect_status(204).unwrap();
}

fn receipt(said: &Said) -> Option<ReceiptUpdated> {
    match said {
        Said::ReceiptUpdated(told) => Some(told.clone()),
        _ => None,
    }
}

fn tells_reading(said: &Said, user: Uuid) -> bool {
    let Said::ReceiptUpdated(told) = said else { return false };
    told.marks.iter().any(|marks| marks.user_id == user && marks.read > 0)
}

async fn trace(author: &Client, conversation: Uuid, seq: i64) -> MessageTrace {
    let path = format!("/v1/conversations/{conversation}/messages/{seq}/trace");
    author.get(&path).await.unwrap().expect(200).unwrap()
}

#[tokio::test]
async fn who_does_not_share_receipts_reads_unseen_in_pushes_marks_and_traces() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    share(&bob, false, true).await;
    let group = ada.open_group("Who reads?", &[bob.id(), cleo.id()]).await.unwrap().id;
    let mut hers = ada.socket().await.unwrap();
    ada.send(group, &draft("does anybody read this?")).await.unwrap();
    until_stored(&ada, group, 2).await;

    // He has it and reads it; she hears that he has it.
    claim(&bob, group, 2, 2).await;
    let heard = told(&mut hers, "receipt.updated", receipt).await;
    assert_eq!(heard.marks.len(), 1);
    let marks = &heard.marks[0];
    assert_eq!((marks.user_id, marks.delivered, marks.read), (bob.id(), 2, 0));
    // Cleo, who shares hers, shows how it looks otherwise.
    claim(&cleo, group, 2, 2).await;
    // His may come once more, as it was: what is told slowly may be told twice.
    let of_cleo = |said: &Said| {
        assert!(!tells_reading(said, bob.id()), "{said:?}");
        receipt(said).filter(|told| told.marks[0].user_id == cleo.id())
    };
    assert_eq!(told(&mut hers, "receipt.updated", of_cleo).await.marks[0].read, 2);

    for viewer in [&ada, &cleo] {
        assert_eq!(marks_of(viewer, group, bob.id()).await, (2, 0));
    }
    assert_eq!(marks_of(&bob, group, bob.id()).await, (2, 2), "one's own marks are one's own");
    let readers = || async {
        let trace = trace(&ada, group, 2).await;
        (trace.read.len() == 1 && trace.delivered.len() == 2).then_some(trace.read)
    };
    let readers = eventually("the trace tells", WAIT, readers).await.unwrap();
    assert_eq!(readers[0].user_id, cleo.id());
    // His own counting is not touched by it.
    assert_eq!(bob.conversations().await.unwrap().items[0].unread_count, 0);
    // Nor was it told behind Cleo's.
    cleo.send(group, &draft("I did")).await.unwrap();
    let heard = heard_until(&mut hers, |said| is_message(said, "I did")).await;
    assert!(!heard.iter().any(|said| tells_reading(said, bob.id())), "{heard:?}");
}

#[tokio::test]
async fn reading_alone_is_told_to_nobody_by_who_does_not_share_it() {
    let (ada, bob, conversation) = a_pair().await;
    share(&bob, false, true).await;
    ada.send(conversation, &draft("one")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    let mut earlier = ada.socket().await.unwrap();
    claim(&bob, conversation, 1, 0).await;
    let heard = told(&mut earlier, "receipt.updated", receipt).await;
    assert_eq!((heard.marks[0].delivered, heard.marks[0].read), (1, 0));
    // All that is told of that knows its sockets by now: this one hears nothing of it.
    let mut hers = ada.socket().await.unwrap();
    claim(&bob, conversation, 1, 1).await;
    until_marks(&bob, conversation, bob.id(), (1, 1)).await;
    // Whoever changes their mind is seen from the next receipt on.
    share(&bob, true, true).await;
    bob.send(conversation, &draft("two")).await.unwrap();
    let heard = heard_until(&mut hers, |said| is_message(said, "two")).await;
    assert!(heard.iter().all(|said| receipt(said).is_none()), "{heard:?}");
    assert_eq!(marks_of(&ada, conversation, bob.id()).await, (1, 1));
    ada.send(conversation, &draft("three")).await.unwrap();
    until_stored(&ada, conversation, 3).await;
    claim(&bob, conversation, 3, 3).await;
    let heard = told(&mut hers, "receipt.updated", receipt).await;
    assert_eq!(heard.marks[0].read, 3);
}

fn of_user(said: &Said, user: Uuid) -> Option<Presence> {
    let Said::PresenceChanged(told) = said else { return None };
    told.users.iter().find(|seen| seen.user_id == user).cloned()
}

/// A status is set, and this is what a watcher is told of it.
async fn set(socket: &mut Socket, status: &str, watcher: &mut Socket, user: Uuid) -> Presence {
    socket.say_frame("presence.set", json!({ "status": status })).await.unwrap();
    let is_it = |said: &Said| of_user(said, user).filter(|seen| seen.status == status);
    told(watcher, "presence.changed", is_it).await
}

#[tokio::test]
async fn last_seen_is_shared_or_not_from_the_moment_it_is_set() {
    let (ada, bob, _) = a_pair().await;
    let mut hers = ada.socket().await.unwrap();
    let mut his = bob.socket().await.unwrap();
    watch(&mut his, ada.id()).await;
    let said = set(&mut hers, "away", &mut his, ada.id()).await;
    assert!(said.last_seen_at.is_some(), "{said:?}");
    for (shares, status) in [(false, "dnd"), (true, "away")] {
        share(&ada, true, shares).await;
        assert_eq!(presence_of(&bob, ada.id()).await.last_seen_at.is_some(), shares);
        assert_eq!(watch(&mut his, ada.id()).await.last_seen_at.is_some(), shares);
        let said = set(&mut hers, status, &mut his, ada.id()).await;
        assert_eq!(said.last_seen_at.is_some(), shares, "{said:?}");
        // One's own wish hides nothing from oneself, and nothing of others.
        assert!(presence_of(&ada, bob.id()).await.last_seen_at.is_some());
    }
}
