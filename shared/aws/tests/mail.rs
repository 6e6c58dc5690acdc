//! Mail as it leaves: through a real SMTP conversation, and through SES as the emulator has it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod emulator;

use std::error::Error;

use aws::mail::{AppUrl, Letters, Sender, SesMailer, SmtpMailer};
use domain::EmailAddress;
use emulator::scripted::scripted;
use emulator::smtp::{Arrived, Mood, SmtpServer, smtp_server};
use emulator::{clients, endpoint_url, unique};
use serde_json::{Value, json};
use service::port::{Failure, Handover, Letter, Mail, Mailer, Stationery};
use testkit::ambient::SeededEntropy;

fn sender() -> Sender {
    "Acme Ünit <no-reply@acme.example>".parse().unwrap()
}

fn mail(to: &str) -> Mail {
    Mail {
        to: EmailAddress::parse(to).unwrap(),
        subject: "Your \u{1f680} is here".to_owned(),
        text: "Hello é\n\n.\n.dot\nFrom here\n".to_owned(),
        html: "<p>Hello &amp; welcome</p>".to_owned(),
    }
}

fn smtp(server: &SmtpServer) -> SmtpMailer {
    SmtpMailer::new(&server.url, sender(), SeededEntropy::new(1)).unwrap()
}

async fn sent(mail: &Mail) -> Arrived {
    let server = smtp_server(Mood::Fine).await;
    smtp(&server).send(mail).await.unwrap();
    let mut arrived = server.arrived();
    assert_eq!(arrived.len(), 1);
    arrived.remove(0)
}

/// Everything that a failure says, all the way down.
fn words(failure: &Failure) -> String {
    let mut words = format!("{failure} {failure:?}");
    let mut source = failure.source();
    while let Some(beneath) = source {
        words = format!("{words} {beneath} {beneath:?}");
        source = beneath.source();
    }
    words
}

#[tokio::test]
async fn a_mail_arrives_by_smtp_with_its_headers_and_both_bodies() {
    let arrived = sent(&mail("ada+lists@example.org")).await;
    assert_eq!(
        arrived.from.trim_end().trim_end_matches(" BODY=8BITMIME"),
        "<no-reply@acme.example>"
    );
    assert_eq!(arrived.to, ["<ada+lists@example.org>"]);
    assert_eq!(arrived.header("To"), ["ada+lists@example.org"]);
    assert!(arrived.header("From")[0].ends_with("<no-reply@acme.example>"));
    assert_eq!(arrived.header("Auto-Submitted"), ["auto-generated"]);
    assert!(arrived.header("Message-ID")[0].ends_with("@acme.example>"));
    assert_eq!(arrived.header("Date").len(), 1);
    assert!(arrived.header("Content-Type")[0].starts_with("multipart/alternative"));
    assert!(arrived.header("Subject")[0].is_ascii());
    assert!(arrived.data.contains("text/plain") && arrived.data.contains("text/html"));
    assert!(arrived.data.contains("<p>Hello &amp; welcome</p>"), "{}", arrived.data);
    assert!(arrived.data.contains("\n.\n.dot\n"), "lines of dots are lines: {}", arrived.data);
}

