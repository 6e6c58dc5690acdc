//! Blocks: what ends between two people, what goes on, and that nobody is told.

use std::time::Duration;

use acceptance::hearing::told_typing;
use acceptance::people::{a_pair, client_id, draft, people, seqs};
use futures::future::join_all;
use harness::{Client, Heard, Socket, WAIT, eventually, unique_id};
use protocol::body::{MessageAccepted, Problem};
use protocol::frame::Said;
use protocol::value::{Conversation, Presence};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    NOBODY, ask, ask_with, asked, befriend, block, heard_until, is_message, listed, marks_of, open,
    presence_of, requests, told, until_marks, until_stored, watch,
};

const BLOCKS: &str = "/v1/users/me/blocks";

/// What a change may take to be told. A watch that is renewed then has it announced, if it was not.
const UNTIL_TOLD: Duration = Duration::from_secs(10);

async fn blocks(client: &Client, other: Uuid) {
    block(client, Method::PUT, other).await.expect_status(204).unwrap();
}

async fn unblocks(client: &Client, other: Uuid) {
    block(client, Method::DELETE, other).await.expect_status(204).unwrap();
}

fn both<'a>(one: &'a Client, other: &'a Client) -> [(&'a Client, &'a Client); 2] {
    [(one, other), (other, one)]
}

fn search(other: &Client) -> String {
    format!("/v1/users?query={}", other.account().username)
}

async fn types(socket: &mut Socket, conversation: Uuid) {
    let data = json!({ "conversation_id": conversation, "active": true });
    socket.say_frame("typing", data).await.unwrap();
}

fn is_typing(said: &Said, user: Uuid) -> bool {
    matches!(said, Said::Typing(typing) if typing.user_id == user)
}

#[tokio::test]
async fn a_block_either_way_keeps_two_people_apart_and_unblocking_lets_them_meet() {
    let [ada, bob] = people(["ada", "bob"]).await;
    // Twice is once.
    for _ in 0..2 {
        blocks(&ada, bob.id()).await;
        assert_eq!(listed(&ada, BLOCKS).await, [bob.id()]);
    }
    assert_eq!(listed(&bob, BLOCKS).await, NOBODY, "nobody is told of being blocked");
    for (one, other) in both(&ada, &bob) {
        open(one, other.id()).await.expect_problem(403, "not_allowed").unwrap();
        let body = json!({
            "type": "group", "client_id": unique_id(), "title": "Both", "member_ids": [other.id()],
        });
        let group = one.post("/v1/conversations", &body).await.unwrap();
        group.expect_problem(403, "not_allowed").unwrap();
        let own = one.open_group("Alone", &[]).await.unwrap().id;
        let members = format!("/v1/conversations/{own}/members");
        let added = one.post(&members, &json!({ "user_ids": [other.id()] })).await.unwrap();
        added.expect_problem(403, "not_allowed").unwrap();
        assert_eq!(one.members(own).await.unwrap().items.len(), 1);
        assert_eq!(listed(one, &search(other)).await, NOBODY, "they find each other");
        // Who one may not meet exists all the same: the messages of a group name them.
        one.profile_of(other.id()).await.unwrap();
    }
    for client in [&ada, &bob] {
        let direct = client.conversations().await.unwrap().items;
        assert!(direct.iter().all(|entry| entry.conversation.title.is_some()), "{direct:?}");
    }
    // A block of each other is two blocks.
    blocks(&bob, ada.id()).await;
    unblocks(&ada, bob.id()).await;
    open(&ada, bob.id()).await.expect_problem(403, "not_allowed").unwrap();
    for _ in 0..2 {
        unblocks(&bob, ada.id()).await;
    }
    assert_eq!(listed(&ada, &search(&bob)).await, [bob.id()]);
    open(&ada, bob.id()).await.expect_status(201).unwrap();
    open(&bob, ada.id()).await.expect_status(200).unwrap();
}

