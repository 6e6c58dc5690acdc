//! `POST /v1/contact-requests` — ask somebody to be a contact.

use std::process::ExitCode;

use protocol::body::{AskContact, AskedContact};
use service::Introductions;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::shown;

pub async fn ask_contact(
    introductions: Introductions,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let other = request.json::<AskContact>()?.parse()?;
    let (asked, status) = introductions.ask(caller, other).await?;
    let status = status.as_str().to_owned();
    Ok(http::created(&AskedContact { request: shown::contact_request(&asked), status }))
}

pub fn main() -> ExitCode {
    http::serve(connect::introductions, ask_contact)
}
