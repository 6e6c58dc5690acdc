//! `GET /v1/conversations/{conversation_id}/members` — who is in it, for its members.

use std::process::ExitCode;

use protocol::body::{List, Member};
use service::Conversations;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_members(
    conversations: Conversations,
    request: Request,
) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let listed = conversations.members(caller, id, request.page()?).await?;
    let items = listed.items.iter().map(Member::from).collect();
    Ok(http::ok(&List { items, next_cursor: listed.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::conversations, list_members)
}
