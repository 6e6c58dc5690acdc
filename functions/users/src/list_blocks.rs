//! `GET /v1/users/me/blocks` — whom one has blocked, by user name.

use std::process::ExitCode;

use protocol::body::List;
use service::Blocks;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::shown;

pub async fn list_blocks(blocks: Blocks, request: Request) -> Result<Response, Rejection> {
    let listed = blocks.list(request.caller()?, request.page()?).await?;
    Ok(http::ok(&List { items: shown::profiles(&listed.items), next_cursor: listed.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::blocks, list_blocks)
}
