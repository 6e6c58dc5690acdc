//! Queues that deliver again, and messages that meet each other in them.

use serde_json::json;

use super::stage::set_visibility;
use super::{Lock, Stage};
use crate::people::{client_id, draft};

const LANE: &str = "messages-to-persist.fifo";

#[tokio::test]
async fn queue_redelivery() {
    let stage = Stage::set().await;
    // All is stored and pushed, and the queue never learns of it.
    let rule = json!({
        "fault": "function.kill", "function": "persist-messages", "point": "after", "times": 2,
    });
    let rule = stage.let_loose(rule).await;
    stage.talk(2);
    stage.until_fired(rule, 1).await;
    stage.talk(2);
    stage.until_fired(rule, 2).await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn two_invocations_of_one_batch() {
    let stage = Stage::set().await;
    // Far below the worker's time: the queue takes it for dead while it waits for the lock.
    set_visibility(&stage.system, LANE, 1).await;
    let lock = Lock::on(&stage, stage.room).await;
    stage.talk(2);
    lock.until_waited_for(2).await;
    lock.release().await;
    set_visibility(&stage.system, LANE, 6).await;
    stage.talk(2);
    stage.assert_whole().await;
}

#[tokio::test]
async fn the_same_client_id_twice_in_one_batch() {
    let stage = Stage::set().await;
    let lock = Lock::on(&stage, stage.room).await;
    stage.post(0, "keeps its group waiting");
    lock.until_waited_for(1).await;
    // Jobs of one group that wait together come in one batch.
    let twice = draft("once");
    stage.ada.send(stage.room, &twice).await.unwrap();
    stage.ada.send(stage.room, &twice).await.unwrap();
    let mut hers = stage.ada.socket().await.unwrap();
    let frame = hers.send(stage.room, &[twice.clone(), twice.clone()]).await.unwrap();
    hers.accepted(frame).await.unwrap();
    lock.release().await;
    stage.until_stored(client_id(&twice)).await;
    stage.talk(1);
    stage.assert_whole().await;
    let history = stage.bob.history(stage.room).await.unwrap();
    let stored = history.iter().filter(|message| message.client_id == client_id(&twice));
    assert_eq!(stored.count(), 1);
}

#[tokio::test]
async fn a_member_removed_while_their_message_waits_for_the_lock() {
    let stage = Stage::set().await;
    let kept = stage.post(1, "said as a member");
    stage.until_stored(kept).await;
    let mut his = stage.cleo.socket().await.unwrap();
    let lock = Lock::on(&stage, stage.room).await;
    let late = draft("said as nobody");
    let frame = his.send(stage.room, std::slice::from_ref(&late)).await.unwrap();
    his.accepted(frame).await.unwrap();
    lock.until_waited_for(1).await;
    let remove = "UPDATE members SET left_seq = (SELECT last_seq FROM conversations WHERE id = $1)
        WHERE conversation_id = $1 AND user_id = $2";
    let (room, cleo) = (stage.room, stage.cleo.id());
    assert_eq!(lock.transaction.execute(remove, &[&room, &cleo]).await.unwrap(), 1);
    lock.release().await;
    let told = his.rejected(client_id(&late)).await.unwrap();
    assert_eq!((told.code.as_str(), told.retryable), ("not_a_member", false));
    stage.talk(2);
    stage.assert_whole().await;
    let history = stage.bob.history(room).await.unwrap();
    assert!(history.iter().all(|message| message.client_id != client_id(&late)));
}
