//! The end of an account: what stops, what stays under another name, and that nothing is left.

use acceptance::people::{assert_exactly_once, draft, people, texts};
use futures::future::join_all;
use harness::{Client, Socket, System, WAIT, eventually};
use protocol::body::{CreatedInvite, Login, Profile, SignedIn};
use protocol::frame::Said;
use protocol::value::Message;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::{
    NOBODY, answer_request, ask, ask_contact, ask_with, asked, assert_ended, befriend, block,
    erase_me, listed, open, presence_of, requests, until_stored, update_me, watch,
};
use crate::residue::{rows_with, until_erased};

async fn assert_signed_out(client: &Client) {
    client.refresh().await.unwrap().expect_problem(401, "refresh_token_invalid").unwrap();
    let ticket = ask(client, Method::POST, "/v1/socket-tickets").await;
    ticket.expect_problem(401, "unauthenticated").unwrap();
    for path in ["/v1/users/me", "/v1/auth/sessions"] {
        let answer = client.get(path).await.unwrap();
        answer.expect_problem(401, "unauthenticated").unwrap();
    }
}

#[tokio::test]
async fn an_account_ends_by_its_password_alone_and_everything_of_it_at_once() {
    let [ada] = people(["ada"]).await;
    let tablet = ada.another_device().await.unwrap();
    let mut sockets = [ada.socket().await.unwrap(), tablet.socket().await.unwrap()];
    for body in [json!({}), json!({ "password": null }), json!({ "password": ["x"] })] {
        let answer = ask_with(&ada, Method::DELETE, "/v1/users/me", &body).await;
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    let wrong = json!({ "password": "wrong horse battery staple" });
    let answer = ask_with(&ada, Method::DELETE, "/v1/users/me", &wrong).await;
    answer.expect_problem(403, "wrong_password").unwrap();
    assert_eq!(tablet.refreshed().await.unwrap().id(), ada.id());
    let beat = sockets[0].say_frame("heartbeat", json!({ "cursors": [] })).await.unwrap();
    sockets[0].answer_to(beat).await.unwrap();

    let ticket = ada.ticket().await.unwrap();
    erase_me(&ada).await.expect_status(202).unwrap();
    for socket in &mut sockets {
        assert_ended(socket, "account_erased").await;
    }
    assert!(Socket::connect(&ticket).await.is_err(), "a ticket that was out still opens a socket");
    for client in [&ada, &tablet] {
        assert_signed_out(client).await;
    }
    erase_me(&tablet).await.expect_problem(401, "unauthenticated").unwrap();
    for name in [&ada.account().username, &ada.account().email] {
        let login = Login { login: Some(name.clone()), ..ada.account().to_login() };
        let answer = ada.api().post("/v1/auth/login", &login).await.unwrap();
        answer.expect_problem(401, "invalid_credentials").unwrap();
    }
    // Both names are free, and who takes them is somebody else.
    let again = ada.api().post("/v1/auth/register", &ada.account().to_register()).await.unwrap();
    let again: SignedIn = again.expect(201).unwrap();
    assert_ne!(again.user.id, ada.id());
    assert_eq!(again.user.username, ada.account().username);
    until_erased(System::shared().await.unwrap(), ada.id()).await;
    let login = ada.another_device().await.unwrap();
    assert_eq!(login.id(), again.user.id, "the job must not touch who has the name now");
}

#[tokio::test]
async fn an_access_token_that_is_still_out_does_nothing_any_more() {
    let [ada, bob] = people(["ada", "bob"]).await;
    ada.open_direct(bob.id()).await.unwrap();
    let group = ada.open_group("Before", &[bob.id()]).await.unwrap().id;
    let (_, invite) = invited(&bob).await;
    let password = json!({ "password": harness::PASSWORD });
    let request = asked(&bob, ada.id()).await.request.id;
    erase_me(&ada).await.expect_status(202).unwrap();
    let rename = update_me(&ada, &json!({ "display_name": "Back again" })).await;
    rename.expect_problem(401, "unauthenticated").unwrap();
    let body = json!({
        "type": "group", "client_id": harness::unique_id(), "title": "After",
        "member_ids": [bob.id()],
    });
    let path = |end: &str| format!("/v1/conversations/{group}{end}");
    let title = json!({ "title": "x" });
    let answers = [
        ("ask", ask_contact(&ada, bob.id()).await),
        ("accept", answer_request(&ada, request, "accept").await),
        ("block", block(&ada, Method::PUT, bob.id()).await),
        ("make a group", ada.post("/v1/conversations", &body).await.unwrap()),
        ("open", open(&ada, bob.id()).await),
        ("join", ask(&ada, Method::POST, &invite).await),
        ("read", ada.get(&path("/messages")).await.unwrap()),
        ("look", ada.get(&path("")).await.unwrap()),
        ("rename", ask_with(&ada, Method::PATCH, &path(""), &title).await),
        ("enrol", ada.post("/v1/auth/two-factor", &password).await.unwrap()),
        ("export", ada.get("/v1/users/me/export").await.unwrap()),
    ];
    let done = answers.iter().filter(|(_, answer)| !(400..500).contains(&answer.status));
    let done: Vec<_> = done.map(|(what, answer)| (what, answer.text())).collect();
    assert!(done.is_empty(), "{done:#?}");
    // A message may still be accepted, for as long as a copy of the membership is there; stored
    // it is not.
    let late = ada.post(&path("/messages"), &draft("boo")).await.unwrap();
    assert!([202, 404].contains(&late.status), "{}", late.text());
    bob.send(group, &draft("the last word")).await.unwrap();
    until_stored(&bob, group, 4).await;
    assert_eq!(texts(&bob.history(group).await.unwrap()), ["the last word"]);
    assert_eq!(bob.profile_of(ada.id()).await.unwrap().display_name, "Deleted user");
    // Nobody's list has grown.
    assert_eq!(listed(&bob, "/v1/contacts").await, NOBODY);
    assert_eq!(requests(&bob).await, []);
    assert_eq!(bob.conversations().await.unwrap().items.len(), 3);
}

/// A group of this person, and the path by which one joins it.
async fn invited(owner: &Client) -> (Uuid, String) {
    let group = owner.open_group("Come in", &[]).await.unwrap().id;
    let invite = owner.post(&format!("/v1/conversations/{group}/invites"), &json!({})).await;
    let invite: CreatedInvite = invite.unwrap().expect(201).unwrap();
    (group, format!("/v1/invites/{}/accept", invite.token))
}

fn events(history: &[Message]) -> Vec<(&str, Uuid, Option<&str>)> {
    let events = history.iter().filter_map(|message| message.event.as_ref());
    let shown =
        events.map(|event| (event.event_type.as_str(), event.user_ids[0], event.role.as_deref()));
    shown.collect()
}

/// The last numbers of the conversations where a device with these cursors is behind.
async fn behind(socket: &mut Socket, cursors: &[(Uuid, i64)]) -> Vec<i64> {
    let cursor = |(id, at): &(Uuid, i64)| json!({ "conversation_id": id, "cursor": at });
    let cursors: Vec<_> = cursors.iter().map(cursor).collect();
    let beat = socket.say_frame("heartbeat", json!({ "cursors": cursors })).await.unwrap();
    let Said::HeartbeatOk(said) = socket.answer_to(beat).await.unwrap() else {
        panic!("no answer")
    };
    let mut behind: Vec<_> = said.behind.iter().map(|one| one.last_seq).collect();
    behind.sort_unstable();
    behind
}

async fn role_of(viewer: &Client, group: Uuid, user: Uuid) -> Option<String> {
    let members = viewer.members(group).await.unwrap().items;
    members.into_iter().find(|member| member.user_id == user).map(|member| member.role)
}

#[tokio::test]
async fn what_was_said_stays_under_a_name_that_says_nothing_and_groups_find_an_owner() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    befriend(&ada, &bob).await;
    asked(&cleo, ada.id()).await;
    update_me(&ada, &json!({ "display_name": "Ada L.", "bio": "me" }))
        .await
        .expect_status(200)
        .unwrap();
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let group = ada.open_group("Ours", &[bob.id(), cleo.id()]).await.unwrap().id;
    let role = format!("/v1/conversations/{group}/members/{}", cleo.id());
    ask_with(&ada, Method::PATCH, &role, &json!({ "role": "admin" }))
        .await
        .expect_status(200)
        .unwrap();
    for conversation in [direct, group] {
        ada.send(conversation, &draft("remember this")).await.unwrap();
    }
    until_stored(&ada, direct, 1).await;
    until_stored(&ada, group, 3).await;
    let mut his = bob.socket().await.unwrap();
    watch(&mut his, ada.id()).await;
    erase_me(&ada).await.expect_status(202).unwrap();

    let seen: Profile = bob.profile_of(ada.id()).await.unwrap();
    assert_eq!((seen.display_name.as_str(), seen.bio.as_str()), ("Deleted user", ""));
    assert!(seen.username.starts_with("deleted-") && seen.avatar_url.is_none(), "{seen:?}");
    // Her conversations are left in a job.
    until_stored(&bob, direct, 2).await;
    until_stored(&bob, group, 5).await;
    let history = bob.history(direct).await.unwrap();
    assert_eq!((texts(&history), history[0].sender_id), (vec!["remember this"], ada.id()));
    assert_eq!(events(&history), [("member_left", ada.id(), None)]);
    let history = bob.history(group).await.unwrap();
    assert_exactly_once(&history);
    assert_eq!(texts(&history), ["remember this"]);
    // The admin becomes the owner, and only then does the last one go.
    let expected = [("role_changed", cleo.id(), Some("owner")), ("member_left", ada.id(), None)];
    assert_eq!(events(&history)[2..], expected);
    assert_eq!(role_of(&bob, group, cleo.id()).await.as_deref(), Some("owner"));
    assert_eq!(role_of(&bob, group, ada.id()).await, None);
    // His next heartbeat names both, as whatever was not told.
    assert_eq!(behind(&mut his, &[(direct, 1), (group, 3)]).await, [2, 5]);

    assert_eq!(listed(&bob, "/v1/contacts").await, NOBODY);
    assert_eq!(requests(&cleo).await, []);
    assert_eq!(listed(&bob, &format!("/v1/users?query={}", ada.account().username)).await, NOBODY);
    assert_eq!(listed(&bob, "/v1/users?query=Deleted+user").await, NOBODY);
    let nobody = presence_of(&bob, ada.id()).await;
    assert_eq!((nobody.status.as_str(), nobody.last_seen_at), ("offline", None));
    let added = json!({ "user_ids": [ada.id()] });
    let added = cleo.post(&format!("/v1/conversations/{group}/members"), &added).await.unwrap();
    assert_eq!(added.status, 422, "{}", added.text());
    // The other side of a direct conversation keeps it, and may even talk on.
    bob.send(direct, &draft("are you gone?")).await.unwrap();
    until_stored(&bob, direct, 3).await;
}

