//! `POST /v1/contact-requests/{request_id}/accept` — by who was asked.

use std::process::ExitCode;

use service::Contacts;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::shown;

pub async fn accept_contact(contacts: Contacts, request: Request) -> Result<Response, Rejection> {
    let accepted = contacts.accept(request.caller()?, request.contact_request_id()?).await?;
    Ok(http::ok(&shown::contact_request(&accepted)))
}

pub fn main() -> ExitCode {
    http::serve(connect::contacts, accept_contact)
}
