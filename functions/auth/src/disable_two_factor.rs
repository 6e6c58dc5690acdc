//! `DELETE /v1/auth/two-factor` — turn it off, with the password and a code.

use std::process::ExitCode;

use protocol::body::ProvePassword;
use service::TwoFactorSetup;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn disable_two_factor(
    setup: TwoFactorSetup,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let (password, code) = request.json::<ProvePassword>()?.parse()?;
    setup.disable(caller, password, code.as_deref()).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::two_factor_setup, disable_two_factor)
}
