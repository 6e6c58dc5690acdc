//! What the Lambda host promises, tried with a real process that speaks the Runtime API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway::host::{Host, Options};
use gateway::invoke::{Invoke, InvokeError};
use gateway::model::Function;
use serde_json::{Value, json};

const GRACE: Duration = Duration::from_secs(5);

fn function(name: &str) -> Function {
    Function {
        name: name.to_owned(),
        environment: BTreeMap::from([("TABLE_NAME".to_owned(), "a-table".to_owned())]),
        memory_mb: 256,
        timeout: Duration::from_secs(5),
        reserved_concurrency: None,
    }
}

fn options(max_processes: usize) -> Options {
    let fixtures = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/functions"));
    #[allow(clippy::disallowed_methods, reason = "the fixture needs the PATH of its interpreter")]
    let path = std::env::var("PATH").unwrap();
    Options {
        binaries: fixtures,
        max_processes,
        idle_limit: Duration::from_secs(300),
        environment: BTreeMap::from([("PATH".to_owned(), path)]),
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        usage: Arc::default(),
        faults: Arc::default(),
    }
}

fn host_of(function: Function, options: &Options) -> Arc<Host> {
    let functions = BTreeMap::from([(function.name.clone(), function)]);
    Arc::new(Host::start(&functions, options).unwrap())
}

fn obedient(max_processes: usize) -> Arc<Host> {
    host_of(function("obey"), &options(max_processes))
}

