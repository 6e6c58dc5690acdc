//! `POST /v1/auth/email/resend` — another mail to verify the address.

use std::process::ExitCode;

use service::EmailProofMails;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn resend_email(mails: EmailProofMails, request: Request) -> Result<Response, Rejection> {
    mails.resend(request.caller()?).await?;
    Ok(http::accepted_empty())
}

pub fn main() -> ExitCode {
    http::serve(connect::email_proof_mails, resend_email)
}
