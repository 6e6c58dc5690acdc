//! `DELETE /v1/conversations/{conversation_id}/messages/{seq}/pin` — take a pin away.

use std::process::ExitCode;

use domain::Change;
use protocol::value::Message;
use service::Revisions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn unpin_message(revisions: Revisions, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let message = revisions.change(caller, id, request.message_seq()?, Change::Unpin).await?;
    Ok(http::ok(&Message::from(&message)))
}

pub fn main() -> ExitCode {
    http::serve(connect::revisions, unpin_message)
}
