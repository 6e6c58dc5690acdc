//! People come in.

use harness::{Client, Device, State, WAIT, unique_id};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::{
    add, ask, ask_with, assert_told, changed, entry, event, last_seq, path, role_of, told_state,
    until_stored,
};
use crate::people::{client_id, draft, people, seqs, texts};

/// A group of two with two messages, which has the numbers 1 to 3.
async fn a_group_that_has_talked(ada: &Client, bob: &Client) -> Uuid {
    let group = ada.open_group("Talked before", &[bob.id()]).await.unwrap().id;
    ada.send(group, &draft("the first secret")).await.unwrap();
    until_stored(ada, group, 2).await;
    bob.send(group, &draft("the second secret")).await.unwrap();
    until_stored(ada, group, 3).await;
    group
}

#[tokio::test]
async fn who_is_added_hears_it_at_once_and_sees_what_comes_after() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = a_group_that_has_talked(&ada, &bob).await;
    let (hers, cleos) = (ada.socket().await.unwrap(), cleo.socket().await.unwrap());
    let (mut hers, mut cleos) = (hers, cleos);
    let app = Device::start(&cleo, &[]).await.unwrap();
    let now = changed(&add(&ada, group, &[cleo.id()]).await);
    assert_eq!((now.last_seq, now.member_count), (4, 3));
    let told = event("members_added", &ada, &[cleo.id()]);
    assert_told(&bob, &mut [&mut hers, &mut cleos], group, &told).await;

    app.until("the group", WAIT, |state: &State| state.cursor(group) >= 4).await.unwrap();
    assert_eq!(seqs(&app.transcript(group)), [4]);
    assert_eq!(app.look(|state| state.unread(group)), 0);
    let mine = entry(&cleo, group).await.unwrap();
    assert_eq!((mine.unread_count, mine.my.delivered, mine.my.read), (0, 4, 4));
    assert_eq!(mine.my.role, "member");
    assert_eq!(mine.last_message.unwrap().seq, 4);
    let members = bob.members(group).await.unwrap().items;
    let joined: Vec<_> = members.iter().map(|m| (m.user_id, m.joined_seq)).collect();
    assert_eq!(joined[2], (cleo.id(), 3));

    bob.send(group, &draft("welcome")).await.unwrap();
    app.until("what is said", WAIT, |state: &State| state.cursor(group) >= 5).await.unwrap();
    assert_eq!(seqs(&app.transcript(group)), [4, 5]);
    assert_eq!(entry(&cleo, group).await.unwrap().unread_count, 1);
    // And she may speak at once: the copy that admits sends was written before the answer.
    cleo.send(group, &draft("thank you")).await.unwrap();
    until_stored(&ada, group, 6).await;
}

#[tokio::test]
async fn what_was_said_before_is_given_on_no_way() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = a_group_that_has_talked(&ada, &bob).await;
    changed(&add(&ada, group, &[cleo.id()]).await);
    for query in ["", "after=0", "before=5", "before=4", "around=2", "around=4", "before=2"] {
        let page = cleo.messages(group, query).await.unwrap();
        assert!(seqs(&page.items).iter().all(|seq| *seq == 4), "{query}: {page:?}");
        assert!(!page.has_more_before, "{query} tells of more");
    }
    assert_eq!(seqs(&cleo.changes(group, 0).await.unwrap().items), [4]);
    for (method, rest) in [
        (Method::PUT, "/messages/2/reactions/👍"),
        (Method::DELETE, "/messages/2/reactions/👍"),
        (Method::GET, "/messages/2/reactions/👍"),
        (Method::GET, "/messages/2/trace"),
        (Method::DELETE, "/messages/2"),
    ] {
        let answer = ask(&cleo, method, &path(group, rest)).await;
        answer.expect_problem(404, "message_not_found").unwrap();
    }
    let mut hers = cleo.socket().await.unwrap();
    let mut reply = draft("as you said");
    reply.reply_to = Some(2);
    let frame = hers.send(group, std::slice::from_ref(&reply)).await.unwrap();
    hers.accepted(frame).await.unwrap();
    let told = hers.rejected(client_id(&reply)).await.unwrap();
    assert_eq!((told.code.as_str(), told.retryable), ("invalid_reply_to", false));

    // A change of something old moves her cursor and shows nothing.
    let text = json!({ "text": "the first secret, better told" });
    let old = path(group, "/messages/2");
    ask_with(&ada, Method::PATCH, &old, &text).await.expect_status(200).unwrap();
    let changes = cleo.changes(group, 4).await.unwrap();
    assert_eq!((changes.items, changes.through), (vec![], 5));
    let app = Device::start(&cleo, &[group]).await.unwrap();
    app.until("all of it", WAIT, |state: &State| state.cursor(group) >= 5).await.unwrap();
    assert_eq!(seqs(&app.transcript(group)), [4]);
    assert_eq!(texts(&ada.history(group).await.unwrap()).len(), 2);
}