async fn order(host: &Host, order: Value) -> Result<Value, InvokeError> {
    let answer = host.invoke("obey", Bytes::from(order.to_string())).await?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn processes(host: &Host) -> Vec<Value> {
    host.status()["functions"]["obey"]["processes"].as_array().unwrap().clone()
}

fn is_running(pid: u64) -> bool {
    // A process that nobody has waited for yet is not running any more either.
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

async fn eventually(what: &str, is_true: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_true() {
        assert!(begin.elapsed() < Duration::from_secs(20), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_function_starts_on_its_first_event_and_stays_for_the_next() {
    let host = obedient(3);
    assert_eq!(processes(&host), Vec::<Value>::new());
    let first = order(&host, json!({})).await.unwrap();
    let second = order(&host, json!({})).await.unwrap();
    assert_eq!(first["pid"], second["pid"]);
    let status = host.status();
    let status = &status["functions"]["obey"];
    assert_eq!(status["invocations"], 2);
    assert_eq!(status["cold_starts"], 1);
    assert!(status["last_cold_start_ms"].as_u64().unwrap() > 0);
    assert_eq!(status["processes"][0]["pid"], first["pid"]);
    assert!(status["processes"][0]["rss_kb"].as_u64().unwrap() > 0);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn the_process_gets_the_templates_environment_and_nothing_of_ours() {
    let host = obedient(1);
    let environment = order(&host, json!({ "do": "environment" })).await.unwrap();
    let names: BTreeSet<&str> =
        environment.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = BTreeSet::from([
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "PATH",
        "TABLE_NAME",
        "_HANDLER",
    ]);
    assert_eq!(names.intersection(&expected).copied().collect::<BTreeSet<_>>(), expected);
    // The interpreter may add some of its own; cargo has given us many that must not pass.
    let leaked = names.iter().find(|name| name.starts_with("CARGO") || **name == "HOME");
    assert_eq!(leaked, None);
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "obey");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn every_event_carries_its_id_deadline_and_trace() {
    let host = obedient(1);
    let headers = order(&host, json!({ "do": "headers" })).await.unwrap();
    let header = |name: &str| {
        let found =
            headers.as_object().unwrap().iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(header("lambda-runtime-aws-request-id").len(), 36);
    assert!(header("lambda-runtime-deadline-ms").parse::<u64>().unwrap() > 1_700_000_000_000);
    assert_eq!(
        header("lambda-runtime-invoked-function-arn"),
        "arn:aws:lambda:us-east-1:000000000000:function:obey"
    );
    assert!(header("lambda-runtime-trace-id").starts_with("Root=1-"));
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_function_error_is_an_answer_and_the_process_goes_on() {
    let host = obedient(1);
    let before = order(&host, json!({})).await.unwrap();
    let error = order(&host, json!({ "do": "fail", "text": "no" })).await.unwrap_err();
    let InvokeError::Function(text) = error else { panic!("{error:?}") };
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["errorMessage"], "no");
    assert_eq!(order(&host, json!({})).await.unwrap()["pid"], before["pid"]);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_process_that_dies_is_reported_and_replaced() {
    let host = obedient(1);
    let before = order(&host, json!({})).await.unwrap();
    assert_eq!(order(&host, json!({ "do": "exit" })).await, Err(InvokeError::Crashed));
    let after = order(&host, json!({})).await.unwrap();
    assert_ne!(before["pid"], after["pid"]);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_process_killed_while_idle_costs_no_event() {
    let host = obedient(1);
    let before = order(&host, json!({})).await.unwrap();
    let pid = before["pid"].as_u64().unwrap();
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
    eventually("the host has noticed", || processes(&host).is_empty()).await;
    assert_ne!(order(&host, json!({})).await.unwrap()["pid"], before["pid"]);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_process_that_takes_too_long_is_killed_and_replaced() {
    let slow = Function { timeout: Duration::from_secs(1), ..function("obey") };
    let host = host_of(slow, &options(1));
    let before = order(&host, json!({})).await.unwrap()["pid"].as_u64().unwrap();
    let late = order(&host, json!({ "do": "sleep", "seconds": 30 })).await;
    assert_eq!(late, Err(InvokeError::Timeout(1000)));
    assert_ne!(order(&host, json!({})).await.unwrap()["pid"], before);
    assert!(!is_running(before));
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn the_timeout_holds_even_if_the_caller_goes_away() {
    let slow = Function { timeout: Duration::from_secs(1), ..function("obey") };
    let host = host_of(slow, &options(1));
    let pid = order(&host, json!({})).await.unwrap()["pid"].as_u64().unwrap();
    let sleep = order(&host, json!({ "do": "sleep", "seconds": 30 }));
    assert!(tokio::time::timeout(Duration::from_millis(50), sleep).await.is_err());
    eventually("the process is gone", || !is_running(pid)).await;
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn load_starts_more_processes_but_never_more_than_allowed() {
    let host = obedient(2);
    let busy = async || {
        let orders = (0..6).map(|_| order(&host, json!({ "do": "sleep", "seconds": 0.1 })));
        let answers = futures::future::join_all(orders).await.into_iter();
        answers.map(|answer| answer.unwrap()["pid"].as_u64().unwrap()).collect::<BTreeSet<_>>()
    };
    let (begin, mut pids) = (Instant::now(), BTreeSet::new());
    // The second one may be long in starting.
    while pids.len() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(20), "only {pids:?} work");
        pids.extend(busy().await);
    }
    pids.extend(busy().await);
    assert_eq!(pids.len(), 2);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn events_one_after_another_do_not_start_a_process_each() {
    let host = obedient(10);
    for _ in 0..100 {
        order(&host, json!({})).await.unwrap();
    }
    // One would do; a busy machine may keep it from asking for work in time now and then.
    assert!(host.status()["functions"]["obey"]["cold_starts"].as_u64() < Some(5));
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn reserved_concurrency_is_a_limit_too() {
    let alone = Function { reserved_concurrency: Some(1), ..function("obey") };
    let host = host_of(alone, &options(3));
    let orders = (0..3).map(|_| order(&host, json!({ "do": "sleep", "seconds": 0.1 })));
    let pids: BTreeSet<u64> = futures::future::join_all(orders)
        .await
        .into_iter()
        .map(|answer| answer.unwrap()["pid"].as_u64().unwrap())
        .collect();
    assert_eq!(pids.len(), 1);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_full_queue_refuses_instead_of_growing() {
    let host = obedient(1);
    let mut orders = tokio::task::JoinSet::new();
    for _ in 0..600 {
        let host = Arc::clone(&host);
        orders.spawn(async move { order(&host, json!({ "do": "sleep", "seconds": 0.001 })).await });
    }
    let answers = orders.join_all().await;
    let refused = answers.iter().filter(|answer| **answer == Err(InvokeError::Throttled)).count();
    let answered = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(refused > 0, "600 events waited");
    assert_eq!(refused + answered, 600);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_function_that_cannot_start_is_an_answer_for_every_event() {
    let host = host_of(function("refuse-to-start"), &options(2));
    for _ in 0..3 {
        let error = host.invoke("refuse-to-start", Bytes::from_static(b"{}")).await.unwrap_err();
        let InvokeError::Unavailable(text) = error else { panic!("{error:?}") };
        assert!(text.contains("exit status: 7"), "{text}");
    }
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_function_that_is_not_built_says_so() {
    let host = host_of(function("not-built"), &options(1));
    assert_eq!(host.missing_binaries(), ["not-built"]);
    let error = host.invoke("not-built", Bytes::from_static(b"{}")).await.unwrap_err();
    assert!(error.to_string().contains("cargo build"), "{error}");
    let unknown = host.invoke("nothing", Bytes::from_static(b"{}")).await.unwrap_err();
    assert!(unknown.to_string().contains("no function nothing"), "{unknown}");
}

#[tokio::test]
async fn an_answer_beyond_lambdas_limit_is_a_function_error() {
    let host = obedient(1);
    let before = order(&host, json!({})).await.unwrap();
    let error = order(&host, json!({ "do": "large", "bytes": 7_000_000 })).await.unwrap_err();
    assert!(error.to_string().contains("ResponseSizeTooLarge"), "{error}");
    assert_eq!(order(&host, json!({})).await.unwrap()["pid"], before["pid"]);
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_process_without_work_ends() {
    let host = host_of(
        function("obey"),
        &Options { idle_limit: Duration::from_millis(200), ..options(1) },
    );
    let pid = order(&host, json!({})).await.unwrap()["pid"].as_u64().unwrap();
    eventually("the idle process is gone", || !is_running(pid)).await;
    assert!(order(&host, json!({})).await.is_ok());
    host.shutdown(GRACE).await;
}

#[tokio::test]
async fn a_stop_lets_events_finish_and_leaves_no_process() {
    let host = obedient(2);
    let pid = order(&host, json!({})).await.unwrap()["pid"].as_u64().unwrap();
    let running = {
        let host = Arc::clone(&host);
        tokio::spawn(async move { order(&host, json!({ "do": "sleep", "seconds": 0.3 })).await })
    };
    eventually("the event runs", || processes(&host).iter().any(|p| p["busy"] == true)).await;
    host.shutdown(GRACE).await;
    assert_eq!(running.await.unwrap().unwrap()["slept"], true);
    assert!(!is_running(pid));
    let refused = order(&host, json!({})).await.unwrap_err();
    assert!(matches!(refused, InvokeError::Unavailable(_)), "{refused:?}");
}
