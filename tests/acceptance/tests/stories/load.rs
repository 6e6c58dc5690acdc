//! Limits of how much and how fast.

use harness::{Client, Device, Options, State, System, WAIT};

use crate::people::{assert_exactly_once, draft, people_on};

/// A system with the limits that the template gives.
async fn a_strict_pair() -> (System, [Client; 2], uuid::Uuid) {
    let system = System::start(Options::default()).await.unwrap();
    let [ada, bob] = people_on(&system.api().unwrap(), ["ada", "bob"]).await;
    let conversation = ada.open_direct(bob.id()).await.unwrap().id;
    (system, [ada, bob], conversation)
}

#[tokio::test]
async fn who_sends_too_fast_is_told_when_to_try_again() {
    let (_system, [ada, bob], conversation) = a_strict_pair().await;
    let mut hers = ada.socket().await.unwrap();
    let ten: Vec<_> = (0..10).map(|number| draft(&format!("{number}"))).collect();
    let mut refused = None;
    // The burst is 20; at five a second this takes far longer than a minute to be all accepted.
    for _ in 0..50 {
        let frame = hers.send(conversation, &ten).await.unwrap();
        if let harness_said @ protocol::frame::Said::Error(_) = hers.answer_to(frame).await.unwrap()
        {
            refused = Some(harness_said);
            break;
        }
    }
    let Some(protocol::frame::Said::Error(error)) = refused else { panic!("never refused") };
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
    let (_system, [ada, bob], conversation) = a_strict_pair().await;
    let hers = Device::start(&ada, &[conversation]).await.unwrap();
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    let posted: Vec<_> = (0..45).map(|n| hers.post(conversation, &format!("{n}"))).collect();
    let has_all = |state: &State| state.transcript(conversation).len() == 45;
    his.until("all 45", WAIT * 3, has_all).await.unwrap();
    let shown = his.transcript(conversation);
    assert_exactly_once(&shown);
    assert_eq!(shown.iter().map(|m| m.client_id).collect::<Vec<_>>(), posted);
}
