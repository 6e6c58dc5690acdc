//! Rules of EventBridge: read from the template, fired by the clock and by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

mod gateway_support;

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use bytes::Bytes;
use gateway_support::{Gateway, eventually, fresh_stack};
use serde_json::{Value, json};

async fn fire(gateway: &Gateway, rule: &str) -> (u16, Value) {
    let url = format!("{}/_gateway/schedules/{rule}", gateway.url);
    let response = reqwest::Client::new().post(url).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_rule_fired_by_hand_answers_what_its_function_answered() {
    let stack = fresh_stack();
    let gateway = Gateway::start(&stack, &[]);
    let (status, fired) = fire(&gateway, "EveryHour").await;
    assert_eq!(status, 200, "{fired}");
    assert_eq!(fired["function"], "obey");
    let record = gateway.record();
    let event = &record[0]["schedule"];
    assert_eq!(fired["answer"]["noted"], event["id"]);
    assert_eq!(event["detail-type"], "Scheduled Event");
    assert_eq!(event["source"], "aws.events");
    assert_eq!(event["detail"], json!({}));
    let arn = format!("arn:aws:events:us-east-1:000000000000:rule/{stack}-every-hour");
    assert_eq!(event["resources"], json!([arn]));
    let time = event["time"].as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
}

#[tokio::test]
async fn a_disabled_rule_waits_for_a_hand() {
    // Five minutes are 3 ms on this clock, an hour is 36.
    let gateway = Gateway::start(&fresh_stack(), &["--clock-rate", "100000"]);
    let fired_of = |gateway: &Gateway, word: &str| {
        let record = gateway.record();
        let ours = record.iter().filter(|entry| {
            entry["step"] == "begin" && entry["schedule"]["resources"].to_string().contains(word)
        });
        ours.count()
    };
    eventually("the hour has struck", async || fired_of(&gateway, "every-hour") >= 3).await;
    assert_eq!(fired_of(&gateway, "Resting"), 0);
    assert_eq!(fire(&gateway, "Resting").await.0, 200);
    assert_eq!(fired_of(&gateway, "Resting"), 1);
}

#[tokio::test]
async fn a_rule_has_one_invocation_at_a_time() {
    let gateway = Gateway::start(&fresh_stack(), &["--clock-rate", "1000000"]);
    let calls = (0..5).map(|_| fire(&gateway, "EveryHour"));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    let steps = |entry: &Value| entry["step"].as_str().map(str::to_owned);
    let steps: Vec<String> = gateway.record().iter().filter_map(steps).collect();
    assert!(steps.len() >= 10);
    for pair in steps.chunks_exact(2) {
        assert_eq!(pair, ["begin", "end"]);
    }
}

#[tokio::test]
async fn a_run_that_failed_is_tried_again_at_the_next_tick() {
    let more = ["--clock-rate", "100000", "--parameter", "Mode=slow"];
    let gateway = Gateway::start(&fresh_stack(), &more);
    let (status, fired) = fire(&gateway, "EveryHour").await;
    assert_eq!(status, 502);
    assert!(fired["message"].as_str().unwrap().contains("as the mode says"), "{fired}");
    eventually("it is tried again", async || gateway.record().len() >= 8).await;
}

#[tokio::test]
async fn what_is_no_rule_is_not_found_and_no_web_page_may_fire_one() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    for unknown in ["Nope", "EveryHour/more", "%ff", "every-hour"] {
        assert_eq!(fire(&gateway, unknown).await.0, 404, "{unknown}");
    }
    let url = format!("{}/_gateway/schedules/EveryHour", gateway.url);
    let from_a_page = reqwest::Client::new().post(url).header("origin", "https://evil.example");
    assert_eq!(from_a_page.send().await.unwrap().status(), 403);
    assert!(gateway.record().is_empty());
    let url = format!("{}/_gateway/schedules", gateway.url);
    let list: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let rule = json!({
        "rule": "EveryHour", "function": "obey", "every_seconds": 3600, "enabled": true,
    });
    assert_eq!(list["schedules"][0], rule);
}

#[tokio::test]
async fn a_function_that_somebody_else_hosts_is_fired_and_counted_too() {
    let answer = |Path(function): Path<String>, event: Bytes| async move {
        let event: Value = serde_json::from_slice(&event).unwrap();
        json!({ "function": function, "source": event["source"] }).to_string()
    };
    let route = "/2015-03-31/functions/{name}/invocations";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route(route, post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let gateway = Gateway::start(&fresh_stack(), &["--invoke", &url]);
    let (status, fired) = fire(&gateway, "EveryHour").await;
    assert_eq!(status, 200, "{fired}");
    assert_eq!(fired["answer"], json!({ "function": "obey", "source": "aws.events" }));
    let usage = reqwest::get(format!("{}/_gateway/usage", gateway.url)).await.unwrap();
    let usage: Value = usage.json().await.unwrap();
    assert_eq!(usage["lambda"]["obey"]["invocations"], 1);
    assert_eq!(usage["lambda"]["obey"]["memory_mb"], 256);
}
