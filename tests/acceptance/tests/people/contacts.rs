//! Contacts: asked for, accepted, declined, taken back and ended, and told to every device of both.

use acceptance::people::people;
use futures::future::join_all;
use harness::{Client, Socket, unique_id};
use protocol::body::AskedContact;
use protocol::value::ContactRequest;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    answer_request, ask, ask_contact, asked, befriend, block, erase_me, heard_until, is_message,
    listed, requests, told_contact,
};

const CONTACTS: &str = "/v1/contacts";

async fn remove(client: &Client, other: Uuid) {
    let path = format!("{CONTACTS}/{other}");
    ask(client, Method::DELETE, &path).await.expect_status(204).unwrap();
}

/// What every one of these sockets is told, about whom.
async fn all_told(sockets: &mut [Socket], about: Uuid, status: &str, id: Option<Uuid>) {
    for socket in sockets {
        let told = told_contact(socket).await;
        let request = told.request.as_ref().map(|request| request.id);
        assert_eq!((told.user_id, told.status.as_str(), request), (about, status, id));
    }
}

async fn assert_lists(one: &Client, other: &Client, are_contacts: bool, waiting: &[Uuid]) {
    for (client, met) in [(one, other.id()), (other, one.id())] {
        let expected: &[Uuid] = if are_contacts { &[met] } else { &[] };
        assert_eq!(listed(client, CONTACTS).await, expected);
        let ids: Vec<_> = requests(client).await.iter().map(|request| request.id).collect();
        assert_eq!(ids, waiting);
    }
}

#[tokio::test]
async fn asking_accepting_and_removing_is_told_to_every_device_of_both() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let tablet = ada.another_device().await.unwrap();
    let mut hers = [ada.socket().await.unwrap(), tablet.socket().await.unwrap()];
    let mut his = [bob.socket().await.unwrap(), bob.socket().await.unwrap()];

    let AskedContact { request, status } = asked(&ada, bob.id()).await;
    assert_eq!((request.from_user_id, request.to_user_id), (ada.id(), bob.id()));
    assert_eq!(status, "requested");
    all_told(&mut his, ada.id(), "requested", Some(request.id)).await;
    all_told(&mut hers, bob.id(), "requested", Some(request.id)).await;
    assert_eq!(requests(&bob).await, std::slice::from_ref(&request));
    assert_lists(&ada, &bob, false, &[request.id]).await;

    let accepted = answer_request(&bob, request.id, "accept").await;
    assert_eq!(accepted.expect::<ContactRequest>(200).unwrap(), request);
    all_told(&mut hers, bob.id(), "contacts", Some(request.id)).await;
    all_told(&mut his, ada.id(), "contacts", Some(request.id)).await;
    assert_lists(&ada, &bob, true, &[]).await;
    for (client, other) in [(&ada, &bob), (&bob, &ada)] {
        let again = ask_contact(client, other.id()).await;
        again.expect_problem(409, "already_contacts").unwrap();
    }

    remove(&bob, ada.id()).await;
    all_told(&mut hers, bob.id(), "removed", None).await;
    all_told(&mut his, ada.id(), "removed", None).await;
    assert_lists(&ada, &bob, false, &[]).await;
    // What is not there is gone already, and nobody is told of nothing.
    remove(&bob, ada.id()).await;
    remove(&bob, unique_id()).await;
    let next = asked(&ada, bob.id()).await.request.id;
    all_told(&mut hers, bob.id(), "requested", Some(next)).await;
    all_told(&mut his, ada.id(), "requested", Some(next)).await;
}

#[tokio::test]
async fn a_request_is_declined_or_taken_back_and_may_be_made_again() {
    let [ada, bob, eve] = people(["ada", "bob", "eve"]).await;
    let (mut hers, mut his) = ([ada.socket().await.unwrap()], [bob.socket().await.unwrap()]);
    // He declines, then she takes it back.
    for who in [&bob, &ada] {
        let id = asked(&ada, bob.id()).await.request.id;
        // What is told of one change may be overtaken by what is told of the next.
        all_told(&mut hers, bob.id(), "requested", Some(id)).await;
        all_told(&mut his, ada.id(), "requested", Some(id)).await;
        for verdict in ["accept", "decline"] {
            let answer = answer_request(&eve, id, verdict).await;
            answer.expect_problem(404, "contact_request_not_found").unwrap();
        }
        let own = answer_request(&ada, id, "accept").await;
        own.expect_problem(404, "contact_request_not_found").unwrap();
        answer_request(who, id, "decline").await.expect_status(204).unwrap();
        all_told(&mut hers, bob.id(), "declined", Some(id)).await;
        all_told(&mut his, ada.id(), "declined", Some(id)).await;
        assert_lists(&ada, &bob, false, &[]).await;
        for (client, verdict) in [(&bob, "accept"), (&bob, "decline"), (&ada, "decline")] {
            let late = answer_request(client, id, verdict).await;
            late.expect_problem(404, "contact_request_not_found").unwrap();
        }
    }
    for hostile in ["x", "me", "%00", "' OR 1=1"] {
        let path = format!("/v1/contact-requests/{}/accept", hostile.replace(' ', "%20"));
        ask(&bob, Method::POST, &path).await.expect_status(404).unwrap();
    }
}

