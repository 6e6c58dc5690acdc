//! Jobs are read back as they were written, and what is no job is told without its text.

use aws::jobs::{
    EncodeError, JobError, decode_announcement, decode_fan_out, decode_persist, decode_record,
    encode_announcement, encode_fan_out, encode_persist, encode_record,
};
use domain::{Marks, Seq, Timestamp, TraceId};
use service::port::{FanOutJob, PushRecord, ReceiptClaim, RecordJob};
use service::{Event, MemberMarks};
use testkit::ambient::at_ms;
use testkit::contract::live::sample::{
    connection, conversation, message, messages_new, recipients, submission, trace, user,
};

#[test]
fn submissions_are_read_back_as_they_were_written() {
    let sent: Vec<_> = (1..=10).map(|number| submission(1, number)).collect();
    assert_eq!(decode_persist(&encode_persist(&sent).unwrap()).unwrap(), sent);
}

#[test]
fn a_job_is_of_one_sender_in_one_conversation() {
    assert!(matches!(encode_persist(&[]), Err(EncodeError::Empty)));
    let mut other = submission(1, 2);
    other.sender_id = user(9);
    let mixed = encode_persist(&[submission(1, 1), other]);
    assert!(matches!(mixed, Err(EncodeError::Mixed)));
}

#[test]
fn what_is_no_job_is_told_and_its_text_is_not() {
    let job = encode_persist(&[submission(1, 1)]).unwrap();
    let hostile = [
        String::new(),
        "secret words".to_owned(),
        "\u{0}".to_owned(),
        "[".repeat(100_000),
        "null".to_owned(),
        "[\"secret\"]".to_owned(),
        "{\"job\": \"secret\"}".to_owned(),
        "{\"job\": {\"secret\": 1}}".to_owned(),
        "{\"job\": \"persist-messages/1\", \"conversation_id\": \"secret\"}".to_owned(),
        job.replace("persist-messages/1", "persist-messages/2"),
        job.replace("\"kind\":\"text\"", "\"kind\":\"secret\""),
        job.replace("\"accepted_at\":\"2033", "\"accepted_at\":\"secret"),
        job[..job.len() - 1].to_owned(),
        job.replace("\"messages\":[", "\"messages\":[{\"client_id\":\"secret\"},"),
        job.replace("\"client_id\":\"", "\"client_id\":\"secret"),
    ];
    for text in &hostile {
        let why = decode_persist(text).unwrap_err().to_string();
        assert!(!why.contains("secret"), "{why}");
        let why = decode_fan_out(text).unwrap_err().to_string();
        assert!(!why.contains("secret"), "{why}");
        let why = decode_record(text).unwrap_err().to_string();
        assert!(!why.contains("secret"), "{why}");
        let why = decode_announcement(text).unwrap_err().to_string();
        assert!(!why.contains("secret"), "{why}");
    }
}

#[test]
fn a_newer_job_is_told_from_a_broken_one() {
    let job = encode_persist(&[submission(1, 1)]).unwrap();
    let newer = job.replace("persist-messages/1", "persist-messages/2");
    assert!(matches!(decode_persist(&newer), Err(JobError::UnknownJob)));
    let broken = job.replace("\"sender_id\":\"", "\"sender_id\":\"x");
    assert!(matches!(decode_persist(&broken), Err(JobError::WrongShape { .. })));
    let cut = &job[..job.len() / 2];
    assert!(matches!(decode_persist(cut), Err(JobError::NotJson { .. })));
}

#[test]
fn a_job_without_messages_or_with_too_many_is_refused() {
    let eleven: Vec<_> = (1..=11).map(|number| submission(1, number)).collect();
    let text = encode_persist(&eleven).unwrap();
    assert!(matches!(decode_persist(&text), Err(JobError::Refused(_))));
    let (head, _) = text.split_once("\"messages\":[").unwrap();
    let none = format!("{head}\"messages\":[]}}");
    assert!(matches!(decode_persist(&none), Err(JobError::Refused(_))));
}

#[test]
fn an_event_that_no_queue_carries_is_refused() {
    let bye = Event::Bye { reason: "going", reconnect_after_ms: 0 };
    let (conversation_id, user_id) = (conversation(1), user(1));
    let typing = Event::Typing { conversation_id, user_id, is_active: true, expires_in_ms: 1 };
    for event in [bye, typing] {
        let job = FanOutJob::ToMembers { event, trace_ids: vec![], recipients: recipients(1) };
        let texts = encode_fan_out(&job).unwrap();
        assert!(matches!(decode_fan_out(&texts[0]), Err(JobError::Event(_))));
    }
}

#[test]
fn a_job_for_more_than_a_hundred_is_refused() {
    let event = messages_new(vec![message(1, "hello")]);
    let members = FanOutJob::ToMembers {
        event: event.clone(),
        trace_ids: vec![],
        recipients: recipients(101),
    };
    let open = (0..101).map(|number| connection(&number.to_string(), 1, at_ms(0)));
    let sockets =
        FanOutJob::ToConnections { event, trace_ids: vec![], connections: open.collect() };
    for job in [members, sockets] {
        let text = encode_fan_out(&job).unwrap().remove(0);
        assert!(matches!(decode_fan_out(&text), Err(JobError::Refused(_))));
    }
}

#[test]
fn news_that_cannot_be_cut_stay_one_job() {
    let text = "x".repeat(8_000);
    let mut messages: Vec<_> = (1..=100).map(|seq| message(seq, &text)).collect();
    messages[0].rev = Seq(200);
    let job = FanOutJob::ToMembers {
        event: messages_new(messages),
        trace_ids: vec![],
        recipients: recipients(1),
    };
    assert_eq!(encode_fan_out(&job).unwrap().len(), 1);
}