#[tokio::test]
async fn who_goes_in_the_middle_of_talking_says_nothing_afterwards() {
    let system = System::shared().await.unwrap();
    let [ada, bob] = people(["ada", "bob"]).await;
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    let over_the_socket = async {
        for number in 0..60 {
            // Refused and cut is as good as said: nobody waits for an answer here.
            if hers.send(direct, &[draft(&format!("frame {number}"))]).await.is_err() {
                break;
            }
        }
    };
    let over_http = async {
        let path = format!("/v1/conversations/{direct}/messages");
        let mut statuses = Vec::new();
        for number in 0..30 {
            let answer = ada.post(&path, &draft(&format!("post {number}"))).await.unwrap();
            statuses.push(answer.status);
        }
        statuses
    };
    let goes = async {
        his.pushed(direct).await.unwrap();
        erase_me(&ada).await.expect_status(202).unwrap();
    };
    let ((), statuses, ()) = tokio::join!(over_the_socket, over_http, goes);
    let expected = [202, 401, 404];
    assert!(statuses.iter().all(|status| expected.contains(status)), "{statuses:?}");
    until_erased(system, ada.id()).await;
    // One conversation is one queue: what was accepted of hers before this is decided before it.
    bob.send(direct, &draft("the last word")).await.unwrap();
    let is_last = || async {
        let history = bob.history(direct).await.unwrap();
        (texts(&history).last() == Some(&"the last word")).then_some(history)
    };
    let history = eventually("his last word", WAIT, is_last).await.unwrap();
    assert_exactly_once(&history);
    let left = history.iter().position(|message| message.event.is_some()).unwrap();
    assert_eq!(events(&history), [("member_left", ada.id(), None)]);
    assert!(left >= 1, "something of hers was stored before");
    assert_eq!(texts(&history[left + 1..]), ["the last word"]);
}

