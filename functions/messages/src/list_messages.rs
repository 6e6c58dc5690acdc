//! `GET /v1/conversations/{conversation_id}/messages` — a part of the history, ascending by seq.

use std::process::ExitCode;

use protocol::body::MessageList;
use protocol::value::Message;
use service::History;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_messages(history: History, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let page = history.page(caller, id, request.window()?, request.limit()?).await?;
    Ok(http::ok(&MessageList {
        items: page.items.iter().map(Message::from).collect(),
        has_more_before: page.has_more_before,
        has_more_after: page.has_more_after,
    }))
}

pub fn main() -> ExitCode {
    http::serve(connect::history, list_messages)
}