#[tokio::test]
async fn asking_twice_is_asking_once_and_asking_back_is_accepting() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let first = asked(&ada, bob.id()).await;
    let (one, other) = tokio::join!(asked(&ada, bob.id()), asked(&ada, bob.id()));
    assert_eq!((&one, &other), (&first, &first));
    assert_lists(&ada, &bob, false, &[first.request.id]).await;
    let back = asked(&bob, ada.id()).await;
    assert_eq!((back.status.as_str(), back.request.id), ("contacts", first.request.id));
    assert_lists(&ada, &bob, true, &[]).await;
}

#[tokio::test]
async fn two_who_ask_each_other_at_once_are_contacts() {
    for _ in 0..3 {
        let [ada, bob] = people(["ada", "bob"]).await;
        let (hers, his) = tokio::join!(ask_contact(&ada, bob.id()), ask_contact(&bob, ada.id()));
        let mut statuses = [hers, his].map(|answer| {
            let asked: AskedContact = answer.expect(201).unwrap();
            asked.status
        });
        statuses.sort_unstable();
        assert_eq!(statuses, ["contacts", "requested"]);
        assert_lists(&ada, &bob, true, &[]).await;
    }
}

#[tokio::test]
async fn of_an_acceptance_and_a_taking_back_at_once_one_wins() {
    for _ in 0..3 {
        let [ada, bob] = people(["ada", "bob"]).await;
        let id = asked(&ada, bob.id()).await.request.id;
        let (accepted, taken) =
            tokio::join!(answer_request(&bob, id, "accept"), answer_request(&ada, id, "decline"));
        let are_contacts = accepted.status == 200;
        assert_eq!(
            (accepted.status, taken.status),
            if are_contacts { (200, 404) } else { (404, 204) }
        );
        assert_lists(&ada, &bob, are_contacts, &[]).await;
    }
}

#[tokio::test]
async fn whoever_cannot_be_asked_is_not() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let own = ask_contact(&ada, ada.id()).await;
    let problem = own.expect_problem(422, "validation_failed").unwrap();
    assert_eq!(problem.fields.unwrap()[0].code, "invalid_user");
    ask_contact(&ada, unique_id()).await.expect_problem(404, "user_not_found").unwrap();
    erase_me(&dan).await.expect_status(202).unwrap();
    ask_contact(&ada, dan.id()).await.expect_problem(404, "user_not_found").unwrap();
    for body in [json!({}), json!({ "user_id": null }), json!({ "user_id": "x" })] {
        let answer = ada.post("/v1/contact-requests", &body).await.unwrap();
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    for body in [json!([bob.id()]), json!({ "user_id": [bob.id()] }), json!({ "user_id": 7 })] {
        let answer = ada.post("/v1/contact-requests", &body).await.unwrap();
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    block(&bob, Method::PUT, ada.id()).await.expect_status(204).unwrap();
    for (client, other) in [(&ada, &bob), (&bob, &ada)] {
        let answer = ask_contact(client, other.id()).await;
        answer.expect_problem(403, "not_allowed").unwrap();
    }
    for client in [&ada, &bob] {
        assert_eq!(requests(client).await, []);
    }
    // Of all that nobody was told.
    let group = cleo.open_group("Marker", &[ada.id(), bob.id()]).await.unwrap().id;
    let mut sockets = [ada.socket().await.unwrap(), bob.socket().await.unwrap()];
    let again = ask_contact(&ada, bob.id()).await;
    again.expect_problem(403, "not_allowed").unwrap();
    cleo.send(group, &acceptance::people::draft("after")).await.unwrap();
    for socket in &mut sockets {
        let heard = heard_until(socket, |said| is_message(said, "after")).await;
        let is_told = |said: &_| matches!(said, protocol::frame::Said::ContactChanged(_));
        assert!(!heard.iter().any(is_told), "{heard:?}");
    }
}

#[tokio::test]
async fn contacts_and_requests_come_page_by_page() {
    let [ada] = people(["ada"]).await;
    let others = people(["a", "b", "c", "d", "e"]).await;
    let (friends, askers) = others.split_at(3);
    join_all(friends.iter().map(|other| befriend(other, &ada))).await;
    let mut ids = Vec::new();
    for other in askers {
        ids.push(asked(other, ada.id()).await.request.id);
    }
    let mut seen = Vec::new();
    for path in [CONTACTS, "/v1/contact-requests"] {
        let mut cursor = String::new();
        loop {
            let page = ada.get(&format!("{path}?limit=1{cursor}")).await.unwrap();
            let page: serde_json::Value = page.expect(200).unwrap();
            let items = page["items"].as_array().unwrap();
            assert_eq!(items.len(), 1, "{path}");
            seen.push(items[0]["id"].as_str().unwrap().parse::<Uuid>().unwrap());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let hostile = ada.get(&format!("{path}?cursor=%27%20OR%201=1")).await.unwrap();
        hostile.expect_problem(422, "validation_failed").unwrap();
    }
    // Contacts by user name; requests newest first.
    let expected = friends.iter().map(Client::id).chain(ids.into_iter().rev());
    assert_eq!(seen, expected.collect::<Vec<_>>());
}