#[tokio::test]
async fn hostile_blocks_are_refused() {
    let [ada] = people(["ada"]).await;
    let own = block(&ada, Method::PUT, ada.id()).await;
    let problem: Problem = own.expect_problem(422, "validation_failed").unwrap();
    assert_eq!(problem.fields.unwrap()[0].code, "invalid_user");
    let unknown = block(&ada, Method::PUT, unique_id()).await;
    unknown.expect_problem(404, "user_not_found").unwrap();
    unblocks(&ada, unique_id()).await;
    for id in ["x", "me", "%00", "00000000-0000-0000-0000-00000000000g"] {
        for method in [Method::PUT, Method::DELETE] {
            let answer = ask(&ada, method, &format!("{BLOCKS}/{id}")).await;
            answer.expect_problem(404, "user_not_found").unwrap();
        }
    }
    assert_eq!(listed(&ada, BLOCKS).await, NOBODY);
    let hostile = ada.get(&format!("{BLOCKS}?cursor=x")).await.unwrap();
    hostile.expect_problem(422, "validation_failed").unwrap();
}

/// Over the socket and over HTTP: accepted, then rejected, and told to nobody else.
async fn assert_cannot_write(writer: &Client, socket: &mut Socket, conversation: Uuid) {
    let (said, posted) = (draft("let me in"), draft("let me in too"));
    let frame = socket.send(conversation, std::slice::from_ref(&said)).await.unwrap();
    socket.accepted(frame).await.unwrap();
    let accepted: MessageAccepted = writer.send(conversation, &posted).await.unwrap();
    assert!(accepted.accepted);
    for sent in [said, posted] {
        let rejected = socket.rejected(client_id(&sent)).await.unwrap();
        assert_eq!((rejected.code.as_str(), rejected.retryable), ("blocked", false));
    }
}

#[tokio::test]
async fn what_two_people_wrote_stays_readable_and_nothing_new_is_added() {
    let (ada, bob, conversation) = a_pair().await;
    for (client, text) in [(&ada, "one"), (&bob, "two"), (&bob, "three")] {
        client.send(conversation, &draft(text)).await.unwrap();
    }
    until_stored(&ada, conversation, 3).await;
    blocks(&ada, bob.id()).await;
    let mut sockets = [ada.socket().await.unwrap(), bob.socket().await.unwrap()];
    for (client, socket) in [&ada, &bob].into_iter().zip(&mut sockets) {
        assert_cannot_write(client, socket, conversation).await;
    }
    for (client, other) in both(&ada, &bob) {
        assert_eq!(seqs(&client.history(conversation).await.unwrap()), [1, 2, 3]);
        let entry = &client.conversations().await.unwrap().items[0];
        assert_eq!(entry.conversation.id, conversation);
        // Opening it again finds the one there is.
        let found: Conversation = open(client, other.id()).await.expect(200).unwrap();
        assert_eq!(found.id, conversation);
        let mine = client.history(conversation).await.unwrap();
        let mine = mine.iter().find(|message| message.sender_id == client.id()).unwrap().seq;
        let message = format!("/v1/conversations/{conversation}/messages/{mine}");
        let edit = ask_with(client, Method::PATCH, &message, &json!({ "text": "new" })).await;
        edit.expect_problem(403, "not_allowed").unwrap();
        for change in ["reactions/👍", "pin"] {
            let answer = ask(client, Method::PUT, &format!("{message}/{change}")).await;
            answer.expect_problem(403, "not_allowed").unwrap();
        }
        // What one said oneself can be taken back.
        ask(client, Method::DELETE, &message).await.expect_status(204).unwrap();
    }
    unblocks(&ada, bob.id()).await;
    for (client, text) in [(&ada, "friends?"), (&bob, "friends.")] {
        client.send(conversation, &draft(text)).await.unwrap();
        for socket in &mut sockets {
            told(socket, text, |said| is_message(said, text).then_some(())).await;
        }
    }
}

