//! `DELETE /v1/conversations/{conversation_id}` — a group ends; a direct conversation is hidden.

use std::process::ExitCode;

use service::Groups;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn delete_conversation(groups: Groups, request: Request) -> Result<Response, Rejection> {
    groups.delete(request.caller()?, request.conversation_id()?).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::groups, delete_conversation)
}
