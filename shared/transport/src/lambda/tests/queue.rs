//! SQS.

use aws_lambda_events::sqs::SqsEvent;
use domain::{Timestamp, limits};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::{ANSWER_MARGIN, read_job, time_to_work};
use crate::queue::{Batch, Job};

fn jobs(records: Value) -> Vec<Job> {
    let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    event.records.into_iter().map(read_job).collect()
}

#[test]
fn a_queue_message_is_read_as_it_was_sent() {
    let body = include_str!("../../../../protocol/examples/job-persist-messages.json");
    let read = jobs(json!([{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "3",
            "SentTimestamp": "1772366400000",
            "SequenceNumber": "18849496460467696128",
            "MessageGroupId": "01935b80-1000-7c00-9a00-00000000c001",
            "SenderId": "AIDAIO23YVJENQZJOL4VO",
            "MessageDeduplicationId": "1",
            "ApproximateFirstReceiveTimestamp": "1772366400001"
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:messages-to-persist.fifo",
        "awsRegion": "eu-central-1"
    }]));
    let batch = Batch { jobs: read, deadline: Instant::now() };
    let [job] = &batch.persist_jobs()[..] else { panic!("one job") };
    assert_eq!(job.receipt.message_id, "059f36b4-87a3-44ab-83d2-661975830a7d");
    assert_eq!(job.group_id, "01935b80-1000-7c00-9a00-00000000c001");
    assert_eq!(job.receive_count, 3);
    let submissions = job.submissions.as_ref().unwrap();
    assert_eq!(submissions[0].conversation_id.to_string(), job.group_id);
}

#[test]
fn a_receive_count_that_cannot_be_read_makes_nothing_look_poisoned() {
    for attributes in [json!({}), json!(null), json!({ "ApproximateReceiveCount": "many" })] {
        let read = jobs(json!([{ "messageId": "m", "attributes": attributes }]));
        assert_eq!(read[0].receive_count, 1);
    }
    assert!(jobs(json!([])).is_empty());
}

#[test]
fn a_deadline_that_cannot_be_one_is_not_believed() {
    let now = Timestamp::from_unix_ms(1_900_000_000_000).unwrap();
    let left = |deadline_ms| time_to_work(deadline_ms, now) + ANSWER_MARGIN;
    assert_eq!(left(1_900_000_003_000).as_millis(), 3_000);
    // In the past, as `cargo lambda watch` sends it; now; an hour ahead; beyond all time.
    for deadline_ms in [0, 600_000, 1_900_000_000_000, 1_900_003_600_000, u64::MAX] {
        assert_eq!(left(deadline_ms), limits::INVOCATION_ASSUMED, "{deadline_ms}");
    }
}