#[tokio::test]
async fn people_with_a_block_between_see_neither_presence_nor_typing() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let conversation = ada.open_direct(bob.id()).await.unwrap().id;
    let group = cleo.open_group("All of us", &[ada.id(), bob.id()]).await.unwrap().id;
    let (mut hers, mut earlier) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    assert_eq!(watch(&mut earlier, ada.id()).await.status, "online");
    told_typing(&mut hers, std::slice::from_mut(&mut earlier), conversation, true).await;

    blocks(&bob, ada.id()).await;
    // It hears nothing of what was typed before.
    let mut his = bob.socket().await.unwrap();
    for (client, other) in both(&ada, &bob) {
        let seen = presence_of(client, other.id()).await;
        assert_eq!((seen.status.as_str(), seen.last_seen_at), ("offline", None));
    }
    assert_eq!(watch(&mut hers, bob.id()).await.status, "offline");
    assert_eq!(watch(&mut his, ada.id()).await.status, "offline");
    types(&mut hers, conversation).await;
    types(&mut his, conversation).await;
    set(&mut hers, "dnd").await;
    // What one cannot see a third one does, and all are told of a group, block or not.
    until_seen(&cleo, ada.id(), "dnd").await;
    cleo.send(group, &draft("where are you?")).await.unwrap();
    for (socket, other) in [(&mut hers, bob.id()), (&mut his, ada.id())] {
        let heard = heard_until(socket, |said| is_message(said, "where are you?")).await;
        assert!(!heard.iter().any(|said| is_typing(said, other)), "{heard:?}");
    }
    assert_eq!(presence_of(&bob, ada.id()).await.status, "offline");
    // Not before that: frames on their way would be told from here on.
    unblocks(&bob, ada.id()).await;
    until_seen(&bob, ada.id(), "dnd").await;
    ada.send(conversation, &draft("there you are")).await.unwrap();
    heard_until(&mut his, |said| is_message(said, "there you are")).await;
}

async fn until_seen(viewer: &Client, user: Uuid, status: &str) {
    let is_seen = || async { (presence_of(viewer, user).await.status == status).then_some(()) };
    eventually(&format!("{status} is seen"), WAIT, is_seen).await.unwrap();
}

fn of_user(said: &Said, user: Uuid) -> Option<Presence> {
    let Said::PresenceChanged(told) = said else { return None };
    told.users.iter().find(|seen| seen.user_id == user).cloned()
}

/// Waits until this is told, and answers after how many looks: a change that could not be announced
/// is announced at the next one.
async fn told_presence(socket: &mut Socket, user: Uuid, status: &str) -> (Presence, usize) {
    let is_it = |heard: &Heard| match heard {
        Heard::Frame(frame) if frame.in_reply_to.is_none() => {
            of_user(&frame.said, user).filter(|seen| seen.status == status)
        }
        _ => None,
    };
    let mut looks = 0;
    loop {
        socket.be_patient(UNTIL_TOLD);
        let told = socket.wait_for(status, is_it).await;
        socket.be_patient(WAIT);
        match told {
            Ok(seen) => return (seen, looks),
            Err(failure) => assert!(looks < 3, "{failure}"),
        }
        looks += 1;
        watch(socket, user).await;
    }
}

async fn set(socket: &mut Socket, status: &str) {
    socket.say_frame("presence.set", json!({ "status": status })).await.unwrap();
}

