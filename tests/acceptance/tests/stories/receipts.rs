//! Receipts: what the author sees of how far the readers have got.

use client::core::Tick;
use harness::{Client, Device, State, WAIT, eventually, unique_id};
use protocol::body::ConversationEntry;
use protocol::frame::Said;
use protocol::value::MemberMarks;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::{
    ask_with, claim, delete, heard_until, is_message, marks, marks_of, told_receipts, until_marks,
    until_stored,
};
use crate::people::{a_pair, draft, people};

/// This conversation with so many messages of the first person.
async fn with_messages(author: &Client, conversation: Uuid, count: usize) {
    let before = author.conversation(conversation).await.unwrap().last_seq;
    for number in 0..count {
        author.send(conversation, &draft(&format!("number {number}"))).await.unwrap();
    }
    let last = before + i64::try_from(count).unwrap();
    until_stored(author, conversation, last).await;
}

async fn entry(client: &Client, conversation: Uuid) -> ConversationEntry {
    let items = client.conversations().await.unwrap().items;
    items.into_iter().find(|entry| entry.conversation.id == conversation).unwrap()
}

fn marks_are(user: Uuid, delivered: i64, read: i64) -> MemberMarks {
    MemberMarks { user_id: user, delivered, read }
}

#[tokio::test]
async fn an_author_sees_one_tick_then_two_then_read() {
    let (ada, bob, conversation) = a_pair().await;
    let hers = Device::start(&ada, &[conversation]).await.unwrap();
    hers.post(conversation, "are you there?");
    let is_stored = |state: &State| state.transcript(conversation).len() == 1;
    hers.until("her message", WAIT, is_stored).await.unwrap();
    assert_eq!(hers.tick(conversation, 1), Tick::Stored);
    // A phone that is off has nothing delivered; one that comes on has.
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    let is_delivered = |state: &State| state.tick(conversation, 1) == Tick::Delivered;
    hers.until("two ticks", WAIT, is_delivered).await.unwrap();
    assert_eq!(marks_of(&ada, conversation, bob.id()).await, (1, 0));
    his.mark_read(conversation, 1);
    let is_read = |state: &State| state.tick(conversation, 1) == Tick::Read;
    hers.until("that it was read", WAIT, is_read).await.unwrap();
    assert_eq!(marks_of(&ada, conversation, bob.id()).await, (1, 1));
}

#[tokio::test]
async fn a_group_has_two_ticks_only_when_everybody_has_it() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("Ticks", &[bob.id(), cleo.id()]).await.unwrap().id;
    let hers = Device::start(&ada, &[group]).await.unwrap();
    hers.post(group, "everybody?");
    hers.until("her message", WAIT, |s: &State| s.cursor(group) == 2).await.unwrap();
    let his = Device::start(&bob, &[group]).await.unwrap();
    his.until("the message", WAIT, |s: &State| s.cursor(group) == 2).await.unwrap();
    his.mark_read(group, 2);
    let bob_has_read =
        |s: &State| s.marks(group).iter().any(|m| m.user_id == bob.id() && m.read == 2);
    hers.until("that bob has read it", WAIT, bob_has_read).await.unwrap();
    assert_eq!(hers.tick(group, 2), Tick::Stored);
    let _cleos = Device::start(&cleo, &[group]).await.unwrap();
    let is_delivered = |s: &State| s.tick(group, 2) == Tick::Delivered;
    hers.until("two ticks", WAIT, is_delivered).await.unwrap();
}

