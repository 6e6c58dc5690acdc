//! `POST /v1/auth/register` — open an account and its first session.

use std::process::ExitCode;

use protocol::body::Register;
use service::{Device, Registration, Registrations};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::signed_in;

pub async fn register_user(
    registrations: Registrations,
    request: Request,
) -> Result<Response, Rejection> {
    let body = request.json::<Register>()?.parse()?;
    let registration = Registration {
        username: body.username,
        email: body.email,
        password: body.password,
        display_name: body.display_name,
        device: Device { name: request.user_agent(), address: request.address() },
    };
    let opened = registrations.register(registration).await?;
    Ok(http::created(&signed_in::body(opened)))
}

pub fn main() -> ExitCode {
    http::serve_open(connect::registrations, register_user)
}
