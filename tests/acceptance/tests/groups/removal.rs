//! People go, and what they do not hear any more.

use acceptance::hearing::told_typing;
use harness::{Client, Device, Socket, State, WAIT, unique_id};
use protocol::frame::{ConversationChanged, Said};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    accept, add, ask, assert_told, changed, conversation_of, edit, end, entry, event, heard_until,
    invite, is_message, is_removed, last_seq, path, prefer, preview, remove, set_role, sync,
    told_message, told_removed, told_state, until_stored,
};
use crate::people::{devices, draft, people, seqs, texts};
use crate::template::http_routes;

/// A group whose making everybody's sockets have heard of, so that nothing of it is on its way.
async fn a_group_heard_of(owner: &Client, others: &[Uuid], sockets: &mut [&mut Socket]) -> Uuid {
    let group = owner.open_group("Not for ever", others).await.unwrap();
    for socket in sockets {
        told_message(socket, group.id, 1).await;
        told_state(socket, &group).await;
    }
    group.id
}

/// Everything that can be heard in a group, done by two who are in.
async fn make_noise(ada: &Client, cleo: &Client, group: Uuid, newcomer: Uuid) {
    let mut hers = ada.socket().await.unwrap();
    let mut cleos = cleo.socket().await.unwrap();
    let start = last_seq(ada, group).await;
    told_typing(&mut hers, std::slice::from_mut(&mut cleos), group, true).await;
    ada.send(group, &draft("he is gone")).await.unwrap();
    told_message(&mut cleos, group, start + 1).await;
    let message = path(group, format!("/messages/{}", start + 1));
    let reaction = format!("{message}/reactions/👍");
    ask(cleo, Method::PUT, &reaction).await.expect_status(200).unwrap();
    ask(ada, Method::PUT, &format!("{message}/pin")).await.expect_status(200).unwrap();
    changed(&edit(ada, group, json!({ "title": "Without him" })).await);
    changed(&add(ada, group, &[newcomer]).await);
    let read = json!({ "conversation_id": group, "read": start + 1 });
    cleos.say_frame("receipt", read).await.unwrap();
    heard_until(&mut hers, |said| matches!(said, Said::ReceiptUpdated(_))).await;
    told_message(&mut cleos, group, start + 5).await;
}

/// Of the making of the group, or of one's own removal: what is told slowly may be told twice.
fn is_repeat(said: &Said, group: Uuid) -> bool {
    match said {
        Said::MessageNew(new) => new.through == 1,
        Said::ConversationChanged(ConversationChanged::Is { conversation }) => {
            conversation.last_seq == 1
        }
        said => is_removed(said, group),
    }
}

/// Every route of a conversation, by somebody who is out.
async fn assert_gone(client: &Client, conversation: Uuid) {
    let routes = http_routes();
    let of_one = routes.iter().filter(|route| route.path.contains("{conversation_id}"));
    let mut tried = 0;
    for route in of_one {
        let path = route.path.replace("{conversation_id}", &conversation.to_string());
        let path = path.replace("{seq}", "1").replace("{emoji}", "👍");
        let path = path.replace("{user_id}", &client.id().to_string());
        let path = path.replace("{invite_id}", &unique_id().to_string());
        // Something for every route.
        let body = json!({
            "client_id": unique_id(), "text": "let me in", "read": 1, "title": "Mine",
            "user_ids": [client.id()], "role": "owner", "archived": true,
        });
        let request = client.request(route.method.clone(), &path);
        let request = if route.method == Method::GET { request } else { request.json(&body) };
        let answer = client.api().send(request).await.unwrap();
        assert_eq!(answer.status, 404, "{} {path}: {}", route.method, answer.text());
        tried += 1;
    }
    assert!(tried >= 20, "the template has fewer routes of conversations than there were");
    assert_eq!(entry(client, conversation).await, None);
    let everything = sync(client, "").await;
    assert!(everything.conversations.iter().all(|entry| entry.conversation.id != conversation));
}

#[tokio::test]
async fn who_is_removed_is_told_and_hears_nothing_more() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let (mut phone, mut tablet) = (bob.socket().await.unwrap(), bob.socket().await.unwrap());
    let mut cleos = cleo.socket().await.unwrap();
    let others = [bob.id(), cleo.id()];
    let sockets = &mut [&mut phone, &mut tablet, &mut cleos];
    let group = a_group_heard_of(&ada, &others, sockets).await;
    let app = Device::start(&bob, &[group]).await.unwrap();
    let cursor = sync(&bob, "").await.next_cursor;
    assert_eq!(sync(&bob, &format!("cursor={cursor}")).await.removed, [] as [Uuid; 0]);

    remove(&ada, group, bob.id()).await.expect_status(204).unwrap();
    let told = event("member_removed", &ada, &[bob.id()]);
    assert_told(&ada, &mut [&mut cleos], group, &told).await;
    for socket in [&mut phone, &mut tablet] {
        heard_until(socket, |said| is_removed(said, group)).await;
    }
    make_noise(&ada, &cleo, group, dan.id()).await;
    ada.send(direct, &draft("we talk on here")).await.unwrap();
    for socket in [&mut phone, &mut tablet] {
        let heard = heard_until(socket, |said| is_message(said, "we talk on here")).await;
        let is_of_group = |said: &&Said| conversation_of(said) == Some(group);
        let of_group = heard.iter().filter(is_of_group);
        let news: Vec<_> = of_group.filter(|said| !is_repeat(said, group)).collect();
        assert!(news.is_empty(), "{news:#?}");
    }
    app.until("its end", WAIT, |state: &State| state.is_removed(group)).await.unwrap();
    assert_eq!(seqs(&app.transcript(group)), [1]);

    assert_gone(&bob, group).await;
    assert_eq!(sync(&bob, &format!("cursor={cursor}")).await.removed, [group]);
    let frame = phone.send(group, &[draft("let me in")]).await.unwrap();
    assert_eq!(phone.refused(frame).await.unwrap().code, "conversation_not_found");
    for (frame_type, data) in [
        ("typing", json!({ "conversation_id": group, "active": true })),
        ("receipt", json!({ "conversation_id": group, "read": 9 })),
    ] {
        let frame = phone.say_frame(frame_type, data).await.unwrap();
        assert_eq!(phone.refused(frame).await.unwrap().code, "conversation_not_found");
    }
}

