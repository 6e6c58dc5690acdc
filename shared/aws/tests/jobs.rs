//! Jobs are read back as they were written, and what is no job is told without its text.

use aws::jobs::{
    EncodeError, JobError, decode_fan_out, decode_persist, encode_fan_out, encode_persist,
};
use domain::Seq;
use service::Event;
use service::port::FanOutJob;
use testkit::ambient::at_ms;
use testkit::contract::live::sample::{
    connection, message, messages_new, recipients, submission, user,
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
    let job = FanOutJob::ToMembers { event: bye, trace_ids: vec![], recipients: recipients(1) };
    let texts = encode_fan_out(&job).unwrap();
    assert!(matches!(decode_fan_out(&texts[0]), Err(JobError::Event(_))));
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
