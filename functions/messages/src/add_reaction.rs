//! `PUT …/messages/{seq}/reactions/{emoji}` — react with an emoji.

use std::process::ExitCode;

use domain::Change;
use protocol::value::Message;
use service::Revisions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn add_reaction(revisions: Revisions, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let (seq, emoji) = (request.message_seq()?, request.emoji()?);
    let message = revisions.change(caller, id, seq, Change::React(emoji)).await?;
    Ok(http::ok(&Message::from(&message)))
}

pub fn main() -> ExitCode {
    http::serve(connect::revisions, add_reaction)
}
