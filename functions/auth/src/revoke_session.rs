//! `DELETE /v1/auth/sessions/{session_id}` — end one session and close its sockets.

use std::process::ExitCode;

use service::Revocations;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn revoke_session(
    revocations: Revocations,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    revocations.revoke(caller, request.session_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::revocations, revoke_session)
}
