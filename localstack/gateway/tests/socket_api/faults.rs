//! What the rules of `--faults` do to sockets.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, connection_id, disconnection, echoing, fallible, post};
use crate::front_support::{PATIENCE, TestGateway};

async fn call(gateway: &TestGateway, method: &str, page: &str, body: &str) -> (u16, Value) {
    let url = gateway.url(&format!("/_gateway/faults{page}"));
    let request = reqwest::Client::new().request(method.parse().unwrap(), url);
    let answer = request.body(body.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

async fn add(gateway: &TestGateway, rule: Value) -> u64 {
    let (status, answer) = call(gateway, "POST", "", &rule.to_string()).await;
    assert_eq!(status, 201, "{answer}");
    answer["id"].as_u64().unwrap()
}

/// How often each rule has fired, in the order in which they were added.
async fn fired(gateway: &TestGateway) -> Vec<u64> {
    let (_, list) = call(gateway, "GET", "", "").await;
    let rules = list["rules"].as_array().unwrap();
    rules.iter().map(|rule| rule["fired"].as_u64().unwrap()).collect()
}

/// Waits until the one rule that there is has fired.
async fn until_fired(gateway: &TestGateway) {
    let fires = async {
        while fired(gateway).await != [1] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, fires).await.unwrap();
}

async fn push(gateway: &TestGateway, id: &str, n: u32) -> u16 {
    post(gateway, id, json!({ "type": "message.new", "n": n }).to_string()).await
}

async fn hear_numbers(client: &mut Client, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        numbers.push(client.hear().await["n"].as_u64().unwrap());
    }
    numbers
}

async fn say_number(client: &mut Client, kind: &str, n: u32) {
    client.say(&json!({ "type": kind, "n": n })).await;
}

#[tokio::test]
async fn without_the_flag_there_is_no_such_page() {
    let gateway = echoing(1.0).await;
    for (method, page) in [("POST", ""), ("GET", ""), ("DELETE", ""), ("GET", "/connections")] {
        let (status, _) = call(&gateway, method, page, r#"{"fault":"push.drop"}"#).await;
        assert_eq!(status, 404, "{method} {page}");
    }
}

#[tokio::test]
async fn a_dropped_push_is_answered_200_and_never_arrives() {
    let gateway = fallible().await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    let rule = json!({ "fault": "push.drop", "frame_type": "message.new", "times": 1 });
    add(&gateway, rule).await;
    assert_eq!(post(&gateway, &id, r#"{"type":"nudge","n":0}"#).await, 200);
    for n in [1, 2] {
        assert_eq!(push(&gateway, &id, n).await, 200);
    }
    assert_eq!(hear_numbers(&mut client, 2).await, [0, 2]);
    assert_eq!(fired(&gateway).await, [1]);
}

#[tokio::test]
async fn a_delayed_push_comes_after_later_ones() {
    let gateway = fallible().await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    add(&gateway, json!({ "fault": "push.delay", "ms": 2000, "times": 1 })).await;
    for n in [1, 2, 3] {
        assert_eq!(push(&gateway, &id, n).await, 200);
    }
    assert_eq!(hear_numbers(&mut client, 3).await, [2, 3, 1]);
}

#[tokio::test]
async fn a_push_can_come_twice_and_two_can_change_places() {
    let gateway = fallible().await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    add(&gateway, json!({ "fault": "push.duplicate", "times": 1 })).await;
    add(&gateway, json!({ "fault": "push.swap" })).await;
    for n in 1..=5 {
        assert_eq!(push(&gateway, &id, n).await, 200);
    }
    assert_eq!(hear_numbers(&mut client, 6).await, [1, 1, 3, 2, 5, 4]);
    // The last one has nothing to overtake it and comes all the same.
    assert_eq!(push(&gateway, &id, 6).await, 200);
    assert_eq!(hear_numbers(&mut client, 1).await, [6]);
    assert_eq!(fired(&gateway).await, [1, 3]);
}

#[tokio::test]
async fn a_push_can_be_refused_in_each_of_the_apis_ways() {
    let gateway = fallible().await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    for status in [410, 429, 500] {
        let rule = json!({ "fault": "push.status", "status": status, "connection_id": id });
        let rule = add(&gateway, rule).await;
        assert_eq!(push(&gateway, &id, 0).await, status);
        assert_eq!(call(&gateway, "DELETE", &format!("/{rule}"), "").await.0, 204);
    }
    assert_eq!(push(&gateway, &id, 1).await, 200);
    assert_eq!(hear_numbers(&mut client, 1).await, [1]);
}

#[tokio::test]
async fn the_same_seed_drops_the_same_pushes() {
    let mut heard = Vec::new();
    for _ in 0..2 {
        let gateway = fallible().await;
        let mut client = Client::connect(&gateway).await;
        let id = connection_id(&gateway).await;
        add(&gateway, json!({ "fault": "push.drop", "probability": 0.5, "seed": 11 })).await;
        for n in 0..40 {
            push(&gateway, &id, n).await;
        }
        let dropped = usize::try_from(fired(&gateway).await[0]).unwrap();
        assert!((5..35).contains(&dropped), "{dropped}");
        heard.push(hear_numbers(&mut client, 40 - dropped).await);
    }
    assert_eq!(heard[0], heard[1]);
}

#[tokio::test]
async fn frames_are_dropped_doubled_delayed_and_swapped_on_their_way() {
    let gateway = fallible().await;
    let mut client = Client::connect(&gateway).await;
    // What is heard after each frame.
    for (rule, heard) in [
        (json!({ "fault": "frame.drop", "times": 1 }), vec![vec![], vec![2], vec![3]]),
        (json!({ "fault": "frame.drop", "frame_type": "heartbeat" }), vec![vec![]]),
        (json!({ "fault": "frame.duplicate", "times": 1 }), vec![vec![1, 1]]),
        (json!({ "fault": "frame.delay", "ms": 1500, "times": 1 }), vec![vec![], vec![2, 1]]),
        (json!({ "fault": "frame.swap" }), vec![vec![], vec![2, 1]]),
        (json!({ "fault": "frame.swap" }), vec![vec![1]]),
        (json!({ "fault": "answer.drop", "skip": 1, "times": 1 }), vec![vec![1], vec![], vec![3]]),
    ] {
        let id = add(&gateway, rule.clone()).await;
        for (n, heard) in (1..).zip(heard) {
            say_number(&mut client, "heartbeat", n).await;
            // Frames run beside each other: the next is said when this one has had its effect.
            if heard.is_empty() {
                until_fired(&gateway).await;
            }
            assert_eq!(hear_numbers(&mut client, heard.len()).await, heard, "{rule}");
        }
        client.has_heard_nothing().await;
        assert_eq!(call(&gateway, "DELETE", &format!("/{id}"), "").await.0, 204);
    }
    // A dropped answer is one of a function that ran.
    assert_eq!(gateway.functions.calls_of("socket-heartbeat").len(), 2 + 2 + 2 + 2 + 1 + 3);
}

#[tokio::test]
async fn a_frames_own_type_selects_it_where_its_route_is_the_default_one() {
    let gateway = fallible().await;
    let mut client = Client::connect(&gateway).await;
    add(&gateway, json!({ "fault": "frame.drop", "frame_type": "message.send" })).await;
    say_number(&mut client, "message.send", 1).await;
    say_number(&mut client, "other", 2).await;
    assert_eq!(hear_numbers(&mut client, 1).await, [2]);
    add(&gateway, json!({ "fault": "frame.drop", "frame_type": "$default" })).await;
    say_number(&mut client, "other", 3).await;
    say_number(&mut client, "heartbeat", 4).await;
    assert_eq!(hear_numbers(&mut client, 1).await, [4]);
}

#[tokio::test]
async fn one_socket_is_cut_without_a_close_frame_and_the_others_live() {
    let gateway = fallible().await;
    let (mut first, mut second) =
        (Client::connect(&gateway).await, Client::connect(&gateway).await);
    let (_, list) = call(&gateway, "GET", "/connections", "").await;
    let id = list["connections"][0].as_str().unwrap();
    let rule = json!({ "fault": "socket.cut", "connection_id": id }).to_string();
    let (status, answer) = call(&gateway, "POST", "", &rule).await;
    assert_eq!((status, &answer["cut"]), (201, &json!(1)));
    let end = futures::StreamExt::next(&mut first.socket).await;
    assert!(!matches!(end, Some(Ok(Message::Close(_)))), "{end:?}");
    assert_eq!(disconnection(&gateway).await, (1006, "Connection Closed Abnormally".to_owned()));
    second.has_heard_nothing().await;
    // A rule that cuts once leaves nothing behind.
    assert!(fired(&gateway).await.is_empty());
}

#[tokio::test]
async fn sockets_are_cut_again_and_again_until_the_rule_is_gone() {
    let gateway = fallible().await;
    let id = add(&gateway, json!({ "fault": "socket.cut", "every_ms": 20 })).await;
    for _ in 0..3 {
        let mut client = Client::connect(&gateway).await;
        while let Some(Ok(_)) = futures::StreamExt::next(&mut client.socket).await {}
    }
    gateway.functions.wait_for("socket-disconnect", 3).await;
    assert!(fired(&gateway).await[0] >= 3);
    assert_eq!(call(&gateway, "DELETE", &format!("/{id}"), "").await.0, 204);
    let mut client = Client::connect(&gateway).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    client.has_heard_nothing().await;
}

#[tokio::test]
async fn a_disconnect_can_be_late_or_never_come() {
    let gateway = fallible().await;
    let calls = || gateway.functions.calls_of("socket-disconnect").len();
    add(&gateway, json!({ "fault": "disconnect.skip", "times": 1 })).await;
    add(&gateway, json!({ "fault": "disconnect.delay", "ms": 3000 })).await;
    for count in [1, 2] {
        let client = Client::connect(&gateway).await;
        gateway.functions.wait_for("socket-connect", count).await;
        drop(client);
        while fired(&gateway).await.iter().sum::<u64>() < u64::try_from(count).unwrap() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(calls(), 0);
    }
    gateway.functions.wait_for("socket-disconnect", 1).await;
    assert_eq!(fired(&gateway).await, [1, 1]);
}

#[tokio::test]
async fn healing_ends_every_fault() {
    let gateway = fallible().await;
    let mut client = Client::connect(&gateway).await;
    let id = connection_id(&gateway).await;
    for fault in ["push.drop", "frame.drop", "answer.drop", "disconnect.skip"] {
        add(&gateway, json!({ "fault": fault })).await;
    }
    assert_eq!(call(&gateway, "DELETE", "", "").await.0, 204);
    assert!(fired(&gateway).await.is_empty());
    push(&gateway, &id, 1).await;
    assert_eq!(hear_numbers(&mut client, 1).await, [1]);
    say_number(&mut client, "heartbeat", 2).await;
    assert_eq!(hear_numbers(&mut client, 1).await, [2]);
    drop(client);
    disconnection(&gateway).await;
}

#[tokio::test]
async fn hostile_rules_are_refused_and_change_nothing() {
    let gateway = fallible().await;
    let long = format!("{{\"fault\":\"{}\"}}", "x".repeat(17 * 1024));
    for (rule, status) in [
        ("", 400),
        ("{\"fault\":", 400),
        ("[]", 422),
        (r#"{"fault":"rm -rf"}"#, 422),
        (r#"{"fault":"push.drop","probability":2}"#, 422),
        (r#"{"fault":"function.error","function":"../../bin/sh"}"#, 422),
        (&long, 413),
    ] {
        let (refused, answer) = call(&gateway, "POST", "", rule).await;
        assert_eq!(refused, status, "{rule}: {answer}");
        assert!(answer["message"].is_string());
    }
    for id in ["/0", "/1", "/-1", "/99999999999999999999", "/x", "/1/2"] {
        assert_eq!(call(&gateway, "DELETE", id, "").await.0, 404, "{id}");
    }
    let origin = reqwest::Client::new().post(gateway.url("/_gateway/faults"));
    let origin = origin.header("origin", "https://evil.example").body(r#"{"fault":"push.drop"}"#);
    assert_eq!(origin.send().await.unwrap().status(), 403);
    assert!(fired(&gateway).await.is_empty());
    for _ in 0..100 {
        add(&gateway, json!({ "fault": "push.drop" })).await;
    }
    let (status, answer) = call(&gateway, "POST", "", r#"{"fault":"push.drop"}"#).await;
    assert_eq!(status, 422);
    assert!(answer["message"].as_str().unwrap().contains("100 rules"), "{answer}");
}
