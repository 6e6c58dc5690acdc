//! `GET /v1/contacts` — one's contacts, by user name.

use std::process::ExitCode;

use protocol::body::List;
use service::ContactLists;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::shown;

pub async fn list_contacts(
    contacts: ContactLists,
    request: Request,
) -> Result<Response, Rejection> {
    let listed = contacts.list(request.caller()?, request.page()?).await?;
    Ok(http::ok(&List { items: shown::profiles(&listed.items), next_cursor: listed.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::contact_lists, list_contacts)
}