#[tokio::test]
async fn a_block_ends_at_once_what_two_people_watch_of_each_other() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = cleo.open_group("All of us", &[ada.id(), bob.id()]).await.unwrap().id;
    let mut hers = ada.socket().await.unwrap();
    let mut his = bob.socket().await.unwrap();
    let mut tablet = bob.another_device().await.unwrap().socket().await.unwrap();
    let mut cleos = cleo.socket().await.unwrap();
    for socket in [&mut his, &mut tablet, &mut cleos] {
        assert_eq!(watch(socket, ada.id()).await.status, "online");
    }
    for socket in [&mut hers, &mut cleos] {
        assert_eq!(watch(socket, bob.id()).await.status, "online");
    }
    // All that was announced so far is told; of two devices the busier one is seen.
    set(&mut tablet, "away").await;
    set(&mut hers, "dnd").await;
    set(&mut his, "dnd").await;
    let mut looks = [0; 3];
    for (socket, user) in [(&mut tablet, ada.id()), (&mut his, ada.id()), (&mut hers, bob.id())] {
        looks[0] += told_presence(socket, user, "dnd").await.1;
    }
    for user in [ada.id(), bob.id()] {
        looks[0] += told_presence(&mut cleos, user, "dnd").await.1;
    }

    blocks(&bob, ada.id()).await;
    for (socket, user) in [(&mut tablet, ada.id()), (&mut his, ada.id()), (&mut hers, bob.id())] {
        assert_eq!(told_presence(socket, user, "offline").await.0.last_seen_at, None);
    }
    // They go on changing, and only who may see it is told.
    for (nth, socket, user) in [(1, &mut hers, ada.id()), (2, &mut his, bob.id())] {
        set(socket, "away").await;
        looks[nth] += told_presence(&mut cleos, user, "away").await.1;
    }
    let late = looks.iter().filter(|looks| **looks > 0).count();
    assert!(late < 2, "changes are told only to who looks: {looks:?}");
    cleo.send(group, &draft("are you there?")).await.unwrap();
    // What is told slowly may be told twice, so "dnd" and "offline" may come once more.
    for (socket, user, never) in [
        (&mut tablet, ada.id(), "away"),
        (&mut his, ada.id(), "away"),
        (&mut hers, bob.id(), "away"),
        // Of the block she hears nothing.
        (&mut cleos, ada.id(), "offline"),
    ] {
        let heard = heard_until(socket, |said| is_message(said, "are you there?")).await;
        let statuses = heard.iter().filter_map(|said| of_user(said, user));
        assert!(!statuses.into_iter().any(|seen| seen.status == never), "{heard:?}");
    }
}

fn is_contact(said: &Said, status: &str) -> bool {
    matches!(said, Said::ContactChanged(told) if told.status == status)
}

#[tokio::test]
async fn a_block_ends_being_contacts_and_requests_and_nobody_is_told() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let mut earlier = [bob.socket().await.unwrap(), cleo.socket().await.unwrap()];
    befriend(&ada, &bob).await;
    asked(&cleo, ada.id()).await;
    let group = cleo.open_group("Marker", &[ada.id(), bob.id()]).await.unwrap().id;
    for (socket, statuses) in
        earlier.iter_mut().zip([&["requested", "contacts"][..], &["requested"]])
    {
        for status in statuses {
            told(socket, status, |said| is_contact(said, status).then_some(())).await;
        }
        let is_group = |said: &Said| matches!(said, Said::ConversationChanged(_)).then_some(());
        told(socket, "the group", is_group).await;
    }
    // All that is told of that knows its sockets by now: these hear nothing of it.
    let mut sockets = [bob.socket().await.unwrap(), cleo.socket().await.unwrap()];
    blocks(&ada, bob.id()).await;
    blocks(&ada, cleo.id()).await;
    for client in [&ada, &bob, &cleo] {
        assert_eq!(listed(client, "/v1/contacts").await, NOBODY);
        assert_eq!(requests(client).await, []);
    }
    let mut expected = [&bob, &cleo].map(|client| (client.account().username.clone(), client.id()));
    expected.sort();
    assert_eq!(listed(&ada, BLOCKS).await, expected.map(|(_, id)| id));
    cleo.send(group, &draft("did anything happen?")).await.unwrap();
    for socket in &mut sockets {
        let heard = heard_until(socket, |said| is_message(said, "did anything happen?")).await;
        // Who never says what they have is nudged when they are behind for long.
        let is_quiet = |said: &Said| matches!(said, Said::MessageNew(_) | Said::Nudge(_));
        assert!(heard.iter().all(is_quiet), "{heard:?}");
    }
    // Unblocking brings nothing back by itself.
    unblocks(&ada, bob.id()).await;
    assert_eq!(listed(&ada, "/v1/contacts").await, NOBODY);
    befriend(&bob, &ada).await;
}