#[tokio::test]
async fn who_is_back_again_sees_what_comes_after_the_second_joining() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let group = ada.open_group("Come and go", &[bob.id()]).await.unwrap().id;
    let app = Device::start(&bob, &[group]).await.unwrap();
    changed(&set_role(&ada, group, bob.id(), "admin").await);
    let preferences = json!({ "archived": true, "pinned": true });
    prefer(&bob, group, preferences).await.expect_status(200).unwrap();
    let everything = sync(&bob, "").await.next_cursor;
    remove(&ada, group, bob.id()).await.expect_status(204).unwrap();
    app.until("its end", WAIT, |state: &State| state.is_removed(group)).await.unwrap();
    ada.send(group, &draft("among ourselves")).await.unwrap();
    until_stored(&ada, group, 4).await;
    changed(&add(&ada, group, &[bob.id()]).await);
    ada.send(group, &draft("welcome back")).await.unwrap();
    let is_back = |state: &State| !state.is_removed(group) && state.cursor(group) >= 6;
    app.until("the group again", WAIT, is_back).await.unwrap();
    assert_eq!(texts(&app.transcript(group)), ["welcome back"]);

    assert_eq!(seqs(&bob.history(group).await.unwrap()), [5, 6]);
    assert_eq!(seqs(&bob.changes(group, 0).await.unwrap().items), [5, 6]);
    let mine = entry(&bob, group).await.unwrap();
    assert_eq!((mine.my.role.as_str(), mine.my.archived, mine.my.pinned), ("member", false, false));
    assert_eq!((mine.my.read, mine.unread_count), (5, 1));
    let member = &bob.members(group).await.unwrap().items[1];
    assert_eq!((member.user_id, member.joined_seq), (bob.id(), 4));
    let feed = sync(&bob, &format!("cursor={everything}")).await;
    assert_eq!(feed.removed, [] as [Uuid; 0]);
    assert_eq!(feed.conversations[0].conversation.id, group);
    bob.send(group, &draft("thank you")).await.unwrap();
    until_stored(&ada, group, 7).await;
}

#[tokio::test]
async fn a_group_that_is_ended_is_gone_for_everybody() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("Short", &[bob.id(), cleo.id()]).await.unwrap().id;
    let token = invite(&ada, group, json!({})).await.token;
    let apps = devices([&ada, &bob, &cleo], &[group]).await;
    let mut sockets = [ada.socket().await.unwrap(), bob.socket().await.unwrap()];
    let cursor = sync(&bob, "").await.next_cursor;
    end(&ada, group).await.expect_status(204).unwrap();
    for socket in &mut sockets {
        told_removed(socket, group).await;
        let frame = socket.send(group, &[draft("anybody?")]).await.unwrap();
        assert_eq!(socket.refused(frame).await.unwrap().code, "conversation_not_found");
    }
    for app in &apps {
        app.until("its end", WAIT, |state: &State| state.is_removed(group)).await.unwrap();
        assert_gone(app.client(), group).await;
    }
    assert_eq!(sync(&bob, &format!("cursor={cursor}")).await.removed, [group]);
    for answer in [preview(&bob, &token).await, accept(&bob, &token).await] {
        answer.expect_problem(410, "invite_revoked").unwrap();
    }
}

#[tokio::test]
async fn a_hidden_direct_conversation_comes_back_with_its_next_message() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    ada.send(direct, &draft("hello")).await.unwrap();
    until_stored(&ada, direct, 1).await;
    let cursor = sync(&ada, "").await.next_cursor;
    let mut hers = ada.socket().await.unwrap();
    for _ in 0..2 {
        end(&ada, direct).await.expect_status(204).unwrap();
    }
    let is_hidden = async || {
        let feed = sync(&ada, &format!("cursor={cursor}")).await;
        let all = sync(&ada, "").await.conversations;
        assert!(all.iter().all(|entry| entry.conversation.id != direct));
        entry(&ada, direct).await.is_none() && feed.removed == [direct]
    };
    assert!(is_hidden().await);
    // For the other one nothing has changed, and it can still be read and talked in.
    assert!(entry(&bob, direct).await.is_some());
    assert_eq!(ada.history(direct).await.unwrap().len(), 1);
    let reaction = path(direct, "/messages/1/reactions/👍");
    ask(&bob, Method::PUT, &reaction).await.expect_status(200).unwrap();
    assert!(is_hidden().await, "a reaction is no message");

    bob.send(direct, &draft("are you there?")).await.unwrap();
    told_message(&mut hers, direct, 3).await;
    let back = entry(&ada, direct).await.unwrap();
    assert_eq!((back.unread_count, back.conversation.last_seq), (1, 3));
    assert_eq!(texts(&ada.history(direct).await.unwrap()), ["hello", "are you there?"]);
    let feed = sync(&ada, &format!("cursor={cursor}")).await;
    assert_eq!((feed.removed.len(), feed.conversations[0].conversation.id), (0, direct));
}
