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
use testkit::contract::live::sample::{conversation, recipients, user};

fn email() -> EmailAddress {
    EmailAddress::parse("ada+lists@example.org").unwrap()
}

fn sign_in(device_name: &str, address: &str) -> MailJob {
    MailJob::NewSignIn {
        user_id: user(1),
        device_name: Some(device_name.to_owned()),
        address: Some(address.to_owned()),
        at: at_ms(0),
    }
}

#[test]
fn mails_are_read_back_as_they_were_asked_for() {
    let nothing_known =
        MailJob::NewSignIn { user_id: user(1), device_name: None, address: None, at: at_ms(-1) };
    for job in [
        MailJob::VerifyEmail { user_id: user(1) },
        MailJob::ResetPassword { email: email() },
        sign_in("Ada's \"phone\" \u{1f4f1}", "2001:db8::1"),
        sign_in(&"é".repeat(64), ""),
        nothing_known,
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
    let sign_in = encode_mail(&sign_in("device", "address")).unwrap();
    for hostile in [
        reset.replace("ada+lists@example.org", "secret"),
        reset.replace("ada+lists@example.org", "a@b.example\\r\\nBcc: secret@c.example"),
        reset.replace("ada+lists@example.org", "a@b.example, secret@c.example"),
        sign_in.replace("\"device\"", "\"secret\\r\\nBcc: x@y.example\""),
        sign_in.replace("\"device\"", &format!("\"{}\"", "secret".repeat(11))),
        sign_in.replace("\"address\":\"address\"", "\"address\":\"secret\\u0000\""),
        sign_in.replace("\"at\":\"2033", "\"at\":\"secret"),
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
