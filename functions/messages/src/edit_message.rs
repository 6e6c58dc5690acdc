//! `PATCH /v1/conversations/{conversation_id}/messages/{seq}` — another text for one's own message.

use std::process::ExitCode;

use protocol::body::EditMessage;
use protocol::value::Message;
use service::Revisions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn edit_message(revisions: Revisions, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let seq = request.message_seq()?;
    let edit = request.json::<EditMessage>()?.parse()?;
    let message = revisions.change(caller, id, seq, edit).await?;
    Ok(http::ok(&Message::from(&message)))
}

pub fn main() -> ExitCode {
    http::serve(connect::revisions, edit_message)
}
