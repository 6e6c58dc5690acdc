//! `GET /v1/users/me` — one's own account.

use std::process::ExitCode;

use protocol::body::Me;
use service::Profiles;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn get_me(profiles: Profiles, request: Request) -> Result<Response, Rejection> {
    let user = profiles.me(request.caller()?).await?;
    Ok(http::ok(&Me::from(&user)))
}

pub fn main() -> ExitCode {
    http::serve(connect::profiles, get_me)
}
