//! Replies and mentions are judged when a message is stored; its sender alone hears of a wrong one.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Client, Socket, System, unique_id};
use protocol::frame::Said;
use protocol::value::MessageDraft;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{delete, heard_until, is_message, until_stored};
use crate::emulator::{Table, number};
use crate::people::{a_pair, client_id, draft, people, texts};

fn reply(to: i64) -> MessageDraft {
    MessageDraft { reply_to: Some(to), ..draft("a reply") }
}

fn mention(user: Uuid) -> MessageDraft {
    let mentions = json!([{ "user_id": user, "start": 0, "length": 5 }]);
    MessageDraft { mentions: serde_json::from_value(mentions).unwrap(), ..draft("@them") }
}

/// It is accepted, and rejected later with this code.
async fn assert_rejected(socket: &mut Socket, to: Uuid, wrong: &MessageDraft, code: &str) {
    let frame = socket.send(to, std::slice::from_ref(wrong)).await.unwrap();
    socket.accepted(frame).await.unwrap();
    let told = socket.rejected(client_id(wrong)).await.unwrap();
    assert_eq!((told.code.as_str(), told.retryable), (code, false));
    assert_eq!(told.conversation_id, to);
}

/// This is stored, and nobody else heard of anything before it.
async fn assert_only_this_is_heard(
    sender: &Client,
    others: &mut [Socket],
    conversation: Uuid,
    text: &str,
) {
    sender.send(conversation, &draft(text)).await.unwrap();
    for socket in others {
        let heard = heard_until(socket, |said| is_message(said, text)).await;
        let rejected = heard.iter().find(|said| matches!(said, Said::MessageRejected(_)));
        assert_eq!(rejected, None, "somebody else's rejection was told");
    }
    let history = sender.history(conversation).await.unwrap();
    assert_eq!(texts(&history), [text]);
}

#[tokio::test]
async fn a_reply_to_what_is_not_there_is_rejected_to_its_sender_only() {
    let (ada, bob, conversation) = a_pair().await;
    let mut hers = ada.socket().await.unwrap();
    let mut others = [bob.socket().await.unwrap()];
    for seq in [1, 2, i64::MAX] {
        assert_rejected(&mut hers, conversation, &reply(seq), "invalid_reply_to").await;
    }
    assert_only_this_is_heard(&ada, &mut others, conversation, "the first").await;
    // What was rejected took no number.
    assert_eq!(ada.conversation(conversation).await.unwrap().last_seq, 1);
}

#[tokio::test]
async fn a_mention_of_a_stranger_is_rejected_to_its_sender_only() {
    let (ada, bob, conversation) = a_pair().await;
    let [eve] = people(["eve"]).await;
    let mut hers = ada.socket().await.unwrap();
    let mut others = [bob.socket().await.unwrap(), eve.socket().await.unwrap()];
    for user in [eve.id(), unique_id()] {
        assert_rejected(&mut hers, conversation, &mention(user), "invalid_mention").await;
    }
    assert_only_this_is_heard(&ada, &mut others[..1], conversation, "the first").await;
    ada.send(conversation, &mention(bob.id())).await.unwrap();
    until_stored(&ada, conversation, 2).await;
    assert_eq!(bob.history(conversation).await.unwrap()[1].mentions[0].user_id, bob.id());
}

#[tokio::test]
async fn a_good_message_beside_a_wrong_reply_is_stored() {
    let (ada, _, conversation) = a_pair().await;
    let mut hers = ada.socket().await.unwrap();
    let frame = [draft("before"), reply(99), draft("after")];
    let sent = hers.send(conversation, &frame).await.unwrap();
    hers.accepted(sent).await.unwrap();
    let told = hers.rejected(client_id(&frame[1])).await.unwrap();
    assert_eq!(told.code, "invalid_reply_to");
    until_stored(&ada, conversation, 2).await;
    assert_eq!(texts(&ada.history(conversation).await.unwrap()), ["before", "after"]);
}

#[tokio::test]
async fn a_tombstone_may_be_answered_and_what_was_before_ones_time_may_not() {
    let [ada, bob, dora] = people(["ada", "bob", "dora"]).await;
    let group = ada.open_group("Answers", &[bob.id()]).await.unwrap().id;
    ada.send(group, &draft("regretted")).await.unwrap();
    until_stored(&ada, group, 2).await;
    delete(&ada, group, 2).await.expect_status(204).unwrap();
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let join = "INSERT INTO members
            (conversation_id, user_id, role, joined_seq, delivered_seq, read_seq, joined_at)
        SELECT id, $2, 'member', last_seq, last_seq, last_seq, now()
        FROM conversations WHERE id = $1";
    assert_eq!(database.execute(join, &[&group, &dora.id()]).await.unwrap(), 1);
    let table = Table::of(System::shared().await.unwrap());
    let copy = format!("V#{group}/{}", dora.id());
    table.set(&copy, "V", "active", AttributeValue::Bool(true)).await;
    table.set(&copy, "V", "version", number(3)).await;

    let mut hers = dora.socket().await.unwrap();
    assert_rejected(&mut hers, group, &reply(2), "invalid_reply_to").await;
    bob.send(group, &reply(2)).await.unwrap();
    until_stored(&ada, group, 4).await;
    let history = ada.history(group).await.unwrap();
    assert_eq!((history[2].seq, history[2].reply_to), (4, Some(2)));
    dora.send(group, &reply(4)).await.unwrap();
    until_stored(&ada, group, 5).await;
}
