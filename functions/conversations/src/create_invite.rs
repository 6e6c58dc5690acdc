//! `POST /v1/conversations/{conversation_id}/invites` — a token that lets people in.

use std::process::ExitCode;

use protocol::body::{CreateInvite, CreatedInvite};
use service::InviteTerms;
use transport::connect::InviteDesk;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn create_invite(desk: InviteDesk, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let body = request.json::<CreateInvite>()?.parse()?;
    let terms = InviteTerms { max_uses: body.max_uses, expires_in: body.expires_in };
    let made = desk.invites.create(caller, id, terms).await?;
    Ok(http::created(&CreatedInvite {
        id: made.invite.id.0,
        url: desk.url(&made.token),
        token: made.token,
        expires_at: made.invite.expires_at.to_string(),
        max_uses: made.invite.max_uses,
    }))
}

pub fn main() -> ExitCode {
    http::serve(connect::invite_desk, create_invite)
}
