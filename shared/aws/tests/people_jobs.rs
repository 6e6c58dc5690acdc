//! Jobs and events about people are read back as they were written; hostile ones are refused, and
//! nothing of what they say is repeated.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use aws::frames::encode;
use aws::jobs::{
    JobError, decode_announcement, decode_erasure, decode_fan_out, decode_mail, encode_erasure,
    encode_fan_out, encode_mail,
};
use domain::{ContactRequestId, EmailAddress};
use serde_json::{Value, json};
use service::port::{FanOutJob, MailJob};
use service::{ContactRequest, ContactStatus, Event};
use testkit::ambient::{SeededEntropy, at_ms};
use testkit::contract::live::sample::{conversation, identity, recipients, user};

fn email() -> EmailAddress {
    EmailAddress::parse("ada+lists@example.org").unwrap()
}

#[test]
fn mails_are_read_back_as_they_were_asked_for() {
    for job in [
        MailJob::VerifyEmail { user_id: user(1) },
        MailJob::ResetPassword { email: email() },
        MailJob::NewSignIn { identity: identity(1) },
    ] {
        assert_eq!(decode_mail(&encode_mail(&job).unwrap()).unwrap(), job);
    }
}

#[test]
fn an_erasure_is_read_back_as_it_was_asked_for() {
    let text = encode_erasure(user(1), &email()).unwrap();
    assert_eq!(decode_erasure(&text).unwrap(), (user(1), email()));
}

#[test]
fn a_mail_with_a_value_that_cannot_be_is_refused() {
    let reset = encode_mail(&MailJob::ResetPassword { email: email() }).unwrap();
    for hostile in [
        reset.replace("ada+lists@example.org", "secret"),
        reset.replace("ada+lists@example.org", "a@b.example\\r\\nBcc: secret@c.example"),
        reset.replace("ada+lists@example.org", "a@b.example, secret@c.example"),
    ] {
        let why = decode_mail(&hostile).unwrap_err();
        assert!(matches!(why, JobError::Refused(_)), "{hostile}");
        assert!(!why.to_string().contains("secret"), "{why}");
    }
}

#[test]
fn what_is_no_job_is_told_and_its_text_is_not() {
    let mail = encode_mail(&MailJob::VerifyEmail { user_id: user(1) }).unwrap();
    let erasure = encode_erasure(user(1), &email()).unwrap();
    let sign_in = encode_mail(&MailJob::NewSignIn { identity: identity(1) }).unwrap();
    for hostile in [
        String::new(),
        "secret".to_owned(),
        "\u{0}".to_owned(),
        "[".repeat(100_000),
        "null".to_owned(),
        "{\"job\": \"secret\"}".to_owned(),
        mail.replace("send-mail/1", "send-mail/2"),
        mail.replace("verify_email", "secret"),
        mail.replace("\"user_id\":\"", "\"user_id\":\"secret"),
        mail[..mail.len() - 1].to_owned(),
        sign_in.replace("\"session_id\":\"", "\"session_id\":\"secret"),
        erasure.replace("erase-account/1", "erase-account/2"),
        erasure.replace("\"user_id\":\"", "\"user_id\":\"secret"),
        erasure.replace("ada+lists@example.org", "secret"),
        erasure.replace("\"email\"", "\"secret\""),
    ] {
        let why = decode_mail(&hostile).unwrap_err().to_string();
        assert!(!why.contains("secret"), "{why}");
        let why = decode_erasure(&hostile).unwrap_err().to_string();
        assert!(!why.contains("secret"), "{why}");
    }
}

#[test]
fn a_worker_knows_its_own_jobs_only() {
    let mail = encode_mail(&MailJob::VerifyEmail { user_id: user(1) }).unwrap();
    let erasure = encode_erasure(user(1), &email()).unwrap();
    assert!(matches!(decode_mail(&erasure), Err(JobError::UnknownJob)));
    assert!(matches!(decode_erasure(&mail), Err(JobError::UnknownJob)));
    assert!(matches!(decode_announcement(&erasure), Err(JobError::UnknownJob)));
}

/// A job that tells members of this event, with these words in place of those.
fn told(event: Event, words: &str, instead: &str) -> String {
    let job = FanOutJob::ToMembers { event, trace_ids: vec![], recipients: recipients(1) };
    let text = encode_fan_out(&job).unwrap().remove(0);
    assert!(text.contains(words), "{text}");
    text.replace(words, instead)
}

#[test]
fn an_event_about_people_with_a_value_that_cannot_be_is_refused() {
    let removed = || Event::ConversationRemoved { conversation_id: conversation(1) };
    let asked = || Event::ContactChanged {
        request: Some(ContactRequest {
            id: ContactRequestId(user(7).0),
            from: user(1),
            to: user(2),
            created_at: at_ms(0),
        }),
        user_id: user(1),
        status: ContactStatus::Requested,
    };
    for hostile in [
        told(removed(), "\"removed\":true", "\"removed\":false"),
        told(asked(), "\"requested\"", "\"secret\""),
        told(asked(), "\"created_at\":\"2033", "\"created_at\":\"secret"),
    ] {
        let why = decode_fan_out(&hostile).unwrap_err();
        assert!(matches!(why, JobError::Event(_)), "{hostile}");
        assert!(!why.to_string().contains("secret"), "{why}");
    }
    let misshapen = told(asked(), "\"from_user_id\":\"", "\"from_user_id\":\"secret");
    assert!(!decode_fan_out(&misshapen).unwrap_err().to_string().contains("secret"));
}

#[test]
fn what_is_between_two_people_is_told_in_one_frame() {
    let event =
        Event::ContactChanged { request: None, user_id: user(2), status: ContactStatus::Removed };
    let frames = encode(&event, &*SeededEntropy::new(1)).unwrap();
    assert_eq!(frames.len(), 1);
    let frame: Value = serde_json::from_str(&frames[0]).unwrap();
    assert_eq!(frame["type"], "contact.changed");
    let data = json!({"user_id": user(2).to_string(), "status": "removed", "request": null});
    assert_eq!(frame["data"], data);
}
