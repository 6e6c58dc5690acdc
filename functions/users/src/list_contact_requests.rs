//! `GET /v1/contact-requests` — those that wait, to the caller and from them.

use std::process::ExitCode;

use protocol::body::List;
use service::ContactLists;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::shown;

pub async fn list_contact_requests(
    contacts: ContactLists,
    request: Request,
) -> Result<Response, Rejection> {
    let listed = contacts.requests(request.caller()?, request.page()?).await?;
    let items: Vec<_> = listed.items.iter().map(shown::contact_request).collect();
    Ok(http::ok(&List { items, next_cursor: listed.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::contact_lists, list_contact_requests)
}
