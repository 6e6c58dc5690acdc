//! `DELETE /v1/conversations/{conversation_id}/invites/{invite_id}` — it opens nothing any more.

use std::process::ExitCode;

use service::InviteBook;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn revoke_invite(book: InviteBook, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    book.revoke(caller, id, request.invite_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::invite_book, revoke_invite)
}
