//! `PUT /v1/users/me/blocks/{user_id}` — hear no more of somebody.

use std::process::ExitCode;

use service::Blocking;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn block_user(blocking: Blocking, request: Request) -> Result<Response, Rejection> {
    blocking.block(request.caller()?, request.user_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::blocking, block_user)
}
