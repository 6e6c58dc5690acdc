//! `POST /v1/auth/password/reset` — a new password with the token of the mail.

use std::process::ExitCode;

use protocol::body::ResetPassword;
use service::Passwords;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn reset_password(passwords: Passwords, request: Request) -> Result<Response, Rejection> {
    let (token, new_password) = request.json::<ResetPassword>()?.parse()?;
    passwords.reset(&token, new_password, request.address().as_deref()).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve_open(connect::passwords, reset_password)
}
