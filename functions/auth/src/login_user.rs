//! `POST /v1/auth/login` — open a session with a password.

use std::process::ExitCode;

use protocol::body;
use service::{Accounts, Device, Login};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::signed_in;

pub async fn login_user(accounts: Accounts, request: Request) -> Result<Response, Rejection> {
    let body = request.json::<body::Login>()?.parse()?;
    let name = body.device_name.or_else(|| request.user_agent());
    let device = Device { name, address: request.address() };
    let login = Login { login: body.login, password: body.password, totp: body.totp, device };
    let opened = accounts.login(login).await?;
    Ok(http::ok(&signed_in::body(opened)))
}

pub fn main() -> ExitCode {
    http::serve_open(connect::accounts, login_user)
}
