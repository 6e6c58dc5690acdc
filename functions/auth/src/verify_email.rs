//! `POST /v1/auth/email/verify` — prove an address with the token of the mail.

use std::process::ExitCode;

use protocol::body::VerifyEmail;
use service::EmailProofs;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn verify_email(proofs: EmailProofs, request: Request) -> Result<Response, Rejection> {
    let token = request.json::<VerifyEmail>()?.parse()?;
    proofs.verify(&token).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve_open(connect::email_proofs, verify_email)
}
