//! `DELETE /v1/auth/sessions` — end all other sessions and close their sockets.

use std::process::ExitCode;

use service::Revocations;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn revoke_sessions(
    revocations: Revocations,
    request: Request,
) -> Result<Response, Rejection> {
    revocations.revoke_others(request.caller()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::revocations, revoke_sessions)
}