#[tokio::test]
async fn receipts_are_told_to_authors_only() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("Authors", &[bob.id(), cleo.id()]).await.unwrap().id;
    let mut sockets = Vec::new();
    for client in [&ada, &bob, &cleo] {
        sockets.push(client.socket().await.unwrap());
    }
    with_messages(&ada, group, 1).await;
    let data = json!({ "conversation_id": group, "delivered": 2, "read": 2 });
    sockets[1].say_frame("receipt", data).await.unwrap();
    assert_eq!(told_receipts(&mut sockets[0], group).await.marks, [marks_are(bob.id(), 2, 2)]);
    // Cleo writes too, and is told of that alone.
    with_messages(&cleo, group, 1).await;
    claim(&ada, group, json!({ "delivered": 3 })).await.expect_status(204).unwrap();
    assert_eq!(told_receipts(&mut sockets[2], group).await.marks, [marks_are(ada.id(), 3, 0)]);
    ada.send(group, &draft("the last word")).await.unwrap();
    // What was told may come twice.
    let allowed = [vec![], vec![marks_are(ada.id(), 3, 0)]];
    for (socket, allowed) in sockets[1..].iter_mut().zip(allowed) {
        let heard = heard_until(socket, |said| is_message(said, "the last word")).await;
        let told = heard.into_iter().find(|said| match said {
            Said::ReceiptUpdated(told) => told.marks != allowed,
            _ => false,
        });
        assert_eq!(told, None, "who did not write was told who has read");
    }
    assert_eq!(marks(&bob, group).await.len(), 3);
}

#[tokio::test]
async fn marks_never_go_back_and_never_pass_the_last_number() {
    let (ada, bob, conversation) = a_pair().await;
    with_messages(&ada, conversation, 5).await;
    let mut his = bob.socket().await.unwrap();
    let steps = [
        (json!({ "delivered": 2 }), (2, 0)),
        (json!({ "read": 1 }), (2, 1)),
        (json!({ "read": 3 }), (3, 3)),
        (json!({ "delivered": 4, "read": 2 }), (4, 3)),
        (json!({ "delivered": 1_000, "read": 4 }), (5, 4)),
        (json!({ "read": i64::MAX }), (5, 5)),
    ];
    for (number, (body, expected)) in steps.into_iter().enumerate() {
        if number % 2 == 0 {
            claim(&bob, conversation, body).await.expect_status(204).unwrap();
        } else {
            let mut data = body;
            data["conversation_id"] = json!(conversation);
            his.say_frame("receipt", data).await.unwrap();
        }
        until_marks(&ada, conversation, bob.id(), expected).await;
    }
    claim(&bob, conversation, json!({ "delivered": 1, "read": 1 })).await;
    with_messages(&ada, conversation, 1).await;
    claim(&bob, conversation, json!({ "delivered": 6 })).await;
    until_marks(&ada, conversation, bob.id(), (6, 5)).await;
}

/// A named mistake of others.
#[tokio::test]
async fn a_receipt_on_conflict_that_lets_delivered_overwrite_read() {
    let (ada, bob, conversation) = a_pair().await;
    with_messages(&ada, conversation, 3).await;
    claim(&bob, conversation, json!({ "read": 3 })).await.expect_status(204).unwrap();
    until_marks(&ada, conversation, bob.id(), (3, 3)).await;
    // Another of his devices comes late with what it was delivered.
    let tablet = bob.another_device().await.unwrap();
    for delivered in 1..=3 {
        let body = json!({ "delivered": delivered });
        claim(&tablet, conversation, body).await.expect_status(204).unwrap();
    }
    with_messages(&ada, conversation, 1).await;
    claim(&tablet, conversation, json!({ "delivered": 4 })).await.expect_status(204).unwrap();
    until_marks(&ada, conversation, bob.id(), (4, 3)).await;
    assert_eq!(entry(&bob, conversation).await.unread_count, 1);
}

#[tokio::test]
async fn who_is_no_member_gives_and_gets_no_receipts() {
    let (ada, _, conversation) = a_pair().await;
    let [eve] = people(["eve"]).await;
    with_messages(&ada, conversation, 1).await;
    let mut hers = eve.socket().await.unwrap();
    for id in [conversation, unique_id()] {
        let answer = claim(&eve, id, json!({ "read": 1 })).await;
        answer.expect_problem(404, "conversation_not_found").unwrap();
        let list = eve.get(&format!("/v1/conversations/{id}/receipts")).await.unwrap();
        list.expect_problem(404, "conversation_not_found").unwrap();
        let data = json!({ "conversation_id": id, "read": 1 });
        let frame = hers.say_frame("receipt", data).await.unwrap();
        assert_eq!(hers.refused(frame).await.unwrap().code, "conversation_not_found");
    }
    assert_eq!(marks(&ada, conversation).await.len(), 2);
}