#[tokio::test]
async fn adding_is_told_once_and_who_is_in_stays_as_they_are() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let group = ada.open_group("Growing", &[bob.id()]).await.unwrap().id;
    let role = json!({ "role": "admin" });
    let of_bob = path(group, format!("/members/{}", bob.id()));
    ask_with(&ada, Method::PATCH, &of_bob, &role).await.expect_status(200).unwrap();
    let mut his = bob.socket().await.unwrap();
    let named = [dan.id(), bob.id(), cleo.id(), dan.id(), ada.id()];
    let now = changed(&add(&ada, group, &named).await);
    assert_eq!((now.last_seq, now.member_count), (3, 4));
    let told = event("members_added", &ada, &[dan.id(), cleo.id()]);
    assert_told(&ada, &mut [&mut his], group, &told).await;
    assert_eq!(role_of(&ada, group, bob.id()).await.as_deref(), Some("admin"));

    let mut cleos = cleo.socket().await.unwrap();
    assert_eq!(changed(&add(&bob, group, &named).await), now, "nobody new came");
    changed(&ask_with(&ada, Method::PATCH, &path(group, ""), &json!({ "title": "Grown" })).await);
    told_state(&mut cleos, &ada.conversation(group).await.unwrap()).await;
    assert_eq!(last_seq(&ada, group).await, 4);
}

#[tokio::test]
async fn nobody_comes_in_when_one_of_those_named_cannot() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let group = ada.open_group("Picky", &[]).await.unwrap().id;
    let unknown = add(&ada, group, &[bob.id(), unique_id(), cleo.id(), unique_id()]).await;
    let unknown = unknown.expect_problem(422, "validation_failed").unwrap();
    let fields = unknown.fields.unwrap();
    let fields: Vec<_> = fields.iter().map(|f| (f.name.as_str(), f.code.as_str())).collect();
    assert_eq!(fields, [("user_ids[1]", "user_not_found"), ("user_ids[3]", "user_not_found")]);
    // A block, whichever way.
    for (one, other) in [(&ada, &cleo), (&dan, &ada)] {
        let path = format!("/v1/users/me/blocks/{}", other.id());
        ask(one, Method::PUT, &path).await.expect_status(204).unwrap();
    }
    for who in [cleo.id(), dan.id()] {
        add(&ada, group, &[bob.id(), who]).await.expect_problem(403, "not_allowed").unwrap();
    }
    let many: Vec<_> = (0..1_001).map(|_| unique_id()).collect();
    for hostile in [
        json!({}),
        json!({ "user_ids": [] }),
        json!({ "user_ids": null }),
        json!({ "user_ids": "x" }),
        json!({ "user_ids": [1] }),
        json!({ "user_ids": [bob.id(), "' OR 1=1 --"] }),
        json!({ "user_ids": many }),
        Value::Null,
    ] {
        let answer = ada.post(&path(group, "/members"), &hostile).await.unwrap();
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    let now = ada.conversation(group).await.unwrap();
    assert_eq!((now.last_seq, now.member_count), (1, 1));
    // Between two who are both only in the group, a block means nothing.
    let block = format!("/v1/users/me/blocks/{}", cleo.id());
    ask(&bob, Method::PUT, &block).await.expect_status(204).unwrap();
    let unblock = format!("/v1/users/me/blocks/{}", cleo.id());
    ask(&ada, Method::DELETE, &unblock).await.expect_status(204).unwrap();
    assert_eq!(changed(&add(&ada, group, &[bob.id(), cleo.id()]).await).member_count, 3);
}
