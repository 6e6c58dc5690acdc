//! `POST /v1/conversations/{conversation_id}/messages` — accept a message for delivery.

use std::process::ExitCode;

use protocol::body::MessageAccepted;
use protocol::value::MessageDraft;
use service::Messages;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn send_message(messages: Messages, request: Request) -> Result<Response, Rejection> {
    let sender = request.caller()?;
    let conversation = request.conversation_id()?;
    let draft = request.json::<MessageDraft>()?.parse()?;
    let client_id = draft.client_id.0;
    messages.send(sender, conversation, draft).await?;
    Ok(http::accepted(&MessageAccepted { client_id, accepted: true }))
}

pub fn main() -> ExitCode {
    http::serve(connect::messages, send_message)
}
