//! `GET /v1/conversations/{conversation_id}` — one conversation, for its members.

use std::process::ExitCode;

use protocol::value::Conversation;
use service::Conversations;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn get_conversation(
    conversations: Conversations,
    request: Request,
) -> Result<Response, Rejection> {
    let found = conversations.get(request.caller()?, request.conversation_id()?).await?;
    Ok(http::ok(&Conversation::from(&found)))
}

pub fn main() -> ExitCode {
    http::serve(connect::conversations, get_conversation)
}
