//! Where one is signed in, and ending that from elsewhere.

use std::iter::once;

use harness::{Client, PASSWORD, Socket};
use protocol::body::{List, Session, SignedIn};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::people::people;
use crate::steps::{assert_alive, assert_ended, assert_session_ended};

async fn sessions(client: &Client) -> Vec<Session> {
    let answer = client.get("/v1/auth/sessions").await.unwrap();
    let list: List<Session> = answer.expect(200).unwrap();
    assert_eq!(list.next_cursor, None);
    list.items
}

async fn revoke(client: &Client, session: &str) -> harness::Answer {
    let path = format!("/v1/auth/sessions/{session}");
    client.api().send(client.request(Method::DELETE, &path)).await.unwrap()
}

async fn ids(client: &Client) -> Vec<Uuid> {
    let mut ids: Vec<_> = sessions(client).await.iter().map(|session| session.id).collect();
    ids.sort_unstable();
    ids
}

fn sorted<const N: usize>(clients: [&Client; N]) -> Vec<Uuid> {
    let mut ids: Vec<_> = clients.iter().map(|client| client.session_id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn the_list_shows_every_device_with_its_name_address_and_last_use() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let body = json!({
        "login": ada.account().username, "password": PASSWORD, "device_name": "Ada's \u{1f4f1} <b>",
    });
    let phone = ada.api().post("/v1/auth/login", &body).await.unwrap();
    let phone: SignedIn = phone.expect(200).unwrap();
    let before = sessions(&ada).await;
    let listed: Vec<_> = before.iter().map(|session| (session.id, session.current)).collect();
    assert_eq!(listed, [(phone.session_id, false), (ada.session_id, true)], "the last used first");
    assert_eq!(before[0].device_name.as_deref(), Some("Ada's \u{1f4f1} <b>"));
    for session in &before {
        assert_eq!(session.address.as_deref(), Some("127.0.0.1"));
        assert!(session.created_at <= session.last_used_at, "{session:?}");
    }
    let ada = ada.refreshed().await.unwrap();
    let after = sessions(&ada).await;
    assert_eq!(after[0].id, ada.session_id, "used last");
    assert!(after[0].last_used_at > before[1].last_used_at);
    assert_eq!(after[0].created_at, before[1].created_at);
    assert_eq!(ids(&bob).await, [bob.session_id]);
    for name in [json!(""), json!("x".repeat(65)), json!("two\nlines"), json!("\u{0}"), json!(7)] {
        let mut odd = body.clone();
        odd["device_name"] = name;
        let answer = ada.api().post("/v1/auth/login", &odd).await.unwrap();
        answer.expect_problem(422, "validation_failed").unwrap();
    }
}

/// Everything that an ended session is turned away from, though its access token has not expired.
async fn assert_turned_away(client: &Client) {
    let session = format!("/v1/auth/sessions/{}", Uuid::nil());
    let asked = [
        (Method::GET, "/v1/auth/sessions"),
        (Method::DELETE, "/v1/auth/sessions"),
        (Method::DELETE, session.as_str()),
        (Method::POST, "/v1/auth/email/resend"),
        (Method::POST, "/v1/auth/password/change"),
        (Method::POST, "/v1/auth/two-factor"),
        (Method::POST, "/v1/auth/two-factor/confirm"),
        (Method::DELETE, "/v1/auth/two-factor"),
        (Method::POST, "/v1/socket-tickets"),
        (Method::PATCH, "/v1/users/me"),
        (Method::DELETE, "/v1/users/me"),
    ];
    let body = json!({
        "current_password": PASSWORD, "new_password": "seventeen purple bicycles",
        "password": PASSWORD, "totp": "123456", "display_name": "Mallory",
    });
    for (method, path) in asked {
        let request = client.request(method.clone(), path).json(&body);
        let answer = client.api().send(request).await.unwrap();
        let refused = answer.expect_problem(401, "unauthenticated");
        refused.unwrap_or_else(|failure| panic!("{method} {path}: {failure}"));
    }
}

#[tokio::test]
async fn a_session_that_is_ended_from_elsewhere_can_do_nothing_more() {
    let [ada] = people(["ada"]).await;
    let (lost, tablet) = (ada.another_device().await.unwrap(), ada.another_device().await.unwrap());
    let mut its_sockets = [lost.socket().await.unwrap(), lost.socket().await.unwrap()];
    let mut others = [ada.socket().await.unwrap(), tablet.socket().await.unwrap()];
    let ticket = lost.ticket().await.unwrap();
    revoke(&ada, &lost.session_id.to_string()).await.expect_status(204).unwrap();
    for socket in &mut its_sockets {
        assert_ended(socket, "session_revoked").await;
    }
    assert!(Socket::connect(&ticket).await.is_err(), "a ticket outlived its session");
    assert_turned_away(&lost).await;
    assert_session_ended(&lost).await;
    // The price of tokens that are not looked up: for 15 minutes it still reads.
    lost.get("/v1/users/me").await.unwrap().expect_status(200).unwrap();
    for socket in &mut others {
        assert_alive(socket).await;
    }
    assert_eq!(ids(&ada).await, sorted([&ada, &tablet]));
    // Had its sockets not been reached, this would reach them.
    revoke(&ada, &lost.session_id.to_string()).await.expect_status(204).unwrap();
    assert_eq!(ids(&ada).await, sorted([&ada, &tablet]));
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let [ada, eve] = people(["ada", "eve"]).await;
    let mut socket = ada.socket().await.unwrap();
    let hers = ada.session_id.to_string();
    let upper = hers.to_uppercase();
    let forged = ["x", "me", "%00", "' OR '1'='1", "00000000-0000-0000-0000-000000000000"];
    for id in forged.into_iter().chain([hers.as_str(), &upper]) {
        revoke(&eve, id).await.expect_problem(404, "session_not_found").unwrap();
    }
    let request = eve.request(Method::DELETE, "/v1/auth/sessions");
    eve.api().send(request).await.unwrap().expect_status(204).unwrap();
    assert_alive(&mut socket).await;
    ada.refreshed().await.unwrap();
    assert_eq!(ids(&ada).await, [ada.session_id]);
}

#[tokio::test]
async fn all_other_sessions_end_at_once_and_this_one_stays() {
    let [ada] = people(["ada"]).await;
    let others = [ada.another_device().await.unwrap(), ada.another_device().await.unwrap()];
    let mut here = ada.socket().await.unwrap();
    let mut sockets = Vec::new();
    for other in others.iter().chain(once(&others[0])) {
        sockets.push(other.socket().await.unwrap());
    }
    for _ in 0..2 {
        let request = ada.request(Method::DELETE, "/v1/auth/sessions");
        ada.api().send(request).await.unwrap().expect_status(204).unwrap();
    }
    for socket in &mut sockets {
        assert_ended(socket, "session_revoked").await;
    }
    for other in &others {
        assert_session_ended(other).await;
    }
    assert_alive(&mut here).await;
    assert_eq!(ids(&ada).await, [ada.session_id]);
    ada.refreshed().await.unwrap();
    // One's own session can be named too: that is signing out.
    revoke(&ada, &ada.session_id.to_string()).await.expect_status(204).unwrap();
    assert_ended(&mut here, "session_revoked").await;
    assert_session_ended(&ada).await;
}
