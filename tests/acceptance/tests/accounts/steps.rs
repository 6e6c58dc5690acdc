//! What the stories here do again and again.

use harness::{Account, Answer, Api, Client, Heard, Mail, Socket, WAIT, eventually};
use protocol::frame::Said;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::mailbox;

/// What the subjects of the three mails say.
pub const VERIFY: &str = "confirm your e-mail address";
pub const RESET: &str = "choose a new password";
pub const SIGN_IN: &str = "new sign-in";

/// The mails with this subject, oldest first, once there are so many.
pub async fn mails(client: &Client, subject: &str, count: usize) -> Vec<Mail> {
    let (mailbox, address) = (mailbox(), &client.account().email);
    let come = || async {
        let mut mails = mailbox.mails_to(address).await.unwrap();
        mails.retain(|mail| mail.subject.contains(subject));
        (mails.len() >= count).then_some(mails)
    };
    eventually(&format!("{count} mails about {subject:?} come"), WAIT, come).await.unwrap()
}

/// The token of the last of so many mails.
pub async fn mailed_token(client: &Client, subject: &str, count: usize) -> String {
    mails(client, subject, count).await.last().and_then(Mail::token).unwrap()
}

/// Asks for a mail with which a new password can be chosen.
pub async fn forgot(api: &Api, email: &str) -> Answer {
    api.post("/v1/auth/password/forgot", &json!({ "email": email })).await.unwrap()
}

pub async fn reset(api: &Api, token: &str, new_password: &str) -> Answer {
    let body = json!({ "token": token, "new_password": new_password });
    api.post("/v1/auth/password/reset", &body).await.unwrap()
}

pub async fn verify(api: &Api, token: &str) -> Answer {
    api.post("/v1/auth/email/verify", &json!({ "token": token })).await.unwrap()
}

pub async fn login(api: &Api, account: &Account, password: &str) -> Answer {
    let body = json!({ "login": account.username, "password": password });
    api.post("/v1/auth/login", &body).await.unwrap()
}

/// A problem's body without what differs between any two answers.
pub fn without_request_id(answer: &Answer) -> Value {
    let mut body: Value = answer.json().unwrap();
    assert!(body.as_object_mut().unwrap().remove("request_id").is_some());
    body
}

/// The names of the fields that were refused, and why each.
pub fn refused_fields(answer: &Answer) -> Vec<(String, String)> {
    let problem = answer.expect_problem(422, "validation_failed").unwrap();
    problem.fields.unwrap().into_iter().map(|field| (field.name, field.code)).collect()
}

/// Waits for `bye` with this reason, and for the close behind it.
pub async fn assert_ended(socket: &mut Socket, reason: &str) {
    let said = socket.wait_for("bye", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::Bye(bye) => Some(bye.reason.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(said.await.unwrap(), reason);
    socket.closed().await.unwrap();
}

pub async fn assert_alive(socket: &mut Socket) {
    let frame = socket.say_frame("heartbeat", json!({ "cursors": [] })).await.unwrap();
    assert!(matches!(socket.answer_to(frame).await.unwrap(), Said::HeartbeatOk(_)));
}

pub async fn assert_no_ticket(client: &Client) {
    let answer = client.api().send(client.request(Method::POST, "/v1/socket-tickets")).await;
    answer.unwrap().expect_problem(401, "unauthenticated").unwrap();
}

/// This session opens nothing, changes nothing, and is not renewed.
pub async fn assert_session_ended(client: &Client) {
    assert_no_ticket(client).await;
    let listed = client.get("/v1/auth/sessions").await.unwrap();
    listed.expect_problem(401, "unauthenticated").unwrap();
    client.refresh().await.unwrap().expect_problem(401, "refresh_token_invalid").unwrap();
}
