//! What the others hear when somebody ends their account: all that any leaving tells, and at once.

use acceptance::people::{draft, people};
use harness::{Client, Socket, System};
use protocol::frame::{ConversationChanged, Said};
use protocol::value::{Conversation, Message};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{ask_with, erase_me, told, until_stored};
use crate::residue::until_erased;

/// The messages of the push that tells that somebody left.
async fn told_leaving(socket: &mut Socket, conversation: Uuid) -> Vec<Message> {
    let pick = |said: &Said| match said {
        Said::MessageNew(new) if new.conversation_id == conversation => {
            let event = |message: &Message| message.event.clone();
            let mut events = new.messages.iter().filter_map(event);
            events.any(|event| event.event_type == "member_left").then(|| new.messages.clone())
        }
        _ => None,
    };
    told(socket, "message.new, with who left", pick).await
}

async fn told_state(socket: &mut Socket, expected: &Conversation) {
    let pick = |said: &Said| match said {
        Said::ConversationChanged(ConversationChanged::Is { conversation }) => {
            (conversation == expected).then_some(())
        }
        _ => None,
    };
    told(socket, "conversation.changed", pick).await;
}

fn events(messages: &[Message]) -> Vec<(&str, Uuid, Option<&str>)> {
    let events = messages.iter().filter_map(|message| message.event.as_ref());
    events
        .map(|event| (event.event_type.as_str(), event.user_ids[0], event.role.as_deref()))
        .collect()
}

#[tokio::test]
async fn the_others_hear_at_once_who_has_gone_and_who_owns_the_group_now() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let group = ada.open_group("Ours", &[bob.id(), cleo.id()]).await.unwrap().id;
    let role = format!("/v1/conversations/{group}/members/{}", cleo.id());
    let promoted = ask_with(&ada, Method::PATCH, &role, &json!({ "role": "admin" })).await;
    promoted.expect_status(200).unwrap();
    until_stored(&ada, group, 2).await;
    let (mut his, mut hers) = (bob.socket().await.unwrap(), cleo.socket().await.unwrap());
    erase_me(&ada).await.expect_status(202).unwrap();

    let left = ("member_left", ada.id(), None);
    let heir = ("role_changed", cleo.id(), Some("owner"));
    for (viewer, socket) in [(&bob, &mut his), (&cleo, &mut hers)] {
        assert_eq!(events(&told_leaving(socket, group).await), [heir, left]);
        told_state(socket, &viewer.conversation(group).await.unwrap()).await;
    }
    assert_eq!(events(&told_leaving(&mut his, direct).await), [left]);
    told_state(&mut his, &bob.conversation(direct).await.unwrap()).await;
    // What she still tries with a token that is out is refused at once, not only after the sweep.
    until_erased(System::shared().await.unwrap(), ada.id()).await;
    for conversation in [direct, group] {
        assert_refused(&ada, conversation).await;
    }
}

async fn assert_refused(client: &Client, conversation: Uuid) {
    let path = format!("/v1/conversations/{conversation}/messages");
    let late = client.post(&path, &draft("boo")).await.unwrap();
    late.expect_problem(404, "conversation_not_found").unwrap();
}
