//! `GET /v1/conversations/{conversation_id}/invites` — those that are not revoked, newest first.

use std::process::ExitCode;

use protocol::body::{self, InviteList};
use service::InviteBook;
use service::port::Invite;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_invites(book: InviteBook, request: Request) -> Result<Response, Rejection> {
    let listed = book.list(request.caller()?, request.conversation_id()?).await?;
    let items = listed.iter().map(shown).collect();
    Ok(http::ok(&InviteList { items, next_cursor: None }))
}

fn shown(invite: &Invite) -> body::Invite {
    body::Invite {
        id: invite.id.0,
        created_by: invite.creator_id.0,
        uses: invite.uses,
        max_uses: invite.max_uses,
        expires_at: invite.expires_at.to_string(),
        created_at: invite.created_at.to_string(),
    }
}

pub fn main() -> ExitCode {
    http::serve(connect::invite_book, list_invites)
}
