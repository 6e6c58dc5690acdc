//! `POST /v1/auth/password/change` — a new password; all other sessions end.

use std::process::ExitCode;

use protocol::body::ChangePassword;
use service::Passwords;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn change_password(
    passwords: Passwords,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let (current, new_password) = request.json::<ChangePassword>()?.parse()?;
    passwords.change(caller, current, new_password).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::passwords, change_password)
}
