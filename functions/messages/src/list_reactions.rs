//! `GET …/messages/{seq}/reactions/{emoji}` — everybody who reacted with this emoji.

use std::process::ExitCode;

use protocol::body::List;
use service::Reactors;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_reactions(reactors: Reactors, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let (seq, emoji) = (request.message_seq()?, request.emoji()?);
    let listed = reactors.list(caller, id, seq, &emoji, request.page()?).await?;
    let items = listed.items.iter().map(|user| user.0.to_string()).collect();
    Ok(http::ok(&List::<String> { items, next_cursor: listed.next_cursor }))
}

pub fn main() -> ExitCode {
    http::serve(connect::reactors, list_reactions)
}
