//! `DELETE /v1/users/me/blocks/{user_id}` — end a block.

use std::process::ExitCode;

use service::Blocks;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn unblock_user(blocks: Blocks, request: Request) -> Result<Response, Rejection> {
    blocks.unblock(request.caller()?, request.user_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::blocks, unblock_user)
}