#[tokio::test]
async fn two_mails_have_two_ids() {
    let server = smtp_server(Mood::Fine).await;
    let mailer = smtp(&server);
    for _ in 0..2 {
        mailer.send(&mail("ada@example.org")).await.unwrap();
    }
    let ids: Vec<_> = server.arrived().iter().map(|one| one.header("Message-ID")).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_subject_cannot_become_a_header() {
    for break_of_line in ["\r\n", "\n", "\r", "\u{2028}", "\0\r\n "] {
        let subject = format!("Hello{break_of_line}Bcc: eve@evil.example");
        let arrived = sent(&Mail { subject, ..mail("ada@example.org") }).await;
        assert_eq!(arrived.header("Bcc"), Vec::<String>::new(), "{}", arrived.data);
        assert_eq!(arrived.header("Subject").len(), 1);
        assert_eq!(arrived.to, ["<ada@example.org>"]);
    }
}

#[tokio::test]
async fn a_text_cannot_end_the_mail() {
    let text = "Hello\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n".to_owned();
    let arrived = sent(&Mail { text, ..mail("ada@example.org") }).await;
    assert_eq!(arrived.from.split(' ').next(), Some("<no-reply@acme.example>"));
    assert!(arrived.data.contains("eve@evil.example"), "it is a part of the text");
}

#[tokio::test]
async fn a_domain_of_another_script_is_reached() {
    let arrived = sent(&mail("ada@b\u{fc}cher.example")).await;
    assert_eq!(arrived.to, ["<ada@xn--bcher-kva.example>"]);
}

#[tokio::test]
async fn a_recipient_that_is_refused_for_good_is_told_apart_and_named_nowhere() {
    for (mood, code) in [(Mood::NoSuchBox, "550"), (Mood::NoSuchBoxEnhanced, "554")] {
        let server = smtp_server(mood).await;
        let said = smtp(&server).send(&mail("ada@example.org")).await.unwrap();
        assert_eq!(said, Handover::Refused { code: code.to_owned() });
        assert_eq!(server.arrived(), []);
    }
}

#[tokio::test]
async fn an_address_in_letters_that_the_server_does_not_know_is_refused_for_good() {
    let server = smtp_server(Mood::Fine).await;
    let said = smtp(&server).send(&mail("\u{e4}da@example.org")).await.unwrap();
    assert!(matches!(said, Handover::Refused { .. }), "{said:?}");
    assert_eq!(server.arrived(), []);
    let service = scripted(vec![]).await;
    let ses = SesMailer::new(service.clients.ses(), sender());
    assert_eq!(ses.send(&mail("\u{e4}da@example.org")).await.unwrap(), said);
    assert!(service.calls().is_empty(), "SES takes none of them");
}

#[tokio::test]
async fn a_refusal_is_told_from_an_outage_and_names_nobody() {
    let kinds = [(Mood::NotFromYou, false), (Mood::Busy, true), (Mood::HangsUp, true)];
    for (mood, is_outage) in kinds {
        let server = smtp_server(mood).await;
        let failure = smtp(&server).send(&mail("ada@example.org")).await.unwrap_err();
        assert_eq!(matches!(failure, Failure::Unavailable { .. }), is_outage, "{failure:?}");
        assert!(!words(&failure).contains("ada"), "{}", words(&failure));
        assert_eq!(server.arrived(), []);
    }
    let gone = SmtpMailer::new("smtp://127.0.0.1:1", sender(), SeededEntropy::new(1)).unwrap();
    let failure = gone.send(&mail("ada@example.org")).await.unwrap_err();
    assert!(matches!(failure, Failure::Unavailable { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_password_is_told_to_the_server_and_to_nobody_else() {
    // Base64 of the name and the password, as AUTH PLAIN says them.
    let plain = "AGFkYQBodW50ZXIy";
    for (mood, is_fine) in [(Mood::Fine, true), (Mood::WrongPassword, false)] {
        let server = smtp_server(mood).await;
        let url = server.url_with("ada:hunter2");
        let mailer = SmtpMailer::new(&url, sender(), SeededEntropy::new(1)).unwrap();
        let sent = mailer.send(&mail("bob@example.org")).await;
        assert!(server.commands().contains(&format!("AUTH PLAIN {plain}")));
        assert_eq!(sent.is_ok(), is_fine);
        let said = sent.err().map(|failure| words(&failure)).unwrap_or_default();
        assert!(!said.contains(plain) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_is_told_nothing_when_it_must() {
    let server = smtp_server(Mood::Fine).await;
    let url = server.url_with("ada:hunter2");
    for url in [format!("{url}?tls=required"), url.replace("smtp://", "smtps://")] {
        let mailer = SmtpMailer::new(&url, sender(), SeededEntropy::new(1)).unwrap();
        mailer.send(&mail("bob@example.org")).await.unwrap_err();
        let commands = server.commands();
        assert!(!commands.iter().any(|line| line.contains("AUTH")), "{commands:?}");
        assert_eq!(server.arrived(), []);
    }
}

#[tokio::test]
async fn a_letter_arrives_through_ses_and_is_counted() {
    let clients = clients().await;
    let address = format!("{}@acme.example", unique("sender"));
    clients.ses().create_email_identity().email_identity(&address).send().await.unwrap();
    let sender: Sender = format!("Acme <{address}>").parse().unwrap();
    let token = unique("token");
    let app_url: AppUrl = "https://chat.example".parse().unwrap();
    let to = EmailAddress::parse(&format!("{}@example.org", unique("ada"))).unwrap();
    let letter = Letter::VerifyEmail { token: token.clone() };
    let mail = Letters::new(app_url, &sender).write(&to, "Ada", &letter);
    clients.usage().take();
    SesMailer::new(clients.ses(), sender).send(&mail).await.unwrap();
    assert_eq!(clients.usage().take().get("ses.mails"), Some(&1));

    let page = format!("{}/_ministack/ses/messages", endpoint_url());
    let page: Value = reqwest::get(page).await.unwrap().json().await.unwrap();
    let accounts = page["messages"].as_object().unwrap().values();
    let mails = accounts.flat_map(|mails| mails.as_array().unwrap());
    let found: Vec<_> = mails.filter(|one| one["To"] == json!([to.as_str()])).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["Subject"], "Acme: confirm your e-mail address");
    assert!(found[0]["BodyText"].as_str().unwrap().contains(&format!("#token={token}")));
    assert!(found[0]["BodyHtml"].as_str().unwrap().contains("Hello Ada,"));
}

#[tokio::test]
async fn what_ses_is_asked_has_every_value_in_its_place() {
    let service = scripted(vec![(200, json!({"MessageId": "1"}))]).await;
    let subject = "Hello\r\nBcc: eve@evil.example".to_owned();
    let mail = Mail { subject, ..mail("ada@b\u{fc}cher.example") };
    SesMailer::new(service.clients.ses(), sender()).send(&mail).await.unwrap();
    let (_, asked) = service.calls().remove(0);
    assert_eq!(asked["Destination"], json!({"ToAddresses": ["ada@xn--bcher-kva.example"]}));
    let simple = &asked["Content"]["Simple"];
    assert_eq!(simple["Subject"]["Data"], "HelloBcc: eve@evil.example");
    assert_eq!(simple["Body"]["Text"]["Data"], mail.text);
    let headers = json!([{"Name": "Auto-Submitted", "Value": "auto-generated"}]);
    assert_eq!(simple["Headers"], headers);
    assert!(asked["FromEmailAddress"].as_str().unwrap().ends_with("<no-reply@acme.example>"));
    assert!(asked["FromEmailAddress"].as_str().unwrap().is_ascii());
}

#[tokio::test]
async fn what_ses_refuses_is_told_from_what_it_does_later() {
    let cases = [
        ("MessageRejected", 400, false),
        ("MailFromDomainNotVerifiedException", 400, false),
        ("AccountSuspendedException", 400, false),
        ("SendingPausedException", 400, true),
        ("TooManyRequestsException", 429, true),
        ("LimitExceededException", 400, true),
        ("InternalFailure", 500, true),
    ];
    for (code, status, is_outage) in cases {
        let answer = json!({"__type": code, "message": "ada@example.org is not verified"});
        let service = scripted(vec![(status, answer.clone()); 3]).await;
        let mailer = SesMailer::new(service.clients.ses(), sender());
        let failure = mailer.send(&mail("ada@example.org")).await.unwrap_err();
        assert_eq!(matches!(failure, Failure::Unavailable { .. }), is_outage, "{code}");
        assert!(!words(&failure).contains("ada"), "{}", words(&failure));
        assert!(words(&failure).contains(code), "{}", words(&failure));
    }
}