#[tokio::test]
async fn hostile_receipts_are_refused() {
    let (ada, _, conversation) = a_pair().await;
    let mut hers = ada.socket().await.unwrap();
    for body in [
        json!({}),
        json!({ "read": -1 }),
        json!({ "delivered": "1" }),
        json!({ "delivered": 1.5 }),
        json!({ "delivered": 1e300 }),
        json!({ "read": null, "delivered": null }),
    ] {
        let answer = claim(&ada, conversation, body.clone()).await;
        answer.expect_problem(422, "validation_failed").unwrap();
        let mut data = body.clone();
        data["conversation_id"] = json!(conversation);
        let frame = hers.say_frame("receipt", data).await.unwrap();
        assert_eq!(hers.refused(frame).await.unwrap().code, "validation_failed", "{body}");
    }
    for data in [json!({ "read": 1 }), json!({ "conversation_id": "x", "read": 1 }), Value::Null] {
        let frame = hers.say_frame("receipt", data.clone()).await.unwrap();
        assert_eq!(hers.refused(frame).await.unwrap().code, "validation_failed", "{data}");
    }
}

#[tokio::test]
async fn who_does_not_share_receipts_shows_only_what_was_delivered() {
    let (ada, bob, conversation) = a_pair().await;
    let settings = json!({ "settings": { "share_receipts": false, "share_last_seen": true } });
    let answer = ask_with(&bob, Method::PATCH, "/v1/users/me", &settings).await;
    answer.expect_status(200).unwrap();
    let hers = Device::start(&ada, &[conversation]).await.unwrap();
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    hers.post(conversation, "do you read me?");
    his.until("the message", WAIT, |s: &State| s.cursor(conversation) == 1).await.unwrap();
    his.mark_read(conversation, 1);
    until_marks(&bob, conversation, bob.id(), (1, 1)).await;
    let is_delivered = |s: &State| s.tick(conversation, 1) == Tick::Delivered;
    hers.until("two ticks", WAIT, is_delivered).await.unwrap();
    // What is read now is told with what is delivered next, if at all.
    hers.post(conversation, "over");
    let both = |s: &State| s.tick(conversation, 2) == Tick::Delivered;
    hers.until("two ticks again", WAIT, both).await.unwrap();
    assert_eq!(hers.tick(conversation, 1), Tick::Delivered);
    assert_eq!(marks_of(&ada, conversation, bob.id()).await, (2, 0));
}

#[tokio::test]
async fn the_list_counts_what_is_unread() {
    let (ada, bob, conversation) = a_pair().await;
    with_messages(&ada, conversation, 4).await;
    let unread = || async { entry(&bob, conversation).await.unread_count };
    assert_eq!(unread().await, 4);
    assert_eq!(entry(&ada, conversation).await.unread_count, 0);
    claim(&bob, conversation, json!({ "delivered": 4, "read": 2 })).await;
    until_marks(&bob, conversation, bob.id(), (4, 2)).await;
    assert_eq!(unread().await, 2);
    let my = entry(&bob, conversation).await.my;
    assert_eq!((my.delivered, my.read), (4, 2));
    // What is gone need not be read; what oneself wrote neither.
    delete(&ada, conversation, 3).await.expect_status(204).unwrap();
    assert_eq!(unread().await, 1);
    bob.send(conversation, &draft("mine")).await.unwrap();
    until_stored(&bob, conversation, 6).await;
    assert_eq!(unread().await, 1);
    claim(&bob, conversation, json!({ "read": 6 })).await.expect_status(204).unwrap();
    let is_read = || async { (unread().await == 0).then_some(()) };
    eventually("nothing is unread", WAIT, is_read).await.unwrap();
}
