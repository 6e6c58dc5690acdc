//! Processes that die at the worst moment.

use harness::{Client, Socket, eventually, unique_id};
use serde_json::json;
use uuid::Uuid;

use super::{HEALING, Lock, Stage};
use crate::emulator::quarantined;
use crate::people::{client_id, draft, texts};

#[tokio::test]
async fn crash_before_enqueue() {
    let stage = Stage::set().await;
    let rule = json!({
        "fault": "function.kill", "function": "socket-message", "point": "before", "times": 3,
    });
    let rule = stage.let_loose(rule).await;
    stage.talk(3);
    stage.until_fired(rule, 3).await;
    stage.talk(2);
    stage.assert_whole().await;
}

#[tokio::test]
async fn crash_after_enqueue_before_the_answer() {
    let stage = Stage::set().await;
    // The process does its work, dies, and answers nothing.
    let kill = json!({
        "fault": "function.kill", "function": "socket-message", "point": "after", "times": 2,
    });
    let kill = stage.let_loose(kill).await;
    // And an answer that gets lost on its way.
    let drop = json!({ "fault": "answer.drop", "frame_type": "message.send", "times": 2 });
    let drop = stage.let_loose(drop).await;
    stage.talk(4);
    stage.until_fired(kill, 2).await;
    stage.until_fired(drop, 2).await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn crash_before_commit() {
    let stage = Stage::set().await;
    let lock = Lock::on(&stage, stage.room).await;
    stage.talk(3);
    lock.until_waited_for(1).await;
    assert!(stage.kill("persist-messages").await > 0, "there was no worker to kill");
    lock.abort_who_waits().await;
    lock.release().await;
    stage.talk(2);
    stage.assert_whole().await;
}

#[tokio::test]
async fn crash_after_commit_before_push() {
    let stage = Stage::set().await;
    // The line that a worker prints between the commit and the first push.
    let rule = json!({
        "fault": "function.kill", "function": "persist-messages", "point": { "log": "\"stored\"" },
        "times": 2,
    });
    let rule = stage.let_loose(rule).await;
    let first = stage.post(0, "committed, and nobody was told");
    stage.until_fired(rule, 1).await;
    stage.until_stored(first).await;
    stage.talk(3);
    stage.until_fired(rule, 2).await;
    stage.assert_whole().await;
}

/// Every one of these texts was pushed to this socket, once or more.
async fn assert_heard(socket: &mut Socket, room: Uuid, mut expected: Vec<String>) {
    socket.be_patient(HEALING);
    while !expected.is_empty() {
        let push = socket.pushed(room).await.unwrap();
        let heard = texts(&push.messages);
        expected.retain(|text| !heard.contains(&text.as_str()));
    }
}

#[tokio::test]
async fn crash_in_mid_fan_out() {
    let stage = Stage::set().await;
    // More sockets than are pushed to at once.
    let mut sockets = Vec::new();
    let people: [(&Client, usize); 3] = [(&stage.ada, 9), (&stage.bob, 8), (&stage.cleo, 9)];
    for (client, count) in people {
        for _ in 0..count {
            sockets.push(client.socket().await.unwrap());
        }
    }
    let kill = |point: serde_json::Value| {
        json!({
            "fault": "function.kill", "function": "fan-out-events", "point": point, "times": 1,
        })
    };
    // In the middle of its pushes; and when all is pushed and nothing deleted.
    let middle = stage.let_loose(kill(json!({ "delay_ms": 10 }))).await;
    stage.post(0, "first");
    stage.until_fired(middle, 1).await;
    let end = stage.let_loose(kill(json!("after"))).await;
    stage.post(1, "second");
    stage.until_fired(end, 1).await;
    for socket in &mut sockets {
        let expected = vec!["first".to_owned(), "second".to_owned()];
        assert_heard(socket, stage.room, expected).await;
    }
    stage.assert_whole().await;
}

/// From now on, this statement runs before a message of this text is stored.
async fn when_stored(stage: &Stage, text: &str, statement: &str) {
    let database = stage.database().await;
    let trigger = format!(
        "CREATE FUNCTION {text}() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN {statement}; RETURN NEW; END $$;
         CREATE TRIGGER {text} BEFORE INSERT ON messages FOR EACH ROW
           WHEN (NEW.text = '{text}') EXECUTE FUNCTION {text}()"
    );
    database.batch_execute(&trigger).await.unwrap();
}

fn name(of: &str) -> String {
    format!("{of}_{}", unique_id().simple())
}

#[tokio::test]
async fn poison_message() {
    let stage = Stage::set().await;
    let text = name("poison");
    when_stored(&stage, &text, "RAISE EXCEPTION 'a bug that only this message meets'").await;
    let well = stage.ada.open_direct(stage.bob.id()).await.unwrap().id;
    let mut hers = stage.ada.socket().await.unwrap();
    hers.be_patient(HEALING);
    let poisoned = draft(&text);
    let frame = hers.send(stage.room, std::slice::from_ref(&poisoned)).await.unwrap();
    hers.accepted(frame).await.unwrap();
    let behind = stage.post(1, "behind the poison");
    stage.until_stored(stage.post_in(0, well, "elsewhere")).await;
    assert_eq!(stage.bob.history(stage.room).await.unwrap().len(), 1, "the sick one goes on");
    let told = hers.rejected(client_id(&poisoned)).await.unwrap();
    assert_eq!((told.code.as_str(), told.retryable), ("quarantined", true));
    stage.until_stored(behind).await;
    let is_kept = || async {
        let kept = quarantined(&stage.system).await;
        kept.iter().any(|body| body.contains(&client_id(&poisoned).to_string())).then_some(())
    };
    eventually("the job lies in quarantine", HEALING, is_kept).await.unwrap();
    stage.talk(2);
    stage.assert_whole().await;
}

/// Kills the workers when one of them is busy with the message that sleeps, and its transaction
/// with them.
async fn kill_who_stores_it(stage: &Stage) {
    let database = stage.database().await;
    let is_storing = || async {
        let sleeping = "SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep'";
        database.query_opt(sleeping, &[]).await.unwrap()
    };
    eventually("a worker meets the message", HEALING, is_storing).await.unwrap();
    assert!(stage.kill("persist-messages").await > 0);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    assert_eq!(database.query(end, &[]).await.unwrap().len(), 1, "it was stored meanwhile");
}

#[tokio::test]
async fn a_message_that_kills_its_process() {
    let stage = Stage::set().await;
    let text = name("deadly");
    // Long enough to be found by; the lane gives a message that failed before two seconds.
    when_stored(&stage, &text, "PERFORM pg_sleep(1)").await;
    let well = stage.ada.open_direct(stage.bob.id()).await.unwrap().id;
    let deadly = stage.post(0, &text);
    stage.post(1, "behind it");
    kill_who_stores_it(&stage).await;
    // From here on it was received before: it runs last, and alone.
    let innocent = stage.post_in(0, well, "elsewhere");
    kill_who_stores_it(&stage).await;
    stage.until_stored(innocent).await;
    stage.talk(2);
    stage.assert_whole().await;
    let order = "SELECT client_id FROM messages WHERE client_id = ANY($1) ORDER BY stored_at";
    let both = vec![deadly, innocent];
    let rows = stage.database().await.query(order, &[&both]).await.unwrap();
    let stored: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(stored, [innocent, deadly], "it delayed who had nothing to do with it");
}
