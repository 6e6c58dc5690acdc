//! Requests about groups, and what is heard of them.

use std::fmt::Display;

pub use acceptance::hearing::{heard_until, is_message};
use harness::{Answer, Client, Heard, Socket, System, WAIT, eventually};
use protocol::body::{ConversationEntry, CreatedInvite, InviteList, Sync};
use protocol::frame::{ConversationChanged, Said};
use protocol::value::{Conversation, Message, MessageEvent};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A request without a body, whatever comes of it.
pub async fn ask(client: &Client, method: Method, path: &str) -> Answer {
    client.api().send(client.request(method, path)).await.unwrap()
}

/// A request with this body, whatever comes of it.
pub async fn ask_with(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    client.api().send(client.request(method, path).json(body)).await.unwrap()
}

/// `rest` begins with a slash or is empty.
pub fn path(conversation: Uuid, rest: impl Display) -> String {
    format!("/v1/conversations/{conversation}{rest}")
}

pub async fn add(client: &Client, group: Uuid, users: &[Uuid]) -> Answer {
    client.post(&path(group, "/members"), &json!({ "user_ids": users })).await.unwrap()
}

/// `who`: a user's id, or `me`.
pub async fn remove(client: &Client, group: Uuid, who: impl Display) -> Answer {
    ask(client, Method::DELETE, &path(group, format!("/members/{who}"))).await
}

pub async fn set_role(client: &Client, group: Uuid, who: impl Display, role: &str) -> Answer {
    let path = path(group, format!("/members/{who}"));
    ask_with(client, Method::PATCH, &path, &json!({ "role": role })).await
}

pub async fn edit(client: &Client, group: Uuid, body: Value) -> Answer {
    ask_with(client, Method::PATCH, &path(group, ""), &body).await
}

/// Ends a group, or hides a direct conversation.
pub async fn end(client: &Client, conversation: Uuid) -> Answer {
    ask(client, Method::DELETE, &path(conversation, "")).await
}

pub async fn prefer(client: &Client, conversation: Uuid, body: Value) -> Answer {
    ask_with(client, Method::PUT, &path(conversation, "/preferences"), &body).await
}

/// The conversation that a change answers.
pub fn changed(answer: &Answer) -> Conversation {
    answer.expect(200).unwrap()
}

pub async fn invite(client: &Client, group: Uuid, body: Value) -> CreatedInvite {
    client.post(&path(group, "/invites"), &body).await.unwrap().expect(201).unwrap()
}

pub async fn invites(client: &Client, group: Uuid) -> InviteList {
    client.get(&path(group, "/invites")).await.unwrap().expect(200).unwrap()
}

pub async fn preview(client: &Client, token: &str) -> Answer {
    client.get(&format!("/v1/invites/{token}")).await.unwrap()
}

pub async fn accept(client: &Client, token: &str) -> Answer {
    ask(client, Method::POST, &format!("/v1/invites/{token}/accept")).await
}

/// As it stands in one's own list; the list is short.
pub async fn entry(client: &Client, conversation: Uuid) -> Option<ConversationEntry> {
    let list = client.conversations().await.unwrap();
    list.items.into_iter().find(|entry| entry.conversation.id == conversation)
}

pub async fn sync(client: &Client, query: &str) -> Sync {
    client.get(&format!("/v1/sync?{query}")).await.unwrap().expect(200).unwrap()
}

pub async fn last_seq(client: &Client, conversation: Uuid) -> i64 {
    client.conversation(conversation).await.unwrap().last_seq
}

pub async fn role_of(viewer: &Client, group: Uuid, user: Uuid) -> Option<String> {
    let members = viewer.members(group).await.unwrap().items;
    members.into_iter().find(|member| member.user_id == user).map(|member| member.role)
}

/// Who is in, with their roles, in the order they joined.
pub async fn roles(viewer: &Client, group: Uuid) -> Vec<(Uuid, String)> {
    let members = viewer.members(group).await.unwrap().items;
    members.into_iter().map(|member| (member.user_id, member.role)).collect()
}

