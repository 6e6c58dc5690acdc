//! `DELETE …/messages/{seq}/reactions/{emoji}` — take one's reaction back.

use std::process::ExitCode;

use domain::Change;
use protocol::value::Message;
use service::Revisions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn remove_reaction(
    revisions: Revisions,
    request: Request,
) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let (seq, emoji) = (request.message_seq()?, request.emoji()?);
    let message = revisions.change(caller, id, seq, Change::Unreact(emoji)).await?;
    Ok(http::ok(&Message::from(&message)))
}

pub fn main() -> ExitCode {
    http::serve(connect::revisions, remove_reaction)
}
