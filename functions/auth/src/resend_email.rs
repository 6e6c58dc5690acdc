//! `POST /v1/auth/email/resend` — another mail to verify the address.

use std::process::ExitCode;

use service::EmailProofs;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn resend_email(proofs: EmailProofs, request: Request) -> Result<Response, Rejection> {
    proofs.resend(request.caller()?).await?;
    Ok(http::accepted_empty())
}

pub fn main() -> ExitCode {
    http::serve(connect::email_proofs, resend_email)
}
