//! What one is not a member of does not exist.

use harness::{WAIT, eventually, unique_id};
use protocol::body::CreateConversation;
use serde_json::json;

use crate::people::{a_pair, assert_exactly_once, draft, people, texts};

#[tokio::test]
async fn a_strangers_send_is_answered_with_an_error_frame() {
    let (ada, _, conversation) = a_pair().await;
    let [eve] = people(["eve"]).await;
    let mut socket = eve.socket().await.unwrap();
    for id in [conversation, unique_id()] {
        let frame = socket.send(id, &[draft("let me in")]).await.unwrap();
        assert_eq!(socket.refused(frame).await.unwrap().code, "conversation_not_found");
    }
    // What comes later is numbered from 1: nothing of hers took a number.
    ada.send(conversation, &draft("alone at last")).await.unwrap();
    let mut hers = ada.socket().await.unwrap();
    ada.send(conversation, &draft("indeed")).await.unwrap();
    while hers.pushed(conversation).await.unwrap().through < 2 {}
    let history = ada.history(conversation).await.unwrap();
    assert_eq!(texts(&history), ["alone at last", "indeed"]);
}

#[tokio::test]
async fn a_member_removed_while_their_message_waits_for_the_lock_is_rejected() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("A short one", &[bob.id(), cleo.id()]).await.unwrap().id;
    let system = harness::System::shared().await.unwrap();
    let (lock, watch) =
        (system.database().connect().await.unwrap(), system.database().connect().await.unwrap());
    let holder: i32 = lock.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    lock.batch_execute("BEGIN").await.unwrap();
    let taken = "SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE";
    lock.query_one(taken, &[&group]).await.unwrap();

    let mut his = bob.socket().await.unwrap();
    let (rejected, kept) = (draft("too late"), draft("in time"));
    let frame = his.send(group, std::slice::from_ref(&rejected)).await.unwrap();
    his.accepted(frame).await.unwrap();
    cleo.send(group, &kept).await.unwrap();
    let waits = || async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        watch.query_opt(waiting, &[&holder]).await.unwrap()
    };
    eventually("the worker waits for the lock", WAIT, waits).await.unwrap();
    let removed = "UPDATE members SET left_seq = (SELECT last_seq FROM conversations
        WHERE id = $1) WHERE conversation_id = $1 AND user_id = $2";
    assert_eq!(lock.execute(removed, &[&group, &bob.id()]).await.unwrap(), 1);
    lock.batch_execute("COMMIT").await.unwrap();

    let told = his.rejected(crate::people::client_id(&rejected)).await.unwrap();
    assert_eq!((told.code.as_str(), told.retryable), ("not_a_member", false));
    let stored = || async {
        let history = ada.history(group).await.unwrap();
        (history.len() == 2).then_some(history)
    };
    let history = eventually("what cleo wrote is stored", WAIT, stored).await.unwrap();
    assert_exactly_once(&history);
    assert_eq!(texts(&history), ["in time"]);
    bob.get(&format!("/v1/conversations/{group}"))
        .await
        .unwrap()
        .expect_problem(404, "conversation_not_found")
        .unwrap();
}

#[tokio::test]
async fn a_direct_conversation_is_the_same_from_both_sides() {
    let (ada, bob, conversation) = a_pair().await;
    let body = |other: &harness::Client| CreateConversation {
        conversation_type: Some("direct".into()),
        member_ids: Some(vec![other.id().to_string()]),
        ..CreateConversation::default()
    };
    let again = bob.post("/v1/conversations", &body(&ada)).await.unwrap();
    let again: protocol::value::Conversation = again.expect(200).unwrap();
    assert_eq!((again.id, again.last_seq, again.member_count), (conversation, 0, 2));
    assert_eq!(again, ada.conversation(conversation).await.unwrap());
    let members = bob.members(conversation).await.unwrap();
    assert_eq!(members.items.len(), 2);
}

#[tokio::test]
async fn a_group_made_twice_under_one_name_is_one_group() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let body = json!({
        "type": "group", "client_id": unique_id(), "title": "Once", "member_ids": [bob.id()],
    });
    let (one, other) =
        tokio::join!(ada.post("/v1/conversations", &body), ada.post("/v1/conversations", &body));
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 201], "{} {}", one.text(), other.text());
    let groups = [one, other].map(|a| a.json::<protocol::value::Conversation>().unwrap().id);
    assert_eq!(groups[0], groups[1]);
    assert_eq!(ada.conversations().await.unwrap().items.len(), 1);
    let entry = &bob.conversations().await.unwrap().items[0];
    assert_eq!((entry.conversation.id, entry.my.role.as_str()), (groups[0], "member"));
}
