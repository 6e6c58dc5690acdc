//! `POST /v1/invites/{token}/accept` — join the group.

use std::process::ExitCode;

use protocol::value::Conversation;
use transport::connect::InviteDesk;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn accept_invite(desk: InviteDesk, request: Request) -> Result<Response, Rejection> {
    let joined = desk.invites.accept(request.caller()?, request.invite_token()?).await?;
    Ok(http::ok(&Conversation::from(&joined)))
}

pub fn main() -> ExitCode {
    http::serve(connect::invite_desk, accept_invite)
}
