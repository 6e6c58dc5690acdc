//! `POST /v1/contact-requests/{request_id}/decline` — by either side.

use std::process::ExitCode;

use service::Contacts;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn decline_contact(contacts: Contacts, request: Request) -> Result<Response, Rejection> {
    contacts.decline(request.caller()?, request.contact_request_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::contacts, decline_contact)
}
