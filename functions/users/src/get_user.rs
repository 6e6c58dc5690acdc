//! `GET /v1/users/{user_id}` — what others see of a person.

use std::process::ExitCode;

use protocol::body::Profile;
use service::Profiles;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn get_user(profiles: Profiles, request: Request) -> Result<Response, Rejection> {
    request.caller()?;
    let user = profiles.user(request.user_id()?).await?;
    Ok(http::ok(&Profile::from(&user)))
}

pub fn main() -> ExitCode {
    http::serve(connect::profiles, get_user)
}
