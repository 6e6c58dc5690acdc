//! `DELETE /v1/conversations/{conversation_id}` — a group ends; a direct conversation is hidden.

use std::process::ExitCode;

use domain::ConversationType;
use service::port::GroupChange;
use transport::connect::ConversationDesk;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn delete_conversation(
    desk: ConversationDesk,
    request: Request,
) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    match desk.conversations.get(caller, id).await?.conversation_type {
        ConversationType::Direct => desk.groups.hide(caller, id).await?,
        ConversationType::Group => {
            desk.groups.change(caller, id, GroupChange::Delete).await?;
        }
    }
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::conversation_desk, delete_conversation)
}
