//! The gateway with `--faults`: its locks, and functions that are killed on purpose.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

mod gateway_support;

use gateway_support::{Gateway, emulator, eventually, fresh_stack, is_running, run};
use serde_json::{Value, json};

async fn add(gateway: &Gateway, rule: &Value) -> u16 {
    let url = format!("{}/_gateway/faults", gateway.url);
    let request = reqwest::Client::new().post(url).json(rule);
    request.send().await.unwrap().status().as_u16()
}

async fn fired(gateway: &Gateway) -> u64 {
    let url = format!("{}/_gateway/faults", gateway.url);
    let list: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    list["rules"][0]["fired"].as_u64().unwrap()
}

fn kill(point: &Value) -> Value {
    json!({ "fault": "function.kill", "function": "obey", "point": point, "times": 1 })
}

async fn order(gateway: &Gateway, order: &Value) -> (u16, Value) {
    let url = format!("{}/orders/7", gateway.url);
    let answer = reqwest::Client::new().post(url).json(order).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn pid(gateway: &Gateway) -> u64 {
    let (status, answer) = order(gateway, &json!({})).await;
    assert_eq!(status, 200);
    answer["pid"].as_u64().unwrap()
}

#[test]
fn a_stack_that_is_no_tests_cannot_be_broken() {
    let stack = fresh_stack().replace("test-", "prod-");
    let (status, output, errors) = run(&stack, &emulator(), &["--faults"]);
    assert_eq!(status.code(), Some(1));
    assert_eq!(output, "");
    assert!(errors.contains("--faults is refused"), "{errors}");
    let remote = ["--faults", "--invoke", "http://127.0.0.1:9"];
    let (status, _, errors) = run(&fresh_stack(), &emulator(), &remote);
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("--faults is refused"), "{errors}");
}

#[tokio::test]
async fn without_the_flag_a_tests_stack_cannot_be_broken_either() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    assert_eq!(add(&gateway, &json!({ "fault": "push.drop" })).await, 404);
}

#[tokio::test]
async fn a_function_killed_before_its_event_has_done_nothing() {
    let gateway = Gateway::start(&fresh_stack(), &["--faults"]);
    let before = pid(&gateway).await;
    assert_eq!(add(&gateway, &kill(&json!("before"))).await, 201);
    let url = format!("{}/_gateway/schedules/EveryHour", gateway.url);
    let fire = async || reqwest::Client::new().post(&url).send().await.unwrap().status();
    assert_eq!(fire().await, 502);
    eventually("it is killed", async || !is_running(before)).await;
    assert!(gateway.record().is_empty());
    assert_eq!(fire().await, 200);
    assert_eq!(fired(&gateway).await, 1);
    assert_ne!(pid(&gateway).await, before);
}

#[tokio::test]
async fn a_function_killed_after_its_work_has_done_it_but_says_nothing() {
    let gateway = Gateway::start(&fresh_stack(), &["--faults"]);
    let before = pid(&gateway).await;
    assert_eq!(add(&gateway, &kill(&json!("after"))).await, 201);
    let url = format!("{}/_gateway/schedules/EveryHour", gateway.url);
    assert_eq!(reqwest::Client::new().post(&url).send().await.unwrap().status(), 502);
    eventually("it is killed", async || !is_running(before)).await;
    assert_eq!(gateway.record().last().unwrap()["step"], "end");
    assert_ne!(pid(&gateway).await, before);
}

#[tokio::test]
async fn a_function_is_killed_in_the_middle_by_time_or_by_what_it_prints() {
    let gateway = Gateway::start(&fresh_stack(), &["--faults"]);
    for (point, orders, statuses) in [
        (
            json!({ "delay_ms": 100 }),
            [json!({ "do": "sleep", "seconds": 5 }), json!({})],
            [500, 200],
        ),
        (
            json!({ "log": "now" }),
            [
                json!({ "do": "write", "text": "later" }),
                json!({ "do": "write", "text": "and now", "seconds": 5 }),
            ],
            [200, 500],
        ),
    ] {
        let before = pid(&gateway).await;
        assert_eq!(add(&gateway, &kill(&point)).await, 201);
        for (an_order, status) in orders.iter().zip(statuses) {
            assert_eq!(order(&gateway, an_order).await.0, status, "{point} {an_order}");
        }
        eventually("it is killed", async || !is_running(before)).await;
        let url = format!("{}/_gateway/faults", gateway.url);
        assert_eq!(fired(&gateway).await, 1, "{point}");
        assert_eq!(reqwest::Client::new().delete(url).send().await.unwrap().status(), 204);
    }
    // Nothing is left of it.
    assert_eq!(order(&gateway, &json!({ "do": "write", "text": "and now" })).await.0, 200);
}

#[tokio::test]
async fn a_function_can_fail_without_running() {
    let gateway = Gateway::start(&fresh_stack(), &["--faults"]);
    let rule = json!({ "fault": "function.error", "function": "obey", "skip": 1, "times": 2 });
    assert_eq!(add(&gateway, &rule).await, 201);
    let before = pid(&gateway).await;
    for _ in 0..2 {
        assert_eq!(order(&gateway, &json!({})).await.0, 500);
    }
    assert_eq!(pid(&gateway).await, before);
    let unknown = json!({ "fault": "function.error", "function": "other" });
    assert_eq!(add(&gateway, &unknown).await, 422);
}

#[tokio::test]
async fn a_batch_whose_function_was_killed_comes_again() {
    let gateway = Gateway::start(&fresh_stack(), &["--faults"]);
    assert_eq!(add(&gateway, &kill(&json!("after"))).await, 201);
    let sqs = aws_sdk_sqs::Client::new(&gateway_support::sdk().await);
    let name = format!("{}-ordered.fifo", gateway.stack);
    let url = sqs.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let message = sqs.send_message().queue_url(url).message_body("m");
    message.message_group_id("g").message_deduplication_id("d").send().await.unwrap();
    eventually("it came twice", async || gateway.bodies() == ["m", "m"]).await;
    assert_eq!(gateway.record()[1]["count"], "2");
    assert_eq!(fired(&gateway).await, 1);
}