#[test]
fn changes_and_receipts_that_are_too_large_become_several_jobs() {
    let text = "x".repeat(8_000);
    let Event::MessagesNew { conversation_id, after, through, messages } =
        messages_new((1..=100).map(|seq| message(seq, &text)).collect())
    else {
        return;
    };
    let changed = Event::MessagesChanged { conversation_id, after, through, messages };
    let marks = Marks { delivered: Seq(i64::MAX), read: Seq(i64::MAX) };
    let marks = (0..4_000).map(|number| MemberMarks { user_id: user(number), marks }).collect();
    let receipts = Event::ReceiptUpdated { conversation_id, marks };
    for event in [changed, receipts] {
        let trace_ids = vec![trace(1), trace(2)];
        let recipients = recipients(100);
        let job = FanOutJob::ToMembers { event, trace_ids: trace_ids.clone(), recipients };
        let texts = encode_fan_out(&job).unwrap();
        assert!(texts.len() > 1 && texts.iter().all(|text| text.len() <= 256 * 1024));
        for text in texts {
            let FanOutJob::ToMembers { trace_ids: told, .. } = decode_fan_out(&text).unwrap()
            else {
                return;
            };
            assert_eq!(told, trace_ids);
        }
    }
}

#[test]
fn a_job_of_a_release_that_did_not_trace_is_read() {
    let job = encode_persist(&[submission(1, 1)]).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&job).unwrap();
    value.as_object_mut().unwrap().remove("trace_id");
    let read = decode_persist(&value.to_string()).unwrap();
    assert!(read[0].trace_id.0.is_nil());

    let event = messages_new(vec![message(1, "hello")]);
    let job = FanOutJob::ToMembers { event, trace_ids: vec![], recipients: recipients(1) };
    let mut value: serde_json::Value =
        serde_json::from_str(&encode_fan_out(&job).unwrap()[0]).unwrap();
    value.as_object_mut().unwrap().remove("trace_ids");
    assert_eq!(decode_fan_out(&value.to_string()).unwrap(), job);
}

#[test]
fn submissions_of_one_job_have_one_trace() {
    let mut other = submission(1, 2);
    other.trace_id = TraceId(uuid::Uuid::nil());
    let mixed = encode_persist(&[submission(1, 1), other]);
    assert!(matches!(mixed, Err(EncodeError::Mixed)));
}

#[test]
fn a_job_with_more_traces_than_a_batch_has_frames_is_refused() {
    let event = messages_new(vec![message(1, "hello")]);
    let trace_ids = (0..101).map(trace).collect();
    let job = FanOutJob::ToMembers { event, trace_ids, recipients: recipients(1) };
    let text = encode_fan_out(&job).unwrap().remove(0);
    assert!(matches!(decode_fan_out(&text), Err(JobError::Refused(_))));
}

fn claim() -> ReceiptClaim {
    let (conversation_id, user_id) = (conversation(1), user(1));
    ReceiptClaim { conversation_id, user_id, delivered: Some(Seq(7)), read: None }
}

fn push() -> PushRecord {
    let (after, through, at) = (Seq(6), Seq(7), Timestamp::from_unix_ms(1_767_225_600_000));
    PushRecord { conversation_id: conversation(1), after, through, devices: 8, at }
}

#[test]
fn a_push_of_a_release_that_did_not_tell_its_time_is_read_without_one() {
    let text = encode_record(&RecordJob::Push(push())).unwrap();
    assert_eq!(decode_record(&text).unwrap(), RecordJob::Push(push()));
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    old.as_object_mut().unwrap().remove("at").unwrap();
    let without = PushRecord { at: None, ..push() };
    assert_eq!(decode_record(&old.to_string()).unwrap(), RecordJob::Push(without));
}

#[test]
fn a_receipt_or_a_push_with_a_value_that_cannot_be_is_refused() {
    let receipt = encode_record(&RecordJob::Receipt(claim())).unwrap();
    let push = encode_record(&RecordJob::Push(push())).unwrap();
    for negative in [
        receipt.replace("\"delivered\":7", "\"delivered\":-7"),
        receipt.replace("\"delivered\":7", "\"read\":-7"),
        push.replace("\"after\":6", "\"after\":-6"),
        push.replace("\"through\":7", "\"through\":-7"),
        push.replace("\"at\":\"20", "\"at\":\"x20"),
    ] {
        assert!(matches!(decode_record(&negative), Err(JobError::Refused(_))), "{negative}");
    }
    for misshapen in [
        receipt.replace("\"delivered\":7", "\"delivered\":\"7\""),
        receipt.replace("\"user_id\":\"", "\"user_id\":\"x"),
        push.replace("\"devices\":8", "\"devices\":-8"),
        push.replace("\"devices\":8", "\"devices\":99999999999"),
    ] {
        let read = decode_record(&misshapen);
        assert!(matches!(read, Err(JobError::WrongShape { .. })), "{misshapen}");
    }
}

#[test]
fn a_worker_knows_its_own_jobs_only() {
    let receipt = encode_record(&RecordJob::Receipt(claim())).unwrap();
    let announcement = encode_announcement(user(1)).unwrap();
    assert_eq!(decode_announcement(&announcement).unwrap(), user(1));
    assert!(matches!(decode_announcement(&receipt), Err(JobError::UnknownJob)));
    assert!(matches!(decode_record(&announcement), Err(JobError::UnknownJob)));
    assert!(matches!(decode_persist(&receipt), Err(JobError::UnknownJob)));
}