#[tokio::test]
async fn what_others_do_at_that_moment_brings_nobody_back() {
    let system = System::shared().await.unwrap();
    for _ in 0..2 {
        let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
        let group = dan.open_group("Come in", &[cleo.id()]).await.unwrap().id;
        let members = format!("/v1/conversations/{group}/members");
        let adding = json!({ "user_ids": [ada.id()] });
        let (theirs, invite) = invited(&cleo).await;
        let (gone, also_gone, asked, blocked, added, opened, joined) = tokio::join!(
            erase_me(&ada),
            erase_me(&ada),
            ask_contact(&bob, ada.id()),
            block(&cleo, Method::PUT, ada.id()),
            dan.post(&members, &adding),
            open(&dan, ada.id()),
            ask(&ada, Method::POST, &invite),
        );
        let mut ends = [gone.status, also_gone.status];
        ends.sort_unstable();
        assert!([[202, 202], [202, 401], [202, 403]].contains(&ends), "{ends:?}");
        for answer in [&asked, &blocked, &added.unwrap(), &opened, &joined] {
            assert!(answer.status < 500, "{}", answer.text());
        }
        until_erased(system, ada.id()).await;
        for client in [&bob, &cleo, &dan] {
            assert_eq!(requests(client).await, []);
            assert_eq!(listed(client, "/v1/contacts").await, NOBODY);
            assert_eq!(listed(client, "/v1/users/me/blocks").await, NOBODY);
        }
        assert_eq!(role_of(&dan, group, ada.id()).await, None);
        assert_eq!(role_of(&cleo, theirs, ada.id()).await, None);
        let entries = dan.conversations().await.unwrap().items;
        let members = entries.iter().map(|entry| dan.members(entry.conversation.id));
        for members in join_all(members).await {
            let is_her = |member: &protocol::body::Member| member.user_id == ada.id();
            assert!(!members.unwrap().items.iter().any(is_her));
        }
        let left = rows_with(system, &[ada.account().email.clone()]).await;
        assert_eq!(left, Vec::<String>::new());
        let profile: Value =
            bob.get(&format!("/v1/users/{}", ada.id())).await.unwrap().expect(200).unwrap();
        assert_eq!(profile["display_name"], "Deleted user");
    }
}

