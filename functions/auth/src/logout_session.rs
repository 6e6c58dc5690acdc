//! `POST /v1/auth/logout` — end this session and close its sockets.

use std::process::ExitCode;

use service::Sessions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn logout_session(sessions: Sessions, request: Request) -> Result<Response, Rejection> {
    sessions.logout(request.caller()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::sessions, logout_session)
}
