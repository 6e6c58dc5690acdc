//! Mistakes that comparable systems have made in delivery, each a regression test under the
//! mistake's own name. More of them stand beside the code that could make them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use harness::{Client, Device, Heard, Options, Socket, State, System, WAIT, unique_id};
use protocol::body::{ConversationEntry, List};
use protocol::frame::Said;
use protocol::value::Message;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{assert_all_agree, sync, until_stored};
use crate::failures::{Lock, Stage, in_flight};
use crate::people::{a_pair, assert_exactly_once, client_id, draft, people, seqs, texts};

#[tokio::test]
async fn a_redis_stream_entry_acknowledged_before_the_insert() {
    let stage = Stage::set().await;
    let lock = Lock::on(&stage, stage.room).await;
    let message = stage.post(0, "not yet inserted");
    lock.until_waited_for(1).await;
    let lane = "messages-to-persist.fifo";
    assert!(in_flight(&stage.system, lane).await > 0, "the queue has given it away");
    assert!(stage.kill("persist-messages").await > 0);
    lock.abort_who_waits().await;
    lock.release().await;
    stage.until_stored(message).await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn the_live_id_differs_from_the_id_in_history() {
    let (ada, bob, conversation) = a_pair().await;
    let mut his = bob.socket().await.unwrap();
    let mut live = Vec::new();
    for text in ["one", "two", "three"] {
        ada.send(conversation, &draft(text)).await.unwrap();
        live.extend(his.pushed(conversation).await.unwrap().messages);
    }
    assert_eq!(live, ada.history(conversation).await.unwrap());
    assert_eq!(live, bob.changes(conversation, 0).await.unwrap().items);
    let everything = sync(&bob, "").await;
    let entry = everything.conversations.iter().find(|e| e.conversation.id == conversation);
    assert_eq!(entry.unwrap().last_message.as_ref(), live.last());
}

/// As if all of it had happened in one and the same moment.
async fn at_one_moment(conversations: &[Uuid]) {
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let ids: Vec<_> = conversations.iter().map(|id| format!("'{id}'")).collect();
    let ids = ids.join(", ");
    // Of a whole millisecond, as all times are that the services write.
    let now = "to_timestamp(floor(extract(epoch FROM now())))";
    let statements = format!(
        "UPDATE messages SET created_at = {now}, stored_at = {now}, touched_at = {now},
            sent_at = {now} WHERE conversation_id IN ({ids});
         UPDATE conversations SET active_at = {now}, changed_at = {now}, touched_at = {now}
            WHERE id IN ({ids})"
    );
    database.batch_execute(&statements).await.unwrap();
}

/// The whole list, two at a time.
async fn list_by_two(client: &Client) -> Vec<Uuid> {
    let (mut ids, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let path = format!("/v1/conversations?{query}");
        let page: List<ConversationEntry> = client.get(&path).await.unwrap().expect(200).unwrap();
        ids.extend(page.items.iter().map(|entry| entry.conversation.id));
        assert!(ids.len() < 20, "the pages do not end");
        let Some(cursor) = page.next_cursor else { return ids };
        query = format!("limit=2&cursor={cursor}");
    }
}

#[tokio::test]
async fn a_cursor_on_time_alone_skips_equal_timestamps() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let mut groups = Vec::new();
    for number in 0..5 {
        groups.push(ada.open_group(&format!("{number}"), &[bob.id()]).await.unwrap().id);
    }
    for number in 0..6 {
        ada.send(groups[0], &draft(&format!("{number}"))).await.unwrap();
    }
    until_stored(&ada, groups[0], 7).await;
    at_one_moment(&groups).await;

    let mut listed = list_by_two(&bob).await;
    assert_eq!(listed.len(), groups.len());
    listed.sort_unstable();
    groups.sort_unstable();
    assert_eq!(listed, groups);
    let (mut synced, mut query) = (BTreeSet::new(), "limit=2".to_owned());
    loop {
        let page = sync(&bob, &query).await;
        synced.extend(page.conversations.iter().map(|entry| entry.conversation.id));
        if !page.has_more {
            break;
        }
        query = format!("limit=2&cursor={}", page.next_cursor);
    }
    assert_eq!(synced, groups.iter().copied().collect());
    assert_all_pages(&bob, &groups).await;
}

/// History and feed of the one group with messages, two at a time.
async fn assert_all_pages(client: &Client, groups: &[Uuid]) {
    for group in groups {
        let all = client.history(*group).await.unwrap();
        assert_exactly_once(&all);
        let (mut read, mut fed) = (Vec::<Message>::new(), Vec::<Message>::new());
        while read.len() < all.len() {
            let after = read.last().map_or(0, |message| message.seq);
            let page = client.messages(*group, &format!("after={after}&limit=2")).await.unwrap();
            assert!(!page.items.is_empty(), "the history ends after {after}");
            read.extend(page.items);
            let after = fed.last().map_or(0, |message| message.rev);
            let path = format!("/v1/conversations/{group}/changes?after={after}&limit=2");
            let page: protocol::body::ChangeList =
                client.get(&path).await.unwrap().expect(200).unwrap();
            fed.extend(page.items);
        }
        assert_eq!(seqs(&read), seqs(&all));
        assert_eq!(seqs(&fed), seqs(&all));
    }
}

