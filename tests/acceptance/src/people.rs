//! Who the stories are about.

use futures::future::join_all;
use harness::{Api, Client, Device, System, unique_id};
use protocol::value::{Message, MessageDraft};
use uuid::Uuid;

/// New people on the shared system.
pub async fn people<const N: usize>(names: [&str; N]) -> [Client; N] {
    people_on(&System::shared().await.unwrap().api().unwrap(), names).await
}

pub async fn people_on<const N: usize>(api: &Api, names: [&str; N]) -> [Client; N] {
    let registered = join_all(names.map(|name| Client::register(api, name))).await;
    let registered: Vec<_> = registered.into_iter().map(Result::unwrap).collect();
    registered.try_into().ok().unwrap()
}

/// Two people and their direct conversation.
pub async fn a_pair() -> (Client, Client, Uuid) {
    let [ada, bob] = people(["ada", "bob"]).await;
    let conversation = ada.open_direct(bob.id()).await.unwrap().id;
    (ada, bob, conversation)
}

/// One app each.
pub async fn devices<'a>(
    clients: impl IntoIterator<Item = &'a Client>,
    conversations: &[Uuid],
) -> Vec<Device> {
    let started = clients.into_iter().map(|client| Device::start(client, conversations));
    join_all(started).await.into_iter().map(Result::unwrap).collect()
}

/// A new message of this text.
pub fn draft(text: &str) -> MessageDraft {
    harness::text_draft(unique_id(), text)
}

pub fn client_id(draft: &MessageDraft) -> Uuid {
    draft.client_id.as_deref().unwrap().parse().unwrap()
}

pub fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(|message| message.text.as_deref()).collect()
}

pub fn seqs(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.seq).collect()
}

/// Every number once, from 1 on, and every (sender, client id) once.
pub fn assert_exactly_once(messages: &[Message]) {
    let expected: Vec<i64> = (1..).take(messages.len()).collect();
    assert_eq!(seqs(messages), expected, "numbers have gaps, repeats or another order");
    let mut names: Vec<_> = messages.iter().map(|m| (m.sender_id, m.client_id)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), messages.len(), "a message stands in history twice");
}
