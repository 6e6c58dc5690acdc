//! `GET /v1/conversations/{conversation_id}/changes` — what a client missed after its cursor.

use std::process::ExitCode;

use protocol::body::ChangeList;
use protocol::value::Message;
use service::History;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_changes(history: History, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let page = history.changes(caller, id, request.seq("after")?, request.limit()?).await?;
    Ok(http::ok(&ChangeList {
        items: page.items.iter().map(Message::from).collect(),
        through: page.through.0,
        last_seq: page.last_seq.0,
        has_more: page.has_more,
    }))
}

pub fn main() -> ExitCode {
    http::serve(connect::history, list_changes)
}
