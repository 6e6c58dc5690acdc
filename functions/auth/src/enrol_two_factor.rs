//! `POST /v1/auth/two-factor` — a secret for an authenticator app.

use std::process::ExitCode;

use protocol::body::{ProvePassword, TwoFactorEnrolment};
use service::TwoFactorSetup;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn enrol_two_factor(
    setup: TwoFactorSetup,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let (password, _) = request.json::<ProvePassword>()?.parse()?;
    let enrolment = setup.enrol(caller, password).await?;
    Ok(http::created(&TwoFactorEnrolment { url: enrolment.url, secret: enrolment.secret }))
}

pub fn main() -> ExitCode {
    http::serve(connect::two_factor_setup, enrol_two_factor)
}
