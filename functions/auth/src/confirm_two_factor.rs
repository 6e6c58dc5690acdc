//! `POST /v1/auth/two-factor/confirm` — turn it on with a first code.

use std::process::ExitCode;

use protocol::body::{ConfirmTwoFactor, RecoveryCodes};
use service::TwoFactorSetup;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn confirm_two_factor(
    setup: TwoFactorSetup,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let code = request.json::<ConfirmTwoFactor>()?.parse()?;
    let recovery_codes = setup.confirm(caller, &code).await?;
    Ok(http::ok(&RecoveryCodes { recovery_codes }))
}

pub fn main() -> ExitCode {
    http::serve(connect::two_factor_setup, confirm_two_factor)
}
