//! Sessions: kept by refreshing, ended by signing out or by a theft that is noticed.

use harness::System;
use protocol::body::{List, Session};
use reqwest::Method;
use serde_json::json;

use crate::people::people;
use crate::steps::{assert_alive, assert_ended, assert_no_ticket};

#[tokio::test]
async fn a_refresh_token_is_exchanged_and_its_answer_may_be_lost() {
    let [ada] = people(["ada"]).await;
    let first = ada.refreshed().await.unwrap();
    assert_ne!(first.refresh_token, ada.refresh_token);
    assert_eq!((first.session_id, first.id()), (ada.session_id, ada.id()));
    // The same token within ten seconds, as if the first answer had been lost.
    let sibling = ada.refreshed().await.unwrap();
    assert_ne!(sibling.refresh_token, first.refresh_token);
    for client in [first, sibling] {
        client.ticket().await.unwrap();
        client.refreshed().await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_token_used_twice_at_once_gives_two_good_siblings_of_one_session() {
    let [ada] = people(["ada"]).await;
    let (one, other) = tokio::join!(ada.refreshed(), ada.refreshed());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.refresh_token, other.refresh_token);
    for client in [&one, &other] {
        assert_eq!((client.session_id, client.id()), (ada.session_id, ada.id()));
        client.refreshed().await.unwrap().ticket().await.unwrap();
    }
    let listed: List<Session> = one.get("/v1/auth/sessions").await.unwrap().expect(200).unwrap();
    assert_eq!(listed.items.len(), 1, "a sibling is no session of its own");
}

#[tokio::test]
async fn a_refresh_token_used_again_later_ends_its_session_and_closes_its_sockets() {
    let [ada] = people(["ada"]).await;
    let elsewhere = ada.another_device().await.unwrap();
    let (mut stolen, mut other) = (ada.socket().await.unwrap(), elsewhere.socket().await.unwrap());
    let fresh = ada.refreshed().await.unwrap();
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    // In place of waiting for ten seconds.
    let later = "UPDATE refresh_tokens SET spent_at = spent_at - interval '11 seconds'
        WHERE session_id = $1 AND spent_at IS NOT NULL";
    assert_eq!(database.execute(later, &[&ada.session_id]).await.unwrap(), 1);
    ada.refresh().await.unwrap().expect_problem(401, "refresh_token_reused").unwrap();
    assert_ended(&mut stolen, "session_revoked").await;
    fresh.refresh().await.unwrap().expect_problem(401, "refresh_token_invalid").unwrap();
    assert_no_ticket(&fresh).await;
    assert_alive(&mut other).await;
    elsewhere.refreshed().await.unwrap();
}

#[tokio::test]
async fn signing_out_closes_the_sockets_of_this_session_and_of_no_other() {
    let [ada] = people(["ada"]).await;
    let elsewhere = ada.another_device().await.unwrap();
    let mut here = [ada.socket().await.unwrap(), ada.socket().await.unwrap()];
    let mut there = elsewhere.socket().await.unwrap();
    let logout = ada.request(Method::POST, "/v1/auth/logout");
    ada.api().send(logout).await.unwrap().expect_status(204).unwrap();
    for socket in &mut here {
        assert_ended(socket, "signed_out").await;
    }
    assert_no_ticket(&ada).await;
    ada.refresh().await.unwrap().expect_problem(401, "refresh_token_invalid").unwrap();
    assert_alive(&mut there).await;
}

#[tokio::test]
async fn the_eleventh_socket_ends_the_oldest() {
    let [ada] = people(["ada"]).await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(ada.socket().await.unwrap());
    }
    assert_alive(&mut sockets[0]).await;
    sockets.push(ada.socket().await.unwrap());
    assert_ended(&mut sockets[0], "too_many_sockets").await;
    for socket in &mut sockets[1..] {
        assert_alive(socket).await;
    }
}

#[tokio::test]
async fn hostile_refresh_tokens_are_refused() {
    let [ada] = people(["ada"]).await;
    let long = "x".repeat(5_000);
    for token in ["", "x", "' OR 1=1 --", "\u{0}", &ada.access_token, long.as_str()] {
        let body = json!({ "refresh_token": token });
        let answer = ada.api().post("/v1/auth/refresh", &body).await.unwrap();
        answer.expect_problem(401, "refresh_token_invalid").unwrap();
    }
}
