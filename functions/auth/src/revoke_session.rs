//! `DELETE /v1/auth/sessions/{session_id}` — end one session and close its sockets.

use std::process::ExitCode;

use service::SessionList;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn revoke_session(
    sessions: SessionList,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    sessions.revoke(caller, request.session_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::session_list, revoke_session)
}
