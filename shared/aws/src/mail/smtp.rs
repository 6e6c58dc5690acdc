//! Mail through any SMTP server.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use service::port::{Entropy, Failure, Handover, Mail, Mailer};
use url::{Host, Url};

use super::sender::{deliverable, undeliverable};
use super::{AUTO_SUBMITTED, Sender, WHAT, one_line};
use crate::call::{self, CallFailed};

/// What one step of the conversation with the server may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a text is not the address of a server. Never the text: it holds the password.
#[derive(Debug, thiserror::Error)]
pub enum BadSmtpUrl {
    #[error("the address of the SMTP server is none: smtps://user:password@host")]
    NotOne,
    #[error("a password goes over TLS only: smtps://…, or smtp://…?tls=required")]
    NotEncrypted,
}

/// One conversation a mail: between two invocations a connection would not stay open.
pub struct SmtpMailer {
    server: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
    entropy: Arc<dyn Entropy>,
}

impl SmtpMailer {
    /// `smtps://user:password@host`, or `smtp://user:password@host?tls=required` for STARTTLS.
    /// Without TLS on this machine only. Chance makes the ids of the mails.
    pub fn new(
        server_url: &str,
        sender: Sender,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, BadSmtpUrl> {
        let url = Url::parse(server_url.trim()).map_err(|_| BadSmtpUrl::NotOne)?;
        check(&url)?;
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str());
        let server = server.map_err(|_| BadSmtpUrl::NotOne)?;
        Ok(Self { server: server.timeout(Some(STEP_TIMEOUT)).build(), sender, entropy })
    }

    /// The mail as it goes over the wire. Everything that was not written by us passes the
    /// encoders of lettre, which know no way to end a header.
    fn composed(&self, mail: &Mail, to: Address) -> Result<Message, Failure> {
        let from = self.sender.mailbox();
        let id = format!("<{}@{}>", self.entropy.uuid_v7(), from.email.domain());
        let (name, value) = AUTO_SUBMITTED;
        let name = HeaderName::new_from_ascii_str(name);
        Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .message_id(Some(id))
            .raw_header(HeaderValue::new(name, value.to_owned()))
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|error| Failure::bug(WHAT, error))
    }
}

/// The server's address could hold a password.
impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("sender", &self.sender).finish_non_exhaustive()
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<Handover, Failure> {
        let Some(to) = deliverable(&mail.to) else { return Ok(undeliverable()) };
        let is_ascii = to.user().is_ascii();
        let message = self.composed(mail, to)?;
        match self.server.send(message).await {
            Ok(_) => Ok(Handover::Taken),
            Err(error) => match recipient_refused(&error) {
                Some(code) => Ok(Handover::Refused { code }),
                // Not said to a server that knows no SMTPUTF8.
                None if error.is_client() && !is_ascii => Ok(undeliverable()),
                None => Err(failure(&error)),
            },
        }
    }
}

fn check(url: &Url) -> Result<(), BadSmtpUrl> {
    let host = url.host().filter(|host| *host != Host::Domain("")).ok_or(BadSmtpUrl::NotOne)?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value);
    match (url.scheme(), tls.as_deref()) {
        ("smtps", _) | ("smtp", Some("required")) => Ok(()),
        ("smtp", None) if is_this_machine(&host) => Ok(()),
        ("smtp", _) => Err(BadSmtpUrl::NotEncrypted),
        _ => Err(BadSmtpUrl::NotOne),
    }
}

/// A host of a scheme that browsers do not know is not taken apart into addresses.
fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain("localhost") => true,
        Host::Domain(name) => name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(_) => false,
    }
}

/// The code with which a server refuses the recipient for good. An enhanced one (RFC 3463) tells
/// whom it is about: 5.1.1 to 5.1.4, 5.1.6 and 5.1.10 the address, 5.2 the mailbox; others are
/// about the sender or the policy. Without one, 550, 551 and 553 are of mailboxes (RFC 5321).
fn recipient_refused(error: &smtp::Error) -> Option<String> {
    let code = error.status().filter(|_| error.is_permanent())?.to_string();
    let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let enhanced = words.split_whitespace().next().and_then(|word| word.strip_prefix("5."));
    let is_recipient = match enhanced {
        Some("1.1" | "1.2" | "1.3" | "1.4" | "1.6" | "1.10") => true,
        Some(subject) => subject.starts_with("2."),
        None => ["550", "551", "553"].contains(&code.as_str()),
    };
    is_recipient.then_some(code)
}

/// What a server says of a refusal may name the address, so that only its code is told. A 4xx, and
/// everything that kept it from answering, may be over the next time.
fn failure(error: &smtp::Error) -> Failure {
    match error.status() {
        Some(code) => {
            let failed = CallFailed::new(&code.to_string(), "the SMTP server refused");
            match error.is_permanent() {
                true => Failure::bug(WHAT, failed),
                false => Failure::unavailable(WHAT, failed),
            }
        }
        None if error.is_client() => {
            Failure::bug(WHAT, CallFailed::new("not sent", &call::chain(error)))
        }
        None => Failure::unavailable(WHAT, CallFailed::new("no answer", &call::chain(error))),
    }
}

#[cfg(test)]
mod tests {
    use testkit::ambient::SeededEntropy;

    use super::*;

    fn open(url: &str) -> Result<SmtpMailer, BadSmtpUrl> {
        SmtpMailer::new(url, Sender::default(), SeededEntropy::new(1))
    }

    #[test]
    fn a_password_never_leaves_this_machine_in_the_clear() {
        for url in [
            "smtps://ada:hunter2@mail.example",
            "smtp://ada:hunter2@mail.example?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://localhost:2525",
        ] {
            assert!(open(url).is_ok(), "{url}");
        }
        for url in [
            "smtp://ada:hunter2@mail.example",
            "smtp://ada:hunter2@mail.example?tls=opportunistic",
            "smtp://ada:hunter2@mail.example?x=tls=required",
            "smtp://ada:hunter2@127.0.0.1.mail.example",
            "smtp://ada:hunter2@localhost.mail.example",
        ] {
            let refused = open(url).expect_err(url);
            assert!(matches!(refused, BadSmtpUrl::NotEncrypted), "{url}");
            assert!(!refused.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for url in ["", "mail.example", "http://mail.example", "smtp://", "smtps:mail", "smtp:///x"]
        {
            assert!(open(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn a_mailer_does_not_show_its_password() {
        let mailer = open("smtps://ada:hunter2@mail.example").unwrap();
        assert!(!format!("{mailer:?}").contains("hunter2"));
    }
}
