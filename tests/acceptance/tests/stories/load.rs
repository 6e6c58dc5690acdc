//! Limits of how much and how fast.

use harness::{Client, Device, Options, State, System, WAIT};
use protocol::frame::Said;

use crate::people::{assert_exactly_once, draft, people_on};

async fn a_pair_with(options: Options) -> (System, [Client; 2], uuid::Uuid) {
    let system = System::start(options).await.unwrap();
    let [ada, bob] = people_on(&system.api().unwrap(), ["ada", "bob"]).await;
    let conversation = ada.open_direct(bob.id()).await.unwrap().id;
    (system, [ada, bob], conversation)
}

#[tokio::test]
async fn who_sends_too_fast_is_told_when_to_try_again() {
    // So strict that even a slow machine is too fast for it.
    let strict = Options::default().with("MessagesPerSecond", "1").with("MessagesBurst", "10");
    let (_system, [ada, bob], conversation) = a_pair_with(strict).await;
    let mut hers = ada.socket().await.unwrap();
    let ten: Vec<_> = (0..10).map(|number| draft(&format!("{number}"))).collect();
    let mut refused = None;
    for _ in 0..50 {
        let frame = hers.send(conversation, &ten).await.unwrap();
        if let Said::Error(error) = hers.answer_to(frame).await.unwrap() {
            refused = Some(error);
            break;
        }
    }
    let error = refused.expect("the socket is never limited");
    assert_eq!(error.code, "too_many_requests");
    assert!(error.retry_after_ms.is_some_and(|wait| wait > 0));
    let path = format!("/v1/conversations/{conversation}/messages");
    let mut limited = None;
    for _ in 0..50 {
        let answer = ada.post(&path, &draft("over HTTP")).await.unwrap();
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let answer = limited.expect("HTTP is never limited");
    let problem = answer.expect_problem(429, "too_many_requests").unwrap();
    let seconds = problem.retry_after_seconds.unwrap().to_string();
    assert_eq!(answer.header("retry-after"), Some(seconds.as_str()));
    // One person's haste is not another's.
    bob.send(conversation, &draft("I am slow")).await.unwrap();
}

#[tokio::test]
async fn an_app_waits_out_the_limit_and_sends_everything() {
    // With the limits that the template gives.
    let (_system, [ada, bob], conversation) = a_pair_with(Options::default()).await;
    let hers = Device::start(&ada, &[conversation]).await.unwrap();
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    let posted: Vec<_> = (0..45).map(|n| hers.post(conversation, &format!("{n}"))).collect();
    let has_all = |state: &State| state.transcript(conversation).len() == 45;
    his.until("all 45", WAIT * 3, has_all).await.unwrap();
    let shown = his.transcript(conversation);
    assert_exactly_once(&shown);
    assert_eq!(shown.iter().map(|m| m.client_id).collect::<Vec<_>>(), posted);
}