#[tokio::test]
async fn when_all_who_run_a_group_go_at_once_it_has_an_owner_still() {
    let system = System::shared().await.unwrap();
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let group = ada.open_group("Ours", &[bob.id(), cleo.id()]).await.unwrap().id;
    for (user, role) in [(bob.id(), "owner"), (cleo.id(), "admin")] {
        let path = format!("/v1/conversations/{group}/members/{user}");
        let changed = ask_with(&ada, Method::PATCH, &path, &json!({ "role": role })).await;
        changed.expect_status(200).unwrap();
    }
    let members = format!("/v1/conversations/{group}/members");
    let added = ada.post(&members, &json!({ "user_ids": [dan.id()] })).await.unwrap();
    added.expect_status(200).unwrap();
    for answer in join_all([&ada, &bob, &cleo].map(erase_me)).await {
        answer.expect_status(202).unwrap();
    }
    for client in [&ada, &bob, &cleo] {
        until_erased(system, client.id()).await;
    }
    assert_eq!(role_of(&dan, group, dan.id()).await.as_deref(), Some("owner"));
    assert_eq!(dan.members(group).await.unwrap().items.len(), 1);
    // He sees from where he joined on: himself, a new owner, and three who leave.
    let history = dan.history(group).await.unwrap();
    assert!(history.windows(2).all(|two| two[1].seq == two[0].seq + 1), "{history:?}");
    let left = events(&history).into_iter().filter(|(what, ..)| *what == "member_left").count();
    assert_eq!(left, 3);
    assert_eq!(history.last().unwrap().rev, dan.conversation(group).await.unwrap().last_seq);
}
