//! `POST /v1/invites/{token}/accept` — join the group.

use std::process::ExitCode;

use protocol::value::Conversation;
use service::Admissions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn accept_invite(
    admissions: Admissions,
    request: Request,
) -> Result<Response, Rejection> {
    let joined = admissions.accept(request.caller()?, request.invite_token()?).await?;
    Ok(http::ok(&Conversation::from(&joined)))
}

pub fn main() -> ExitCode {
    http::serve(connect::admissions, accept_invite)
}
