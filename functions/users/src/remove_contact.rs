//! `DELETE /v1/contacts/{user_id}` — of both sides.

use std::process::ExitCode;

use service::Contacts;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn remove_contact(contacts: Contacts, request: Request) -> Result<Response, Rejection> {
    contacts.remove(request.caller()?, request.user_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::contacts, remove_contact)
}
