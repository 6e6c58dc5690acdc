//! What a group is, and what of its history new members see.

use harness::{Client, Device, State, WAIT};
use protocol::value::{Conversation, MessageEvent};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::{
    add, assert_told, changed, edit, entry, event, last_seq, path, told_message, told_state,
    until_stored,
};
use crate::people::{assert_exactly_once, draft, people, seqs, texts};

async fn assert_unchanged(client: &Client, now: &Conversation) {
    assert_eq!(client.conversation(now.id).await.unwrap(), *now);
}

#[tokio::test]
async fn each_thing_that_is_edited_is_told_with_a_number_of_its_own() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let group = ada.open_group("Before", &[bob.id()]).await.unwrap().id;
    let mut his = bob.socket().await.unwrap();
    let picture = "https://pictures.example.org/us.png?size=large";
    let all = json!({
        "title": "  After ", "description": "What it is\nfor", "avatar_url": picture,
        "shares_history": true, "role": "owner", "last_seq": 99,
    });
    let now = changed(&edit(&ada, group, all.clone()).await);
    assert_eq!(now.title.as_deref(), Some("After"));
    assert_eq!(now.description.as_deref(), Some("What it is\nfor"));
    assert_eq!(now.avatar_url.as_deref(), Some(picture));
    assert!(now.shares_history);
    assert_eq!((now.last_seq, now.member_count), (5, 2));
    assert_unchanged(&bob, &now).await;
    told_state(&mut his, &now).await;

    let history = bob.history(group).await.unwrap();
    assert_exactly_once(&history);
    let events: Vec<_> = history[1..].iter().map(|m| m.event.clone().unwrap()).collect();
    let title = Some("After".to_owned());
    let expected = [
        MessageEvent { title, ..event("title_changed", &ada, &[]) },
        event("description_changed", &ada, &[]),
        event("picture_changed", &ada, &[]),
        event("history_changed", &ada, &[]),
    ];
    assert_eq!(events, expected);
    // The same again changes nothing and takes no number.
    assert_eq!(changed(&edit(&ada, group, all).await), now);

    let emptied = json!({ "description": null, "avatar_url": null });
    let emptied = changed(&edit(&ada, group, emptied).await);
    assert_eq!((&emptied.description, &emptied.avatar_url), (&None, &None));
    assert_eq!((emptied.title.as_deref(), emptied.last_seq), (Some("After"), 7));
    assert_told(&bob, &mut [&mut his], group, &event("picture_changed", &ada, &[])).await;
    assert_eq!(entry(&bob, group).await.unwrap().conversation, emptied);
}

#[tokio::test]
async fn hostile_edits_are_refused_and_change_nothing() {
    let [ada] = people(["ada"]).await;
    let now = ada.open_group("Steady", &[]).await.unwrap();
    let long_url = format!("https://example.org/{}", "x".repeat(2_048));
    for hostile in [
        json!({}),
        json!({ "unknown": "field" }),
        json!({ "title": "" }),
        json!({ "title": " \t " }),
        json!({ "title": "two\nlines" }),
        json!({ "title": "a\u{0}b" }),
        json!({ "title": "x".repeat(129) }),
        json!({ "title": 7 }),
        json!({ "description": "" }),
        json!({ "description": "x".repeat(1_025) }),
        json!({ "description": "a\u{ffff}b" }),
        json!({ "description": ["x"] }),
        json!({ "avatar_url": "http://example.org/x.png" }),
        json!({ "avatar_url": "javascript:alert(1)" }),
        json!({ "avatar_url": "https://" }),
        json!({ "avatar_url": "https://user:secret@example.org/" }),
        json!({ "avatar_url": "https://example.org/\" onerror=\"x" }),
        json!({ "avatar_url": long_url }),
        json!({ "shares_history": "yes" }),
        json!({ "shares_history": 1 }),
        json!({ "title": "Good", "avatar_url": "bad" }),
        json!("title"),
        Value::Null,
    ] {
        let answer = edit(&ada, now.id, hostile.clone()).await;
        let refused = answer.expect_problem(422, "validation_failed");
        refused.unwrap_or_else(|failure| panic!("{hostile}: {failure}"));
    }
    let text = ada.request(reqwest::Method::PATCH, &path(now.id, "")).body("{\"title\":");
    let answer = ada.api().send(text.header("content-type", "application/json")).await.unwrap();
    answer.expect_problem(400, "invalid_json").unwrap();
    assert_unchanged(&ada, &now).await;
    // What looks like code is text.
    for title in ["<script>alert(1)</script>", "'; DROP TABLE conversations; --", "\u{1f984} %s"] {
        let answer = changed(&edit(&ada, now.id, json!({ "title": title })).await);
        assert_eq!(answer.title.as_deref(), Some(title));
    }
}

