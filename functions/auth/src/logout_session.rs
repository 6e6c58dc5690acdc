//! `POST /v1/auth/logout` — end this session and close its sockets.

use std::process::ExitCode;

use service::SignOut;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn logout_session(sign_out: SignOut, request: Request) -> Result<Response, Rejection> {
    sign_out.logout(request.caller()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::sign_out, logout_session)
}
