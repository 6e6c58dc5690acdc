//! "Is typing": told at once to the others, or not at all.

use std::time::Duration;

use harness::{Device, Socket, State, WAIT, unique_id};
use protocol::frame::Said;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::calls::{heard_until, is_message, told_typing};
use crate::people::{a_pair, draft, people};

async fn says(socket: &mut Socket, conversation: Uuid, is_active: bool) -> Uuid {
    let data = json!({ "conversation_id": conversation, "active": is_active });
    socket.say_frame("typing", data).await.unwrap()
}

fn count(heard: &[Said]) -> usize {
    heard.iter().filter(|said| matches!(said, Said::Typing(_))).count()
}

#[tokio::test]
async fn typing_is_told_to_the_others_and_to_no_device_of_ones_own() {
    let (ada, bob, conversation) = a_pair().await;
    let tablet = ada.another_device().await.unwrap();
    let (mut hers, mut other) = (ada.socket().await.unwrap(), tablet.socket().await.unwrap());
    let mut his = [bob.socket().await.unwrap(), bob.socket().await.unwrap()];
    for is_active in [true, false] {
        for told in told_typing(&mut hers, &mut his, conversation, is_active).await {
            assert_eq!((told.conversation_id, told.user_id), (conversation, ada.id()));
            assert_eq!(told.expires_in_ms, if is_active { 6_000 } else { 0 });
        }
    }
    bob.send(conversation, &draft("what is it?")).await.unwrap();
    for socket in [&mut hers, &mut other] {
        let heard = heard_until(socket, |said| is_message(said, "what is it?")).await;
        assert_eq!(count(&heard), 0, "one's own typing came back");
    }
}

#[tokio::test]
async fn typing_too_often_is_dropped_without_a_word() {
    let (ada, bob, conversation) = a_pair().await;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    let begun = Instant::now();
    for _ in 0..30 {
        says(&mut hers, conversation, true).await;
    }
    told_typing(&mut hers, std::slice::from_mut(&mut his), conversation, true).await;
    // A refused one behind them shows that the same function has had them.
    let refused = hers.say_frame("typing", json!({ "active": true })).await.unwrap();
    hers.refused(refused).await.unwrap();
    ada.send(conversation, &draft("done typing")).await.unwrap();
    let heard = heard_until(&mut his, |said| is_message(said, "done typing")).await;
    let allowed = 2 + begun.elapsed().as_secs() / 3;
    assert!(u64::try_from(count(&heard)).unwrap() < allowed, "{heard:#?}");
    let heard = heard_until(&mut hers, |said| is_message(said, "done typing")).await;
    let error = heard.iter().find(|said| matches!(said, Said::Error(_)));
    assert_eq!(error, None, "a dropped frame was answered");
}

#[tokio::test]
async fn a_strangers_typing_is_refused_and_told_to_nobody() {
    let (ada, bob, conversation) = a_pair().await;
    let [eve] = people(["eve"]).await;
    let (mut hers, mut his) = (eve.socket().await.unwrap(), bob.socket().await.unwrap());
    for id in [conversation, unique_id()] {
        let frame = says(&mut hers, id, true).await;
        assert_eq!(hers.refused(frame).await.unwrap().code, "conversation_not_found");
    }
    ada.send(conversation, &draft("only us")).await.unwrap();
    let heard = heard_until(&mut his, |said| is_message(said, "only us")).await;
    assert_eq!(count(&heard), 0);
}

#[tokio::test]
async fn hostile_typing_is_refused() {
    let (ada, _, conversation) = a_pair().await;
    let mut hers = ada.socket().await.unwrap();
    for data in [
        Value::Null,
        json!([]),
        json!({ "conversation_id": conversation }),
        json!({ "conversation_id": conversation, "active": "yes" }),
        json!({ "conversation_id": "x", "active": true }),
        json!({ "active": true }),
    ] {
        let frame = hers.say_frame("typing", data.clone()).await.unwrap();
        assert_eq!(hers.refused(frame).await.unwrap().code, "validation_failed", "{data}");
    }
}

#[tokio::test]
async fn an_app_shows_who_types_until_they_stop() {
    let (ada, bob, conversation) = a_pair().await;
    let hers = Device::start(&ada, &[conversation]).await.unwrap();
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    // Typing has no answer and no number: an app asks the clock again and again. Each round is a
    // key: what was said before may not have been told.
    let until = Instant::now() + WAIT;
    while his.typists(conversation) != [ada.id()] {
        assert!(Instant::now() < until, "nobody types");
        hers.set_typing(conversation, true);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hers.post(conversation, "there");
    his.until("the message", WAIT, |s: &State| s.cursor(conversation) == 1).await.unwrap();
    hers.set_typing(conversation, false);
    let until = Instant::now() + WAIT;
    while !his.typists(conversation).is_empty() {
        assert!(Instant::now() < until, "typing does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(hers.typists(conversation).is_empty());
}
