//! EventBridge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt;
use serde::de::IgnoredAny;
use serde_json::json;
use service::port::Failure;

use super::super::run_task;
use crate::schedule::Task;

#[tokio::test]
async fn whatever_the_event_says_the_work_is_the_same() {
    let turns = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&turns);
    let task: Task = Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }.boxed()
    });
    let rule = json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-03-01T12:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/sweep-stragglers"],
        "detail": {}
    });
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let events = [rule.to_string(), "null".into(), "{}".into(), "\"x\"".into(), "7".into(), deep];
    for (index, event) in events.iter().enumerate() {
        serde_json::from_str::<IgnoredAny>(event).unwrap();
        run_task(&task).await.unwrap();
        assert_eq!(turns.load(Ordering::Relaxed) as usize, index + 1);
    }
}

#[tokio::test]
async fn work_that_fails_is_an_error_of_the_function_that_tells_no_cause() {
    let task: Task =
        Arc::new(|| async { Err(Failure::unavailable("postgres", "host=10.0.0.7")) }.boxed());
    let error = run_task(&task).await.unwrap_err();
    assert!(!error.to_string().contains("10.0.0.7"), "{error}");
}
