//! Mail through SES.

use async_trait::async_trait;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader};
use service::port::{Failure, Handover, Mail, Mailer};

use super::sender::{deliverable, undeliverable};
use super::{AUTO_SUBMITTED, Sender, WHAT, one_line};
use crate::call::{self, CallFailed};

const CHARSET: &str = "UTF-8";

/// Sends with the permissions of the process.
pub struct SesMailer {
    client: Client,
    sender: Sender,
}

impl SesMailer {
    /// The address of the sender, or its domain, must be an identity that SES has verified.
    pub fn new(client: Client, sender: Sender) -> Self {
        Self { client, sender }
    }
}

#[async_trait]
impl Mailer for SesMailer {
    /// In parts, which SES puts together: a value cannot become a header of its own. SES takes
    /// nothing but ASCII before the `@`; what a recipient's server refuses, it tells by a bounce.
    async fn send(&self, mail: &Mail) -> Result<Handover, Failure> {
        let to = deliverable(&mail.to).filter(|to| to.user().is_ascii());
        let Some(to) = to else { return Ok(undeliverable()) };
        let to = Destination::builder().to_addresses(to.to_string()).build();
        let body = Body::builder().text(content(&mail.text)?).html(content(&mail.html)?).build();
        let (name, value) = AUTO_SUBMITTED;
        let header = MessageHeader::builder().name(name).value(value).build().map_err(bug)?;
        let message = Message::builder()
            .subject(content(&one_line(&mail.subject))?)
            .body(body)
            .headers(header)
            .build();
        let send = self.client.send_email().from_email_address(self.sender.encoded());
        let send = send.destination(to).content(EmailContent::builder().simple(message).build());
        send.send().await.map(|_| Handover::Taken).map_err(failure)
    }
}

fn content(text: &str) -> Result<Content, Failure> {
    Content::builder().charset(CHARSET).data(text).build().map_err(bug)
}

fn bug(error: BuildError) -> Failure {
    Failure::bug(WHAT, error)
}

/// What SES says of a refusal may name the address, so that only its code is told.
fn failure(error: SdkError<SendEmailError, HttpResponse>) -> Failure {
    let SdkError::ServiceError(refused) = &error else { return call::failure(WHAT, error) };
    let code = refused.err().code().unwrap_or("no code").to_owned();
    let failed = CallFailed::new(&code, "SES refused the mail");
    // An account that is paused will send again; one that is suspended will not.
    let is_paused = refused.err().is_sending_paused_exception();
    match call::failure(WHAT, error) {
        Failure::Bug { .. } if !is_paused => Failure::bug(WHAT, failed),
        _ => Failure::unavailable(WHAT, failed),
    }
}
