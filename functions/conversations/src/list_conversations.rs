//! `GET /v1/conversations` — one's own conversations, most recently active first.

use std::process::ExitCode;

use protocol::body::List;
use service::Conversations;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::entry;

pub async fn list_conversations(
    conversations: Conversations,
    request: Request,
) -> Result<Response, Rejection> {
    let listed = conversations.list(request.caller()?, request.page()?).await?;
    let items = listed.items.iter().map(entry::said).collect();
    Ok(http::ok(&List { items, next_cursor: listed.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::conversations, list_conversations)
}