#[tokio::test]
async fn in_a_group_people_with_a_block_between_go_on_hearing_each_other() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = cleo.open_group("All of us", &[ada.id(), bob.id()]).await.unwrap().id;
    blocks(&ada, bob.id()).await;
    let mut hers = ada.socket().await.unwrap();
    let mut cleos = cleo.socket().await.unwrap();
    let mut his = bob.socket().await.unwrap();
    // Typing goes to the one without a block.
    told_typing(&mut his, std::slice::from_mut(&mut cleos), group, true).await;
    for (client, text) in [(&bob, "hello all"), (&ada, "and hello to you")] {
        client.send(group, &draft(text)).await.unwrap();
        let heard = heard_until(&mut hers, |said| is_message(said, text)).await;
        assert!(!heard.iter().any(|said| is_typing(said, bob.id())), "{heard:?}");
        heard_until(&mut his, |said| is_message(said, text)).await;
    }
    until_stored(&ada, group, 3).await;
    for (client, other) in both(&ada, &bob) {
        assert_eq!(client.members(group).await.unwrap().items.len(), 3);
        assert_eq!(presence_of(client, other.id()).await.status, "offline");
        let theirs = client.history(group).await.unwrap();
        let theirs = theirs.iter().find(|message| message.sender_id == other.id()).unwrap().seq;
        let path = format!("/v1/conversations/{group}/messages/{theirs}/reactions/👍");
        ask(client, Method::PUT, &path).await.expect_status(200).unwrap();
    }
    assert_eq!(presence_of(&ada, cleo.id()).await.status, "online");
    let path = format!("/v1/conversations/{group}/receipts");
    ada.post(&path, &json!({ "read": 3 })).await.unwrap().expect_status(204).unwrap();
    until_marks(&bob, group, ada.id(), (3, 3)).await;
    assert_eq!(marks_of(&cleo, group, ada.id()).await, (3, 3));
}

#[tokio::test]
async fn a_direct_conversation_opened_by_both_at_once_is_one() {
    for _ in 0..3 {
        let [ada, bob] = people(["ada", "bob"]).await;
        let calls = (0..3).flat_map(|_| [open(&ada, bob.id()), open(&bob, ada.id())]);
        let answers = join_all(calls).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 201]);
        let mut ids: Vec<_> =
            answers.iter().map(|answer| answer.json::<Conversation>().unwrap().id).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        for client in [&ada, &bob] {
            assert_eq!(client.conversations().await.unwrap().items.len(), 1);
            assert_eq!(client.members(ids[0]).await.unwrap().items.len(), 2);
        }
        // And it works, whichever of them made it.
        bob.send(ids[0], &draft("there")).await.unwrap();
        until_stored(&ada, ids[0], 1).await;
    }
}

#[tokio::test]
async fn a_block_at_the_moment_of_a_request_leaves_only_the_block() {
    for _ in 0..3 {
        let [ada, bob] = people(["ada", "bob"]).await;
        let asking = crate::calls::ask_contact(&bob, ada.id());
        let (asked, blocked) = tokio::join!(asking, block(&ada, Method::PUT, bob.id()));
        blocked.expect_status(204).unwrap();
        assert!([201, 403].contains(&asked.status), "{}", asked.text());
        assert_eq!(requests(&ada).await, []);
        assert_eq!(listed(&bob, "/v1/contacts").await, NOBODY);
    }
}
