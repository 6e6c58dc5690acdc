//! A heartbeat tells what was missed.

use harness::{Socket, unique_id};
use protocol::frame::{HeartbeatOk, Said};
use serde_json::json;
use uuid::Uuid;

use crate::people::{a_pair, draft, people};

async fn beat(socket: &mut Socket, cursors: &[(Uuid, i64)]) -> HeartbeatOk {
    let cursor = |(id, at): &(Uuid, i64)| json!({ "conversation_id": id, "cursor": at });
    let cursors: Vec<_> = cursors.iter().map(cursor).collect();
    let frame = socket.say_frame("heartbeat", json!({ "cursors": cursors })).await.unwrap();
    match socket.answer_to(frame).await.unwrap() {
        Said::HeartbeatOk(ok) => ok,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_heartbeat_tells_which_conversations_went_on() {
    let (ada, bob, conversation) = a_pair().await;
    let group = ada.open_group("Quiet", &[bob.id()]).await.unwrap().id;
    let mut his = bob.socket().await.unwrap();
    for text in ["one", "two", "three"] {
        ada.send(conversation, &draft(text)).await.unwrap();
    }
    while his.pushed(conversation).await.unwrap().through < 3 {}
    let ok = beat(&mut his, &[(conversation, 1), (group, 1)]).await;
    let behind: Vec<_> = ok.behind.iter().map(|b| (b.conversation_id, b.last_seq)).collect();
    assert_eq!(behind, [(conversation, 3)]);
    assert!(beat(&mut his, &[(conversation, 3), (group, 1)]).await.behind.is_empty());
    assert!(beat(&mut his, &[]).await.behind.is_empty());
}

#[tokio::test]
async fn a_heartbeat_tells_nothing_of_the_conversations_of_others() {
    let (ada, _, conversation) = a_pair().await;
    ada.send(conversation, &draft("a secret")).await.unwrap();
    let [eve] = people(["eve"]).await;
    let mut hers = eve.socket().await.unwrap();
    let ok = beat(&mut hers, &[(conversation, 0), (unique_id(), 0)]).await;
    assert!(ok.behind.is_empty(), "{ok:?}");
}
