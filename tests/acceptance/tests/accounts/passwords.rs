//! Another password, for who forgot the old one and for who knows it.

use std::collections::BTreeSet;

use harness::{Answer, Client, PASSWORD};
use serde_json::json;

use crate::emulator::mailbox;
use crate::people::people;
use crate::steps::{
    RESET, assert_alive, assert_ended, assert_session_ended, forgot, login, mailed_token, mails,
    refused_fields, reset,
};

const NEW: &str = "seventeen purple bicycles";
const OTHER: &str = "an umbrella for the giraffe";

async fn change(client: &Client, current: &str, new_password: &str) -> Answer {
    let body = json!({ "current_password": current, "new_password": new_password });
    client.post("/v1/auth/password/change", &body).await.unwrap()
}

async fn assert_password(client: &Client, right: &str, wrong: &str) {
    let refused = login(client.api(), client.account(), wrong).await;
    refused.expect_problem(401, "invalid_credentials").unwrap();
    login(client.api(), client.account(), right).await.expect_status(200).unwrap();
}

#[tokio::test]
async fn who_asks_for_a_new_password_does_not_learn_who_has_an_account() {
    let [ada] = people(["ada"]).await;
    let unknown = format!("un{}", ada.account().email);
    let nobody = forgot(ada.api(), &unknown).await;
    let known = forgot(ada.api(), &ada.account().email.to_uppercase()).await;
    for answer in [&nobody, &known] {
        answer.expect_status(202).unwrap();
    }
    let headers = |answer: &Answer| -> BTreeSet<String> {
        answer.headers.keys().map(ToString::to_string).collect()
    };
    assert_eq!((&nobody.body, headers(&nobody)), (&known.body, headers(&known)));
    let mail = mails(&ada, RESET, 1).await.remove(0);
    let link = format!("/reset-password#token={}", mail.token().unwrap());
    assert!(mail.text.contains(&link) && mail.html.contains(&link), "{mail:?}");
    // Asked for earlier, it would have come earlier.
    assert_eq!(mailbox().mails_to(&unknown).await.unwrap(), []);
    for email in ["", "ada", "a@b@c", "ada@example.org\r\nbcc: eve@example.org"] {
        assert_eq!(refused_fields(&forgot(ada.api(), email).await)[0].0, "email", "{email:?}");
    }
}

#[tokio::test]
async fn a_reset_password_ends_every_session_and_closes_its_sockets() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let elsewhere = ada.another_device().await.unwrap();
    let mut sockets = [ada.socket().await.unwrap(), elsewhere.socket().await.unwrap()];
    let mut his = bob.socket().await.unwrap();
    forgot(ada.api(), &ada.account().email).await.expect_status(202).unwrap();
    let older = mailed_token(&ada, RESET, 1).await;
    forgot(ada.api(), &ada.account().email).await.expect_status(202).unwrap();
    let token = mailed_token(&ada, RESET, 2).await;
    reset(ada.api(), &older, NEW).await.expect_problem(400, "token_invalid").unwrap();
    // A password that is not good enough spends nothing.
    let weak = reset(ada.api(), &token, "password1").await;
    assert_eq!(refused_fields(&weak), [("new_password".into(), "weak_password".into())]);
    assert_eq!(refused_fields(&reset(ada.api(), &token, "short").await)[0].0, "new_password");
    assert_alive(&mut sockets[0]).await;

    reset(ada.api(), &token, NEW).await.expect_status(204).unwrap();
    for socket in &mut sockets {
        assert_ended(socket, "password_reset").await;
    }
    for session in [&ada, &elsewhere] {
        assert_session_ended(session).await;
    }
    assert_password(&ada, NEW, PASSWORD).await;
    reset(ada.api(), &token, OTHER).await.expect_problem(400, "token_invalid").unwrap();
    assert_password(&ada, NEW, OTHER).await;
    assert_alive(&mut his).await;
    bob.refreshed().await.unwrap();
}

#[tokio::test]
async fn a_reset_token_used_twice_at_once_sets_one_password() {
    let [ada] = people(["ada"]).await;
    forgot(ada.api(), &ada.account().email).await.expect_status(202).unwrap();
    let token = mailed_token(&ada, RESET, 1).await;
    let (one, other) = tokio::join!(reset(ada.api(), &token, NEW), reset(ada.api(), &token, OTHER));
    let (winner, loser, refused) =
        if one.status == 204 { (NEW, OTHER, other) } else { (OTHER, NEW, one) };
    refused.expect_problem(400, "token_invalid").unwrap();
    assert_password(&ada, winner, loser).await;
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_not_this_one() {
    let [ada] = people(["ada"]).await;
    let there = ada.another_device().await.unwrap();
    let (mut here_socket, mut there_socket) =
        (ada.socket().await.unwrap(), there.socket().await.unwrap());
    forgot(ada.api(), &ada.account().email).await.expect_status(202).unwrap();
    let stolen = mailed_token(&ada, RESET, 1).await;
    change(&ada, "not my password", NEW).await.expect_problem(403, "wrong_password").unwrap();
    let email = ada.account().email.clone();
    for weak in ["password1", "12345678", ada.account().username.as_str(), &email] {
        let answer = change(&ada, PASSWORD, weak).await;
        let expected = [("new_password".to_owned(), "weak_password".to_owned())];
        assert_eq!(refused_fields(&answer), expected, "{weak}");
    }
    assert_alive(&mut there_socket).await;

    change(&ada, PASSWORD, NEW).await.expect_status(204).unwrap();
    assert_ended(&mut there_socket, "password_changed").await;
    assert_session_ended(&there).await;
    assert_alive(&mut here_socket).await;
    ada.refreshed().await.unwrap().ticket().await.unwrap();
    assert_password(&ada, NEW, PASSWORD).await;
    // From a session that has ended, and with a reset that was asked for before.
    change(&there, NEW, OTHER).await.expect_problem(401, "unauthenticated").unwrap();
    reset(ada.api(), &stolen, OTHER).await.expect_problem(400, "token_invalid").unwrap();
    change(&ada, PASSWORD, OTHER).await.expect_problem(403, "wrong_password").unwrap();
    assert_password(&ada, NEW, OTHER).await;
}