/// Waits until this conversation's counter is there.
pub async fn until_stored(client: &Client, conversation: Uuid, number: i64) {
    let is_stored = || async { (last_seq(client, conversation).await >= number).then_some(()) };
    eventually(&format!("number {number} is stored"), WAIT, is_stored).await.unwrap();
}

pub async fn database() -> tokio_postgres::Client {
    System::shared().await.unwrap().database().connect().await.unwrap()
}

/// An event without a title or a role.
pub fn event(event_type: &str, actor: &Client, users: &[Uuid]) -> MessageEvent {
    MessageEvent {
        event_type: event_type.to_owned(),
        actor_id: actor.id(),
        user_ids: users.to_vec(),
        title: None,
        role: None,
    }
}

/// The message with this number, as it is pushed to this socket.
pub async fn told_message(socket: &mut Socket, conversation: Uuid, seq: i64) -> Message {
    let told = socket.wait_for("message.new", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::MessageNew(new) if new.conversation_id == conversation => {
                new.messages.iter().find(|message| message.seq == seq).cloned()
            }
            _ => None,
        },
        _ => None,
    });
    told.await.unwrap()
}

/// Waits for `conversation.changed` with exactly this state.
pub async fn told_state(socket: &mut Socket, expected: &Conversation) {
    let told = socket.wait_for("conversation.changed", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::ConversationChanged(ConversationChanged::Is { conversation })
                if conversation == expected =>
            {
                Some(())
            }
            _ => None,
        },
        _ => None,
    });
    told.await.unwrap();
}

/// The last change of a group: one system message with the newest number, in history and on every
/// socket, and the state after it.
pub async fn assert_told(
    viewer: &Client,
    sockets: &mut [&mut Socket],
    group: Uuid,
    expected: &MessageEvent,
) {
    let now = viewer.conversation(group).await.unwrap();
    let page = viewer.messages(group, "limit=1").await.unwrap();
    let [message] = &page.items[..] else { panic!("{page:?}") };
    assert_eq!(message.event.as_ref(), Some(expected));
    assert_eq!((message.kind.as_str(), message.sender_id), ("system", expected.actor_id));
    assert_eq!((message.seq, message.rev), (now.last_seq, now.last_seq));
    for socket in sockets {
        assert_eq!(told_message(socket, group, now.last_seq).await, *message);
        told_state(socket, &now).await;
    }
}

pub fn is_removed(said: &Said, conversation: Uuid) -> bool {
    let Said::ConversationChanged(changed) = said else { return false };
    let removed = ConversationChanged::Removed { conversation_id: conversation, removed: true };
    *changed == removed
}

/// Waits for `conversation.changed` that says that one is out.
pub async fn told_removed(socket: &mut Socket, conversation: Uuid) {
    let told = socket.wait_for("conversation.changed, removed", |heard| match heard {
        Heard::Frame(frame) => is_removed(&frame.said, conversation).then_some(()),
        _ => None,
    });
    told.await.unwrap();
}

/// Which conversation this is about.
pub fn conversation_of(said: &Said) -> Option<Uuid> {
    match said {
        Said::MessageNew(told) | Said::MessageChanged(told) => Some(told.conversation_id),
        Said::MessageAccepted(told) => Some(told.conversation_id),
        Said::MessageRejected(told) => Some(told.conversation_id),
        Said::ConversationChanged(ConversationChanged::Is { conversation }) => {
            Some(conversation.id)
        }
        Said::ConversationChanged(ConversationChanged::Removed { conversation_id, .. }) => {
            Some(*conversation_id)
        }
        Said::ReceiptUpdated(told) => Some(told.conversation_id),
        Said::Typing(told) => Some(told.conversation_id),
        Said::Nudge(told) => Some(told.conversation_id),
        _ => None,
    }
}
