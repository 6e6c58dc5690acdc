//! Jobs about single people are read back as they were written; hostile ones are refused, and
//! nothing of what they say is repeated.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use aws::jobs::{
    JobError, decode_announcement, decode_erasure, decode_mail, encode_erasure, encode_mail,
};
use domain::EmailAddress;
use service::port::MailJob;
use testkit::ambient::at_ms;
use testkit::contract::live::sample::user;

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

#[test]
fn no_token_and_no_password_lies_in_a_queue() {
    for job in [
        MailJob::VerifyEmail { user_id: user(1) },
        MailJob::ResetPassword { email: email() },
        sign_in("device", "address"),
    ] {
        let text = encode_mail(&job).unwrap();
        assert!(!text.contains("token") && !text.contains("password\""), "{text}");
    }
}
