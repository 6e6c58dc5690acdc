//! `GET /v1/users?query=` — people whose name begins so.

use std::process::ExitCode;

use protocol::body::List;
use service::PeopleSearch;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::shown;

pub async fn search_users(people: PeopleSearch, request: Request) -> Result<Response, Rejection> {
    let (caller, page) = (request.caller()?, request.page()?);
    let found = people.search(caller, request.search(), page).await?;
    Ok(http::ok(&List { items: shown::profiles(&found.items), next_cursor: found.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::people_search, search_users)
}
