//! An address is one's own when the token of a mail to it comes back.

use harness::{Client, System};
use protocol::body::Me;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::mailbox;
use crate::people::people;
use crate::steps::{RESET, VERIFY, forgot, mailed_token, mails, reset, verify, without_request_id};

async fn is_verified(client: &Client) -> bool {
    let me: Me = client.get("/v1/users/me").await.unwrap().expect(200).unwrap();
    me.email_verified
}

async fn resend(client: &Client) {
    let request = client.request(Method::POST, "/v1/auth/email/resend");
    client.api().send(request).await.unwrap().expect_status(202).unwrap();
}

/// In place of waiting for three days.
async fn expire_mail_tokens(client: &Client) {
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let past = "UPDATE mail_tokens SET expires_at = now() - interval '1 second' WHERE user_id = $1";
    assert!(database.execute(past, &[&client.id()]).await.unwrap() > 0);
}

#[tokio::test]
async fn an_address_is_verified_once_by_the_token_of_its_mail() {
    let [ada] = people(["ada"]).await;
    assert!(!ada.me.email_verified && !is_verified(&ada).await);
    let mail = mails(&ada, VERIFY, 1).await.remove(0);
    let token = mail.token().unwrap();
    let link = format!("/verify-email#token={token}");
    assert!(mail.text.contains(&link) && mail.html.contains(&link), "{mail:?}");
    let (one, other) = tokio::join!(verify(ada.api(), &token), verify(ada.api(), &token));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 400], "of two at once, one verifies");
    assert!(is_verified(&ada).await);
    verify(ada.api(), &token).await.expect_problem(400, "token_invalid").unwrap();
    assert!(is_verified(&ada).await);
}

#[tokio::test]
async fn a_bad_mail_token_has_one_answer_whatever_is_wrong_with_it() {
    let [ada, bob, eve] = people(["ada", "bob", "eve"]).await;
    let api = ada.api();
    let used = mailed_token(&ada, VERIFY, 1).await;
    verify(api, &used).await.expect_status(204).unwrap();
    let expired = mailed_token(&bob, VERIFY, 1).await;
    forgot(api, &bob.account().email).await.expect_status(202).unwrap();
    let expired_reset = mailed_token(&bob, RESET, 1).await;
    expire_mail_tokens(&bob).await;
    let hers = mailed_token(&eve, VERIFY, 1).await;
    forgot(api, &eve.account().email).await.expect_status(202).unwrap();
    let her_reset = mailed_token(&eve, RESET, 1).await;
    let forged = ["x", "' OR '1'='1", "\u{0}", "../..", &eve.access_token[..256], &hers[1..]];

    let mut answers = Vec::new();
    let for_verifying = [used.as_str(), &expired, &her_reset, &eve.refresh_token];
    for token in for_verifying.iter().chain(&forged) {
        answers.push(verify(api, token).await);
    }
    let for_resetting = [used.as_str(), &expired, &expired_reset, &hers, &eve.refresh_token];
    for token in for_resetting.iter().chain(&forged) {
        answers.push(reset(api, token, "seventeen purple bicycles").await);
    }
    for answer in &answers {
        answer.expect_problem(400, "token_invalid").unwrap();
    }
    let mut bodies: Vec<Value> = answers.iter().map(without_request_id).collect();
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the answers differ: {bodies:#?}");
    // Nothing was spent or changed by all this.
    assert!(!is_verified(&bob).await && !is_verified(&eve).await);
    bob.another_device().await.unwrap();
    verify(api, &hers).await.expect_status(204).unwrap();
    reset(api, &her_reset, "seventeen purple bicycles").await.expect_status(204).unwrap();
}

#[tokio::test]
async fn another_mail_makes_the_older_token_worthless_and_who_is_verified_gets_none() {
    let [ada] = people(["ada"]).await;
    let api = ada.api();
    let older = mailed_token(&ada, VERIFY, 1).await;
    resend(&ada).await;
    let newer = mailed_token(&ada, VERIFY, 2).await;
    assert_ne!(older, newer);
    verify(api, &older).await.expect_problem(400, "token_invalid").unwrap();
    verify(api, &newer).await.expect_status(204).unwrap();
    resend(&ada).await;
    // A mail that was asked for later has come, so an earlier one would be there.
    forgot(api, &ada.account().email).await.expect_status(202).unwrap();
    mails(&ada, RESET, 1).await;
    let all = mailbox().mails_to(&ada.account().email).await.unwrap();
    let subjects: Vec<_> = all.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(all.len(), 3, "{subjects:?}");
    api.post("/v1/auth/email/resend", &json!({})).await.unwrap().expect_status(401).unwrap();
}

#[tokio::test]
async fn what_is_no_token_at_all_is_refused_by_its_shape() {
    let [ada] = people(["ada"]).await;
    let paths = ["/v1/auth/email/verify", "/v1/auth/password/reset"];
    let long = "x".repeat(257);
    for path in paths {
        for token in [json!(null), json!(5), json!([]), json!(""), json!("  "), json!(long)] {
            let body = json!({ "token": token, "new_password": "seventeen purple bicycles" });
            let answer = ada.api().post(path, &body).await.unwrap();
            let problem = answer.expect_problem(422, "validation_failed").unwrap();
            assert_eq!(problem.fields.unwrap()[0].name, "token", "{token}");
        }
        let request = ada.api().request(Method::POST, path).body("{\"token\":");
        let answer = ada.api().send(request).await.unwrap();
        answer.expect_status(400).unwrap();
    }
}
