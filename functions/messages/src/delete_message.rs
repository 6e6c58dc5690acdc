//! `DELETE /v1/conversations/{conversation_id}/messages/{seq}` — leave a tombstone in its place.

use std::process::ExitCode;

use domain::Change;
use service::Revisions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn delete_message(revisions: Revisions, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    revisions.change(caller, id, request.message_seq()?, Change::Delete).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::revisions, delete_message)
}
