//! `POST /v1/auth/password/forgot` — a mail to who has this address, if anybody has.

use std::process::ExitCode;

use protocol::body::ForgotPassword;
use service::ForgottenPasswords;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn forgot_password(
    passwords: ForgottenPasswords,
    request: Request,
) -> Result<Response, Rejection> {
    let email = request.json::<ForgotPassword>()?.parse()?;
    passwords.forgot(email, request.address().as_deref()).await?;
    Ok(http::accepted_empty())
}

pub fn main() -> ExitCode {
    http::serve_open(connect::forgotten_passwords, forgot_password)
}