/// A group of two, with an app of who joins later, when they have joined.
async fn a_newcomer(ada: &Client, group: Uuid, newcomer: &Client) -> Device {
    let app = Device::start(newcomer, &[]).await.unwrap();
    let now = changed(&add(ada, group, &[newcomer.id()]).await);
    let has_all = move |state: &State| state.cursor(group) >= now.last_seq;
    app.until("the group", WAIT, has_all).await.unwrap();
    app
}

#[tokio::test]
async fn a_group_that_shares_its_history_shows_all_of_it_to_who_comes_in_then() {
    let [ada, bob, cleo, dan, eve] = people(["ada", "bob", "cleo", "dan", "eve"]).await;
    let group = ada.open_group("Open book", &[bob.id()]).await.unwrap().id;
    ada.send(group, &draft("page one")).await.unwrap();
    until_stored(&ada, group, 2).await;
    let cleos = a_newcomer(&ada, group, &cleo).await;
    changed(&edit(&ada, group, json!({ "shares_history": true })).await);
    let dans = a_newcomer(&ada, group, &dan).await;
    changed(&edit(&ada, group, json!({ "shares_history": false })).await);
    let eves = a_newcomer(&ada, group, &eve).await;

    let all = ada.history(group).await.unwrap();
    assert_eq!(seqs(&all), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(dan.history(group).await.unwrap(), all);
    dans.until("all of it", WAIT, |state: &State| state.cursor(group) >= 7).await.unwrap();
    assert_eq!(dans.transcript(group), all);
    assert_eq!(seqs(&dan.changes(group, 0).await.unwrap().items), seqs(&all));
    // It was there before, so it is not unread.
    assert_eq!(entry(&dan, group).await.unwrap().unread_count, 0);
    // Sharing is for who comes in while it is on, neither for those before nor for those after.
    assert_eq!(seqs(&cleo.history(group).await.unwrap()), [3, 4, 5, 6, 7]);
    assert_eq!(seqs(&eve.history(group).await.unwrap()), [7]);
    assert_eq!(seqs(&eves.transcript(group)), [7]);
    assert_eq!(texts(&cleos.transcript(group)), [""; 0]);
    let joined: Vec<_> = ada.members(group).await.unwrap().items;
    let joined: Vec<_> = joined.iter().map(|member| member.joined_seq).collect();
    assert_eq!(joined, [0, 0, 2, 0, 6]);
}

#[tokio::test]
async fn a_message_of_the_server_is_changed_by_nobody() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let group = ada.open_group("Untouchable", &[bob.id()]).await.unwrap().id;
    let mut his = bob.socket().await.unwrap();
    changed(&edit(&ada, group, json!({ "title": "Still" })).await);
    let before = told_message(&mut his, group, 2).await;
    for (method, rest, body) in [
        (reqwest::Method::PATCH, "/messages/2", json!({ "text": "rewritten" })),
        (reqwest::Method::DELETE, "/messages/2", Value::Null),
        (reqwest::Method::PUT, "/messages/2/pin", Value::Null),
        (reqwest::Method::PUT, "/messages/2/reactions/👍", Value::Null),
    ] {
        let answer = crate::calls::ask_with(&ada, method, &path(group, rest), &body).await;
        answer.expect_problem(403, "not_allowed").unwrap();
    }
    // Nor does a client write one.
    let mut forged = draft("you were removed");
    forged.kind = Some("system".to_owned());
    let answer = bob.post(&path(group, "/messages"), &forged).await.unwrap();
    answer.expect_problem(422, "validation_failed").unwrap();
    assert_eq!(bob.history(group).await.unwrap()[1], before);
    assert_eq!(last_seq(&ada, group).await, 2);
}
