//! `POST /v1/auth/refresh` — exchange a refresh token for a new one and an access token.

use std::process::ExitCode;

use protocol::body::Refresh;
use service::Sessions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::signed_in;

pub async fn refresh_session(sessions: Sessions, request: Request) -> Result<Response, Rejection> {
    let refresh_token = request.json::<Refresh>()?.parse()?;
    let renewed = sessions.refresh(&refresh_token).await?;
    Ok(http::ok(&signed_in::body(renewed)))
}

pub fn main() -> ExitCode {
    http::serve_open(connect::sessions, refresh_session)
}