#[tokio::test]
async fn events_dropped_on_a_full_buffer_without_a_gap_signal() {
    let stage = Stage::set().await;
    let (mut his, id) = stage.socket_of(&stage.bob).await;
    let lost = json!({
        "fault": "push.drop", "connection_id": id, "frame_type": "message.new", "times": 3,
    });
    let lost = stage.let_loose(lost).await;
    let mut number = 0;
    while stage.fired(lost).await < 3 {
        number += 1;
        stage.until_stored(stage.post(0, &format!("number {number}"))).await;
    }
    stage.until_stored(stage.post(0, "what comes through")).await;
    // What was lost may come after all: a push that was slow is made twice.
    let push = loop {
        let push = his.pushed(stage.room).await.unwrap();
        if texts(&push.messages).contains(&"what comes through") {
            break push;
        }
    };
    // The creation is number 1, which this socket knows of; the next it hears is not 2.
    assert!(push.after > 1, "what was lost does not show: {push:?}");
    assert_eq!(push.through, push.messages.last().unwrap().rev);
    stage.assert_whole().await;
}

#[tokio::test]
async fn a_retry_that_mints_a_new_idempotency_key() {
    // Its heart beats every four minutes: nothing but a retry can tell the app.
    let stage = Stage::on(Options::without_rate_limit(), Duration::from_secs(240)).await;
    let silence = json!({ "fault": "push.drop", "frame_type": "message.new" });
    let silence = stage.let_loose(silence).await;
    let lost = json!({ "fault": "answer.drop", "frame_type": "message.send", "times": 2 });
    let lost = stage.let_loose(lost).await;
    let posted = stage.post(0, "say it again");
    stage.until_fired(lost, 2).await;
    stage.faults.remove(silence).await.unwrap();
    stage.assert_whole().await;
    let history = stage.ada.history(stage.room).await.unwrap();
    let stored: Vec<Uuid> = history.iter().skip(1).map(|message| message.client_id).collect();
    assert_eq!(stored, [posted]);
}

#[tokio::test]
async fn the_senders_name_taken_from_the_clients_json() {
    let (ada, bob, conversation) = a_pair().await;
    let mut his = bob.socket().await.unwrap();
    let mut hers = ada.socket().await.unwrap();
    let lie = |text: &str| {
        json!({
            "client_id": unique_id(), "text": text, "sender_id": bob.id(), "sender": "bob",
            "sender_name": "bob", "username": "bob", "user_id": bob.id(),
            "session_id": bob.session_id, "seq": 1_000, "rev": 1_000, "kind": "text",
        })
    };
    let data = json!({
        "conversation_id": conversation, "messages": [lie("over a socket")],
        "sender_id": bob.id(), "user_id": bob.id(),
    });
    let frame = hers.say_frame("message.send", data).await.unwrap();
    hers.accepted(frame).await.unwrap();
    let path = format!("/v1/conversations/{conversation}/messages");
    ada.post(&path, &lie("over HTTP")).await.unwrap().expect_status(202).unwrap();
    let mut heard = Vec::new();
    while heard.len() < 2 {
        heard.extend(his.pushed(conversation).await.unwrap().messages);
    }
    assert_eq!(seqs(&heard), [1, 2]);
    assert!(heard.iter().all(|message| message.sender_id == ada.id()), "{heard:#?}");
    assert_eq!(heard, bob.history(conversation).await.unwrap());
}

/// A socket that speaks as soon as it is open.
async fn speak_at_once(client: &Client, conversation: Uuid, number: usize) -> Socket {
    let mut socket = client.socket().await.unwrap();
    let message = draft(&format!("number {number}"));
    let frame = socket.send(conversation, std::slice::from_ref(&message)).await.unwrap();
    let heartbeat = socket.say_frame("heartbeat", json!({ "cursors": [] })).await.unwrap();
    let accepted = socket.accepted(frame).await.unwrap();
    assert_eq!(accepted.client_ids, [client_id(&message)]);
    let beat = socket.answer_to(heartbeat).await.unwrap();
    assert!(matches!(beat, Said::HeartbeatOk(_)), "{beat:?}");
    socket
}

#[tokio::test]
async fn the_first_frame_handled_before_connect_finished() {
    let (ada, bob, conversation) = a_pair().await;
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    let sockets = (0..8).map(|number| speak_at_once(&ada, conversation, number));
    let mut sockets = join_all(sockets).await;
    let has_all = |state: &State| state.transcript(conversation).len() == 8;
    his.until("the first frame of every socket", WAIT, has_all).await.unwrap();
    ada.send(conversation, &draft("to all of them")).await.unwrap();
    for socket in &mut sockets {
        let heard = socket.wait_for("the last message", |heard| match heard {
            Heard::Frame(frame) => match &frame.said {
                Said::MessageNew(new) => {
                    texts(&new.messages).contains(&"to all of them").then_some(())
                }
                _ => None,
            },
            _ => None,
        });
        heard.await.unwrap();
    }
}

#[tokio::test]
async fn refetch_before_resubscribe_leaving_a_gap() {
    // Its heart beats every four minutes: nothing but the order of its steps can help it.
    let (ada, bob, conversation) = a_pair().await;
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    for round in 0..5 {
        his.cut_socket();
        // Said while he opens his socket, while he asks what was missed, and after that.
        let said = (0..6).map(|number| {
            let message = draft(&format!("round {round}, number {number}"));
            let ada = &ada;
            async move { ada.send(conversation, &message).await.unwrap() }
        });
        join_all(said).await;
    }
    until_stored(&ada, conversation, 30).await;
    assert_all_agree(&[his], conversation, 30).await;
}
